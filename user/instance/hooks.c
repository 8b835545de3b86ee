/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "instance/hooks_clsact.h"
#include "instance/hooks_list.h"
#include "instance/hooks_tcx.h"
#include "instance/kernel_words.h"

/* Offloaded, native, then generic: the order in which a frame meets them. */
static int query_xdp(unsigned ifindex, struct qpw_hook_list *list, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_xdp_query_opts, opts);
    struct qpw_hook_entry entry;
    __u32 ids[3];
    int r = bpf_xdp_query(ifindex, 0, &opts);

    if (r < 0)
        return qpw_fail(err, r, "asking interface %u for its XDP program: %s", ifindex, strerror(-r));
    if (opts.attach_mode == XDP_ATTACHED_NONE)
        return 0;
    ids[0] = opts.hw_prog_id;
    ids[1] = opts.drv_prog_id;
    ids[2] = opts.skb_prog_id;
    for (int i = 0; i < 3; i++) {
        if (!ids[i])
            continue;
        entry = (struct qpw_hook_entry){.kind = QPW_HOOK_XDP, .generic = i == 2};
        qpw_hooks_name_program(ids[i], &entry);
        qpw_hooks_append(list, &entry);
    }
    return 0;
}

int qpw_hooks_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *ret, struct qpw_error *err)
{
    struct qpw_hook_list list = {0};
    int r = 0;

    if (point == QPW_POINT_RX)
        r = query_xdp(ifindex, &list, err);
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
                        enum qpw_hook *ret_kind, bool *ret_made_qdisc, struct qpw_error *err)
{
    int r = -EOPNOTSUPP;

    if (choice != QPW_TC_CLSACT) {
        r = qpw_tcx_attach(ifindex, point, prog_fd, err);
        if (r == 0)
            *ret_kind = QPW_HOOK_TCX;
    }
    if (r != -EOPNOTSUPP || choice == QPW_TC_TCX)
        return r;
    r = qpw_clsact_attach(ifindex, point, prog_fd, ret_made_qdisc, err);
    if (r == 0)
        *ret_kind = QPW_HOOK_CLSACT;
    return r;
}

static int detach_xdp(unsigned ifindex, const struct qpw_hook_entry *entry, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
    int fd = bpf_prog_get_fd_by_id(entry->prog_id), r;

    if (fd < 0)
        return errno == ENOENT ? 0
                               : qpw_fail(err, -errno, "opening XDP program %u: %s", entry->prog_id, strerror(errno));
    /* With the expected program named, the kernel itself refuses when another stands there by now. */
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
