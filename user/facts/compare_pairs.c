/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compare the packets that each node sent to each other with those received there, and find the cause of a difference.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/compare_internal.h"
#include "util/names.h"

#define UNKNOWN_CLOCK_US 1000000u            /* assumed error of an undisciplined clock; a larger one is a difference
                                                of its own */
#define OPENER_NS 600000000000ull            /* maximum age of an opener relative to the statement */
#define SILENT_US 60000000u                  /* minimum time without a packet that counts as silence, */
#define SILENT_LEAST 10u                     /* minimum packets sent in it, */
#define SILENT_EDGE_US 2000000u              /* before its end: those of the last readings may have arrived after them */
#define ACCOUNTS_PERCENT 90u                 /* of the missing packets: a device or loss counter explains a
                                                difference if it covers this share */

/* One direction of a pair being compared. */
struct ends {
    struct qpw_comparing *c;
    const struct qpw_statement *from, *to;
    const struct qpw_stated_pair *from_pair, *to_pair;
    struct qpw_clocks clocks;
    struct qpw_balance balance;   /* of the time that the samples cover, which causes are found in */
    struct qpw_balance reported;  /* the same, or a hook's */
    bool silent;                  /* see qpw_pair_result */
};

/* Return whether two statements use the same clock, that is, have the same boot id (before the colon). */
static bool have_one_clock(const struct qpw_statement *a, const struct qpw_statement *b)
{
    size_t length = strcspn(a->epoch, ":");

    return length && length == strcspn(b->epoch, ":") && !strncmp(a->epoch, b->epoch, length) && strncmp(a->epoch, "unknown", 7);
}

static struct qpw_clocks clocks_of(const struct qpw_comparing *c, const struct qpw_statement *from, const struct qpw_statement *to)
{
    struct qpw_clocks measured;
    int64_t from_us = (int64_t)(from->at_unix_ns / 1000) - (int64_t)from->uptime_us;
    int64_t to_us = (int64_t)(to->at_unix_ns / 1000) - (int64_t)to->uptime_us;

    if (have_one_clock(from, to))
        return (struct qpw_clocks){0, 0};
    if (c->hooks && c->hooks->clocks(c->hooks->data, from, to, &measured))
        return measured;
    return (struct qpw_clocks){from_us - to_us, (from->clock_error_us ? from->clock_error_us : UNKNOWN_CLOCK_US) +
                                                    (to->clock_error_us ? to->clock_error_us : UNKNOWN_CLOCK_US)};
}

static struct qpw_flow flow_of(const struct qpw_statement *s, const uint64_t *count)
{
    return (struct qpw_flow){s->samples.boot_us, s->samples.reading_us, count, s->samples.n};
}

/* Convert a time of the samples' clock to Unix time. */
static uint64_t unix_of(const struct qpw_statement *s, uint64_t boot_us)
{
    return s->at_unix_ns - (s->uptime_us > boot_us ? (s->uptime_us - boot_us) * 1000 : 0);
}

static bool was_blind(const struct qpw_statement *s, uint64_t from_us, uint64_t to_us)
{
    uint64_t from = unix_of(s, from_us), to = unix_of(s, to_us);

    for (size_t i = 0; i < s->n_devices; i++)
        if (s->devices[i].blind)
            return true;
    for (size_t i = 0; i < s->n_blind; i++)
        if (!s->blind[i].unaudited && s->blind[i].from_unix_ns < to && (s->blind[i].to_unix_ns > from || !s->blind[i].to_unix_ns))
            return true;
    return false;
}

/*
 * Return the samples of one node's packets with the other: zeros if it has none but samples all its peers; NULL:
 * unknown.
 */
static const struct qpw_stated_series *series_of(const struct qpw_statement *s, const char *peer)
{
    static const struct qpw_stated_series nothing;
    const struct qpw_stated_series *found = qpw_stated_series_of(s->samples.pairs, s->samples.n_pairs, peer);

    return found ? found : s->samples.left_out ? NULL : &nothing;
}

/* Return whether the packets of this pair are compared at all. */
static bool is_compared(const struct ends *e)
{
    const struct qpw_compare_hooks *hooks = e->c->hooks;

    return !hooks || !strcmp(hooks->self, e->from->node) || !strcmp(hooks->self, e->to->node);
}

/* Let the hook judge; the causes are found in the short time, so it must show the same sign. */
static void ask_hook(struct ends *e, const struct qpw_flow *sender, const struct qpw_flow *receiver, bool blind)
{
    struct qpw_compared_pair judged = {e->from, e->to, sender, receiver, e->clocks.offset_us, blind};

    if (!e->c->hooks)
        return;
    e->c->hooks->judge(e->c->hooks->data, &judged, &e->reported);
    if ((e->reported.word == QPW_FLOW_MISSING && e->balance.sent <= e->balance.received) ||
        (e->reported.word == QPW_FLOW_EXCESS && e->balance.sent >= e->balance.received))
        e->reported.word = QPW_FLOW_CONSERVED;
}

static bool is_silent(const struct ends *e, const struct qpw_flow *sender)
{
    const struct qpw_balance *b = &e->balance;

    return !b->received && b->to_us - b->from_us >= SILENT_US &&
           qpw_flow_between(sender, b->from_us, b->to_us - SILENT_EDGE_US) >= SILENT_LEAST;
}

static enum qpw_pair_state balance(struct ends *e)
{
    const struct qpw_stated_series *out, *in;
    struct qpw_flow sender, receiver;
    bool blind;

    if (!is_compared(e))
        return QPW_PAIR_OTHERS;
    if (!e->from_pair || !e->to_pair)
        return QPW_PAIR_NOT_NAMED;
    if (!e->from->samples.n || !e->to->samples.n)
        return QPW_PAIR_NO_SAMPLES;
    out = series_of(e->from, e->to->node);
    in = series_of(e->to, e->from->node);
    if (!out || !in)
        return QPW_PAIR_NOT_SAMPLED;
    sender = flow_of(e->from, out->tx);
    receiver = flow_of(e->to, in->rx);
    qpw_balance_of(&sender, &receiver, &e->clocks, !e->from->exact || !e->to->exact, &e->balance);
    if (e->balance.word == QPW_FLOW_SHORT)
        return QPW_PAIR_SHORT;
    blind = was_blind(e->from, e->balance.from_us, e->balance.to_us) ||
            was_blind(e->to, e->balance.from_us + (uint64_t)e->clocks.offset_us, e->balance.to_us + (uint64_t)e->clocks.offset_us);
    e->reported = e->balance;
    e->silent = is_silent(e, &sender);
    ask_hook(e, &sender, &receiver, blind);
    return blind ? QPW_PAIR_BLIND : QPW_PAIR_COMPARED;
}

/* ---- Causes ---- */

static uint64_t difference_of(const struct qpw_balance *b)
{
    return b->sent > b->received ? b->sent - b->received : b->received - b->sent;
}

static bool accounts(const struct ends *e, uint64_t packets)
{
    return packets && packets >= difference_of(&e->balance) / 100 * ACCOUNTS_PERCENT;
}

/* Return the growth of a device's counter in the time compared. receiver: the receiver's device, by its clock. */
static uint64_t grown(const struct ends *e, bool receiver, const uint64_t *count)
{
    const struct qpw_statement *s = receiver ? e->to : e->from;
    uint64_t by = receiver ? (uint64_t)e->clocks.offset_us : 0;
    struct qpw_flow flow = flow_of(s, count);

    return qpw_flow_between(&flow, e->balance.from_us + by, e->balance.to_us + by);
}

static const struct qpw_stated_device *device_of(const struct qpw_stated_device *devices, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(devices[i].name, name))
            return &devices[i];
    return NULL;
}

/* Return the unmonitored device of that end that carried most, and enough to explain the difference; NULL: none. */
static const char *unseen_device(const struct ends *e, bool receiver)
{
    const struct qpw_statement *s = receiver ? e->to : e->from;
    const char *ret = NULL;
    uint64_t most = 0, packets;

    for (size_t i = 0; i < s->samples.n_devices; i++) {
        const struct qpw_stated_series *d = &s->samples.devices[i];

        packets = grown(e, receiver, receiver ? d->rx : d->tx);
        if (!device_of(s->unwatched, s->n_unwatched, d->name) || !accounts(e, packets) || packets <= most)
            continue;
        most = packets;
        ret = d->name;
    }
    return ret;
}

/* Return the packets lost in queues, drivers and cards of that end's monitored devices. */
static uint64_t lost_by(const struct ends *e, bool receiver)
{
    const struct qpw_statement *s = receiver ? e->to : e->from;
    uint64_t sum = 0;

    for (size_t i = 0; i < s->samples.n_devices; i++) {
        const struct qpw_stated_series *d = &s->samples.devices[i];

        if (device_of(s->devices, s->n_devices, d->name))
            sum += grown(e, receiver, receiver ? d->rx_lost : d->tx_lost);
    }
    return sum;
}

static bool has_mac(const struct qpw_statement *s, const uint8_t mac[6])
{
    for (size_t i = 0; i < s->n_devices; i++)
        if (!memcmp(s->devices[i].mac, mac, 6))
            return true;
    for (size_t i = 0; i < s->n_unwatched; i++)
        if (!memcmp(s->unwatched[i].mac, mac, 6))
            return true;
    for (size_t i = 0; i < s->n_local; i++)
        if (!memcmp(s->local[i].mac, mac, 6))
            return true;
    return false;
}

/* Return whether an address of one is a neighbour of the other, that is, no router is between them. */
static bool are_on_link(const struct qpw_statement *s, const struct qpw_statement *other)
{
    for (size_t i = 0; i < s->n_neigh; i++)
        for (size_t j = 0; j < other->n_local; j++)
            if (!memcmp(s->neigh[i].addr, other->local[j].addr, 16))
                return true;
    return false;
}

/* Return a MAC that recently opened in the sender's name but is not its own; NULL: none known. */
static const struct qpw_stated_mac *foreign_opener(const struct ends *e)
{
    const struct qpw_stated_mac *ret = NULL;

    if (!are_on_link(e->to, e->from) && !are_on_link(e->from, e->to))
        return NULL;
    for (size_t i = 0; i < e->to_pair->n_macs; i++) {
        const struct qpw_stated_mac *mac = &e->to_pair->mac[i];

        if (!has_mac(e->from, mac->mac) && mac->last_unix_ns + OPENER_NS > e->to->at_unix_ns &&
            (!ret || mac->last_unix_ns > ret->last_unix_ns))
            ret = mac;
    }
    return ret;
}

static struct qpw_difference *add(const struct ends *e, enum qpw_difference_what what, const char *subject)
{
    struct qpw_difference *d = qpw_difference_add(e->c, what, e->from->node);

    if (!d || qpw_difference_add_node(d, e->to->node) < 0)
        return NULL;
    snprintf(d->subject, sizeof(d->subject), "%s", subject);
    d->balance = e->reported;
    d->count = difference_of(&e->reported);
    d->of = e->reported.sent;
    return d;
}

/* Report that fewer packets arrived than were sent. */
static int missing(const struct ends *e)
{
    const char *device = unseen_device(e, /* receiver= */ true);
    struct qpw_difference *d;

    if (device) {
        d = add(e, QPW_DIFFERS_BLIND_DEVICE, device);
        if (d)
            qpw_stated_devices(e->to, device, d->devices, sizeof(d->devices));
    } else if (accounts(e, lost_by(e, /* receiver= */ false))) {
        d = add(e, QPW_DIFFERS_SENDER_LOSS, "");
    } else if (accounts(e, lost_by(e, /* receiver= */ true))) {
        d = add(e, QPW_DIFFERS_RECEIVER_LOSS, "");
    } else {
        d = add(e, QPW_DIFFERS_LOST_BETWEEN, "");
    }
    return d ? 0 : -ENOMEM;
}

/*
 * Report that more packets arrived than were sent. A foreign MAC is the strongest evidence, because the sender's own
 * devices have their own MACs.
 */
static int excess(const struct ends *e)
{
    const struct qpw_stated_mac *mac = foreign_opener(e);
    const char *device = unseen_device(e, /* receiver= */ false);
    struct qpw_difference *d;
    char text[24];

    if (mac) {
        d = add(e, QPW_DIFFERS_FORGED, qpw_mac_text(mac->mac, text, sizeof(text)));
    } else if (device) {
        d = add(e, QPW_DIFFERS_BYPASS_DEVICE, device);
        if (d)
            qpw_stated_devices(e->from, device, d->devices, sizeof(d->devices));
    } else if (e->from->rdma || e->from->xdp_sockets) {
        d = add(e, QPW_DIFFERS_BYPASS, e->from->rdma ? "RDMA" : "AF_XDP");
    } else {
        d = add(e, QPW_DIFFERS_MORE_ARRIVED, e->from->packet_sockets ? "packet sockets" : "");
    }
    return d ? 0 : -ENOMEM;
}

int qpw_compare_pairs(struct qpw_comparing *c)
{
    struct qpw_comparison *to = c->to;
    size_t n = to->n_nodes;
    int r = 0;

    to->pairs = calloc(n * n + 1, sizeof(*to->pairs));
    if (!to->pairs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; r == 0 && j < n; j++) {
            struct ends e = {.c = c, .from = to->nodes[i], .to = to->nodes[j], .from_pair = qpw_comparing_pair(c, i, j),
                             .to_pair = qpw_comparing_pair(c, j, i), .clocks = clocks_of(c, to->nodes[i], to->nodes[j])};
            struct qpw_pair_result *result = &to->pairs[to->n_pairs];

            if (i == j)
                continue;
            *result = (struct qpw_pair_result){.from = e.from, .to = e.to, .state = balance(&e)};
            to->n_pairs++;
            to->by_state[result->state]++;
            if (result->state != QPW_PAIR_COMPARED)
                continue;
            result->balance = e.reported;
            result->silent = e.silent;
            if (e.reported.word == QPW_FLOW_MISSING)
                r = missing(&e);
            else if (e.reported.word == QPW_FLOW_EXCESS)
                r = excess(&e);
        }
    return r;
}
