/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connless.h - packets that belong to no connection: non-IP, in transit, undecidable. Judged and counted at once. */
#ifndef QPW_BPF_CONNLESS_H
#define QPW_BPF_CONNLESS_H

#include "count.h"
#include "finding.h"
#include "judge.h"
#include "local.h"
#include "question.h"

/* Count a packet that belongs to no connection, in the row that w->meter names. */
static __always_inline void qpw_count_meter(struct qpw_work *w)
{
    qpw_count(qpw_meter_slot(w), w->rx, w->frames, w->bytes);
}

/* Return whether w->finding is in a table. */
static __always_inline int qpw_has_finding(struct qpw_work *w)
{
    return !!qpw_finding_find(w, /* any= */ 1);
}

/* Write the two ends of a frame into w->finding, its sender as initiator, or the other way round. */
static __always_inline void qpw_ethertype_ends(struct qpw_work *w, int turned)
{
    __u8 *from = turned ? w->finding.responder : w->finding.initiator;
    __u8 *to = turned ? w->finding.initiator : w->finding.responder;

    __builtin_memcpy(from + 10, w->pkt.macs + 6, 6);
    __builtin_memcpy(to + 10, w->pkt.macs, 6);
    if (w->iface.flags & QPW_IFACE_L3) { /* no MACs: use the part of the address that is not shown to keep the ends apart */
        from[0] = w->rx;
        to[0] = !w->rx;
    }
}

/*
 * An unlisted EtherType between two MAC addresses: a finding of the one that sent first. Frames of both to each other
 * are an exchange. Returns what qpw_finding_touch() does.
 */
static __noinline __u32 qpw_ethertype_finding(struct qpw_work *w, __u32 meter, __u32 rule)
{
    struct qpw_finding *v = &w->finding_value;
    int group = w->pkt.macs[0] & 1;

    __builtin_memset(&w->finding, 0, sizeof(w->finding));
    w->finding.kind = QPW_KIND_ETHERTYPE;
    w->finding.port = w->pkt.ethertype;
    w->finding.direction = QPW_DIR_NON_IP;
    w->finding.verdict = QPW_VERDICT_UNEXPECTED;
    __builtin_memset(v, 0, sizeof(*v));
    v->first_ns = v->last_ns = w->now;
    v->meter = (__u16)meter;
    v->rule = (__u16)rule;
    v->vlan = w->pkt.vlan;
    v->iface = w->iface.number;
    v->outcome = QPW_OUTCOME_ATTEMPTED;
    v->reason = w->misfit;
    v->scope = QPW_SCOPE_OTHER;
    if (w->owner.how)
        v->owner = w->owner;
    v->flags = (group ? QPW_FINDING_MULTICAST : 0) | (w->rx ? 0 : QPW_FINDING_NODE);
    qpw_ethertype_ends(w, /* turned= */ 0);
    if (!group && !qpw_has_finding(w)) {
        qpw_ethertype_ends(w, /* turned= */ 1);
        if (qpw_has_finding(w))
            v->outcome = QPW_OUTCOME_DATA;
        else
            qpw_ethertype_ends(w, /* turned= */ 0);
    }
    return qpw_finding_touch();
}

/*
 * Judge a non-IP frame by its EtherType. An unknown one is a finding between two MAC addresses, unless it is for
 * another card; a known one is the node's whatever its MAC, because ARP may be for a virtual router's MAC that the node
 * holds.
 */
__noinline __u32 qpw_non_ip(void)
{
    struct qpw_work *w = qpw_work();
    __u32 slot, answer, finding = 0;

    if (!w)
        return 0;
    __builtin_memset(&w->key, 0, sizeof(w->key));
    w->vlan = w->pkt.vlan;
    answer = qpw_walk(qpw_space(QPW_KIND_ETHERTYPE, 0, w->pkt.ethertype), !w->rx);
    if (QPW_ANSWER_SHAPE(answer))
        w->misfit = (__u8)qpw_infra_misfit(QPW_ANSWER_SHAPE(answer), QPW_ANSWER_RULE(answer));
    qpw_meter_key_clear(w);
    w->meter.kind = QPW_KIND_ETHERTYPE;
    w->meter.direction = QPW_DIR_NON_IP;
    w->meter.scope = QPW_SCOPE_OTHER;
    w->meter.verdict = answer && !w->misfit ? QPW_ANSWER_VERDICT(answer) : QPW_VERDICT_UNEXPECTED;
    w->meter.reason = w->misfit;
    if ((!answer || w->misfit) && qpw_other_mac(w)) {
        w->meter.verdict = QPW_VERDICT_TRANSIT;
        w->meter.reason = QPW_REASON_NOT_LOCAL;
    }
    w->meter.port = w->pkt.ethertype;
    w->meter.rule = QPW_ANSWER_RULE(answer);
    slot = qpw_meter_slot(w);
    if (w->meter.verdict == QPW_VERDICT_UNEXPECTED)
        finding = qpw_ethertype_finding(w, slot, QPW_ANSWER_RULE(answer));
    qpw_count(qpw_finding_counts(finding, slot), w->rx, w->frames, w->bytes);
    return 0;
}

static __always_inline int qpw_transit(struct qpw_work *w, int reason)
{
    qpw_meter_key_clear(w);
    w->meter.kind = qpw_kind(w->pkt.protocol);
    w->meter.protocol = w->pkt.protocol;
    w->meter.direction = QPW_DIR_TRANSIT;
    w->meter.verdict = QPW_VERDICT_TRANSIT;
    w->meter.reason = (__u8)reason;
    qpw_count_meter(w);
    return 0;
}

/* Put the key of the finding about undecidable packets between two addresses into w->finding. */
static __always_inline void qpw_unjudged_key(struct qpw_work *w, __u32 reason, int remote_first)
{
    __builtin_memset(&w->finding, 0, sizeof(w->finding));
    qpw_copy16(remote_first ? w->finding.initiator : w->finding.responder, w->question.remote);
    qpw_copy16(remote_first ? w->finding.responder : w->finding.initiator, w->question.local);
    if (!w->pkt.has_addresses) {
        w->finding.kind = QPW_KIND_ETHERTYPE;
        w->finding.port = w->pkt.ethertype;
    }
    w->finding.direction = reason == QPW_REASON_FRAGMENT || reason == QPW_REASON_MIDSTREAM ? QPW_DIR_UNKNOWN
                                                                                           : QPW_DIR_UNDECODABLE;
    w->finding.verdict = QPW_VERDICT_UNDECIDED;
}

/*
 * Enter a finding about an undecidable packet between the node and w->question.remote. Either the node sent it, or the
 * other end did and the node sent something to it (both); a packet that merely comes from outside is noise.
 * meter: of the packet. Return as qpw_finding_touch() does.
 */
__noinline __u32 qpw_unjudged(__u32 reason, __u32 both, __u32 meter)
{
    struct qpw_work *w = qpw_work();
    struct qpw_finding *v;
    int known;

    if (!w)
        return 0;
    qpw_unjudged_key(w, reason, /* remote_first= */ 0);
    known = qpw_has_finding(w);
    if (w->rx && !known)
        return 0;
    if (both && !known)
        qpw_unjudged_key(w, reason, /* remote_first= */ 1);
    v = &w->finding_value;
    __builtin_memset(v, 0, sizeof(*v));
    v->first_ns = v->last_ns = w->now;
    v->meter = (__u16)meter;
    v->vlan = w->pkt.vlan;
    v->iface = w->iface.number;
    v->reason = (__u8)reason;
    v->outcome = both || w->rx ? QPW_OUTCOME_DATA : QPW_OUTCOME_ATTEMPTED;
    v->scope = QPW_SCOPE_OTHER;
    v->flags = both ? QPW_FINDING_REMOTE_FIRST : QPW_FINDING_NODE;
    return qpw_finding_touch();
}

/*
 * Account for an undecidable packet that is no peer's. Remember one from outside, so that a later packet of the node to
 * its sender shows that traffic passes both ways; one that the node sends is a finding by itself. Return as
 * qpw_unjudged() does.
 */
static __always_inline __u32 qpw_unjudged_packet(struct qpw_work *w, __u32 meter)
{
    __u32 reason = w->pkt.reason;

    if (reason == QPW_REASON_TABLE_FULL || qpw_is_self(w))
        return 0;
    if (!w->rx && w->in.frame.wire > w->in.frame.length)
        return 0; /* a capture cut it */
    if (w->rx) {
        qpw_junk_key(w, w->pkt.destination, w->pkt.source, (__u16)reason);
        if (!w->pkt.has_addresses)
            qpw_junk_cards(w, w->pkt.macs, w->pkt.macs + 6);
        qpw_junk_put(w);
        return qpw_unjudged(reason, 0, meter);
    }
    qpw_junk_key(w, w->pkt.source, w->pkt.destination, 0);
    if (!w->pkt.has_addresses)
        qpw_junk_cards(w, w->pkt.macs + 6, w->pkt.macs);
    qpw_question_aim();
    return qpw_unjudged(reason, QPW_ASKED_WHAT(qpw_question_get()) >= QPW_ASKED_THIS, meter);
}

/* Account for a packet without a connection: undecodable, or a fragment whose first is unknown. Verdict peer comes first. */
__noinline __u32 qpw_undecided(__u32 direction)
{
    struct qpw_work *w = qpw_work();
    __u32 slot, finding;
    const __u8 *remote;
    __u16 peer;

    if (!w)
        return 0;
    remote = w->rx ? w->pkt.source : w->pkt.destination;
    peer = w->pkt.has_addresses ? qpw_peer(w, remote) : 0;
    qpw_meter_key_clear(w);
    w->meter.kind = w->pkt.has_addresses ? qpw_kind(w->pkt.protocol) : QPW_KIND_NONE;
    w->meter.protocol = w->pkt.has_addresses ? w->pkt.protocol : 0;
    w->meter.direction = (__u8)direction;
    w->meter.scope = qpw_is_self(w) ? QPW_SCOPE_SELF : peer ? QPW_SCOPE_PEER : QPW_SCOPE_OTHER;
    w->meter.verdict = peer ? QPW_VERDICT_PEER : QPW_VERDICT_UNDECIDED;
    w->meter.reason = w->pkt.reason;
    w->meter.peer = peer;
    if (peer)
        w->meter.apart = (__u8)qpw_apart();
    slot = qpw_meter_slot(w);
    finding = peer ? 0 : qpw_unjudged_packet(w, slot);
    qpw_count(qpw_finding_counts(finding, slot), w->rx, w->frames, w->bytes);
    return 0;
}

#endif
