/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/live_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/name_table.h"

#define RUNNING 3u                       /* comparisons that confirm most findings, and their end */
#define SETTLED 30u                      /* the same of what is changed on one node after the other */
#define EVENT_NS 3600000000000ull        /* time that an event without an end stays listed */

QPW_NAME_TABLE(qpw_live_kind_name, kind, QPW_LIVE_KINDS, QPW_LIVE_KIND_COUNT, "")

static const struct qpw_live_peer *peer_named(const struct qpw_live_comparing *c, const char *name)
{
    for (size_t i = 0; i < c->n_peers; i++)
        if (!strcmp(c->peers[i].name, name))
            return &c->peers[i];
    return NULL;
}

/* ---- Items ---- */

struct qpw_live_item *qpw_live_item_of(struct qpw_live *live, uint64_t id)
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
    if (item->kind == QPW_LIVE_STALE || item->kind == QPW_LIVE_ALONE)
        return 2;
    if (item->kind != QPW_LIVE_DIFFERENCE)
        return RUNNING;
    if (kind == QPW_DIFFERENCE_PAIR) /* its ledger has waited */
        return 1;
    if (kind == QPW_DIFFERENCE_POLICY || kind == QPW_DIFFERENCE_VERSION || item->difference.what == QPW_DIFFERS_MODE)
        return SETTLED;
    return kind == QPW_DIFFERENCE_ADDRESS ? RUNNING + 1 : RUNNING;
}

/* Return whether a statement of this node came since then; this node's own is new each time. */
static bool has_news(const struct qpw_live_comparing *c, const char *node, uint64_t since_unix_ns)
{
    const struct qpw_live_peer *p = peer_named(c, node);

    return !p || p->got_unix_ns > since_unix_ns;
}

/* Find or begin an item, which was found; NULL: no room. */
struct qpw_live_item *qpw_live_found(struct qpw_live_comparing *c, uint64_t id, enum qpw_live_kind kind)
{
    struct qpw_live_item *item = qpw_live_item_of(c->live, id);

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
    return item;
}

void qpw_live_count_found(struct qpw_live_comparing *c, struct qpw_live_item *item)
{
    item->judged_unix_ns = c->now_unix_ns;
    item->missing = 0;
    item->found++;
}

uint64_t qpw_live_id_of_peer(enum qpw_live_kind kind, const struct qpw_live_peer *p)
{
    return qpw_live_hash(qpw_live_hash(QPW_HASH_BEGIN, qpw_live_kind_name(kind)), p->name);
}

/* Add what was found of one peer, outside of the differences. */
struct qpw_live_item *qpw_live_found_of(struct qpw_live_comparing *c, enum qpw_live_kind kind, const struct qpw_live_peer *p)
{
    struct qpw_live_item *item = qpw_live_found(c, qpw_live_id_of_peer(kind, p), kind);

    if (!item)
        return NULL;
    qpw_live_count_found(c, item);
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
static bool is_elsewhere(const struct qpw_live_comparing *c, uint64_t id)
{
    uint64_t own = qpw_live_hash(qpw_hash(QPW_HASH_BEGIN, &id, sizeof(id)), c->self->node), other;

    for (size_t i = 0; i < c->n_peers; i++) {
        if (!qpw_live_is_fresh(c, &c->peers[i]))
            continue;
        other = qpw_live_hash(qpw_hash(QPW_HASH_BEGIN, &id, sizeof(id)), c->peers[i].statement->node);
        if (other > own || (other == own && strcmp(c->peers[i].statement->node, c->self->node) < 0))
            return true;
    }
    return false;
}

static uint64_t id_of(const struct qpw_difference *d)
{
    uint64_t id = qpw_live_hash(QPW_HASH_BEGIN, qpw_difference_name(d->what));

    if (d->what == QPW_DIFFERS_SCANNED)
        return strtoull(d->value, NULL, 16);
    /* Who else is concerned may change while it lasts, except the ends of a pair. */
    for (size_t i = 0; i < d->n_nodes && (i < 1 || qpw_difference_kind(d->what) == QPW_DIFFERENCE_PAIR ||
                                          qpw_difference_kind(d->what) == QPW_DIFFERENCE_DIRECTION); i++)
        id = qpw_live_hash(id, d->nodes[i]);
    return qpw_live_hash(id, qpw_difference_kind(d->what) == QPW_DIFFERENCE_PAIR ? "" : d->subject);
}

/* Take a difference that this node is to report; silence and clocks are judged by the polls. */
static void take_difference(struct qpw_live_comparing *c, const struct qpw_difference *d)
{
    enum qpw_difference_kind kind = qpw_difference_kind(d->what);
    struct qpw_live_item *item;
    bool news = true;

    if (kind == QPW_DIFFERENCE_CLOCK || d->what == QPW_DIFFERS_DOWN || d->what == QPW_DIFFERS_NO_STATEMENT ||
        (kind != QPW_DIFFERENCE_SCAN && !names(d, c->self->node)))
        return;
    item = qpw_live_found(c, id_of(d), QPW_LIVE_DIFFERENCE);
    if (!item)
        return;
    for (size_t i = 0; i < d->n_nodes; i++)
        news &= has_news(c, d->nodes[i], item->judged_unix_ns);
    if (news)
        qpw_live_count_found(c, item);
    item->difference = *d;
    item->difference.nodes = NULL;
    item->n_nodes = d->n_nodes;
    for (size_t i = 0; i < d->n_nodes && i < sizeof(item->nodes) / sizeof(*item->nodes); i++)
        snprintf(item->nodes[i], sizeof(item->nodes[i]), "%s", d->nodes[i]);
    item->elsewhere = kind == QPW_DIFFERENCE_SCAN && is_elsewhere(c, item->id);
}

/* Return whether one of its nodes has no fresh or no new statement, so that its absence means nothing. */
static bool is_unknown(const struct qpw_live_comparing *c, const struct qpw_live_item *item)
{
    for (size_t i = 0; item->kind == QPW_LIVE_DIFFERENCE && i < item->n_nodes && i < sizeof(item->nodes) / sizeof(*item->nodes); i++) {
        const struct qpw_live_peer *p = peer_named(c, item->nodes[i]);

        if ((p && !qpw_live_is_fresh(c, p)) || !has_news(c, item->nodes[i], item->judged_unix_ns))
            return true;
    }
    return false;
}

/* Count what was not found, and drop what is over. */
static void age(struct qpw_live_comparing *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->live->n_items; i++) {
        struct qpw_live_item *item = &c->live->items[i];
        unsigned least = item->difference.what == QPW_DIFFERS_MODE ? RUNNING : 2 * RUNNING;

        item->reported |= item->found >= needed(item);
        if (item->last_unix_ns != c->now_unix_ns && !is_unknown(c, item)) {
            item->judged_unix_ns = c->now_unix_ns;
            item->missing++;
            item->found = item->reported ? item->found : 0;
        }
        if (is_event(item) ? item->last_unix_ns + EVENT_NS > c->now_unix_ns : item->missing < (item->reported ? least : 1u))
            c->live->items[kept++] = *item;
    }
    c->live->n_items = kept;
}

/* ---- Packets ---- */

static struct qpw_live_ledger *ledger_of(struct qpw_live_comparing *c, const struct qpw_statement *peer)
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
    struct qpw_live_comparing *c = data;
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
    struct qpw_live_comparing *c = data;
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

int qpw_live_compare(struct qpw_live *live, const struct qpw_statement *self, const struct qpw_live_peer *peers, size_t n,
                     uint64_t now_unix_ns)
{
    struct qpw_live_comparing c = {live, self, peers, n, now_unix_ns, 0};
    struct qpw_compare_hooks hooks = {.data = &c, .self = self->node, .clocks = measured_clocks, .judge = judge};
    struct qpw_statement *fresh = calloc(n + 1, sizeof(*fresh));
    struct qpw_comparison all = {0};
    size_t n_fresh = 0;
    int r;

    if (!fresh)
        return -ENOMEM;
    fresh[n_fresh++] = *self;
    for (size_t i = 0; i < n; i++) {
        if (!qpw_live_is_fresh(&c, &peers[i]))
            continue;
        fresh[n_fresh] = *peers[i].statement; /* borrowed, with its times by this node's clock */
        fresh[n_fresh].at_unix_ns -= (uint64_t)qpw_live_clock_ahead(&c, &peers[i]) * 1000u;
        fresh[n_fresh++].since_unix_ns -= (uint64_t)qpw_live_clock_ahead(&c, &peers[i]) * 1000u;
    }
    r = qpw_compare_with(fresh, n_fresh, now_unix_ns, &hooks, &all);
    for (size_t i = 0; r == 0 && i < all.n_differences; i++)
        take_difference(&c, &all.differences[i]);
    if (r == 0) {
        qpw_live_judge_peers(&c, &all);
        age(&c);
    }
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
