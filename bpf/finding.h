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
#include "local.h"
#include "presence.h"
#include "question.h"

#define QPW_FINDING_REFRESH_NS 1000000000ull
#define QPW_FINDING_ELSEWHERE 0x10000u /* beside a slot, which has 16 bits */

/* Return whether exchanges with that verdict have findings. */
static __always_inline int qpw_is_finding(const struct qpw_conn *c)
{
    if (c->verdict == QPW_VERDICT_UNEXPECTED || c->verdict == QPW_VERDICT_WEAK || c->verdict == QPW_VERDICT_IMPLIED)
        return 1;
    if (c->verdict != QPW_VERDICT_UNDECIDED)
        return qpw_conn_mismatch(c);
    /* Payload both ways; and what the node sent first, where who asked can no longer be known. */
    return c->outcome == QPW_OUTCOME_DATA || c->reason == QPW_REASON_QUESTION_LOST ||
           (c->reason == QPW_REASON_JUST_ATTACHED && c->direction == QPW_DIR_UNKNOWN);
}

/* Infrastructure, but who sends it is worth a record: large echoes; router advertisements and redirects received. */
static __always_inline int qpw_is_infra_news(const struct qpw_work *w, const struct qpw_conn *c)
{
    __u16 type = w->pkt.source_port;

    if (c->verdict != QPW_VERDICT_INFRA)
        return 0;
    if (!w->rx || w->infra_news)
        return w->infra_news;
    if (w->key.protocol == QPW_IPPROTO_ICMPV6)
        return type == QPW_ICMP6_ADVERTISEMENT || type == QPW_ICMP6_REDIRECT;
    return w->key.protocol == QPW_IPPROTO_ICMP && type == QPW_ICMP_REDIRECT;
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

static __always_inline int qpw_same_detail(const struct qpw_detail_key *a, const struct qpw_detail_key *b)
{
    const __u64 __attribute__((may_alias)) *x = (const void *)a, *y = (const void *)b;

    return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

/* Set w->detail to the row of w->finding's port, or (by_prefix) of the prefix that its initiator is in. */
static __always_inline void qpw_detail_key(struct qpw_work *w, __u32 by_prefix)
{
    struct qpw_detail_key *key = &w->detail;

    __builtin_memset(key, 0, sizeof(*key));
    key->direction = w->finding.direction;
    if (!by_prefix) {
        key->port = w->finding.port;
        key->kind = w->finding.kind;
        key->protocol = w->finding.protocol;
        return;
    }
    key->by_prefix = 1;
    qpw_copy16(key->prefix, w->finding.initiator);
    if (key->prefix[0] == 0 && key->prefix[10] == 0xff) {
        key->prefix[15] = 0;
    } else {
        qpw_set_word(key->prefix + 12, 0);
        qpw_set_word(key->prefix + 8, 0);
        key->prefix[7] = key->prefix[6] = 0;
    }
}

/* Count w->finding in that row. */
__noinline __u32 qpw_detail_count(__u32 by_prefix)
{
    struct qpw_work *w = qpw_work();
    struct qpw_detail *fresh;
    __u32 slot;

    if (!w)
        return 0;
    qpw_detail_key(w, by_prefix);
    if (by_prefix && qpw_same_detail(&w->detail, &w->prefix) && qpw_detail_add(w))
        return 0;
    slot = qpw_present_slot(config.secret, &w->detail, sizeof(w->detail), QPW_PRESENT_DETAIL);
    if (qpw_may_have(slot) && qpw_detail_add(w)) {
        if (by_prefix)
            w->prefix = w->detail;
        return 0;
    }
    fresh = &w->detail_value;
    fresh->packets = 1;
    fresh->first_ns = fresh->last_ns = w->now;
    if (!qpw_is_full(w, QPW_FULL_DETAILS)) {
        qpw_will_have(slot);
        if (!bpf_map_update_elem(&details, &w->detail, fresh, BPF_NOEXIST))
            return 0;
        if (qpw_detail_add(w))
            return 0; /* another CPU was first */
        qpw_set_full(w, QPW_FULL_DETAILS);
    }
    qpw_stat(QPW_LOSS_DETAIL_TABLE);
    return 0;
}

/* Count w->finding, for which there is no slot, per (direction, protocol, port) and per prefix of its initiator. */
static __always_inline void qpw_finding_lost(void)
{
    qpw_detail_count(/* by_prefix= */ 0);
    qpw_detail_count(/* by_prefix= */ 1);
}

static __always_inline void qpw_finding_reserve(struct qpw_work *w, const struct qpw_finding *value)
{
    struct qpw_reserved_key *key = &w->reserved_key;
    struct qpw_reserved *added = &w->reserved_new;
    long rc;

    __builtin_memset(key, 0, sizeof(*key));
    key->prefixlen = QPW_RESERVED_BITS;
    key->port = w->finding.port;
    key->kind = w->finding.kind;
    key->protocol = w->finding.protocol;
    key->direction = w->finding.direction;
    key->verdict = w->finding.verdict;
    if (bpf_map_lookup_elem(&reserved, key))
        return;
    added->key = w->finding;
    added->value = *value;
    added->value.flags |= QPW_FINDING_RESERVED;
    added->value.slot = 0;
    rc = bpf_map_update_elem(&reserved, key, added, BPF_NOEXIST);
    if (rc && rc != -EEXIST) {
        qpw_stat(QPW_LOSS_RESERVED_FULL);
        return;
    }
    if (!rc)
        qpw_event_finding(w, &added->value);
}

/*
 * Whose quota a finding takes its slot from. What only packets of the node enter has one that nothing from outside can
 * fill, so that no flood of attempts hides what the node itself begins. Of what was answered, companions of listed
 * services and weak rules have their own: clients that do what they are to do must not use up the others'; nor must
 * those who send echoes, which are answered to forged addresses, too. Attempts of these have none: who can make many of
 * them can make as many unexpected ones, against which a quota would not help.
 */
enum qpw_quota { QPW_QUOTA_OUTSIDE, QPW_QUOTA_NODE, QPW_QUOTA_ANSWERED, QPW_QUOTA_IMPLIED, QPW_QUOTA_WEAK };

static __always_inline enum qpw_quota qpw_finding_quota(const struct qpw_work *w, const struct qpw_finding *value)
{
    __u8 verdict = w->finding.verdict;

    if (value->outcome >= QPW_OUTCOME_ANSWERED)
        return verdict == QPW_VERDICT_IMPLIED || w->finding.kind == QPW_KIND_ICMP ? QPW_QUOTA_IMPLIED
               : verdict == QPW_VERDICT_WEAK                                      ? QPW_QUOTA_WEAK
                                                                                  : QPW_QUOTA_ANSWERED;
    return value->flags & QPW_FINDING_NODE ? QPW_QUOTA_NODE : QPW_QUOTA_OUTSIDE;
}

static __always_inline __u32 qpw_quota_loss(enum qpw_quota quota)
{
    return quota > QPW_QUOTA_ANSWERED    ? QPW_LOSS_COMPANION_QUOTA
           : quota == QPW_QUOTA_ANSWERED ? QPW_LOSS_ANSWERED_QUOTA
           : quota == QPW_QUOTA_NODE   ? QPW_LOSS_NODE_QUOTA
                                       : QPW_LOSS_FINDING_QUOTA;
}

/* Take a slot of that quota. Returns 0, or an error if there is none. */
static __always_inline long qpw_pop_finding_slot(struct qpw_work *w, enum qpw_quota quota, __u32 *ret_slot)
{
    long rc;

    if (quota == QPW_QUOTA_ANSWERED)
        return bpf_map_pop_elem(&answered_slots, ret_slot);
    if (quota == QPW_QUOTA_IMPLIED)
        return bpf_map_pop_elem(&implied_slots, ret_slot);
    if (quota == QPW_QUOTA_WEAK)
        return bpf_map_pop_elem(&weak_slots, ret_slot);
    if (quota == QPW_QUOTA_NODE) {
        if (qpw_is_full(w, QPW_FULL_NODE_SLOTS))
            return -1;
        rc = bpf_map_pop_elem(&node_slots, ret_slot);
        if (rc)
            qpw_set_full(w, QPW_FULL_NODE_SLOTS);
        return rc;
    }
    if (qpw_is_full(w, QPW_FULL_FINDING_SLOTS))
        return -1;
    rc = bpf_map_pop_elem(&finding_slots, ret_slot);
    if (rc)
        qpw_set_full(w, QPW_FULL_FINDING_SLOTS);
    return rc;
}

static __always_inline void qpw_push_finding_slot(enum qpw_quota quota, __u32 *slot)
{
    if (quota == QPW_QUOTA_ANSWERED)
        bpf_map_push_elem(&answered_slots, slot, 0);
    else if (quota == QPW_QUOTA_IMPLIED)
        bpf_map_push_elem(&implied_slots, slot, 0);
    else if (quota == QPW_QUOTA_WEAK)
        bpf_map_push_elem(&weak_slots, slot, 0);
    else if (quota == QPW_QUOTA_NODE)
        bpf_map_push_elem(&node_slots, slot, 0);
    else
        bpf_map_push_elem(&finding_slots, slot, 0);
}

/* Return its slot, and whether packets of that meter are counted elsewhere. */
static __always_inline __u32 qpw_finding_slot(const struct qpw_finding *f, __u16 meter)
{
    return f->meter == meter ? f->slot : f->slot | QPW_FINDING_ELSEWHERE;
}

/* Return the slot to count packets in, of a finding as qpw_finding_touch() returns it and the meter. */
static __always_inline __u32 qpw_finding_counts(__u32 finding, __u32 meter)
{
    return finding && !(finding & QPW_FINDING_ELSEWHERE) ? finding : meter;
}

/*
 * Datagrams of either end to the same port of the other, as VXLAN, GENEVE and RoCE are sent, from a fresh port each:
 * two exchanges of one way each, and an answer to both. A finding that is new looks for its mirror image once.
 */
static __noinline int qpw_finding_mirror(struct qpw_work *w)
{
    struct qpw_finding_key *key = &w->mirror;
    struct qpw_mirrors *seen;
    struct qpw_finding *f;
    __u32 zero = 0, slot = w->finding.port & (QPW_MIRROR_SLOTS - 1);

    if (w->finding.kind != QPW_KIND_PORT || w->finding.protocol == QPW_IPPROTO_TCP || w->finding.aggregated ||
        (w->finding.direction != QPW_DIR_INBOUND && w->finding.direction != QPW_DIR_OUTBOUND))
        return 0;
    seen = bpf_map_lookup_elem(&mirrors, &zero);
    if (!seen)
        return 0;
    if (w->finding.direction == QPW_DIR_INBOUND) {
        seen->inbound[slot] = 1;
        if (!seen->outbound[slot])
            return 0;
    } else {
        seen->outbound[slot] = 1;
        if (!seen->inbound[slot])
            return 0;
    }
    *key = w->finding;
    qpw_copy16(key->initiator, w->finding.responder);
    qpw_copy16(key->responder, w->finding.initiator);
    key->direction = w->finding.direction == QPW_DIR_INBOUND ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND;
    f = bpf_map_lookup_elem(&answered, key);
    if (!f)
        f = bpf_map_lookup_elem(&findings, key);
    if (!f || (f->flags & QPW_FINDING_SUPERSEDED) ||
        (f->outcome != QPW_OUTCOME_ATTEMPTED && !(f->flags & QPW_FINDING_MIRRORED)))
        return 0; /* refused, or answered on its own tuple: not one way each */
    if (w->finding_value.outcome < QPW_OUTCOME_ANSWERED)
        w->finding_value.outcome = QPW_OUTCOME_ANSWERED;
    w->finding_value.flags |= QPW_FINDING_MIRRORED;
    if (f->outcome < QPW_OUTCOME_ANSWERED) {
        f->outcome = QPW_OUTCOME_ANSWERED;
        f->flags |= QPW_FINDING_MIRRORED;
        f->changes++;
        qpw_event_finding_of(key, f);
    }
    return 0;
}

/*
 * Raise the outcome where no slot is left for answered findings: an exchange that the node opened is reported in its
 * own slot.
 */
static __always_inline __u32 qpw_finding_raise(struct qpw_work *w, const struct qpw_finding *value)
{
    struct qpw_finding *f = value->flags & QPW_FINDING_NODE ? bpf_map_lookup_elem(&findings, &w->finding) : 0;

    if (!f)
        return 0;
    if (f->outcome < value->outcome) {
        f->outcome = value->outcome;
        f->last_ns = w->now;
        f->changes++;
        qpw_event_finding(w, f);
    }
    return qpw_finding_slot(f, value->meter);
}

/* Enter w->finding_value in the table of its outcome. Returns as qpw_finding_touch() does. */
static __always_inline __u32 qpw_finding_new(struct qpw_work *w)
{
    struct qpw_finding *value = &w->finding_value, *other;
    enum qpw_quota quota;
    __u32 slot = 0;
    long rc;

    qpw_finding_mirror(w);
    quota = qpw_opaque(w, qpw_finding_quota(w, value));
    rc = qpw_pop_finding_slot(w, quota, &slot);
    if (rc && quota >= QPW_QUOTA_ANSWERED) {
        slot = qpw_finding_raise(w, value);
        if (slot)
            return slot;
    }
    if (rc) {
        qpw_stat(qpw_quota_loss(quota));
        if (quota >= QPW_QUOTA_ANSWERED)
            qpw_finding_reserve(w, value);
        qpw_finding_lost();
        return 0;
    }
    value->slot = slot;
    value->changes = 1;
    qpw_will_have(qpw_finding_present() + (quota >= QPW_QUOTA_ANSWERED ? QPW_PRESENT_ANSWERED : QPW_PRESENT_FINDING));
    rc = quota >= QPW_QUOTA_ANSWERED ? bpf_map_update_elem(&answered, &w->finding, value, BPF_NOEXIST)
                                     : bpf_map_update_elem(&findings, &w->finding, value, BPF_NOEXIST);
    if (!rc) {
        qpw_event_finding(w, value);
        return slot;
    }
    qpw_push_finding_slot(quota, &slot); /* another CPU was first */
    other = quota >= QPW_QUOTA_ANSWERED ? bpf_map_lookup_elem(&answered, &w->finding)
                                        : bpf_map_lookup_elem(&findings, &w->finding);
    return other ? qpw_finding_slot(other, value->meter) : 0;
}

/*
 * Set the owner of the node's end. Another program there is reported again, unless it is still open whether the
 * exchange is a companion.
 */
static __always_inline void qpw_finding_owner(struct qpw_work *w, struct qpw_finding *f, const struct qpw_owner *now)
{
    int another = f->owner.tgid && now->tgid && now->exe != f->owner.exe;

    if (!now->how || (f->owner.tgid && !another)) /* a process is more than a kind of socket */
        return;
    if (another && w->finding_value.provisional && !f->provisional)
        return;
    f->owner = *now;
    if (!another)
        return;
    f->last_ns = w->now;
    if (f->programs >= QPW_FINDING_PROGRAMS)
        return;
    f->programs++;
    f->changes++;
    qpw_event_finding(w, f);
}

/* Note what both ends say, in the newest exchange in which both said something that is recognized. */
static __always_inline void qpw_finding_speech(struct qpw_finding *f, const struct qpw_finding *now)
{
    if ((now->speaks[0] & QPW_SPEECH) > QPW_SPEECH_SHORT)
        f->speaks[0] = now->speaks[0];
    if ((now->speaks[1] & QPW_SPEECH) > QPW_SPEECH_SHORT)
        f->speaks[1] = now->speaks[1];
}

/* Find the entry of w->finding among those answered; then, if any, among those attempted. */
static __always_inline struct qpw_finding *qpw_finding_find(struct qpw_work *w, int any)
{
    __u32 slot = qpw_finding_present();
    struct qpw_finding *f = 0;

    if (qpw_may_have(slot + QPW_PRESENT_ANSWERED))
        f = bpf_map_lookup_elem(&answered, &w->finding);
    if (!f && any && qpw_may_have(slot + QPW_PRESENT_FINDING))
        f = bpf_map_lookup_elem(&findings, &w->finding);
    return f;
}

/*
 * Enter or refresh w->finding with w->finding_value. Return its slot, in which the packets of its own meter are
 * counted; with QPW_FINDING_ELSEWHERE, count another meter's packets in it. 0: the table has no room for it.
 */
__noinline __u32 qpw_finding_touch(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_finding *now, *f;

    if (!w)
        return 0;
    now = &w->finding_value;
    f = qpw_finding_find(w, now->outcome < QPW_OUTCOME_ANSWERED);
    if (!f)
        return qpw_finding_new(w);
    if (w->now - f->last_ns >= QPW_FINDING_REFRESH_NS)
        f->last_ns = w->now;
    f->flags &= ~QPW_FINDING_SUPERSEDED;
    qpw_finding_owner(w, f, &now->owner);
    if (now->other_port) {
        f->other_port = now->other_port;
        f->flags |= now->flags & (QPW_FINDING_ANSWERED_FROM | QPW_FINDING_ASKED_AT);
    }
    if (now->outcome > f->outcome || now->evidence > f->evidence) {
        if (now->outcome > f->outcome) {
            f->outcome = now->outcome;
            f->unseen = now->unseen;
        }
        if (now->evidence > f->evidence)
            f->evidence = now->evidence;
        f->last_ns = w->now;
        f->changes++;
        qpw_event_finding(w, f);
    }
    if (w->finding.verdict == QPW_VERDICT_IMPLIED && !now->provisional) {
        f->provisional = 0;
        if (f->reason != now->reason) { /* whether its owner is known */
            f->reason = now->reason;
            f->changes++;
            qpw_event_finding(w, f);
        }
    }
    if (!f->meter) /* entered by user space */
        f->meter = now->meter;
    qpw_finding_speech(f, now);
    f->rule = now->rule;
    f->services = now->services;
    return qpw_finding_slot(f, now->meter);
}

/* The node's answer to what a group or broadcast address was asked, before the other end speaks to the node alone. */
static __always_inline int qpw_answers_group(const struct qpw_conn *c)
{
    return c->state == QPW_STATE_DATAGRAM && (c->flags & QPW_CONN_GROUP);
}

/*
 * While a flood keeps the memory of questions from showing who asked, fold exchanges that the node opens: one finding
 * for listed ones, and one per local port for others, instead of one for each remote end.
 */
static __always_inline void qpw_finding_fold(struct qpw_finding_key *finding, const struct qpw_conn_key *key)
{
    __builtin_memset(finding->responder, 0, 16);
    finding->port = finding->direction == QPW_DIR_OUTBOUND ? 0 : key->local_port;
    finding->aggregated = 1;
}

/* Write the key of the finding of w->key's connection c into w->finding. port: the service port, or the ICMP type. */
static __noinline int qpw_finding_key_of(struct qpw_work *w, const struct qpw_conn *c, __u16 port)
{
    const struct qpw_conn_key *key = &w->key;
    int remote_asks = c->direction == QPW_DIR_INBOUND ||
                      (c->direction == QPW_DIR_UNKNOWN && (c->flags & QPW_CONN_REMOTE_FIRST));

    __builtin_memset(&w->finding, 0, sizeof(w->finding));
    qpw_copy16(w->finding.initiator, remote_asks ? key->remote : key->local);
    qpw_copy16(w->finding.responder, remote_asks ? key->local : key->remote);
    w->finding.port = port;
    w->finding.kind = qpw_kind(key->protocol);
    w->finding.protocol = key->protocol;
    w->finding.direction = c->direction;
    w->finding.verdict = qpw_conn_mismatch(c) ? QPW_VERDICT_MISMATCH : c->verdict;
    if (c->verdict == QPW_VERDICT_UNDECIDED && c->reason == QPW_REASON_QUESTION_LOST)
        qpw_finding_fold(&w->finding, key);
    if (qpw_answers_group(c)) { /* the finding of the question */
        qpw_copy16(w->question.local, key->local);
        qpw_asked_address(w, c->asked_number);
        qpw_copy16(w->finding.responder, w->question.local);
    }
    return 0;
}

/*
 * ICMP that is infrastructure passes both ways in any case; the outcome depends on whether both ends sent other ICMP.
 */
static __always_inline __u8 qpw_finding_outcome(const struct qpw_work *w, const struct qpw_conn *c)
{
    if (w->finding.kind != QPW_KIND_ICMP || c->verdict != QPW_VERDICT_UNEXPECTED)
        return c->outcome;
    if (c->end[0] & c->end[1] & QPW_END_UNEXPECTED)
        return QPW_OUTCOME_DATA;
    return c->outcome == QPW_OUTCOME_REFUSED ? QPW_OUTCOME_REFUSED : QPW_OUTCOME_ATTEMPTED;
}

/*
 * Return whether qpw_finding_touch() would find neither an entry of w->finding nor a slot for it: a stranger's attempt
 * while the table is full. Of a scan, that is nearly every packet.
 */
static __always_inline int qpw_finding_has_no_place(struct qpw_work *w, const struct qpw_conn *c)
{
    __u32 slot;

    if (!qpw_is_full(w, QPW_FULL_FINDING_SLOTS) || w->finding.protocol != QPW_IPPROTO_TCP ||
        c->outcome >= QPW_OUTCOME_ANSWERED || !(c->flags & QPW_CONN_REMOTE_FIRST))
        return 0;
    slot = qpw_finding_present();
    return !qpw_may_have(slot + QPW_PRESENT_FINDING) && !qpw_may_have(slot + QPW_PRESENT_ANSWERED);
}

/*
 * Fill w->finding and w->finding_value from c, the entry of w->key. Returns 0, the value not filled, where it has no
 * place.
 */
QPW_STAGE __u32 qpw_finding_fill(struct qpw_conn *c, __u32 port, __u32 meter)
{
    struct qpw_work *w = qpw_work();
    struct qpw_finding *v;
    int inbound;

    if (!w || !c)
        return 0;
    qpw_finding_key_of(w, c, (__u16)port);
    if (qpw_finding_has_no_place(w, c))
        return 0;
    v = &w->finding_value;
    inbound = c->direction == QPW_DIR_INBOUND;
    __builtin_memset(v, 0, sizeof(*v));
    v->first_ns = c->first_ns;
    v->last_ns = w->now;
    v->meter = (__u16)meter;
    v->rule = c->rule;
    v->initiator_port = inbound ? w->key.remote_port : w->key.local_port;
    v->vlan = c->vlan & QPW_VLAN_ID;
    v->iface = c->iface;
    v->peer = qpw_conn_peer(c);
    v->evidence = c->evidence;
    v->outcome = qpw_finding_outcome(w, c);
    v->reason = w->misfit ? w->misfit : c->reason;
    v->scope = qpw_conn_scope(c);
    v->icmp_code = w->pkt.icmp_code;
    v->speaks[0] = c->speaks[0] & (QPW_SPEECH | QPW_SPEECH_FIRST);
    v->speaks[1] = c->speaks[1] & (QPW_SPEECH | QPW_SPEECH_FIRST);
    v->services = (__u16)qpw_conn_services(c);
    v->provisional = (c->vlan & QPW_CONN_PROVISIONAL) && c->reason != QPW_REASON_OWNER_UNKNOWN;
    v->unseen = (c->end[0] | c->end[1]) & QPW_END_UNSEEN ? 1 : 0;
    if (w->owner.how)
        v->owner = w->owner;
    if (qpw_answers_group(c) || qpw_is_group(w->rx ? QPW_OF_KEY_LOCAL : QPW_OF_KEY_REMOTE))
        v->flags |= QPW_FINDING_MULTICAST;
    if (c->flags & QPW_CONN_REMOTE_FIRST)
        v->flags |= QPW_FINDING_REMOTE_FIRST;
    else if (!inbound && (v->scope != QPW_SCOPE_SELF) && c->conn_class != QPW_CLASS_HALF)
        v->flags |= QPW_FINDING_NODE;
    if (w->answer_port) {
        v->other_port = (__u16)w->answer_port;
        v->flags |= QPW_FINDING_ANSWERED_FROM;
    } else if (qpw_is_elsewhere(c)) {
        v->other_port = (__u16)c->asked_port;
        v->flags |= QPW_FINDING_ASKED_AT;
    }
    return 1;
}

/* Enter the finding of connection c, whose meter is known. Returns what qpw_finding_touch() does. */
static __always_inline __u32 qpw_finding_of(struct qpw_conn *c, __u16 port, __u32 meter)
{
    if (qpw_finding_fill(c, port, meter))
        return qpw_finding_touch();
    qpw_stat(QPW_LOSS_FINDING_QUOTA);
    qpw_finding_lost();
    return 0;
}

/*
 * Return whether the finding may be superseded: not where w->before was provisional and shares its row with a decided
 * one.
 */
static __always_inline int qpw_may_supersede(const struct qpw_work *w, const struct qpw_finding *f)
{
    return f->provisional || !(w->before.vlan & QPW_CONN_PROVISIONAL) || w->before.reason == QPW_REASON_OWNER_UNKNOWN;
}

/* Withdraw the finding of w->before, which is w->key as it was, because it is judged again. port: the service port. */
__noinline __u32 qpw_finding_supersede(__u32 port)
{
    struct qpw_work *w = qpw_work();
    struct qpw_finding *f;

    if (!w)
        return 0;
    qpw_finding_key_of(w, &w->before, (__u16)port);
    f = bpf_map_lookup_elem(&answered, &w->finding);
    if (f && qpw_may_supersede(w, f)) {
        f->flags |= QPW_FINDING_SUPERSEDED;
        f->changes++;
    }
    f = bpf_map_lookup_elem(&findings, &w->finding);
    if (f && qpw_may_supersede(w, f)) {
        f->flags |= QPW_FINDING_SUPERSEDED;
        f->changes++;
    }
    return 0;
}

#endif
