/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* what_if.h - what another policy would have said of the traffic in a snapshot. */
#ifndef QPW_ADVICE_WHAT_IF_H
#define QPW_ADVICE_WHAT_IF_H

#include "policy/lang/policy.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

/* One thing whose verdict (or rule) the other policy changes. */
struct qpw_what_if_row {
    uint8_t kind;
    uint8_t protocol;
    uint8_t direction;
    uint8_t old_verdict;
    uint8_t new_verdict;
    bool by_address;       /* initiator and responder hold; else the row stands for all addresses of its meter */
    bool uncertain;        /* the new policy tells by address, VLAN or interface, which was not kept for it */
    uint8_t outcome;       /* with by_address */
    uint16_t port;
    uint8_t initiator[16];
    uint8_t responder[16];
    char old_rule[QPW_NAME_LEN];
    char new_rule[QPW_NAME_LEN];
    uint64_t connections;
    uint64_t packets;
};

struct qpw_what_if {
    struct qpw_what_if_row *rows; /* what becomes unexpected first, then by packets */
    size_t n;
    uint64_t packets;             /* looked at: all whose direction is known */
    uint64_t changed;             /* of them, with another verdict */
    uint64_t uncertain;
};

/*
 * Judges everything counted again. Findings are judged with their addresses; what was explained is kept
 * without addresses, so where the other policy tells by them the row is `uncertain`. A parent counts as
 * live where the snapshot has an answered exchange on it at all. 0, or negative errno with err.
 */
int qpw_policy_what_if(const struct qpw_snapshot *snapshot, const struct qpw_policy *policy, int64_t now,
                       struct qpw_what_if *ret, struct qpw_error *err);
void qpw_what_if_clear(struct qpw_what_if *result);

#endif
