/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/hooks_tcx.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "instance/hooks_list.h"
#include "instance/objects.h"

/* From Linux 6.6, include/uapi/linux/bpf.h. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define F_REPLACE (1u << 2)
#define F_BEFORE (1u << 3)
#define TCX_MAX 64 /* programs in one hook */

struct attr_attach {
    uint32_t target_ifindex;
    uint32_t attach_bpf_fd;
    uint32_t attach_type;
    uint32_t attach_flags;
    uint32_t replace_bpf_fd;
    uint32_t relative_fd;
    uint64_t expected_revision;
};

struct attr_query {
    uint32_t target_ifindex;
    uint32_t attach_type;
    uint32_t query_flags;
    uint32_t attach_flags;
    uint64_t prog_ids;
    uint32_t count;
    uint32_t pad;
    uint64_t prog_attach_flags;
    uint64_t link_ids;
    uint64_t link_attach_flags;
    uint64_t revision;
};

static long sys_bpf(int command, void *attr, size_t size)
{
    return syscall(SYS_bpf, command, attr, size);
}

static uint32_t attach_type(enum qpw_point point)
{
    return point == QPW_POINT_RX ? TCX_INGRESS : TCX_EGRESS;
}

static const char *point_text(enum qpw_point point)
{
    return point == QPW_POINT_RX ? "ingress" : "egress";
}

/*
 * Before Linux 6.6, an attach type that high fails with EINVAL, and a longer attribute with a non-zero tail with E2BIG.
 */
static bool means_unknown(int error)
{
    return error == EINVAL || error == E2BIG || error == EOPNOTSUPP;
}

int qpw_tcx_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *list, struct qpw_error *err)
{
    uint32_t ids[TCX_MAX] = {0};
    struct attr_query attr = {
        .target_ifindex = ifindex,
        .attach_type = attach_type(point),
        .prog_ids = (uintptr_t)ids,
        .count = TCX_MAX,
    };
    struct qpw_hook_entry entry;
    int r = 0;

    if (sys_bpf(BPF_PROG_QUERY, &attr, sizeof(attr)) < 0) {
        if (errno == ENOENT)
            return 0; /* nothing has ever been attached there */
        if (means_unknown(errno))
            return qpw_fail(err, -EOPNOTSUPP, "this kernel has no TCX (it came with 6.6)");
        return qpw_fail(err, -errno, "asking TCX %s of interface %u: %s", point_text(point), ifindex, strerror(errno));
    }
    for (uint32_t i = 0; r == 0 && i < attr.count && i < TCX_MAX; i++) {
        entry = (struct qpw_hook_entry){.kind = QPW_HOOK_TCX};
        r = qpw_hooks_name_program(ids[i], &entry, err);
        qpw_hooks_append(list, &entry);
    }
    return r;
}

int qpw_tcx_attach(unsigned ifindex, enum qpw_point point, int prog_fd, struct qpw_error *err)
{
    struct attr_attach attr = {
        .target_ifindex = ifindex,
        .attach_bpf_fd = prog_fd,
        .attach_type = attach_type(point),
        .attach_flags = F_BEFORE,
    };

    if (sys_bpf(BPF_PROG_ATTACH, &attr, sizeof(attr)) == 0)
        return 0;
    if (means_unknown(errno))
        return qpw_fail(err, -EOPNOTSUPP, "this kernel has no TCX (it came with 6.6)");
    return qpw_fail(err, -errno, "attaching at TCX %s of interface %u: %s", point_text(point), ifindex,
                    strerror(errno));
}

int qpw_tcx_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                    struct qpw_error *err)
{
    struct attr_attach attr = {.target_ifindex = ifindex, .attach_bpf_fd = (uint32_t)prog_fd, .attach_type = attach_type(point),
                               .attach_flags = F_REPLACE};
    int fd = qpw_object_program(entry->prog_id);
    long r;

    if (fd < 0)
        return qpw_fail(err, -errno, "opening TC program %u: %s", entry->prog_id, strerror(errno));
    attr.replace_bpf_fd = (uint32_t)fd;
    r = sys_bpf(BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0 ? -errno : 0;
    close(fd);
    return r < 0 ? qpw_fail(err, (int)r, "replacing program %u at TCX %s of interface %u: %s", entry->prog_id, point_text(point),
                            ifindex, strerror((int)-r)) : 0;
}

int qpw_tcx_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, struct qpw_error *err)
{
    struct attr_attach attr = {.target_ifindex = ifindex, .attach_type = attach_type(point)};
    int fd = qpw_object_program(entry->prog_id);
    long r;

    if (fd < 0)
        return errno == ENOENT ? 0
                               : qpw_fail(err, -errno, "opening TC program %u: %s", entry->prog_id, strerror(errno));
    attr.attach_bpf_fd = fd;
    r = sys_bpf(BPF_PROG_DETACH, &attr, sizeof(attr)) < 0 ? -errno : 0;
    close(fd);
    if (r < 0 && r != -ENOENT && r != -ENODEV)
        return qpw_fail(err, r, "removing program %u from TCX %s of interface %u: %s", entry->prog_id,
                        point_text(point), ifindex, strerror(-r));
    return 0;
}
