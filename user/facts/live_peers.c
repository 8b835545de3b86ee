/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the polls tell of each peer besides its statement: its clock, its silence, its key and the head of its log. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/live_internal.h"
#include "util/array.h"

#define CLOCK_US 1000000u /* allowed difference of wall clocks */

/* Return how far the peer's wall clock is ahead; 0: unknown, or within the error. */
int64_t qpw_live_clock_ahead(const struct qpw_live_comparing *c, const struct qpw_live_peer *p)
{
    int64_t own = (int64_t)(c->self->at_unix_ns / 1000) - (int64_t)c->self->uptime_us, ahead;

    if (!p->has_offset || !p->statement)
        return 0;
    ahead = (int64_t)(p->statement->at_unix_ns / 1000) - (int64_t)p->statement->uptime_us - own + p->offset_us;
    return llabs(ahead) > (long long)(CLOCK_US + p->offset_error_us) ? ahead : 0;
}

static void judge_clock(struct qpw_live_comparing *c, const struct qpw_live_peer *p)
{
    int64_t ahead = qpw_live_is_fresh(c, p) ? qpw_live_clock_ahead(c, p) : 0;
    struct qpw_live_item *item = ahead ? qpw_live_found_of(c, QPW_LIVE_CLOCK, p) : NULL;

    if (!item)
        return;
    item->difference.count = (uint64_t)llabs(ahead);
    snprintf(item->difference.value, sizeof(item->difference.value), "%s", ahead > 0 ? "ahead" : "behind");
}

/* Return the difference that others still receive from a peer without a statement; NULL: there is none. */
static const struct qpw_difference *heard_of(const struct qpw_comparison *all, const struct qpw_live_peer *p)
{
    for (size_t i = 0; i < all->n_differences; i++)
        if (all->differences[i].what == QPW_DIFFERS_NO_STATEMENT && !strcmp(all->differences[i].nodes[0], p->name))
            return &all->differences[i];
    return NULL;
}

static uint64_t silent_since(const struct qpw_live_peer *p)
{
    return p->got_unix_ns ? p->got_unix_ns : p->since_unix_ns;
}

static void judge_stale(struct qpw_live_comparing *c, const struct qpw_live_peer *p, const struct qpw_comparison *all)
{
    const struct qpw_difference *heard = heard_of(all, p);
    struct qpw_live_item *item;

    if (c->now_unix_ns < silent_since(p) + QPW_LIVE_STALE_NS || p->wrong_key)
        return;
    item = qpw_live_found_of(c, QPW_LIVE_STALE, p);
    if (!item || item->reported)
        return; /* the words stay those of its first record */
    item->since_unix_ns = silent_since(p);
    item->difference.what = heard ? QPW_DIFFERS_NO_STATEMENT : QPW_DIFFERS_DOWN;
    item->difference.count = heard ? heard->count : 0;
    item->difference.of = heard ? heard->of : 0;
}

/* Return whether no peer answers any more: then it is hardly each of them that is wrong, but this node or its link. */
static bool is_alone(const struct qpw_live_comparing *c, uint64_t *ret_since)
{
    *ret_since = 0;
    for (size_t i = 0; i < c->n_peers; i++) {
        const struct qpw_live_peer *p = &c->peers[i];

        if (qpw_live_is_fresh(c, p) || p->wrong_key)
            return false;
        if (silent_since(p) > *ret_since)
            *ret_since = silent_since(p);
    }
    return c->n_peers > 1;
}

static void take_alone(struct qpw_live_comparing *c, const struct qpw_comparison *all, uint64_t id, uint64_t since_unix_ns)
{
    struct qpw_live_item *item = qpw_live_found(c, id, QPW_LIVE_ALONE);
    uint64_t heard = 0;

    if (!item)
        return;
    qpw_live_count_found(c, item);
    if (item->reported)
        return;
    for (size_t i = 0; i < c->n_peers; i++)
        heard += heard_of(all, &c->peers[i]) != NULL;
    item->since_unix_ns = since_unix_ns;
    item->difference.what = heard ? QPW_DIFFERS_NO_STATEMENT : QPW_DIFFERS_DOWN;
    item->difference.count = heard;
    item->difference.of = c->n_peers;
    snprintf(item->nodes[0], sizeof(item->nodes[0]), "%s", c->self->node);
    item->n_nodes = 1;
}

/*
 * Judge which peers have no statement. While this node is or was just alone, nothing new is said of single ones: they come
 * back one after the other.
 */
static void judge_silence(struct qpw_live_comparing *c, const struct qpw_comparison *all)
{
    uint64_t id = qpw_live_hash(QPW_HASH_BEGIN, qpw_live_kind_name(QPW_LIVE_ALONE)), since;
    bool alone = is_alone(c, &since);
    bool hold = alone || qpw_live_item_of(c->live, id);

    for (size_t i = 0; i < c->n_peers; i++) {
        const struct qpw_live_item *item = qpw_live_item_of(c->live, qpw_live_id_of_peer(QPW_LIVE_STALE, &c->peers[i]));

        if (!hold || (item && item->reported))
            judge_stale(c, &c->peers[i], all);
    }
    if (alone && c->now_unix_ns >= since + QPW_LIVE_STALE_NS)
        take_alone(c, all, id, since);
}

/* Hold the head of a peer's log against the one heard before. */
static void judge_log(struct qpw_live_comparing *c, const struct qpw_live_peer *p)
{
    const struct qpw_statement *s = p->statement;
    struct qpw_live_head *head = NULL;
    struct qpw_live_item *item = NULL;

    if (!s || !s->chain_seq)
        return;
    for (size_t i = 0; !head && i < c->live->n_heads; i++)
        if (!strcmp(c->live->heads[i].peer, p->name))
            head = &c->live->heads[i];
    if (!head) {
        head = QPW_ADD(c->live->heads, c->live->n_heads);
        if (!head) {
            c->r = -ENOMEM;
            return;
        }
        c->live->n_heads++;
        snprintf(head->peer, sizeof(head->peer), "%s", p->name);
    } else if (s->chain_seq < head->seq) {
        item = qpw_live_found_of(c, QPW_LIVE_LOG_CUT, p);
    } else if (s->chain_seq == head->seq && strcmp(s->chain_sha256, head->sha256)) {
        item = qpw_live_found_of(c, QPW_LIVE_LOG_OTHER, p);
    }
    if (item) {
        item->difference.count = s->chain_seq;
        item->difference.of = head->seq;
    }
    head->seq = s->chain_seq;
    snprintf(head->sha256, sizeof(head->sha256), "%s", s->chain_sha256);
    snprintf(head->epoch, sizeof(head->epoch), "%s", s->epoch);
}

void qpw_live_judge_peers(struct qpw_live_comparing *c, const struct qpw_comparison *all)
{
    for (size_t i = 0; i < c->n_peers; i++) {
        judge_clock(c, &c->peers[i]);
        judge_log(c, &c->peers[i]);
        if (c->peers[i].wrong_key)
            qpw_live_found_of(c, QPW_LIVE_KEY, &c->peers[i]);
    }
    judge_silence(c, all);
}
