/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/samples.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "snapshot/collect_maps.h"
#include "util/array.h"

#define SECOND_NS 1000000000ull
#define BLOCK_GAP 4u /* blocks of counters at most this far apart are read at once */

/* RFC 792, RFC 4443: unreachable, quench, redirect, time exceeded, parameter problem, too big. */
static bool is_icmp_error(const struct qpw_meter_key *key)
{
    if (key->kind != QPW_KIND_ICMP)
        return false;
    if (key->protocol == IPPROTO_ICMPV6)
        return key->port >= 1 && key->port <= 4;
    return (key->port >= 3 && key->port <= 5) || key->port == 11 || key->port == 12;
}

bool qpw_meter_is_pair(const struct qpw_meter_key *key)
{
    return key->peer && key->verdict == QPW_VERDICT_PEER && key->apart == QPW_APART_NONE && key->kind != QPW_KIND_ETHERTYPE &&
           key->kind != QPW_KIND_NONE && key->reason != QPW_REASON_UNLISTED_LOCAL && !qpw_is_foreign(key->reason) &&
           !is_icmp_error(key);
}

/* A row being read. */
struct row {
    uint32_t slot;
    uint16_t peer;
};

static int by_slot(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Add the packets of the rows first to last, which are close together, to `sums`, by peer. */
static int add_run(const struct qpw_kernel *k, const struct row *first, const struct row *last, struct qpw_sample_pair *sums)
{
    uint32_t count = last->slot - first->slot + 1;
    struct qpw_counts *counts = calloc(count, sizeof(*counts));
    int r = counts ? qpw_counters_sum(k->map_fd[QPW_MAP_counters], first->slot, count, counts) : -ENOMEM;

    for (const struct row *row = first; r == 0 && row <= last; row++) {
        sums[row->peer].peer = row->peer;
        sums[row->peer].tx += counts[row->slot - first->slot].tx_packets;
        sums[row->peer].rx += counts[row->slot - first->slot].rx_packets;
    }
    free(counts);
    return r;
}

/* Order by blocks of counters that are read at once: 0 for two rows whose blocks are near each other. */
static int by_block(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return y->slot / QPW_COUNTS_BLOCK > x->slot / QPW_COUNTS_BLOCK + BLOCK_GAP ? -1 : 0;
}

/* Read the packets of pairs, by peer number. */
static int read_pairs(const struct qpw_kernel *k, struct qpw_sample_pair sums[QPW_MAX_PEERS])
{
    struct qpw_entries e;
    struct row *rows;
    size_t n = 0;
    int r = qpw_entries_read(k->map_fd[QPW_MAP_meters], sizeof(struct qpw_meter_key), sizeof(struct qpw_meter), &e);

    if (r < 0)
        return r;
    rows = calloc(e.count + 1, sizeof(*rows));
    r = rows ? 0 : -ENOMEM;
    for (size_t i = 0; rows && i < e.count; i++) {
        const struct qpw_meter_key *key = &((struct qpw_meter_key *)e.keys)[i];
        uint32_t slot = ((struct qpw_meter *)e.values)[i].slot;

        if (qpw_meter_is_pair(key) && key->peer < QPW_MAX_PEERS && slot && slot < QPW_COUNTER_SLOTS)
            rows[n++] = (struct row){slot, key->peer};
    }
    qpw_entries_clear(&e);
    if (n)
        qsort(rows, n, sizeof(*rows), by_slot);
    for (size_t first = 0, end; r == 0 && first < n; first = end) {
        end = QPW_RUN_END(rows, n, first, by_block);
        r = add_run(k, &rows[first], &rows[end - 1], sums);
    }
    free(rows);
    return r;
}

static int by_packets(const void *a, const void *b)
{
    const struct qpw_sample_pair *x = a, *y = b;
    uint64_t left = x->tx + x->rx, right = y->tx + y->rx;

    return left != right ? (left < right ? 1 : -1) : (x->peer > y->peer) - (x->peer < y->peer);
}

static bool is_watched(const struct qpw_device *d, const char (*watched)[16], size_t n_watched)
{
    for (size_t i = 0; i < n_watched; i++)
        if (!strncmp(d->name, watched[i], sizeof(d->name)))
            return true;
    return false;
}

static void add_devices(const struct qpw_neighbourhood *all, const char (*watched)[16], size_t n_watched, struct qpw_sample *ret)
{
    size_t n = 0;

    for (int monitored = 0; monitored < 2; monitored++)
        for (size_t i = 0; i < all->n_devices && n < QPW_SAMPLE_DEVICES; i++) {
            const struct qpw_device *d = &all->devices[i];

            if (d->loopback || !d->up || is_watched(d, watched, n_watched) != monitored)
                continue;
            memcpy(ret->device[n].name, d->name, sizeof(d->name));
            ret->device[n].tx = d->tx;
            ret->device[n].rx = d->rx;
            ret->device[n].tx_lost = d->tx_lost;
            ret->device[n++].rx_lost = d->rx_lost;
        }
}

int qpw_sample_take(const struct qpw_kernel *k, const char (*watched)[16], size_t n_watched, struct qpw_sample *ret, bool *ret_any)
{
    struct qpw_sample_pair *sums = calloc(QPW_MAX_PEERS, sizeof(*sums));
    struct qpw_neighbourhood devices = {0};
    uint64_t begin = qpw_clock_boot_ns(), end;
    int r = sums ? read_pairs(k, sums) : -ENOMEM;

    end = qpw_clock_boot_ns();
    *ret = (struct qpw_sample){.boot_ns = begin + (end - begin) / 2, .reading_ns = end - begin};
    if (r == 0)
        r = qpw_devices_read(&devices);
    if (r == 0) {
        qsort(sums, QPW_MAX_PEERS, sizeof(*sums), by_packets);
        memcpy(ret->pair, sums, sizeof(ret->pair));
        add_devices(&devices, watched, n_watched, ret);
    }
    *ret_any = r == 0 && ret->pair[0].tx + ret->pair[0].rx;
    qpw_neighbourhood_clear(&devices);
    free(sums);
    return r;
}

int qpw_sample_keep(const struct qpw_kernel *k, const struct qpw_sample *sample)
{
    uint32_t key = (uint32_t)(sample->boot_ns / SECOND_NS % QPW_SAMPLES);

    return bpf_map_update_elem(k->map_fd[QPW_MAP_samples], &key, sample, BPF_ANY) < 0 ? -errno : 0;
}

static int by_time(const void *a, const void *b)
{
    const struct qpw_sample *x = a, *y = b;

    return (x->boot_ns > y->boot_ns) - (x->boot_ns < y->boot_ns);
}

int qpw_samples_read(const struct qpw_kernel *k, struct qpw_sample **ret, size_t *ret_n)
{
    struct qpw_entries e;
    int r = qpw_entries_read(k->map_fd[QPW_MAP_samples], sizeof(uint32_t), sizeof(struct qpw_sample), &e);
    struct qpw_sample *all;
    size_t old = 0;

    if (r < 0)
        return r;
    all = e.values;
    e.values = NULL;
    if (e.count)
        qsort(all, e.count, sizeof(*all), by_time);
    while (old < e.count && all[old].boot_ns + QPW_SAMPLES * SECOND_NS < all[e.count - 1].boot_ns)
        old++;
    if (old)
        memmove(all, all + old, (e.count - old) * sizeof(*all));
    *ret = all;
    *ret_n = e.count - old;
    qpw_entries_clear(&e);
    return 0;
}

int qpw_openers_read(const struct qpw_kernel *k, struct qpw_openers **ret)
{
    int r;

    *ret = calloc(QPW_MAX_PEERS, sizeof(**ret));
    r = *ret ? qpw_array_read(k->map_fd[QPW_MAP_openers], sizeof(**ret), QPW_MAX_PEERS, *ret) : -ENOMEM;
    if (r < 0) {
        free(*ret);
        *ret = NULL;
    }
    return r;
}

bool qpw_local_floats(const struct qpw_kernel *k, const uint8_t addr[16])
{
    struct qpw_local_key key = {.prefixlen = 128};
    uint32_t flags = 0;

    memcpy(key.addr, addr, sizeof(key.addr));
    return bpf_map_lookup_elem(k->map_fd[QPW_MAP_locals], &key, &flags) == 0 && (flags & QPW_LOCAL_FLOATING);
}
