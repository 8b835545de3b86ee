/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * question.h - who was asked first: datagrams from outside that opened an exchange, remembered by their remote end.
 *
 * A datagram that the node sends first, as far as the tables of connections know, may be the answer to a question
 * that came to another of its addresses or ports, or whose entry a flood has pushed out. So each opening datagram
 * from outside leaves a word in a cache line chosen by a keyed hash of (protocol, remote address, remote port). The
 * line also notes when it last lost a word that was still young: until a time-out after that, absence proves nothing.
 *
 * Words are written without a lock. Two CPUs that write to one line at the same moment may choose the same way, and
 * one question is lost unnoticed; a flood dense enough to arrange that marks every line as lossy by itself.
 */
#ifndef QPW_BPF_QUESTION_H
#define QPW_BPF_QUESTION_H

#include "conn.h"
#include "local.h"

/* Return whether the protocol's exchanges are attributed by who sent first. ICMP types show that themselves. */
static __always_inline int qpw_asks_questions(__u8 protocol)
{
    return protocol != QPW_IPPROTO_TCP && qpw_kind(protocol) != QPW_KIND_ICMP;
}

/* Return the time in the units of a question's word. */
static __always_inline __u32 qpw_question_now(const struct qpw_work *w)
{
    return (__u32)(w->now >> QPW_QUESTION_SHIFT);
}

/* Return the time-out of the protocol in the same units, rounded up. */
static __always_inline __u32 qpw_question_timeout(const struct qpw_work *w)
{
    __u64 ns = w->question.protocol == QPW_IPPROTO_UDP ? control.udp_ns : control.other_ns;

    return (__u32)(ns >> QPW_QUESTION_SHIFT) + 1;
}

/*
 * Age of a word in place, by the line's clock (qpw_question_clock()): the older, the greater. The clock is a little
 * ahead, so that one whose time a capture's clock has stepped back from is young.
 */
#define QPW_QUESTION_AGE (QPW_QUESTION_TIME << QPW_QUESTION_TIME_SHIFT)
static __always_inline __u32 qpw_question_clock(__u32 now)
{
    return (now + QPW_QUESTION_BACK) << QPW_QUESTION_TIME_SHIFT | QPW_QUESTION_WHERE;
}

/* Return the age of a word; 0 where a capture's clock has stepped back a little. */
static __always_inline __u32 qpw_question_age(__u64 word, __u32 now)
{
    __u32 age = (now - (__u32)(word >> QPW_QUESTION_TIME_SHIFT)) & QPW_QUESTION_TIME;

    return age > QPW_QUESTION_TIME - QPW_QUESTION_BACK ? 0 : age;
}

static __always_inline __u64 qpw_question_word(__u64 id, __u32 now, __u32 where)
{
    return (id & QPW_QUESTION_ID) | (__u64)(now & QPW_QUESTION_TIME) << QPW_QUESTION_TIME_SHIFT |
           (where & QPW_QUESTION_WHERE);
}

/* Find the line of w->question's remote end and that end's tag with w->question.local_port; keep both in w. */
__noinline __u32 qpw_question_aim(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_tag t;

    if (!w)
        return 0;
    t = qpw_tag_remote(config.secret, w->question.remote, w->pkt.v6, w->question.remote_port, w->question.protocol);

    w->question_line = qpw_tag_question_line(&t, config.secret);
    w->question_id = (t.b & QPW_QUESTION_TAG) | (__u64)w->question.local_port << QPW_QUESTION_PORT_SHIFT;
    return 0;
}

/* Set w->question to the questions of w->key's remote end. */
static __always_inline void qpw_question_of_key(struct qpw_work *w)
{
    w->question = w->key;
    qpw_question_aim();
}

/*
 * The same before the tables of connections are searched for w->key. The line, which most often is in no cache, is
 * written to: nothing waits for it to come, as it would if it were read.
 */
static __always_inline void qpw_question_ahead(struct qpw_work *w)
{
    struct qpw_questions *q;

    qpw_question_of_key(w);
    q = bpf_map_lookup_elem(&questions, &w->question_line);
    if (q)
        *(volatile __u32 *)&q->touched = 0;
}

static __always_inline int qpw_same_address(const __u8 *a, const __u8 *b)
{
    const __u64 __attribute__((may_alias)) *x = (const void *)a, *y = (const void *)b;

    return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

/* Return the slot of w->question.local among those of its kind, or of the address that makes room for it there. */
static __always_inline __u32 qpw_asked_slot(struct qpw_work *w, int group)
{
    __u64 sum = config.secret[0] * qpw_word(w->question.local + 12) + config.secret[1] * qpw_word(w->question.local);
    __u32 pairs = group ? (QPW_ASKED_ADDRESSES - QPW_ASKED_GROUPS) / 2 : QPW_ASKED_GROUPS / 2 - 1;
    __u32 first = 2 * (__u32)((sum >> 48) * pairs >> 16) + (group ? QPW_ASKED_GROUPS : 2), second = first + 1;
    struct qpw_address *a = bpf_map_lookup_elem(&asked, &first), *b = bpf_map_lookup_elem(&asked, &second);

    if (!a || !b)
        return 0;
    if (qpw_same_address(a->addr, w->question.local))
        return first;
    if (qpw_same_address(b->addr, w->question.local))
        return second;
    if (!qpw_word(b->addr + 12) && qpw_word(a->addr + 12)) {
        a = b;
        first = second;
    }
    qpw_copy16(a->addr, w->question.local);
    return first;
}

/*
 * Return the number under which qpw_asked_address() finds w->question.local again; note the address if it is new. It
 * has two slots; where others hold both, replace one of them: its exchanges then get the hook's address. Groups have
 * slots of their own, from QPW_ASKED_GROUPS on, so that the number itself proves that a group was asked. Mostly it is
 * the address that was asked last.
 */
__noinline __u32 qpw_asked_number(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_address *last;
    int by_card, group;
    __u32 number;

    if (!w)
        return 0;
    by_card = qpw_by_card(w);
    number = w->asked_last;
    last = by_card ? bpf_map_lookup_elem(&asked, &number) : 0;
    if (last && number && qpw_same_address(last->addr, w->question.local))
        return number;
    group = !!qpw_is_group(QPW_OF_QUESTION_LOCAL);
    number = qpw_asked_slot(w, group);
    if (!group)
        w->asked_last = (__u8)number;
    return number;
}

/* Remember that w->question's remote end asked its local port, at the address with that number. */
__noinline __u32 qpw_question_put(__u32 number)
{
    struct qpw_work *w = qpw_work();
    __u32 now, clock, age, oldest = 0, way = 0;
    struct qpw_questions *q;
    __u64 id, word;

    if (!w)
        return 0;
    now = qpw_question_now(w);
    clock = qpw_question_clock(now);
    id = w->question_id;
    q = bpf_map_lookup_elem(&questions, &w->question_line);
    if (!q)
        return 0;
#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < QPW_QUESTION_WAYS; i++) {
        word = q->word[i];
        if (!word || !((word ^ id) & QPW_QUESTION_ID)) {
            way = i;
            oldest = ~0u; /* its own, or empty as all behind it: nothing is lost */
            break;
        }
        age = (clock - (__u32)word) & QPW_QUESTION_AGE;
        if (age >= oldest) {
            oldest = age;
            way = i;
        }
    }
    word = qpw_question_word(id, now, number);
    if (oldest <= (qpw_question_timeout(w) + QPW_QUESTION_BACK) << QPW_QUESTION_TIME_SHIFT)
        *(volatile __u32 *)&q->lost = now + 1; /* before the word goes: a reader in between must not take it for intact */
    if (way < QPW_QUESTION_WAYS && q->word[way] != word)
        *(volatile __u64 *)&q->word[way] = word;
    return 0;
}

/*
 * What is remembered of w->question's remote end: QPW_ASKED_* with, of a question, the local port that was asked (in
 * QPW_ASKED_PORT) and where; its own port is preferred, then the youngest question.
 */
__noinline __u32 qpw_question_get(void)
{
    struct qpw_work *w = qpw_work();
    __u32 now, timeout, age, youngest = ~0u, answer = QPW_ASKED_NONE, lost;
    struct qpw_questions *q;
    __u64 id, word;

    if (!w)
        return 0;
    now = qpw_question_now(w);
    timeout = qpw_question_timeout(w);
    id = w->question_id;
    q = bpf_map_lookup_elem(&questions, &w->question_line);
    if (!q)
        return QPW_ASKED_LOST;
    for (__u32 i = 0; i < QPW_QUESTION_WAYS; i++) {
        word = q->word[i];
        if (!word || ((word ^ id) & QPW_QUESTION_TAG))
            continue;
        age = qpw_question_age(word, now);
        if (age > timeout)
            continue;
        if (!((word ^ id) & QPW_QUESTION_ID))
            return QPW_ASKED(QPW_ASKED_THIS, word);
        if (age <= youngest) { /* of one second, the last: qpw_question_put() fills and replaces from there */
            youngest = qpw_opaque(w, age);
            answer = QPW_ASKED(QPW_ASKED_OTHER, word);
        }
    }
    if (answer != QPW_ASKED_NONE)
        return answer;
    lost = *(volatile __u32 *)&q->lost; /* behind the words: it is written before one of them goes */
    return lost && (__s32)(now - (lost - 1)) <= (__s32)timeout ? QPW_ASKED_LOST : QPW_ASKED_NONE;
}

/* Copy the number's address into w->question.local; leave that as it is where there is none. */
static __always_inline void qpw_asked_address(struct qpw_work *w, __u32 number)
{
    struct qpw_address *a = number ? bpf_map_lookup_elem(&asked, &number) : 0;

    if (a)
        qpw_copy16(w->question.local, a->addr);
}

/*
 * Junk, which has no ports, is remembered by the address of its sender, with the reason in place of a port. So are TCP
 * segments with payload of no connection, apart: after attaching those of any live connection look like that.
 */
static __always_inline void qpw_junk_key(struct qpw_work *w, const __u8 *local, const __u8 *remote, __u16 reason)
{
    struct qpw_conn_key *key = &w->question;

    __builtin_memset(key, 0, sizeof(*key));
    qpw_copy16(key->local, local);
    qpw_copy16(key->remote, remote);
    key->remote_port = QPW_JUNK_PORT;
    key->local_port = reason;
}

/* Return the slot of what the node sent to a group from that port to that port; *ret_word: what stands there, now. */
static __always_inline __u64 *qpw_grace_slot(const struct qpw_work *w, __u64 *ret_id)
{
    __u64 id = (__u64)w->key.protocol << 32 | (__u32)w->key.local_port << 16 | w->key.remote_port;
    __u32 slot = (__u32)(qpw_tag_spread(id, config.secret[QPW_SET_SECRET]) >> 48) & (QPW_GRACE_SLOTS - 1);

    *ret_id = id << 24;
    return bpf_map_lookup_elem(&grace, &slot);
}

/* Note that the node sent w->key to a group: who answers to it within QPW_GRACE_NS was asked. */
static __always_inline void qpw_grace_put(const struct qpw_work *w)
{
    __u64 id, *slot = qpw_grace_slot(w, &id);

    if (slot)
        *slot = id | (w->now >> QPW_GRACE_SHIFT & QPW_GRACE_TIME);
}

/* Return whether the datagram w->key answers what the node sent to a group. */
static __always_inline int qpw_grace_get(const struct qpw_work *w)
{
    __u64 id, *slot = qpw_grace_slot(w, &id);
    __u64 word = slot ? *slot : 0;

    return word && !((word ^ id) >> 24) &&
           (((w->now >> QPW_GRACE_SHIFT) - word) & QPW_GRACE_TIME) < QPW_GRACE_NS >> QPW_GRACE_SHIFT;
}

/* Return what is remembered of undecidable packets from w->key's remote end; mostly there were none from anybody. */
static __always_inline __u32 qpw_junk_asked(struct qpw_work *w)
{
    if ((__s64)(w->now - junk_ns) > (__s64)(control.other_ns + 4 * QPW_JUNK_GRAIN_NS)) /* ages are rounded up */
        return QPW_ASKED_NONE;
    qpw_junk_key(w, w->key.local, w->key.remote, 0);
    qpw_question_aim();
    return qpw_question_get();
}

/* Remember w->question, made by qpw_junk_key(). The time is written at most once a second, because CPUs share it. */
static __always_inline void qpw_junk_put(struct qpw_work *w)
{
    if ((__s64)(w->now - junk_ns) > (__s64)QPW_JUNK_GRAIN_NS)
        junk_ns = w->now;
    qpw_question_aim();
    qpw_question_put(0);
}

/* Set the ends of a frame without IP addresses: two cards. */
static __always_inline void qpw_junk_cards(struct qpw_work *w, const __u8 *local, const __u8 *remote)
{
    __builtin_memcpy(w->question.local + 10, local, 6);
    __builtin_memcpy(w->question.remote + 10, remote, 6);
}

/* Remember that w->key's remote end sent a segment with payload outside any known connection. */
static __always_inline void qpw_stray_put(struct qpw_work *w)
{
    qpw_junk_key(w, w->key.local, w->key.remote, w->key.local_port);
    w->question.remote_port = QPW_STRAY_PORT;
    qpw_question_aim();
    qpw_question_put(0);
}

/* Return whether it did. */
static __always_inline int qpw_stray_get(struct qpw_work *w)
{
    qpw_junk_key(w, w->key.local, w->key.remote, 0);
    w->question.remote_port = QPW_STRAY_PORT;
    qpw_question_aim();
    return QPW_ASKED_WHAT(qpw_question_get()) >= QPW_ASKED_THIS;
}

/* The other end of a packet that the node sends is a group or a broadcast address. */
static __always_inline __u32 qpw_to_group(void)
{
    return qpw_is_group(QPW_OF_KEY_REMOTE);
}

#endif
