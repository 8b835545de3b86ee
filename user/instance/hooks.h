/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hooks.h - the places of an interface where programs see its packets: who stands there, put ours
 * in, take exactly ours out.
 *
 * Three kinds of hook: native XDP (ingress), TCX (kernel 6.6), and the clsact qdisc. Nothing here
 * replaces or removes a program that is not ours. What is put in has no link and no pin: it stays
 * when the process ends, however it ends, and is found again by asking the interface.
 */
#ifndef QPW_KERNEL_HOOKS_H
#define QPW_KERNEL_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qportwatch_user.h"
#include "util/error.h"

enum qpw_point { QPW_POINT_RX, QPW_POINT_TX };

/* Which of the two TC hooks; a choice only for tests, auto takes TCX where the kernel has it. */
enum qpw_tc_choice { QPW_TC_AUTO, QPW_TC_TCX, QPW_TC_CLSACT };

/* One program (or, at clsact, any filter) in a hook. */
struct qpw_hook_entry {
    enum qpw_hook kind;
    enum qpw_program program; /* QPW_PROG_COUNT: not ours */
    uint32_t prog_id;         /* 0: a filter that is no BPF program */
    char name[16];            /* program's name, or the filter's kind */
    bool generic;             /* XDP in generic (skb) mode */
    uint32_t priority;        /* clsact */
    uint32_t handle;          /* clsact */
};

/*
 * What sees a packet of one direction, in the order in which it does: rx XDP, TCX ingress, clsact
 * ingress; tx TCX egress, clsact egress. At most QPW_HOOK_ENTRIES; `more` counts what did not fit: never what may be ours.
 */
#define QPW_HOOK_ENTRIES 96
struct qpw_hook_list {
    struct qpw_hook_entry entry[QPW_HOOK_ENTRIES];
    size_t n;
    size_t more;
};

/*
 * Asks all hooks of one direction. Programs count as ours by their name (QPW_PROGRAMS); whose
 * instance they belong to says instance.h. Needs CAP_NET_ADMIN and CAP_SYS_ADMIN (names by id).
 * 0, or a negative errno with err filled (-ENODEV: no such interface).
 */
int qpw_hooks_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *ret, struct qpw_error *err);

/* The first entry of ours (with that program id, 0: any of our names), or NULL. */
const struct qpw_hook_entry *qpw_hooks_ours(const struct qpw_hook_list *list, uint32_t prog_id);

/* Foreign entries in front of `ours`, or all foreign ones if it is NULL. */
size_t qpw_hooks_foreign_before(const struct qpw_hook_list *list, const struct qpw_hook_entry *ours);

/* The foreign XDP program, or NULL. */
const struct qpw_hook_entry *qpw_hooks_foreign_xdp(const struct qpw_hook_list *list);

/*
 * Attaches in native mode, only to an empty hook. Some drivers reset the link for this: see mode.h.
 * 0; -EBUSY or -EEXIST when occupied; another negative errno with the driver's own words in err.
 */
int qpw_hooks_attach_xdp(unsigned ifindex, int prog_fd, struct qpw_error *err);

/*
 * Attaches at TC, in front of everything there: BPF_F_BEFORE at TCX, the lowest free priority at
 * clsact. *ret is set whatever is returned. 0, or a negative errno with err filled (-ENOSPC: no priority is free).
 */
struct qpw_tc_attached {
    enum qpw_hook kind;  /* TCX or clsact, valid where 0 is returned */
    bool made_qdisc;     /* a clsact qdisc had to be made, also where attaching failed afterwards */
};
int qpw_hooks_attach_tc(unsigned ifindex, enum qpw_point point, int prog_fd, enum qpw_tc_choice choice,
                        struct qpw_tc_attached *ret, struct qpw_error *err);

/* Whether the interface has a clsact or ingress qdisc, as far as that can be asked. */
bool qpw_hooks_have_qdisc(unsigned ifindex);

/*
 * Takes one entry out, checked by its program id in the same step where the kernel can (XDP, TCX).
 * 0, also when it is gone already; or a negative errno with err filled.
 */
int qpw_hooks_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry,
                     struct qpw_error *err);

/*
 * Puts a program into the very place of another one of ours, so that each packet is seen by one of the two. 0, or a
 * negative errno with err filled; then the other one still stands there, or has gone by itself.
 */
int qpw_hooks_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                      struct qpw_error *err);

/*
 * Takes those of the programs out of the interface that went to another network namespace, as which it has that ifindex
 * there. netns_fd: that namespace. 0, also when none is left there; or a negative errno with err filled.
 */
int qpw_hooks_detach_elsewhere(int netns_fd, unsigned ifindex, const uint32_t *prog_ids, size_t n_ids,
                               struct qpw_error *err);

/* Removes the clsact qdisc if no filter is left in it. 0, also when it stays; or a negative errno. */
int qpw_hooks_remove_qdisc(unsigned ifindex, struct qpw_error *err);

/* "XDP", "TCX", "clsact" or "none". */
const char *qpw_hook_text(enum qpw_hook kind);

#endif
