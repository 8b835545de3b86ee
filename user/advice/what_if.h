/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* what_if.h - judge the traffic of a snapshot by another policy. */
#ifndef QPW_ADVICE_WHAT_IF_H
#define QPW_ADVICE_WHAT_IF_H

#include "policy/lang/policy.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

/* Traffic whose verdict (or rule) the other policy changes. */
struct qpw_what_if_row {
    uint8_t kind;
    uint8_t protocol;
    uint8_t direction;
    uint8_t old_verdict;
    uint8_t new_verdict;
    bool by_address;       /* initiator and responder are set; else the row stands for all addresses of its meter */
    bool remote_only;      /* with by_address: the node's own address is unknown */
    bool packets_unknown, connections_unknown; /* true for a remote end in a history */
    bool uncertain;        /* the new policy depends on address, VLAN or interface, which were not kept */
    uint8_t outcome;       /* set with by_address */
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
    uint64_t packets;             /* judged: all with a known direction */
    uint64_t changed;             /* of them, with another verdict */
    uint64_t uncertain;
};

/* A remote end of traffic without a finding, as a history keeps it. */
struct qpw_what_if_end {
    struct qpw_meter_key key; /* kind, protocol, port, direction, verdict; the rest zero */
    char rule[QPW_NAME_LEN];
    _Alignas(8) uint8_t remote[16];
    uint8_t outcome;
    uint64_t connections;
    bool whole;               /* all its connections are of the time in question */
};

/* The traffic to judge. */
struct qpw_what_if_traffic {
    const struct qpw_snapshot *snapshot;
    struct qpw_what_if_end *ends; /* in any order; qpw_policy_what_if() sorts them */
    size_t n_ends;
};

/*
 * Judge all counted traffic again. Findings are judged with their addresses, explained traffic without. If its remote
 * ends are given, each one is judged and gets a row of its own; otherwise the row is `uncertain` if the other policy
 * depends on addresses. A parent counts as live if the snapshot has any answered exchange on it. `now`: Unix seconds.
 * 0, or negative errno with err; the caller clears *ret.
 */
int qpw_policy_what_if(const struct qpw_what_if_traffic *traffic, const struct qpw_policy *policy, int64_t now,
                       struct qpw_what_if *ret, struct qpw_error *err);
void qpw_what_if_clear(struct qpw_what_if *result);

#endif
