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
    bool remote_only;      /* with by_address: of the two, the node's own is not known */
    bool packets_unknown, connections_unknown; /* as of a remote end in a history */
    bool uncertain;        /* the new policy tells by address, VLAN or interface, which was not kept for it */
    uint8_t outcome;       /* with by_address */
    uint16_t port;
    _Alignas(8) uint8_t initiator[16];
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

/* A remote end of what is no finding, as a history keeps it. */
struct qpw_what_if_end {
    struct qpw_meter_key key; /* kind, protocol, port, direction, verdict; the rest zero */
    char rule[QPW_NAME_LEN];
    _Alignas(8) uint8_t remote[16];
    uint8_t outcome;
    uint64_t connections;
    bool whole;               /* these are of the time in question alone */
};

/* What is judged again. */
struct qpw_what_if_traffic {
    const struct qpw_snapshot *snapshot;
    struct qpw_what_if_end *ends; /* in any order; sorted by qpw_policy_what_if() */
    size_t n_ends;
};

/*
 * Judges everything counted again. Findings are judged with their addresses; what was explained is counted without them. Where
 * its remote ends are given, each of them is judged and has a row of its own; without, the row is `uncertain` where the other policy tells by addresses. A parent counts as live where the snapshot has an answered
 * exchange on it at all. 0, or negative errno with err.
 */
int qpw_policy_what_if(const struct qpw_what_if_traffic *traffic, const struct qpw_policy *policy, int64_t now,
                       struct qpw_what_if *ret, struct qpw_error *err);
void qpw_what_if_clear(struct qpw_what_if *result);

#endif
