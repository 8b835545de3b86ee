/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * finding.h - what is unexpected, kept in bounded tables that nothing pushes out of.
 *
 * Attempted and answered findings have their own tables and quotas. An attempted finding whose outcome
 * rises to answered gets an entry in the other table too (the reader joins them by key), so a flood of
 * attempts can never use up the room of what was answered. When even that is full, the first answered
 * exchange of each (direction, protocol, port) has a reserved place.
 */
#ifndef QPW_BPF_FINDING_H
#define QPW_BPF_FINDING_H

#include "event.h"
#include "judge.h"

#define QPW_FINDING_REFRESH_NS 1000000000ull
#define QPW_FINDING_ELSEWHERE 0x10000u /* beside a slot, which has 16 bits */

/* Does an exchange with that verdict stand in the tables of findings? */
static __always_inline int qpw_is_finding(const struct qpw_conn *c)
{
    if (c->verdict == QPW_VERDICT_UNEXPECTED || c->verdict == QPW_VERDICT_WEAK || c->verdict == QPW_VERDICT_IMPLIED)
        return 1;
    return c->verdict == QPW_VERDICT_UNDECIDED && c->outcome == QPW_OUTCOME_DATA; /* payload both ways */
}

/* Router advertisements and redirects from the network: infrastructure, but who sends them is worth a record. */
static __always_inline int qpw_is_router_news(const struct qpw_work *w, const struct qpw_conn *c)
{
    __u16 type = w->pkt.source_port;

    if (!w->rx || c->verdict != QPW_VERDICT_INFRA)
        return 0;
    if (w->key.protocol == QPW_IPPROTO_ICMPV6)
        return type == 134 || type == 137;
    return w->key.protocol == QPW_IPPROTO_ICMP && type == 5;
}

/* 0: the row of w->detail is not there. */
static __always_inline int qpw_detail_add(struct qpw_work *w)
{
    struct qpw_detail *row = bpf_map_lookup_elem(&details, &w->detail);

    if (!row)
        return 0;
    __sync_fetch_and_add(&row->packets, 1);
    row->last_ns = w->now;
    return 1;
}

/* Counts in the row of w->detail. */
static __noinline int qpw_detail_count(struct qpw_work *w)
{
    struct qpw_detail *fresh = &w->detail_value;

    if (qpw_detail_add(w))
        return 0;
    fresh->packets = 1;
    fresh->first_ns = fresh->last_ns = w->now;
    if (!qpw_is_full(w, QPW_FULL_DETAILS)) {
        if (!bpf_map_update_elem(&details, &w->detail, fresh, BPF_NOEXIST))
            return 0;
        if (qpw_detail_add(w))
            return 0; /* another CPU was first */
        qpw_set_full(w, QPW_FULL_DETAILS);
    }
    qpw_stat(QPW_LOSS_DETAIL_TABLE);
    return 0;
}

/* No place for w->finding: counted per (direction, protocol, port) and per prefix of its initiator. */
static __always_inline void qpw_finding_lost(struct qpw_work *w)
{
    struct qpw_detail_key *key = &w->detail;
    int v4 = w->finding.initiator[0] == 0 && w->finding.initiator[10] == 0xff;

    __builtin_memset(key, 0, sizeof(*key));
    key->port = w->finding.port;
    key->kind = w->finding.kind;
    key->protocol = w->finding.protocol;
    key->direction = w->finding.direction;
    qpw_detail_count(w);

    __builtin_memset(key, 0, sizeof(*key));
    __builtin_memcpy(key->prefix, w->finding.initiator, 6);
    if (v4) {
        __builtin_memcpy(key->prefix, w->finding.initiator, 15);
    }
    key->direction = w->finding.direction;
    key->by_prefix = 1;
    qpw_detail_count(w);
}

static __always_inline void qpw_finding_reserve(struct qpw_work *w, const struct qpw_finding *value)
{
    struct qpw_reserved_key *key = &w->place_key;
    struct qpw_reserved *place = &w->place_of;
    long rc;

    __builtin_memset(key, 0, sizeof(*key));
    key->port = w->finding.port;
    key->kind = w->finding.kind;
    key->protocol = w->finding.protocol;
    key->direction = w->finding.direction;
    if (bpf_map_lookup_elem(&reserved, key))
        return;
    place->key = w->finding;
    place->value = *value;
    place->value.flags |= QPW_FINDING_RESERVED;
    place->value.slot = 0;
    rc = bpf_map_update_elem(&reserved, key, place, BPF_NOEXIST);
    if (rc && rc != -17 /* EEXIST */) {
        qpw_stat(QPW_LOSS_RESERVED_FULL);
        return;
    }
    if (!rc)
        qpw_event_finding(w, &place->value);
}

static __always_inline long qpw_pop_finding_slot(struct qpw_work *w, __u32 *ret_slot)
{
    long rc;

    if (qpw_is_full(w, QPW_FULL_FINDING_SLOTS))
        return -1;
    rc = bpf_map_pop_elem(&finding_slots, ret_slot);
    if (rc)
        qpw_set_full(w, QPW_FULL_FINDING_SLOTS);
    return rc;
}

/* Its slot, and whether packets of that meter are counted elsewhere. */
static __always_inline __u32 qpw_finding_slot(const struct qpw_finding *f, __u16 meter)
{
    return f->meter == meter ? f->slot : f->slot | QPW_FINDING_ELSEWHERE;
}

/* The slot to count packets in, of a finding as qpw_finding_touch() returns it and the meter. */
static __always_inline __u32 qpw_finding_counts(__u32 finding, __u32 meter)
{
    return finding && !(finding & QPW_FINDING_ELSEWHERE) ? finding : meter;
}

/* New entry from w->finding_value in the table of its outcome. Returns as qpw_finding_touch() does. */
static __always_inline __u32 qpw_finding_new(struct qpw_work *w)
{
    struct qpw_finding *value = &w->finding_value, *other;
    int is_answered = value->outcome >= QPW_OUTCOME_ANSWERED;
    __u32 slot = 0;
    long rc;

    rc = is_answered ? bpf_map_pop_elem(&answered_slots, &slot) : qpw_pop_finding_slot(w, &slot);
    if (rc) {
        qpw_stat(is_answered ? QPW_LOSS_ANSWERED_QUOTA : QPW_LOSS_FINDING_QUOTA);
        if (is_answered)
            qpw_finding_reserve(w, value);
        qpw_finding_lost(w);
        return 0;
    }
    value->slot = slot;
    value->changes = 1;
    rc = is_answered ? bpf_map_update_elem(&answered, &w->finding, value, BPF_NOEXIST)
                     : bpf_map_update_elem(&findings, &w->finding, value, BPF_NOEXIST);
    if (!rc) {
        qpw_event_finding(w, value);
        return slot;
    }
    if (is_answered) { /* another CPU was first */
        bpf_map_push_elem(&answered_slots, &slot, 0);
        other = bpf_map_lookup_elem(&answered, &w->finding);
    } else {
        bpf_map_push_elem(&finding_slots, &slot, 0);
        other = bpf_map_lookup_elem(&findings, &w->finding);
    }
    return other ? qpw_finding_slot(other, value->meter) : 0;
}

/*
 * Enters or refreshes w->finding with what w->finding_value says. Returns its slot, where the packets of its own meter
 * are counted; with QPW_FINDING_ELSEWHERE, another meter's packets are to be counted in that. 0: it has no place.
 */
__noinline __u32 qpw_finding_touch(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_finding *now, *f;

    if (!w)
        return 0;
    now = &w->finding_value;
    f = bpf_map_lookup_elem(&answered, &w->finding);
    if (!f && now->outcome < QPW_OUTCOME_ANSWERED)
        f = bpf_map_lookup_elem(&findings, &w->finding);
    if (!f)
        return qpw_finding_new(w);
    if (w->now - f->last_ns >= QPW_FINDING_REFRESH_NS)
        f->last_ns = w->now;
    f->flags &= ~QPW_FINDING_SUPERSEDED;
    if (!f->owner.how && now->owner.how)
        f->owner = now->owner;
    if (now->outcome > f->outcome || now->evidence > f->evidence) {
        if (now->outcome > f->outcome)
            f->outcome = now->outcome;
        if (now->evidence > f->evidence)
            f->evidence = now->evidence;
        f->last_ns = w->now;
        f->changes++;
        qpw_event_finding(w, f);
    }
    f->rule = now->rule;
    return qpw_finding_slot(f, now->meter);
}

/* The key of a connection's finding into w->finding. port: the service port, or the ICMP type. */
static __always_inline void qpw_finding_key_of(struct qpw_work *w, const struct qpw_conn *c,
                                               const struct qpw_conn_key *key, __u16 port)
{
    int remote_asks = c->direction == QPW_DIR_INBOUND ||
                      (c->direction == QPW_DIR_UNKNOWN && (c->flags & QPW_CONN_REMOTE_FIRST));

    __builtin_memset(&w->finding, 0, sizeof(w->finding));
    __builtin_memcpy(w->finding.initiator, remote_asks ? key->remote : key->local, 16);
    __builtin_memcpy(w->finding.responder, remote_asks ? key->local : key->remote, 16);
    w->finding.port = port;
    w->finding.kind = qpw_kind(key->protocol);
    w->finding.protocol = key->protocol;
    w->finding.direction = c->direction;
    w->finding.verdict = c->verdict;
}

/* What the finding of connection c is to say, into w->finding and w->finding_value. */
static __noinline int qpw_finding_fill(struct qpw_work *w, struct qpw_conn *c, const struct qpw_conn_key *key,
                                       __u16 port, __u32 meter)
{
    struct qpw_finding *v = &w->finding_value;
    int inbound = c->direction == QPW_DIR_INBOUND;

    qpw_finding_key_of(w, c, key, port);
    __builtin_memset(v, 0, sizeof(*v));
    v->first_ns = c->first_ns;
    v->last_ns = w->now;
    v->meter = (__u16)meter;
    v->rule = c->rule;
    v->initiator_port = inbound ? key->remote_port : key->local_port;
    v->vlan = c->vlan & QPW_VLAN_ID;
    v->iface = c->iface;
    v->peer = c->peer;
    v->evidence = c->evidence;
    v->outcome = c->outcome;
    v->reason = c->reason;
    v->scope = c->scope;
    v->icmp_code = w->pkt.icmp_code;
    if (w->owner.how)
        v->owner = w->owner;
    if (qpw_is_multicast(key->local) || qpw_is_multicast(key->remote) || (w->pkt.macs[0] & 1))
        v->flags |= QPW_FINDING_MULTICAST;
    return 0;
}

/* Enters the finding of connection c, whose meter is known. Returns what qpw_finding_touch() does. */
static __always_inline __u32 qpw_finding_of(struct qpw_work *w, struct qpw_conn *c, const struct qpw_conn_key *key,
                                            __u16 port, __u32 meter)
{
    qpw_finding_fill(w, c, key, port, meter);
    return qpw_finding_touch();
}

/* w->before, which is w->key as it was, is judged anew: its finding holds no longer. port: the service port. */
__noinline __u32 qpw_finding_supersede(__u32 port)
{
    struct qpw_work *w = qpw_work();
    struct qpw_finding *f;

    if (!w)
        return 0;
    qpw_finding_key_of(w, &w->before, &w->key, (__u16)port);
    f = bpf_map_lookup_elem(&answered, &w->finding);
    if (f) {
        f->flags |= QPW_FINDING_SUPERSEDED;
        f->changes++;
    }
    f = bpf_map_lookup_elem(&findings, &w->finding);
    if (f) {
        f->flags |= QPW_FINDING_SUPERSEDED;
        f->changes++;
    }
    return 0;
}

#endif
