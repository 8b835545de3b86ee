/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/hash.h"
#include "util/name_table.h"

#define RUNNING 3u                       /* comparisons that confirm most findings, and their end */
#define SETTLED 30u                      /* the same of what is changed on one node after the other */
#define EVENT_NS 3600000000000ull        /* time that an event without an end stays listed */
#define CLOCK_US 1000000u                /* allowed difference of wall clocks */

QPW_NAME_TABLE(qpw_live_kind_name, QPW_LIVE_KINDS, QPW_LIVE_KIND_COUNT, "")

struct comparing {
    struct qpw_live *live;
    const struct qpw_statement *self;
    const struct qpw_live_peer *peers;
    size_t n_peers;
    uint64_t now_unix_ns;
    int r;
};

static const struct qpw_live_peer *peer_named(const struct comparing *c, const char *name)
{
    for (size_t i = 0; i < c->n_peers; i++)
        if (!strcmp(c->peers[i].name, name))
            return &c->peers[i];
    return NULL;
}

static bool is_fresh(const struct comparing *c, const struct qpw_live_peer *p)
{
    return p->statement && p->got_unix_ns + QPW_LIVE_FRESH_NS >= c->now_unix_ns;
}

/* ---- Items ---- */

static struct qpw_live_item *item_of(struct qpw_live *live, uint64_t id)
{
    for (size_t i = 0; i < live->n_items; i++)
        if (live->items[i].id == id)
            return &live->items[i];
    return NULL;
}

/* Return whether it is an event, which has no end. */
static bool is_event(const struct qpw_live_item *item)
{
    return item->kind == QPW_LIVE_LOG_CUT || item->kind == QPW_LIVE_LOG_OTHER ||
           (item->kind == QPW_LIVE_DIFFERENCE && item->difference.what == QPW_DIFFERS_SCANNED);
}

/* Return the number of comparisons running that make it count. */
static unsigned needed(const struct qpw_live_item *item)
{
    enum qpw_difference_kind kind = qpw_difference_kind(item->difference.what);

    if (is_event(item) || item->kind == QPW_LIVE_KEY)
        return 1;
    if (item->kind == QPW_LIVE_STALE)
        return 2;
    if (item->kind != QPW_LIVE_DIFFERENCE)
        return RUNNING;
    if (kind == QPW_DIFFERENCE_PAIR) /* its ledger has waited */
        return 1;
    if (kind == QPW_DIFFERENCE_POLICY || kind == QPW_DIFFERENCE_VERSION || item->difference.what == QPW_DIFFERS_MODE)
        return SETTLED;
    return kind == QPW_DIFFERENCE_ADDRESS ? RUNNING + 1 : RUNNING;
}

/* Find or begin an item, and count that it was found; NULL: no room. */
static struct qpw_live_item *found(struct comparing *c, uint64_t id, enum qpw_live_kind kind)
{
    struct qpw_live_item *item = item_of(c->live, id);

    if (!item && c->live->n_items == QPW_LIVE_MOST) {
        c->live->left_out++;
        return NULL;
    }
    if (!item) {
        item = QPW_ADD(c->live->items, c->live->n_items);
        if (!item) {
            c->r = -ENOMEM;
            return NULL;
        }
        c->live->n_items++;
        item->id = id;
        item->kind = kind;
        item->since_unix_ns = c->now_unix_ns;
    }
    item->last_unix_ns = c->now_unix_ns;
    item->missing = 0;
    item->found++;
    return item;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return qpw_hash(hash, text, strlen(text) + 1);
}

/* Add what was found of one peer, outside of the differences. */
static struct qpw_live_item *found_of(struct comparing *c, enum qpw_live_kind kind, const struct qpw_live_peer *p)
{
    uint64_t id = hash_text(hash_text(QPW_HASH_BEGIN, qpw_live_kind_name(kind)), p->name);
    struct qpw_live_item *item = found(c, id, kind);

    if (!item)
        return NULL;
    snprintf(item->nodes[0], sizeof(item->nodes[0]), "%s", p->name);
    item->n_nodes = 1;
    if (p->trouble)
        snprintf(item->trouble, sizeof(item->trouble), "%s", p->trouble);
    return item;
}

static bool names(const struct qpw_difference *d, const char *node)
{
    for (size_t i = 0; i < d->n_nodes; i++)
        if (!strcmp(d->nodes[i], node))
            return true;
    return false;
}

/* Return the node that reports a scan: the one with the highest hash of its name and the scan, among fresh statements. */
static bool is_elsewhere(const struct comparing *c, uint64_t id)
{
    uint64_t own = hash_text(qpw_hash(QPW_HASH_BEGIN, &id, sizeof(id)), c->self->node), other;

    for (size_t i = 0; i < c->n_peers; i++) {
        if (!is_fresh(c, &c->peers[i]))
            continue;
        other = hash_text(qpw_hash(QPW_HASH_BEGIN, &id, sizeof(id)), c->peers[i].statement->node);
        if (other > own || (other == own && strcmp(c->peers[i].statement->node, c->self->node) < 0))
            return true;
    }
    return false;
}

static uint64_t id_of(const struct qpw_difference *d)
{
    uint64_t id = hash_text(QPW_HASH_BEGIN, qpw_difference_name(d->what));

    if (d->what == QPW_DIFFERS_SCANNED)
        return strtoull(d->value, NULL, 16);
    /* Who else is concerned may change while it lasts, except the ends of a pair. */
    for (size_t i = 0; i < d->n_nodes && (i < 1 || qpw_difference_kind(d->what) == QPW_DIFFERENCE_PAIR ||
                                          qpw_difference_kind(d->what) == QPW_DIFFERENCE_DIRECTION); i++)
        id = hash_text(id, d->nodes[i]);
    return hash_text(id, qpw_difference_kind(d->what) == QPW_DIFFERENCE_PAIR ? "" : d->subject);
}

/* Take a difference that this node is to report; silence and clocks are judged by the polls. */
static void take_difference(struct comparing *c, const struct qpw_difference *d)
{
    enum qpw_difference_kind kind = qpw_difference_kind(d->what);
    struct qpw_live_item *item;

    if (kind == QPW_DIFFERENCE_CLOCK || d->what == QPW_DIFFERS_DOWN || d->what == QPW_DIFFERS_NO_STATEMENT ||
        (kind != QPW_DIFFERENCE_SCAN && !names(d, c->self->node)))
        return;
    item = found(c, id_of(d), QPW_LIVE_DIFFERENCE);
    if (!item)
        return;
    item->difference = *d;
    item->difference.nodes = NULL;
    item->n_nodes = d->n_nodes;
    for (size_t i = 0; i < d->n_nodes && i < sizeof(item->nodes) / sizeof(*item->nodes); i++)
        snprintf(item->nodes[i], sizeof(item->nodes[i]), "%s", d->nodes[i]);
    item->elsewhere = kind == QPW_DIFFERENCE_SCAN && is_elsewhere(c, item->id);
}

/* Return whether one of its nodes has no fresh statement, so that its absence means nothing. */
static bool is_unknown(const struct comparing *c, const struct qpw_live_item *item)
{
    for (size_t i = 0; item->kind == QPW_LIVE_DIFFERENCE && i < item->n_nodes && i < sizeof(item->nodes) / sizeof(*item->nodes); i++) {
        const struct qpw_live_peer *p = peer_named(c, item->nodes[i]);

        if (p && !is_fresh(c, p))
            return true;
    }
    return false;
}

/* Count what was not found, and drop what is over. */
static void age(struct comparing *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->live->n_items; i++) {
        struct qpw_live_item *item = &c->live->items[i];
        unsigned least = item->difference.what == QPW_DIFFERS_MODE ? RUNNING : 2 * RUNNING;

        item->reported |= item->found >= needed(item);
        if (item->last_unix_ns != c->now_unix_ns && !is_unknown(c, item)) {
            item->missing++;
            item->found = item->reported ? item->found : 0;
        }
        if (is_event(item) ? item->last_unix_ns + EVENT_NS > c->now_unix_ns : item->missing < (item->reported ? least : 1u))
            c->live->items[kept++] = *item;
    }
    c->live->n_items = kept;
}

/* ---- Packets ---- */

static struct qpw_live_ledger *ledger_of(struct comparing *c, const struct qpw_statement *peer)
{
    struct qpw_live_ledger *l = NULL;

    for (size_t i = 0; !l && i < c->live->n_ledgers; i++)
        if (!strcmp(c->live->ledgers[i].peer, peer->node))
            l = &c->live->ledgers[i];
    if (!l) {
        l = QPW_ADD(c->live->ledgers, c->live->n_ledgers);
        if (!l)
            return NULL;
        c->live->n_ledgers++;
        snprintf(l->peer, sizeof(l->peer), "%s", peer->node);
    }
    if (strcmp(l->epochs[0], c->self->epoch) || strcmp(l->epochs[1], peer->epoch)) {
        snprintf(l->epochs[0], sizeof(l->epochs[0]), "%s", c->self->epoch);
        snprintf(l->epochs[1], sizeof(l->epochs[1]), "%s", peer->epoch);
        qpw_ledger_begin(&l->to);
        qpw_ledger_begin(&l->from);
    }
    return l;
}

static bool measured_clocks(void *data, const struct qpw_statement *from, const struct qpw_statement *to, struct qpw_clocks *ret)
{
    struct comparing *c = data;
    bool sends = !strcmp(from->node, c->self->node);
    const struct qpw_live_peer *p = peer_named(c, sends ? to->node : from->node);

    if (!p || !p->has_offset)
        return false;
    *ret = (struct qpw_clocks){sends ? p->offset_us : -p->offset_us, p->offset_error_us};
    return true;
}

/* Judge two minutes by the ledger of ten. */
static void judge(void *data, const struct qpw_compared_pair *j, struct qpw_balance *balance)
{
    struct comparing *c = data;
    bool sends = !strcmp(j->from->node, c->self->node);
    struct qpw_live_ledger *l = ledger_of(c, sends ? j->to : j->from);
    struct qpw_ledger *ledger = !l ? NULL : sends ? &l->to : &l->from;
    struct qpw_balance ten;

    if (!ledger) {
        c->r = -ENOMEM;
        return;
    }
    if (j->blind) {
        qpw_ledger_begin(ledger);
        return;
    }
    qpw_ledger_add(ledger, j->sender, j->receiver, j->offset_us, balance);
    qpw_ledger_balance(ledger, &ten);
    if (ten.word != QPW_FLOW_SHORT)
        *balance = ten;
    else
        balance->word = QPW_FLOW_CONSERVED;
}

/* ---- What the polls tell ---- */

/* Return how far the peer's wall clock is ahead; 0: unknown, or within the error. */
static int64_t clock_ahead(const struct comparing *c, const struct qpw_live_peer *p)
{
    int64_t own = (int64_t)(c->self->at_unix_ns / 1000) - (int64_t)c->self->uptime_us, ahead;

    if (!p->has_offset || !p->statement)
        return 0;
    ahead = (int64_t)(p->statement->at_unix_ns / 1000) - (int64_t)p->statement->uptime_us - own + p->offset_us;
    return llabs(ahead) > (long long)(CLOCK_US + p->offset_error_us) ? ahead : 0;
}

static void judge_clock(struct comparing *c, const struct qpw_live_peer *p)
{
    int64_t ahead = is_fresh(c, p) ? clock_ahead(c, p) : 0;
    struct qpw_live_item *item = ahead ? found_of(c, QPW_LIVE_CLOCK, p) : NULL;

    if (!item)
        return;
    item->difference.count = (uint64_t)llabs(ahead);
    snprintf(item->difference.value, sizeof(item->difference.value), "%s", ahead > 0 ? "ahead" : "behind");
}

/* heard: the comparison found that others still receive from it. */
static void judge_stale(struct comparing *c, const struct qpw_live_peer *p, const struct qpw_comparison *all)
{
    uint64_t since = p->got_unix_ns ? p->got_unix_ns : p->since_unix_ns;
    struct qpw_live_item *item;

    if (c->now_unix_ns < since + QPW_LIVE_STALE_NS || p->wrong_key)
        return;
    item = found_of(c, QPW_LIVE_STALE, p);
    if (!item || item->reported)
        return; /* the words stay those of its first record */
    item->since_unix_ns = since;
    item->difference.what = QPW_DIFFERS_DOWN;
    for (size_t i = 0; i < all->n_differences; i++)
        if (all->differences[i].what == QPW_DIFFERS_NO_STATEMENT && !strcmp(all->differences[i].nodes[0], p->name)) {
            item->difference.what = QPW_DIFFERS_NO_STATEMENT;
            item->difference.count = all->differences[i].count;
            item->difference.of = all->differences[i].of;
        }
}

/* Hold the head of a peer's log against the one heard before. */
static void judge_log(struct comparing *c, const struct qpw_live_peer *p)
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
        item = found_of(c, QPW_LIVE_LOG_CUT, p);
    } else if (s->chain_seq == head->seq && strcmp(s->chain_sha256, head->sha256)) {
        item = found_of(c, QPW_LIVE_LOG_OTHER, p);
    }
    if (item) {
        item->difference.count = s->chain_seq;
        item->difference.of = head->seq;
    }
    head->seq = s->chain_seq;
    snprintf(head->sha256, sizeof(head->sha256), "%s", s->chain_sha256);
    snprintf(head->epoch, sizeof(head->epoch), "%s", s->epoch);
}

int qpw_live_compare(struct qpw_live *live, const struct qpw_statement *self, const struct qpw_live_peer *peers, size_t n,
                     uint64_t now_unix_ns)
{
    struct comparing c = {live, self, peers, n, now_unix_ns, 0};
    struct qpw_compare_hooks hooks = {.data = &c, .self = self->node, .clocks = measured_clocks, .judge = judge};
    struct qpw_statement *fresh = calloc(n + 1, sizeof(*fresh));
    struct qpw_comparison all = {0};
    size_t n_fresh = 0;
    int r;

    if (!fresh)
        return -ENOMEM;
    fresh[n_fresh++] = *self;
    for (size_t i = 0; i < n; i++) {
        if (!is_fresh(&c, &peers[i]))
            continue;
        fresh[n_fresh] = *peers[i].statement; /* borrowed, with its times by this node's clock */
        fresh[n_fresh].at_unix_ns -= (uint64_t)clock_ahead(&c, &peers[i]) * 1000u;
        fresh[n_fresh++].since_unix_ns -= (uint64_t)clock_ahead(&c, &peers[i]) * 1000u;
    }
    r = qpw_compare_with(fresh, n_fresh, now_unix_ns, &hooks, &all);
    for (size_t i = 0; r == 0 && i < all.n_differences; i++)
        take_difference(&c, &all.differences[i]);
    for (size_t i = 0; r == 0 && i < n; i++) {
        judge_clock(&c, &peers[i]);
        judge_stale(&c, &peers[i], &all);
        judge_log(&c, &peers[i]);
        if (peers[i].wrong_key)
            found_of(&c, QPW_LIVE_KEY, &peers[i]);
    }
    if (r == 0)
        age(&c);
    qpw_comparison_clear(&all);
    free(fresh);
    return r ? r : c.r;
}

void qpw_live_clear(struct qpw_live *live)
{
    free(live->items);
    free(live->ledgers);
    free(live->heads);
    *live = (struct qpw_live){0};
}
