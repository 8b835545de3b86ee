/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/owners.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "host/cgroup.h"
#include "instance/instance.h"
#include "instance/objects.h"
#include "instance/programs.h"

#define MAX_ATTACHED 64u /* BPF_CGROUP_MAX_PROGS, kernel/bpf/cgroup.c */

static const struct {
    enum qpw_program program;
    enum bpf_attach_type type;
} hooks[QPW_OWNER_PROGRAMS] = {
    {QPW_PROG_qpw_sock_create, BPF_CGROUP_INET_SOCK_CREATE},
    {QPW_PROG_qpw_connect4, BPF_CGROUP_INET4_CONNECT},
    {QPW_PROG_qpw_connect6, BPF_CGROUP_INET6_CONNECT},
};

uint32_t qpw_kernel_instance(const struct qpw_kernel *k)
{
    struct bpf_map_info info = {0};
    __u32 size = sizeof(info);

    return bpf_obj_get_info_by_fd(k->map_fd[QPW_MAP_meta], &info, &size) < 0 ? 0 : info.id;
}

/* ---- Attached programs ---- */

struct attached {
    uint32_t ids[MAX_ATTACHED];
    uint32_t n;
};

static int query(int root, enum bpf_attach_type type, struct attached *ret)
{
    ret->n = MAX_ATTACHED;
    return bpf_prog_query(root, type, 0, NULL, ret->ids, &ret->n) < 0 ? -errno : 0;
}

/* Return the instance of the program, if it has that name; 0: foreign, or gone. */
static uint32_t instance_of(uint32_t id, const char *name)
{
    __u32 maps[QPW_PROGRAM_MAPS];
    int n;

    if (qpw_program_has_name(id, name) <= 0)
        return 0;
    n = qpw_program_map_ids(id, maps, QPW_PROGRAM_MAPS);
    for (int i = 0; i < n; i++)
        if (qpw_map_is_meta(maps[i]))
            return maps[i];
    return 0;
}

/*
 * Return whether the program uses the map; true also if unknown, so that a live instance is not taken for a leftover.
 */
static bool has_map(uint32_t id, uint32_t map)
{
    __u32 maps[QPW_PROGRAM_MAPS];
    int n = qpw_program_map_ids(id, maps, QPW_PROGRAM_MAPS);

    if (n < 0)
        return n != -ENOENT;
    for (int i = 0; i < n; i++)
        if (maps[i] == map)
            return true;
    return false;
}

/* Return whether an interface program shares the map, that is, the instance is alive. */
static bool has_interface(uint32_t instance)
{
    uint32_t id = 0;

    while (qpw_object_next(id, &id) == 0)
        for (int program = 0; program < QPW_PROG_INTERFACES && has_map(id, instance); program++)
            if (qpw_program_has_name(id, qpw_program_name(program)) != 0)
                return true; /* one of ours, or unknown: then remove nothing */
    return false;
}

static int detach_one(int root, uint32_t id, enum bpf_attach_type type)
{
    int fd = qpw_object_program(id), r;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    r = bpf_prog_detach2(fd, root, type) < 0 && errno != ENOENT ? -errno : 0;
    close(fd);
    return r;
}

/* Count our programs at one attach point, and detach them if requested. */
static int visit(int root, unsigned at, uint32_t instance, bool take_out, unsigned *count)
{
    struct attached attached;
    int r = query(root, hooks[at].type, &attached);
    uint32_t of;

    for (uint32_t i = 0; r == 0 && i < attached.n; i++) {
        of = instance_of(attached.ids[i], qpw_program_name(hooks[at].program));
        if (!of || (instance ? of != instance : has_interface(of)))
            continue;
        ++*count;
        if (take_out)
            r = detach_one(root, attached.ids[i], hooks[at].type);
    }
    return r;
}

/* Check the right to identify programs, without which ours would look foreign or missing. */
static int may_ask(void)
{
    uint32_t id = 0;

    return qpw_object_next(0, &id) < 0 && errno == EPERM ? -EPERM : 0;
}

/*
 * Open the cgroup that the instance's programs are attached to; the root if it is unknown. Returns a descriptor or a
 * negative errno.
 */
static int open_cgroup_root(uint32_t instance)
{
    int root = qpw_cgroup_root_open(), map = instance ? qpw_object_map(instance) : -1;
    struct qpw_meta meta = {0};
    __u32 zero = 0;

    if (map >= 0 && bpf_map_lookup_elem(map, &zero, &meta) < 0)
        meta.owners_cgroup = 0;
    if (map >= 0)
        close(map);
    if (root < 0 || !meta.owners_cgroup || meta.owners_cgroup == qpw_cgroup_id(root))
        return root;
    close(root);
    return qpw_cgroup_open(meta.owners_cgroup);
}

static int visit_all(uint32_t instance, bool take_out, unsigned *ret_count)
{
    int r = may_ask(), root;

    *ret_count = 0;
    if (r < 0)
        return r;
    root = open_cgroup_root(instance);
    if (root < 0)
        return root == -ESTALE ? 0 : root; /* the cgroup is gone, and its programs with it */
    for (unsigned i = 0; r == 0 && i < QPW_OWNER_PROGRAMS; i++)
        r = visit(root, i, instance, take_out, ret_count);
    close(root);
    return r;
}

int qpw_owners_count(uint32_t instance)
{
    unsigned count;
    int r = visit_all(instance, /* take_out= */ false, &count);

    return r < 0 ? r : (int)count;
}

int qpw_owners_detach(uint32_t instance, unsigned *ret_removed, struct qpw_error *err)
{
    unsigned count;
    int r = visit_all(instance, /* take_out= */ true, &count);

    if (ret_removed)
        *ret_removed = count;
    return r < 0 ? qpw_fail(err, r, "cannot remove the programs at the root cgroup that note the owners of sockets: %s",
                            strerror(-r)) : 0;
}

/* ---- Attaching ---- */

static const char *ask_reason(int error)
{
    return error == -EPERM ? "CAP_SYS_ADMIN is missing" : error == -ENODEV ? "the kernel has no unified cgroup hierarchy"
                                                                           : strerror(-error);
}

static const char *attach_reason(int error)
{
    switch (error) {
    case -EPERM: return "another program holds the root cgroup's hook for itself, or CAP_NET_ADMIN is missing";
    case -E2BIG: return "too many programs are attached there already";
    default: return strerror(-error);
    }
}

static int attach_all(struct qpw_kernel *k, int root, struct qpw_error *err)
{
    for (unsigned i = 0; i < QPW_OWNER_PROGRAMS; i++)
        if (bpf_prog_attach(k->prog_fd[hooks[i].program], root, hooks[i].type, BPF_F_ALLOW_MULTI) < 0) {
            int r = -errno;

            while (i-- > 0)
                bpf_prog_detach2(k->prog_fd[hooks[i].program], root, hooks[i].type);
            return qpw_fail(err, r, "cannot attach at the root cgroup: %s", attach_reason(r));
        }
    return 0;
}

int qpw_owners_attach(struct qpw_kernel *k, uint64_t *cgroup, struct qpw_error *err)
{
    uint32_t wanted = 1u << QPW_PROG_qpw_sock_create | 1u << QPW_PROG_qpw_connect4 | 1u << QPW_PROG_qpw_connect6;
    uint32_t instance = qpw_kernel_instance(k);
    int count = instance ? qpw_owners_count(instance) : -EACCES, root, r;

    if (count < 0)
        return qpw_fail(err, count, "cannot ask the root cgroup what is attached to it: %s", ask_reason(count));
    if (count == QPW_OWNER_PROGRAMS)
        return 0;
    if (count) { /* left over from a start that was killed halfway */
        r = qpw_owners_detach(instance, NULL, err);
        if (r < 0)
            return r;
    }
    r = qpw_instance_complete(k, wanted, err);
    if (r < 0)
        return r;
    root = qpw_cgroup_root_open();
    if (root < 0)
        return qpw_fail(err, root, "cannot open the root of the unified cgroup hierarchy: %s", strerror(-root));
    r = attach_all(k, root, err);
    if (r == 0)
        *cgroup = qpw_cgroup_id(root);
    close(root);
    return r;
}
