/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * judge.h - classify: verdict and rule of an exchange, from the policy in force. Only when a connection
 * is first seen or judged again; the result is kept in its entry.
 */
#ifndef QPW_BPF_JUDGE_H
#define QPW_BPF_JUDGE_H

#include "maps.h"

/*
 * What a walk through a chain answers, packed into 32 bits: verdict, is_parent, whether a live parent vouches, rule.
 * 0: no step matched.
 */
#define QPW_ANSWER(verdict, is_parent, vouched, rule) \
    ((__u32)(verdict) | (__u32)!!(is_parent) << 8 | (__u32)!!(vouched) << 9 | (__u32)(rule) << 16)
#define QPW_ANSWER_VERDICT(answer) ((__u8)((answer) & 15))
/* A live parent would vouch, but whether the owner fits is not decided; is not known; or it does not. */
#define QPW_ANSWER_PROVISIONAL (1u << 4)
#define QPW_ANSWER_UNKNOWN (1u << 5)
#define QPW_ANSWER_OTHER (1u << 6)
#define QPW_ANSWER_ANY_PORT (1u << 10) /* QPW_STEP_ANY_ANSWER */
#define QPW_ANSWER_SHAPED(shape) ((__u32)((shape) & 15) << 12)
#define QPW_ANSWER_SHAPE(answer) ((answer) >> 12 & 15)
#define QPW_ANSWER_PARENT(answer) ((__u8)((answer) >> 8 & 1))
#define QPW_ANSWER_VOUCHED(answer) ((answer) & 1u << 9)
#define QPW_ANSWER_RULE(answer) ((__u16)((answer) >> 16))

/* Return the number of a slot of the verdict table, or QPW_SPACE_SLOTS for none. */
static __always_inline __u32 qpw_space_of(__u32 kind, __u32 protocol, __u32 port)
{
    if (kind == QPW_KIND_ETHERTYPE)
        return QPW_SPACE_ETHERTYPE + port;
    if (kind == QPW_KIND_ICMP)
        return (protocol == QPW_IPPROTO_ICMP ? QPW_SPACE_ICMP : QPW_SPACE_ICMP6) + (port & 0xff);
    if (kind == QPW_KIND_PORT)
        return (protocol == QPW_IPPROTO_TCP   ? QPW_SPACE_TCP
                : protocol == QPW_IPPROTO_UDP ? QPW_SPACE_UDP
                                              : QPW_SPACE_SCTP) + port;
    return QPW_SPACE_PROTOCOL + protocol;
}

__noinline __u32 qpw_space(__u32 kind, __u32 protocol, __u32 port)
{
    return qpw_space_of(kind, protocol, port);
}

/* Read a slot of the verdict table: chain number and QPW_SLOT_LISTED. */
static __always_inline __u32 qpw_slot_of(__u32 outbound, __u32 space)
{
    __u32 buffer = control.policy_buffer & 1, chunk;
    struct qpw_slots *slots;
    void *table;

    table = bpf_map_lookup_elem(&pol_slots, &buffer);
    if (!table || space >= QPW_SPACE_SLOTS)
        return 0;
    chunk = (outbound ? QPW_CHUNKS_PER_DIR : 0) + space / QPW_CHUNK;
    slots = bpf_map_lookup_elem(table, &chunk);
    if (!slots)
        return 0;
    return slots->slot[space & (QPW_CHUNK - 1)];
}

__noinline __u32 qpw_slot(__u32 outbound, __u32 space)
{
    return qpw_slot_of(outbound, space);
}

static __always_inline int qpw_listed(int outbound, __u8 protocol, __u16 port)
{
    return port && qpw_slot(outbound, qpw_space(QPW_KIND_PORT, protocol, port)) & QPW_SLOT_LISTED;
}

/* The same of one end of an exchange; a protocol without ports is listed as such. */
static __always_inline int qpw_listed_end(int outbound, __u8 protocol, __u16 port)
{
    if (qpw_kind(protocol) == QPW_KIND_PORT)
        return qpw_listed(outbound, protocol, port);
    return !!(qpw_slot(outbound, QPW_SPACE_PROTOCOL + protocol) & QPW_SLOT_LISTED);
}

/* Return the value an address has in a set; 0: not in it. key: working space. */
static __always_inline __u32 qpw_in_set(void *sets, struct qpw_set_key *key, __u32 set, const __u8 *addr)
{
    __u32 *value;

    key->prefixlen = 32 + 128;
    key->set = __builtin_bswap32(set);
    qpw_copy16(key->addr, addr);
    value = bpf_map_lookup_elem(sets, key);
    return value ? *value : 0;
}

/* Return whether the remote address had an answered exchange on that rule within control.parent_ns, or (ever) at any time. */
static __always_inline int qpw_parent_lives(struct qpw_parent_key *key, const __u8 *remote, __u16 rule, __u64 now,
                                            int ever)
{
    struct qpw_parent *parent;

    __builtin_memset(key, 0, sizeof(*key));
    qpw_copy16(key->remote, remote);
    key->rule = rule;
    parent = bpf_map_lookup_elem(&parents, key);
    return parent && (ever || (__s64)(now - parent->last_ns) < (__s64)control.parent_ns);
}

/*
 * Was c judged by what is in force? A connection keeps half of the number: that of 65,536 changes ago is taken for it.
 */
static __always_inline int qpw_is_judged(const struct qpw_conn *c)
{
    return c->generation == (__u16)control.generation;
}

/* Mark c to be judged again. */
static __always_inline void qpw_outdate(struct qpw_conn *c)
{
    c->generation = (__u16)(control.generation - 1);
}

#define QPW_VOUCHED_MAYBE 1
#define QPW_VOUCHED 2

/*
 * Whether the owner of w->key's exchange is such that a live parent of that rule vouches for it, enum qpw_vouch_word. A
 * replay knows no owners: the parent's address is enough there. vouched: one has before.
 */
static __noinline __u32 qpw_vouch(struct qpw_work *w, __u32 parent, __u32 outbound, int vouched)
{
    struct qpw_vouch *known;

    if (config.replay || vouched)
        return QPW_VOUCH_FITS;
    if (!w->owned)
        return QPW_VOUCH_NONE;
    w->vouch.owner = w->holder;
    w->vouch.local_port = w->key.local_port;
    w->vouch.parent = (__u16)parent;
    w->vouch.protocol = w->key.protocol;
    w->vouch.outbound = (__u8)outbound;
    known = bpf_map_lookup_elem(&vouches, &w->vouch);
    if (known && (__s64)(w->now - known->when_ns) < (__s64)control.parent_ns)
        return known->word;
    return (__s64)(w->now - control.heartbeat_ns) > (__s64)QPW_AUDITOR_STALE_NS ? QPW_VOUCH_UNKNOWN : QPW_VOUCH_NONE;
}

/* Return whether it is of 224.0.0.0/24 (RFC 5771) or ff02::/16 (RFC 4291). */
static __always_inline int qpw_is_link_multicast(const __u8 *addr)
{
    if (addr[0] == 0xff)
        return (addr[1] & 15) == 2;
    return addr[0] == 0 && addr[10] == 0xff && addr[12] == 224 && addr[13] == 0 && addr[14] == 0;
}

static __always_inline int qpw_step_conditions(const struct qpw_work *w, const struct qpw_step *step, int outbound)
{
    __u16 initiator_port = outbound ? w->key.local_port : w->key.remote_port;

    return (!step->ifindex || step->ifindex == w->ifindex) && (step->vlan == QPW_STEP_ANY_VLAN || step->vlan == w->vlan) &&
           (!step->initiator_port || step->initiator_port == initiator_port) &&
           (!(step->flags & QPW_STEP_RX_MULTICAST) || (!outbound && qpw_is_link_multicast(w->key.local)));
}

/* Return the answer of step `at` for w->key, 0 if it does not match. */
static __always_inline __u32 qpw_step_answer(__u32 at, __u32 outbound)
{
    __u32 buffer = control.policy_buffer & 1, value;
    struct qpw_work *w = qpw_work();
    void *steps = bpf_map_lookup_elem(&pol_steps, &buffer), *sets = bpf_map_lookup_elem(&pol_sets, &buffer);
    struct qpw_step *step;
    __u32 word = QPW_VOUCH_NONE, unsure = 0;
    __u16 rule;
    __u8 verdict;
    int lives, vouched;

    if (!w || !steps || !sets)
        return 0;
    step = bpf_map_lookup_elem(steps, &at);
    if (!step)
        return 0;
    rule = step->rule;
    verdict = step->verdict;
    if (!qpw_step_conditions(w, step, outbound))
        return 0;
    if (step->from_set) {
        value = qpw_in_set(sets, &w->set, step->from_set, outbound ? w->key.local : w->key.remote);
        if (!value)
            return 0;
        if (step->flags & QPW_STEP_RULE_FROM_SET)
            rule = (__u16)value;
    }
    if (step->to_set && !qpw_in_set(sets, &w->set, step->to_set, outbound ? w->key.remote : w->key.local))
        return 0;
    if (step->parent) {
        vouched = rule == w->vouched_rule ? w->vouched : 0;
        lives = vouched == QPW_VOUCHED ||
                qpw_parent_lives(&w->parent, w->key.remote, step->parent, w->now, vouched == QPW_VOUCHED_MAYBE);
        if (verdict == QPW_VERDICT_IMPLIED && !lives)
            return 0;
        if (lives)
            word = qpw_vouch(w, step->parent, outbound, vouched == QPW_VOUCHED);
        if (word == QPW_VOUCH_OTHER)
            return QPW_ANSWER(QPW_VERDICT_UNEXPECTED, 0, 0, rule) | QPW_ANSWER_OTHER;
        if (verdict == QPW_VERDICT_WEAK && lives)
            verdict = word == QPW_VOUCH_UNKNOWN ? QPW_VERDICT_IMPLIED : QPW_VERDICT_ALLOWED;
        if (lives && word != QPW_VOUCH_FITS)
            unsure = word == QPW_VOUCH_UNKNOWN ? QPW_ANSWER_UNKNOWN : QPW_ANSWER_PROVISIONAL;
    }
    w->services = step->speaks;
    return QPW_ANSWER(verdict, step->flags & QPW_STEP_IS_PARENT, word == QPW_VOUCH_FITS, rule) |
           QPW_ANSWER_SHAPED(step->shape) | unsure |
           (step->flags & QPW_STEP_ANY_ANSWER ? QPW_ANSWER_ANY_PORT : 0);
}

/*
 * Apply step `at` to w->key. Return its answer if it decides, otherwise 0 with the open alternatives in w->walked: in
 * memory, so that the verifier does not follow each of its values through the walk.
 */
__noinline __u32 qpw_walk_step(__u32 at, __u32 outbound)
{
    struct qpw_work *w = qpw_work();
    __u32 answer = qpw_step_answer(at, outbound);

    if (!w || !answer)
        return 0;
    if (answer & QPW_ANSWER_OTHER) {
        if (!w->walked.other)
            w->walked.other = answer;
        return 0;
    }
    if (answer & (QPW_ANSWER_PROVISIONAL | QPW_ANSWER_UNKNOWN)) {
        if (!w->walked.unsure)
            w->walked.unsure = answer;
        return 0;
    }
    if (w->walked.unsure & QPW_ANSWER_PROVISIONAL)
        return 0; /* an earlier step may be found to fit: that is asked first */
    if ((w->walked.weak || w->walked.unsure) && !QPW_ANSWER_VOUCHED(answer))
        return 0;
    if (QPW_ANSWER_VERDICT(answer) != QPW_VERDICT_WEAK)
        return answer;
    w->walked.weak = answer;
    return 0;
}

/*
 * Walk the chain of (direction, space) for the exchange w->key. Returns a QPW_ANSWER: of the first step that matches,
 * but where that is weak, rather of one that a live parent vouches for; where one might, of that; and where a live
 * parent vouches for another owner only, that it is unexpected, even though a weak step matches.
 */
static __always_inline __u32 qpw_walk_chain(struct qpw_work *w, __u32 space, __u32 outbound)
{
    __u32 buffer = control.policy_buffer & 1, index, count, answer;
    struct qpw_chain *chain;
    void *chains;

    chains = bpf_map_lookup_elem(&pol_chains, &buffer);
    index = qpw_slot_of(outbound, space) & QPW_SLOT_CHAIN;
    if (!chains || !index)
        return 0;
    chain = bpf_map_lookup_elem(chains, &index);
    if (!chain)
        return 0;
    w->walked.weak = w->walked.unsure = w->walked.other = 0;
    w->services = 0;
    index = chain->first;
    count = chain->count;
    for (int i = 0; i < QPW_MAX_STEPS; i++) {
        if ((__u32)i >= count)
            break;
        answer = qpw_walk_step(index + i, outbound);
        if (answer)
            return answer;
    }
    w->services = 0; /* of what is not simply allowed nothing is asked */
    return w->walked.unsure ? w->walked.unsure : w->walked.other ? w->walked.other : w->walked.weak;
}

__noinline __u32 qpw_walk(__u32 space, __u32 outbound)
{
    struct qpw_work *w = qpw_work();

    return w ? qpw_walk_chain(w, space, outbound) : 0;
}

/* The same for w->key of that direction, 0: it is unknown. type: as qpw_judge() has it. */
__noinline __u32 qpw_walk_key(__u32 direction, __u32 type)
{
    struct qpw_work *w = qpw_work();
    int inbound = direction == QPW_DIR_INBOUND;
    __u32 port;
    __u8 kind;

    if (!w)
        return 0;
    w->services = 0;
    if (direction == QPW_DIR_UNKNOWN)
        return 0;
    kind = qpw_kind(w->key.protocol);
    port = kind == QPW_KIND_ICMP ? type : inbound ? w->key.local_port : w->key.remote_port;
    port = qpw_opaque(w, qpw_space_of(kind, w->key.protocol, port));
#ifdef QPW_OLD_VERIFIER /* see QPW_OFTEN */
    return qpw_walk(port, !inbound);
#else
    return qpw_walk_chain(w, port, !inbound);
#endif
}

/*
 * Return the peer number of an address; 0: no peer. Remembered until the next tick, as qpw_interface() does: a
 * burst mostly comes from one address.
 */
static __always_inline __u16 qpw_peer(struct qpw_work *w, const __u8 *addr)
{
    __u32 generation = *(volatile __u32 *)&control.generation; /* first: it changes last */
    __u32 buffer = *(volatile __u32 *)&control.policy_buffer;
    const __u64 __attribute__((may_alias)) *words = (const void *)addr;
    void *sets;

    if (!(buffer & QPW_BUFFER_PEERS))
        return 0;
    if (w->peer_addr[0] == words[0] && w->peer_addr[1] == words[1] && w->peer_ns == w->now &&
        w->peer_generation == generation)
        return w->peer_number;
    buffer &= 1;
    sets = bpf_map_lookup_elem(&pol_sets, &buffer);
    if (!sets)
        return 0;
    w->peer_number = (__u16)qpw_in_set(sets, &w->set, QPW_SET_PEERS, addr);
    w->peer_addr[0] = words[0];
    w->peer_addr[1] = words[1];
    w->peer_ns = w->now;
    w->peer_generation = generation;
    return w->peer_number;
}

/* Return whether an answer from another port than was asked opened it. */
static __always_inline int qpw_is_elsewhere(const struct qpw_conn *c)
{
    return c->state == QPW_STATE_DATAGRAM && (c->flags & QPW_CONN_ELSEWHERE);
}

/* The rule of the port that was asked may explain an answer from any other; its own verdict does not pass on. */
static __always_inline __u32 qpw_walk_elsewhere(struct qpw_work *w, const struct qpw_conn *c, __u32 answer)
{
    __u32 asked = qpw_walk(qpw_space(qpw_kind(w->key.protocol), w->key.protocol, c->asked_port), 0);

    if (QPW_ANSWER_VERDICT(asked) != QPW_VERDICT_ALLOWED || !(asked & QPW_ANSWER_ANY_PORT))
        return answer;
    return QPW_ANSWER(QPW_VERDICT_IMPLIED, 0, 0, QPW_ANSWER_RULE(asked));
}

__noinline __u32 qpw_infra_misfit(__u32 shape, __u32 rule); /* infra.h */

/*
 * The rule that matches asks for a shape: each packet of c is judged by itself. Returns the answer that it leads to,
 * w->misfit being the reason where that is another.
 */
static __always_inline __u32 qpw_judge_shape(struct qpw_work *w, struct qpw_conn *c, __u32 answer)
{
    c->vlan |= QPW_CONN_EACH;
    w->echo_asked = c->end[!!w->rx] & QPW_END_ECHO; /* [1] of the local end */
    w->misfit = (__u8)qpw_infra_misfit(QPW_ANSWER_SHAPE(answer), QPW_ANSWER_RULE(answer));
    if (w->misfit)
        return QPW_ANSWER(QPW_VERDICT_UNEXPECTED, 0, 0, QPW_ANSWER_RULE(answer));
    if (w->infra_news)
        c->end[!w->rx] |= QPW_END_ECHO;
    return answer;
}

/* Take over from the answer what concerns the owner of c, whose direction rests on good evidence. */
static __always_inline void qpw_judge_owner(struct qpw_conn *c, __u32 answer)
{
    if (QPW_ANSWER_VOUCHED(answer))
        c->end[1] |= QPW_END_VOUCHED;
    if (answer & (QPW_ANSWER_PROVISIONAL | QPW_ANSWER_UNKNOWN))
        c->vlan |= QPW_CONN_PROVISIONAL;
    if (answer & QPW_ANSWER_OTHER)
        c->reason = QPW_REASON_OTHER_OWNER;
    else if (answer & QPW_ANSWER_UNKNOWN)
        c->reason = QPW_REASON_OWNER_UNKNOWN;
}

/*
 * Verdict (also into w->verdict), rule and peer of the connection c of w->key, in this order: peer, undecided,
 * then the chain. type: the ICMP type of this packet, which stands where a port stands.
 */
static __always_inline void qpw_judge(struct qpw_work *w, struct qpw_conn *c, __u16 type)
{
    __u32 answer;
    int foreign;

    w->vlan = c->vlan & QPW_VLAN_ID;
    w->holder = c->owner;
    w->vouched = c->end[1] & QPW_END_VOUCHED ? QPW_VOUCHED : c->vlan & QPW_CONN_PROVISIONAL ? QPW_VOUCHED_MAYBE : 0;
    w->vouched_rule = c->rule;
    if (c->reason == QPW_REASON_OTHER_OWNER || c->reason == QPW_REASON_OWNER_UNKNOWN)
        c->reason = QPW_REASON_NONE;
    if (!qpw_is_judged(c))
        c->end[1] &= ~QPW_END_OWNER_ASKED; /* what was decided may be forgotten since */
    c->generation = (__u16)control.generation;
    c->peer = qpw_peer(w, w->key.remote);
    answer = qpw_walk_key(c->direction, type);
    foreign = qpw_is_foreign(*(volatile __u8 *)&c->reason);
    if (c->direction == QPW_DIR_INBOUND && QPW_ANSWER_VERDICT(answer) != QPW_VERDICT_ALLOWED && qpw_is_elsewhere(c))
        answer = qpw_walk_elsewhere(w, c, answer);
    if (foreign) /* no rule speaks of what is not the node's */
        answer = 0;
    c->vlan &= ~(QPW_CONN_PARENT | QPW_CONN_EACH | QPW_CONN_PROVISIONAL);
    if (QPW_ANSWER_SHAPE(answer) && !c->peer && c->evidence > QPW_EVIDENCE_INFERRED)
        answer = qpw_judge_shape(w, c, answer);
    c->rule = QPW_ANSWER_RULE(answer);
    if (QPW_ANSWER_PARENT(answer))
        c->vlan |= QPW_CONN_PARENT;
    if (!c->peer && c->evidence > QPW_EVIDENCE_INFERRED)
        qpw_judge_owner(c, answer);
    if (foreign)
        w->verdict = QPW_VERDICT_UNEXPECTED;
    else if (c->peer) /* still its number */
        w->verdict = QPW_VERDICT_PEER;
    else if (c->evidence <= QPW_EVIDENCE_INFERRED)
        w->verdict = QPW_VERDICT_UNDECIDED;
    else
        w->verdict = answer ? QPW_ANSWER_VERDICT(answer) : QPW_VERDICT_UNEXPECTED;
    if (qpw_kind(*(volatile __u8 *)&w->key.protocol) == QPW_KIND_ICMP && w->verdict == QPW_VERDICT_UNEXPECTED)
        c->end[!w->rx] |= QPW_END_UNEXPECTED;
    c->verdict = w->verdict;
    if (w->verdict == QPW_VERDICT_ALLOWED && w->services & QPW_SPEAKS_SERVICES)
        c->peer = (__u16)(QPW_CONN_SPEAKS | (w->services & QPW_SPEAKS_SERVICES));
}

#endif
