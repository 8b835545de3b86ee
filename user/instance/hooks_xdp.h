/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hooks_xdp.h - the XDP hook of an interface, and all links with their XDP programs. Used by hooks.c and hook_scan.c.
 */
#ifndef QPW_KERNEL_HOOKS_XDP_H
#define QPW_KERNEL_HOOKS_XDP_H

#include "instance/hooks.h"

/* Programs of an XDP hook by mode, in the order in which a frame meets them; 0: none. */
#define QPW_XDP_MODES 3 /* offloaded, native, generic */

/* A link as a dump of all shows it. */
struct qpw_hook_link {
    unsigned ifindex;
    char name[16];
    uint32_t xdp[QPW_XDP_MODES];
    bool has_qdisc; /* clsact or ingress */
};

/*
 * Read all links of this network namespace in two dumps. Returns 0, or a negative errno with err filled. The caller
 * frees *ret.
 */
int qpw_hook_links(struct qpw_hook_link **ret, size_t *ret_count, struct qpw_error *err);

/* Append the programs with those ids. Returns 0, or a negative errno with err filled. */
int qpw_xdp_append(const uint32_t ids[QPW_XDP_MODES], struct qpw_hook_list *list, struct qpw_error *err);

/*
 * Query one interface and append its programs. Returns 0, or a negative errno with err filled (-ENODEV: no such
 * interface).
 */
int qpw_xdp_query(unsigned ifindex, struct qpw_hook_list *list, struct qpw_error *err);

#endif
