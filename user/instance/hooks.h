/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hooks.h - the hooks of an interface: list their programs, attach ours, detach exactly ours.
 *
 * Three kinds of hook: native XDP (ingress), TCX (Linux 6.6) and the clsact qdisc. Foreign programs are never replaced
 * or removed. Attached programs have no link and no pin: they stay when the process ends, however it ends, and are
 * found again by querying the interface.
 */
#ifndef QPW_KERNEL_HOOKS_H
#define QPW_KERNEL_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qportwatch_user.h"
#include "util/error.h"

enum qpw_point { QPW_POINT_RX, QPW_POINT_TX };

/* The TC hook to use; only tests choose, auto prefers TCX if the kernel has it. */
enum qpw_tc_choice { QPW_TC_AUTO, QPW_TC_TCX, QPW_TC_CLSACT };

/* A program (or, at clsact, any filter) in a hook. */
struct qpw_hook_entry {
    enum qpw_hook kind;
    enum qpw_program program; /* QPW_PROG_COUNT: not ours */
    uint32_t prog_id;         /* 0: a filter other than a BPF program */
    char name[16];            /* program's name, or the filter's kind */
    bool generic;             /* XDP in generic (skb) mode */
    uint32_t priority;        /* clsact */
    uint32_t handle;          /* clsact */
};

/*
 * Everything that sees packets of one direction, in the order in which it does; rx: XDP, TCX ingress, clsact ingress;
 * tx: TCX egress, clsact egress. At most QPW_HOOK_ENTRIES; `more` counts the foreign ones that did not fit. Entries
 * that may be ours always fit.
 */
#define QPW_HOOK_ENTRIES 96
struct qpw_hook_list {
    struct qpw_hook_entry entry[QPW_HOOK_ENTRIES];
    size_t n;
    size_t more;
};

/*
 * List all hooks of one direction. Programs count as ours by name (QPW_PROGRAMS); instance.h finds their instance.
 * Needs CAP_NET_ADMIN and CAP_SYS_ADMIN (names by id). Returns 0, or a negative errno with err filled (-ENODEV: no such
 * interface).
 */
int qpw_hooks_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *ret, struct qpw_error *err);

/* Return our first entry (with that program id; 0: any), or NULL. */
const struct qpw_hook_entry *qpw_hooks_ours(const struct qpw_hook_list *list, uint32_t prog_id);

/* Count foreign entries before `ours`, or all of them if it is NULL. */
size_t qpw_hooks_foreign_before(const struct qpw_hook_list *list, const struct qpw_hook_entry *ours);

/* Return the foreign XDP program, or NULL. */
const struct qpw_hook_entry *qpw_hooks_foreign_xdp(const struct qpw_hook_list *list);

/*
 * Attach in native mode, only to an empty hook. Some drivers reset the link for this (mode.h). Returns 0; -EBUSY or
 * -EEXIST if the hook is occupied; another negative errno with the driver's own message in err.
 */
int qpw_hooks_attach_xdp(unsigned ifindex, int prog_fd, struct qpw_error *err);

/*
 * Attach at TC before everything else: BPF_F_BEFORE at TCX, the lowest free priority at clsact. *ret is set even on
 * failure. Returns 0, or a negative errno with err filled (-ENOSPC: no free priority).
 */
struct qpw_tc_attached {
    enum qpw_hook kind;  /* TCX or clsact; valid on success */
    bool made_qdisc;     /* a clsact qdisc was created (removed again if attaching failed) */
};
int qpw_hooks_attach_tc(unsigned ifindex, enum qpw_point point, int prog_fd, enum qpw_tc_choice choice,
                        struct qpw_tc_attached *ret, struct qpw_error *err);

/* Return whether the interface has a clsact or ingress qdisc; false if unknown. */
bool qpw_hooks_have_qdisc(unsigned ifindex);

/*
 * Detach one entry; where the kernel can (XDP, TCX), it checks the program id in the same step. Returns 0, also if the
 * entry is already gone, or a negative errno with err filled.
 */
int qpw_hooks_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry,
                     struct qpw_error *err);

/*
 * Replace our program in place, so that each packet is seen by exactly one of the two. Returns 0, or a negative errno
 * with err filled; then the old one is still there, or was already gone.
 */
int qpw_hooks_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                      struct qpw_error *err);

/*
 * Detach those programs from an interface that moved to another network namespace; netns_fd: that namespace, ifindex:
 * its number there. Returns 0, also if none is left there, or a negative errno with err filled.
 */
int qpw_hooks_detach_elsewhere(int netns_fd, unsigned ifindex, const uint32_t *prog_ids, size_t n_ids,
                               struct qpw_error *err);

/*
 * Remove the clsact qdisc if it has no filter left. Returns 0, also if it stays, or a negative errno with err filled.
 */
int qpw_hooks_remove_qdisc(unsigned ifindex, struct qpw_error *err);

/* Return "XDP", "TCX", "clsact" or "none". */
const char *qpw_hook_text(enum qpw_hook kind);

#endif
