/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The part of a statement about each peer: counters, services, the MACs that opened in its name, and the samples. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/peers.h"
#include "facts/statement_internal.h"
#include "snapshot/samples.h"
#include "util/array.h"

#define STALE_NS 60000000000ull

static int by_most(const void *a, const void *b)
{
    const struct qpw_stated_by *x = a, *y = b;
    uint64_t left = x->tx + x->rx, right = y->tx + y->rx;

    return left != right ? (left < right ? 1 : -1) : x->service.port - y->service.port;
}

static int add_row(struct qpw_stated_pair *pair, const struct qpw_meter_row *row, bool same)
{
    struct qpw_stated_by *by;

    if (!qpw_meter_is_pair(&row->key)) {
        pair->apart += qpw_sum_of(&row->counts).packets;
        return 0;
    }
    by = same && pair->n_by ? &pair->by[pair->n_by - 1] : QPW_ADD(pair->by, pair->n_by);
    if (!by)
        return -ENOMEM;
    if (!same || !pair->n_by) {
        pair->n_by++;
        by->service = qpw_stated_service(row->key.kind, row->key.protocol, row->key.port, row->key.direction);
    }
    by->opened += row->counts.connections;
    by->tx += row->counts.tx_packets;
    by->rx += row->counts.rx_packets;
    pair->tx.packets += row->counts.tx_packets;
    pair->tx.bytes += row->counts.tx_bytes;
    pair->rx.packets += row->counts.rx_packets;
    pair->rx.bytes += row->counts.rx_bytes;
    return 0;
}

/* Convert times of the programs' clock with the offset at the statement's own time. */
static void add_openers(const struct qpw_statement_from *from, uint16_t peer, struct qpw_stated_pair *pair)
{
    for (size_t i = 0; from->openers && i < QPW_OPENERS; i++) {
        const struct qpw_opener *o = &from->openers[peer].of[i];

        if (!o->last_ns)
            continue;
        memcpy(pair->mac[pair->n_macs].mac, o->mac, sizeof(o->mac));
        pair->mac[pair->n_macs++].last_unix_ns = o->last_ns + (uint64_t)from->mono_to_unix_ns;
    }
}

static int by_packets(const void *a, const void *b)
{
    const struct qpw_stated_pair *x = a, *y = b;
    uint64_t left = qpw_stated_packets(x), right = qpw_stated_packets(y);

    return left != right ? (left < right ? 1 : -1) : strcmp(x->peer, y->peer);
}

static void keep_most(struct qpw_statement *ret)
{
    for (size_t i = 0; i < ret->n_pairs; i++) {
        struct qpw_stated_pair *pair = &ret->pairs[i];

        if (pair->n_by)
            qsort(pair->by, pair->n_by, sizeof(*pair->by), by_most);
        if (pair->n_by > QPW_STATED_BY) {
            ret->left_out.by += pair->n_by - QPW_STATED_BY;
            pair->n_by = QPW_STATED_BY;
        }
    }
    if (ret->n_pairs)
        qsort(ret->pairs, ret->n_pairs, sizeof(*ret->pairs), by_packets);
    for (; ret->n_pairs > QPW_STATED_PAIRS; ret->n_pairs--, ret->left_out.pairs++)
        free(ret->pairs[ret->n_pairs - 1].by);
}

/* Add each peer in force, even without traffic, because zero is a statement, too. */
static int add_peers(const struct qpw_statement_from *from, struct qpw_statement *ret, size_t of_peer[QPW_MAX_PEERS])
{
    const struct qpw_snapshot *s = from->report->s;

    for (size_t i = 1; i < s->n_peers && i < QPW_MAX_PEERS; i++) {
        struct qpw_stated_pair *pair;

        if (!s->peers[i].in_force || s->peers[i].own || !s->peers[i].name[0])
            continue;
        pair = QPW_ADD(ret->pairs, ret->n_pairs);
        if (!pair)
            return -ENOMEM;
        of_peer[i] = ++ret->n_pairs;
        memcpy(pair->peer, s->peers[i].name, sizeof(pair->peer));
        pair->peer[sizeof(pair->peer) - 1] = '\0';
        add_openers(from, (uint16_t)i, pair);
    }
    return 0;
}

int qpw_statement_pairs(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    const struct qpw_snapshot *s = from->report->s;
    const struct qpw_meter_row **rows = calloc(s->n_meters + 1, sizeof(*rows)), *last = NULL;
    size_t *of_peer = calloc(QPW_MAX_PEERS, sizeof(*of_peer)); /* index + 1 in ret->pairs */
    size_t n = 0;
    int r = rows && of_peer ? add_peers(from, ret, of_peer) : -ENOMEM;

    for (size_t i = 0; r == 0 && i < s->n_meters; i++)
        if (s->meters[i].key.peer && s->meters[i].key.peer < QPW_MAX_PEERS && of_peer[s->meters[i].key.peer])
            rows[n++] = &s->meters[i];
    if (n)
        qsort(rows, n, sizeof(*rows), qpw_rows_by_peer);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = add_row(&ret->pairs[of_peer[rows[i]->key.peer] - 1], rows[i], last && !qpw_rows_by_peer(&last, &rows[i]));
        if (qpw_meter_is_pair(&rows[i]->key))
            last = rows[i];
    }
    free(rows);
    free(of_peer);
    keep_most(ret);
    return r;
}

/* ---- Samples ---- */

/* Get a peer's counters in one sample. False: unknown, because the sample had no room for it. */
static bool sampled(const struct qpw_sample *sample, uint32_t peer, uint64_t *ret_tx, uint64_t *ret_rx)
{
    *ret_tx = *ret_rx = 0;
    for (size_t i = 0; i < QPW_SAMPLE_PAIRS; i++) {
        if (sample->pair[i].peer != peer)
            continue;
        *ret_tx = sample->pair[i].tx;
        *ret_rx = sample->pair[i].rx;
        return true;
    }
    return !sample->pair[QPW_SAMPLE_PAIRS - 1].peer; /* room left: no traffic so far */
}

static bool is_sampled(const struct qpw_stated_samples *samples, const char *peer)
{
    for (size_t i = 0; i < samples->n_pairs; i++)
        if (!strcmp(samples->pairs[i].name, peer))
            return true;
    return false;
}

static int pair_series(const struct qpw_statement_from *from, const struct qpw_sample *samples, struct qpw_statement *stated)
{
    struct qpw_stated_samples *ret = &stated->samples;
    const struct qpw_sample *latest = &samples[ret->n - 1];
    const struct qpw_snapshot *s = from->report->s;

    for (size_t i = 0; i < QPW_SAMPLE_PAIRS && latest->pair[i].peer; i++) {
        uint32_t peer = latest->pair[i].peer;
        struct qpw_stated_series *series = QPW_ADD(ret->pairs, ret->n_pairs);
        bool known = peer < s->n_peers && s->peers[peer].in_force;

        if (!series)
            return -ENOMEM;
        for (size_t t = 0; known && t < ret->n; t++)
            known = sampled(&samples[t], peer, &series->tx[t], &series->rx[t]);
        snprintf(series->name, sizeof(series->name), "%s", qpw_snapshot_peer(s, peer));
        ret->n_pairs += known;
        ret->left_out += !known;
    }
    for (size_t i = 0; latest->pair[QPW_SAMPLE_PAIRS - 1].peer && i < stated->n_pairs; i++)
        ret->left_out += qpw_stated_packets(&stated->pairs[i]) && !is_sampled(ret, stated->pairs[i].peer);
    return 0;
}

static const struct qpw_sample_device *device_in(const struct qpw_sample *sample, const char *name)
{
    for (size_t i = 0; i < QPW_SAMPLE_DEVICES; i++)
        if (*name && !strncmp(sample->device[i].name, name, sizeof(sample->device[i].name)))
            return &sample->device[i];
    return NULL;
}

/* Add the devices' series. A device missing in a sample gets its next known counts: it had no traffic until then. */
static int device_series(const struct qpw_sample *samples, struct qpw_stated_samples *ret)
{
    const struct qpw_sample *latest = &samples[ret->n - 1];

    for (size_t i = 0; i < QPW_SAMPLE_DEVICES && latest->device[i].name[0]; i++) {
        const struct qpw_sample_device *known = &latest->device[i], *d;
        struct qpw_stated_series *series = QPW_ADD(ret->devices, ret->n_devices);

        if (!series)
            return -ENOMEM;
        ret->n_devices++;
        snprintf(series->name, sizeof(series->name), "%.15s", known->name);
        for (size_t t = ret->n; t-- > 0; known = d ? d : known) {
            d = device_in(&samples[t], known->name);
            d = d ? d : known;
            series->tx[t] = d->tx;
            series->rx[t] = d->rx;
            series->tx_lost[t] = d->tx_lost;
            series->rx_lost[t] = d->rx_lost;
        }
    }
    return 0;
}

int qpw_statement_samples(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    size_t skip = from->n_samples > QPW_SAMPLES ? from->n_samples - QPW_SAMPLES : 0;
    struct qpw_stated_samples *to = &ret->samples;
    int r;

    if (!from->samples || !from->n_samples || from->samples[from->n_samples - 1].boot_ns + STALE_NS < from->boot_ns)
        return 0; /* of an auditor that has ended: they say nothing of now */
    to->n = from->n_samples - skip;
    for (size_t i = 0; i < to->n; i++) {
        to->boot_us[i] = from->samples[skip + i].boot_ns / 1000;
        to->reading_us[i] = (from->samples[skip + i].reading_ns + 999) / 1000;
    }
    r = pair_series(from, from->samples + skip, ret);
    return r ? r : device_series(from->samples + skip, to);
}
