/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "instance/hooks_clsact.h"
#include "instance/hooks_list.h"
#include "instance/hooks_tcx.h"
#include "instance/hooks_xdp.h"
#include "instance/kernel_words.h"
#include "instance/objects.h"

int qpw_hooks_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *ret, struct qpw_error *err)
{
    struct qpw_hook_list list = {0};
    int r = 0;

    if (point == QPW_POINT_RX)
        r = qpw_xdp_query(ifindex, &list, err);
    if (r == 0)
        r = qpw_tcx_query(ifindex, point, &list, err);
    if (r == 0 || r == -EOPNOTSUPP)
        r = qpw_clsact_query(ifindex, point, &list, err);
    if (r < 0)
        return r;
    *ret = list;
    return 0;
}

int qpw_hooks_attach_xdp(unsigned ifindex, int prog_fd, struct qpw_error *err)
{
    const char *words;
    int r;

    qpw_kernel_words();
    r = bpf_xdp_attach(ifindex, prog_fd, XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
    if (r == 0)
        return 0;
    words = qpw_kernel_words();
    return qpw_fail(err, r, "native XDP on interface %u: %s%s%s", ifindex, strerror(-r), *words ? ": " : "", words);
}

int qpw_hooks_attach_tc(unsigned ifindex, enum qpw_point point, int prog_fd, enum qpw_tc_choice choice,
                        struct qpw_tc_attached *ret, struct qpw_error *err)
{
    int r = -EOPNOTSUPP;

    *ret = (struct qpw_tc_attached){.kind = QPW_HOOK_TCX};
    if (choice != QPW_TC_CLSACT)
        r = qpw_tcx_attach(ifindex, point, prog_fd, err);
    if (r != -EOPNOTSUPP || choice == QPW_TC_TCX)
        return r;
    ret->kind = QPW_HOOK_CLSACT;
    return qpw_clsact_attach(ifindex, point, prog_fd, &ret->made_qdisc, err);
}

static int detach_xdp(unsigned ifindex, const struct qpw_hook_entry *entry, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
    int fd = qpw_object_program(entry->prog_id), r;

    if (fd < 0)
        return errno == ENOENT ? 0
                               : qpw_fail(err, -errno, "opening XDP program %u: %s", entry->prog_id, strerror(errno));
    /* Name the expected program, so that the kernel itself refuses if another one has replaced it. */
    opts.old_prog_fd = fd;
    r = bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, &opts);
    close(fd);
    if (r < 0 && r != -EEXIST && r != -ENOENT && r != -ENODEV)
        return qpw_fail(err, r, "removing XDP program %u from interface %u: %s", entry->prog_id, ifindex, strerror(-r));
    return 0;
}

int qpw_hooks_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, struct qpw_error *err)
{
    switch (entry->kind) {
    case QPW_HOOK_XDP: return detach_xdp(ifindex, entry, err);
    case QPW_HOOK_TCX: return qpw_tcx_detach(ifindex, point, entry, err);
    case QPW_HOOK_CLSACT: return qpw_clsact_detach(ifindex, point, entry, err);
    default: return 0;
    }
}

static int replace_xdp(unsigned ifindex, const struct qpw_hook_entry *entry, int prog_fd, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
    int fd = qpw_object_program(entry->prog_id), r;

    if (fd < 0)
        return qpw_fail(err, -errno, "opening XDP program %u: %s", entry->prog_id, strerror(errno));
    opts.old_prog_fd = fd;
    r = bpf_xdp_attach((int)ifindex, prog_fd, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE, &opts);
    close(fd);
    return r < 0 ? qpw_fail(err, r, "replacing XDP program %u of interface %u: %s", entry->prog_id, ifindex, strerror(-r)) : 0;
}

int qpw_hooks_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                      struct qpw_error *err)
{
    switch (entry->kind) {
    case QPW_HOOK_XDP: return replace_xdp(ifindex, entry, prog_fd, err);
    case QPW_HOOK_TCX: return qpw_tcx_replace(ifindex, point, entry, prog_fd, err);
    case QPW_HOOK_CLSACT: return qpw_clsact_replace(ifindex, point, entry, prog_fd, err);
    default: return qpw_fail(err, -EINVAL, "no hook to replace a program in");
    }
}

bool qpw_hooks_have_qdisc(unsigned ifindex)
{
    return qpw_clsact_has_qdisc(ifindex);
}

int qpw_hooks_remove_qdisc(unsigned ifindex, struct qpw_error *err)
{
    struct qpw_hook_list list = {0};
    int r = qpw_clsact_query(ifindex, QPW_POINT_RX, &list, err);

    if (r == 0)
        r = qpw_clsact_query(ifindex, QPW_POINT_TX, &list, err);
    if (r < 0 || list.n > 0)
        return r;
    return qpw_clsact_remove(ifindex, err);
}

/* ---- Another namespace, entered by a separate thread so that the caller stays in its own ---- */

struct elsewhere {
    int netns_fd;
    unsigned ifindex;
    const uint32_t *prog_ids;
    size_t n_ids;
    struct qpw_error err;
    int r;
};

static bool is_one_of(const struct elsewhere *e, uint32_t prog_id)
{
    for (size_t i = 0; i < e->n_ids; i++)
        if (prog_id && e->prog_ids[i] == prog_id)
            return true;
    return false;
}

static void *detach_there(void *argument)
{
    struct elsewhere *e = argument;
    struct qpw_hook_list list;

    if (setns(e->netns_fd, CLONE_NEWNET) < 0)
        e->r = qpw_fail(&e->err, -errno, "entering its network namespace: %s", strerror(errno));
    for (enum qpw_point point = QPW_POINT_RX; e->r == 0 && point <= QPW_POINT_TX; point++) {
        e->r = qpw_hooks_query(e->ifindex, point, &list, &e->err);
        for (size_t i = 0; e->r == 0 && i < list.n; i++)
            if (is_one_of(e, list.entry[i].prog_id))
                e->r = qpw_hooks_detach(e->ifindex, point, &list.entry[i], &e->err);
    }
    if (e->r == -ENODEV)
        e->r = 0; /* gone there too */
    return NULL;
}

int qpw_hooks_detach_elsewhere(int netns_fd, unsigned ifindex, const uint32_t *prog_ids, size_t n_ids,
                               struct qpw_error *err)
{
    struct elsewhere e = {.netns_fd = netns_fd, .ifindex = ifindex, .prog_ids = prog_ids, .n_ids = n_ids};
    sigset_t all, before;
    pthread_t thread;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* leave signals to the caller's thread */
    r = -pthread_create(&thread, NULL, detach_there, &e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r < 0)
        return qpw_fail(err, r, "starting a thread: %s", strerror(-r));
    pthread_join(thread, NULL);
    if (e.r < 0 && err)
        *err = e.err;
    return e.r;
}
