/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - notify user space. An event is only a hint: its subject is in a table, so a lost event delays an
 * alert and loses nothing. Wake the reader at most every QPW_WAKE_NS, because that costs thousands of
 * nanoseconds; in between, the reader's own timer finds what is there.
 */
#ifndef QPW_BPF_EVENT_H
#define QPW_BPF_EVENT_H

#include "maps.h"

#define QPW_WAKE_NS 20000000ull
#define QPW_TOKENS 1024u                /* burst a CPU … */
#define QPW_TOKEN_NS (1000000000ull / 2048) /* … and how often another is granted */

static __always_inline __u64 qpw_wake_flag(__u64 now)
{
    if (now - woken_ns < QPW_WAKE_NS)
        return BPF_RB_NO_WAKEUP;
    woken_ns = now;
    return BPF_RB_FORCE_WAKEUP;
}

/* Take a token of this CPU from a bucket. Returns 0 if none is left. */
static __always_inline int qpw_token(struct qpw_tokens *t, __u64 now)
{
    __u64 grant = (now - t->since_ns) / QPW_TOKEN_NS;

    if (grant) {
        t->left = grant + t->left > QPW_TOKENS ? QPW_TOKENS : t->left + grant;
        t->since_ns = now;
    }
    if (!t->left)
        return 0;
    t->left--;
    return 1;
}

/* Report that the finding *key / *value is new or rose. An answered one needs no token. */
QPW_STAGE __u32 qpw_event_finding_of(const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    struct qpw_work *w = qpw_work();
    struct qpw_event *e;

    if (config.replay || !w || !key || !value)
        return 0; /* nobody waits for an alert in a replay: findings are read when the captures end */
    if (value->outcome < QPW_OUTCOME_ANSWERED && !qpw_token(&w->tokens, w->now)) {
        qpw_stat(QPW_LOSS_EVENT_RATE);
        return 0;
    }
    e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
    if (!e) {
        qpw_stat(QPW_LOSS_EVENT_RING);
        return 0;
    }
    e->kind = QPW_EVENT_FINDING;
    e->iface = value->iface;
    e->time_ns = w->now;
    e->finding.key = *key;
    e->finding.value = *value;
    bpf_ringbuf_submit(e, qpw_wake_flag(w->now));
    return 0;
}

/* The same of w->finding. */
static __always_inline void qpw_event_finding(struct qpw_work *w, const struct qpw_finding *value)
{
    qpw_event_finding_of(&w->finding, value);
}

/* Reserve a question to user space about w->key, to be filled and submitted; NULL: it cannot be sent, which is counted. */
static __always_inline struct qpw_event *qpw_event_question(struct qpw_work *w, struct qpw_tokens *bucket, __u32 kind)
{
    struct qpw_event *e = qpw_token(bucket, w->now) ? bpf_ringbuf_reserve(&events, sizeof(*e), 0) : 0;

    if (!e) {
        qpw_stat(QPW_LOSS_SOCKET_REQUEST);
        return 0;
    }
    e->kind = kind;
    e->iface = w->ifindex;
    e->time_ns = w->now;
    return e;
}

/* Ask user space who opened the TCP connection w->key. Returns 1 if the question was sent. */
__noinline __u32 qpw_event_ask(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_event *e;

    if (!w)
        return 0;
    e = qpw_event_question(w, &w->ask_tokens, QPW_EVENT_ASK_SOCKET);
    if (!e)
        return 0;
    e->ask = w->key;
    bpf_ringbuf_submit(e, qpw_wake_flag(w->now));
    return 1;
}

/*
 * Ask user space whether the owner of companion c fits, or report an exchange c that vouches for companions while its
 * process still runs. Return 1 if the event was sent.
 */
QPW_STAGE __u32 qpw_event_ask_owner(const struct qpw_conn *c)
{
    struct qpw_work *w = qpw_work();
    struct qpw_event *e;

    if (!w || !c)
        return 0;
    e = qpw_event_question(w, &w->owner_tokens, QPW_EVENT_ASK_OWNER);
    if (!e)
        return 0;
    e->companion.key = w->key;
    e->companion.value = *c;
    e->companion.value.conn_class &= ~QPW_CLASS_HELD;
    woken_ns = w->now;
    bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP); /* its owner may end within milliseconds */
    return 1;
}

/* Replay: the last state of an entry that is about to be replaced by a new connection on its tuple. */
static __always_inline void qpw_event_ended(struct qpw_work *w, const struct qpw_conn *c)
{
    struct qpw_counts *counts;
    struct qpw_event *e;

    if (!config.count_conns)
        return;
    e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
    if (!e) {
        qpw_stat(QPW_LOSS_EVENT_RING);
        return;
    }
    e->kind = QPW_EVENT_CONN_ENDED;
    e->iface = c->iface;
    e->time_ns = w->now;
    e->ended.key = w->key;
    e->ended.value = *c;
    counts = bpf_map_lookup_elem(&conn_counts, &w->key);
    if (counts) {
        e->ended.counts = *counts;
        __builtin_memset(counts, 0, sizeof(*counts));
    } else {
        __builtin_memset(&e->ended.counts, 0, sizeof(e->ended.counts));
    }
    bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#endif
