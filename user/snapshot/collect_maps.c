/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/collect_maps.h"
#include "instance/cpus.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 4096
#define PERCPU_BATCH_BYTES (1u << 18) /* filled by the kernel and summed up while still in the cache */
/*
 * A CPU's counters are in its own cache and must be fetched from there, about 50 ns a line. With many CPUs, several
 * threads fetch in parallel.
 */
#define PART_LINES 40000u
#define MAX_PARTS 8

void qpw_entries_clear(struct qpw_entries *e)
{
    free(e->keys);
    free(e->values);
    memset(e, 0, sizeof(*e));
}

static int map_info(int fd, struct bpf_map_info *ret)
{
    __u32 size = sizeof(*ret);

    memset(ret, 0, size);
    return bpf_obj_get_info_by_fd(fd, ret, &size) < 0 ? -errno : 0;
}

/* Make room for `more` further entries. Not by QPW_ADD(): their sizes are the map's, and the kernel fills many at once. */
static int make_room(struct qpw_entries *e, size_t *room, size_t more, size_t key_size, size_t value_size)
{
    size_t wanted = *room ? *room : BATCH;
    void *keys, *values;

    while (wanted < e->count + more)
        wanted *= 2;
    if (wanted == *room)
        return 0;
    keys = realloc(e->keys, wanted * key_size);
    if (!keys)
        return -ENOMEM;
    e->keys = keys;
    values = realloc(e->values, wanted * value_size);
    if (!values)
        return -ENOMEM;
    e->values = values;
    *room = wanted;
    return 0;
}

static int read_batches(int fd, size_t key_size, size_t value_size, struct qpw_entries *e)
{
    size_t room = 0, chunk = BATCH;
    __u32 token, count;
    bool begun = false;
    int r;

    for (;;) {
        r = make_room(e, &room, chunk, key_size, value_size);
        if (r < 0)
            return r;
        count = chunk;
        r = bpf_map_lookup_batch(fd, begun ? &token : NULL, &token, (char *)e->keys + e->count * key_size,
                                 (char *)e->values + e->count * value_size, &count, NULL);
        r = r < 0 ? -errno : 0;
        if (r == -ENOSPC) { /* a bucket has more entries than the batch has left; none of them was lost */
            if (count == 0)
                chunk *= 2;
            e->count += count;
            begun = begun || count;
            continue;
        }
        if (r < 0 && r != -ENOENT)
            return r;
        e->count += count;
        begun = true;
        if (r == -ENOENT)
            return 0;
    }
}

static int read_singly(int fd, size_t key_size, size_t value_size, struct qpw_entries *e)
{
    size_t room = 0;
    const void *last;
    char *key;

    for (;;) {
        int r = make_room(e, &room, 1, key_size, value_size);

        if (r < 0)
            return r;
        last = e->count ? (char *)e->keys + (e->count - 1) * key_size : NULL; /* the arrays may have moved */
        key = (char *)e->keys + e->count * key_size;
        if (bpf_map_get_next_key(fd, last, key) < 0)
            return errno == ENOENT ? 0 : -errno;
        if (bpf_map_lookup_elem(fd, key, (char *)e->values + e->count * value_size) < 0)
            return -errno;
        e->count++;
    }
}

static int read_entries(int fd, size_t key_size, size_t value_size, struct qpw_entries *ret,
                        int (*read)(int fd, size_t key_size, size_t value_size, struct qpw_entries *e))
{
    struct qpw_entries e = {0};
    struct bpf_map_info info;
    int r = map_info(fd, &info);

    if (r == 0 && (info.key_size != key_size || info.value_size != value_size))
        r = -EPROTO;
    if (r < 0)
        return r;
    r = read(fd, key_size, value_size, &e);
    if (r < 0) {
        qpw_entries_clear(&e);
        return r;
    }
    *ret = e;
    return 0;
}

int qpw_entries_read(int fd, size_t key_size, size_t value_size, struct qpw_entries *ret)
{
    return read_entries(fd, key_size, value_size, ret, read_batches);
}

int qpw_entries_read_singly(int fd, size_t key_size, size_t value_size, struct qpw_entries *ret)
{
    return read_entries(fd, key_size, value_size, ret, read_singly);
}

uint64_t qpw_map_capacity(int fd)
{
    struct bpf_map_info info;

    return map_info(fd, &info) < 0 ? 0 : info.max_entries;
}

static void add_up(const uint64_t *values, uint32_t count, size_t words, int cpus, uint64_t *sums)
{
    for (uint32_t i = 0; i < count; i++)
        for (int cpu = 0; cpu < cpus; cpu++)
            for (size_t word = 0; word < words; word++)
                sums[i * words + word] += *values++;
}

/* A part of a per-CPU array, read by one thread. */
struct part {
    pthread_t thread;
    int fd, cpus;
    uint32_t first, count;
    size_t words;
    uint64_t *sums;
    int r;
};

static int sum_part(const struct part *p)
{
    size_t each = p->words * sizeof(uint64_t) * p->cpus;
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a value has bytes */
    uint32_t most = each < PERCPU_BATCH_BYTES ? PERCPU_BATCH_BYTES / each : 1, done = 0, token, batch;
    uint32_t chunk = p->count < most ? p->count : most;
    /* NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI): nor is it empty */
    uint64_t *values = malloc(chunk * each);
    uint32_t *keys = malloc(chunk * sizeof(*keys));
    int r = values && keys ? 0 : -ENOMEM;
    bool batches = true;

    while (r == 0 && done < p->count) {
        batch = p->count - done < chunk ? p->count - done : chunk;
        token = p->first + done - 1; /* reading continues after the key in the token */
        if (batches && bpf_map_lookup_batch(p->fd, p->first + done ? &token : NULL, &token, keys, values, &batch,
                                            NULL) < 0 && errno != ENOENT) {
            batches = false; /* kernel before 5.13 */
            continue;
        }
        if (!batches) {
            keys[0] = p->first + done;
            batch = 1;
            if (bpf_map_lookup_elem(p->fd, keys, values) < 0)
                r = -errno;
        }
        if (r == 0 && batch == 0)
            r = -ERANGE; /* the map is shorter than the range */
        if (r == 0)
            add_up(values, batch, p->words, p->cpus, p->sums + done * p->words);
        done += batch;
    }
    free(values);
    free(keys);
    return r;
}

static void *run_part(void *argument)
{
    struct part *p = argument;

    p->r = sum_part(p);
    return NULL;
}

int qpw_percpu_sum(int fd, uint32_t first, uint32_t count, size_t words, uint64_t *sums)
{
    int cpus = qpw_possible_cpus();
    uint64_t lines = (uint64_t)count * ((words + 7) / 8) * (cpus > 0 ? cpus : 1);
    unsigned n = 1 + lines / PART_LINES, started = 0;
    struct part parts[MAX_PARTS];
    uint32_t done = 0;

    if (cpus < 0)
        return cpus;
    memset(sums, 0, count * words * sizeof(*sums));
    if (n > MAX_PARTS)
        n = MAX_PARTS;
    for (unsigned i = 0; i < n; i++) {
        uint32_t end = (uint64_t)count * (i + 1) / n;

        parts[i] = (struct part){.fd = fd, .cpus = cpus, .first = first + done, .count = end - done, .words = words,
                                 .sums = sums + done * words};
        done = end;
    }
    /* This thread reads the last part, and every part for which no thread could be created. */
    while (started + 1 < n && pthread_create(&parts[started].thread, NULL, run_part, &parts[started]) == 0)
        started++;
    for (unsigned i = started; i < n; i++)
        run_part(&parts[i]);
    for (unsigned i = 0; i < started; i++)
        pthread_join(parts[i].thread, NULL);
    for (unsigned i = 0; i < n; i++)
        if (parts[i].r < 0)
            return parts[i].r;
    return 0;
}

#define BLOCK_WORDS (sizeof(struct qpw_counts_block) / sizeof(uint64_t))

int qpw_counters_sum(int fd, uint32_t first, uint32_t count, struct qpw_counts *sums)
{
    uint32_t block = first / QPW_COUNTS_BLOCK, blocks = count ? (first + count - 1) / QPW_COUNTS_BLOCK + 1 - block : 0;
    struct qpw_counts_block *whole = calloc(blocks ? blocks : 1, sizeof(*whole));
    int r = whole ? 0 : -ENOMEM;

    if (r == 0 && blocks)
        r = qpw_percpu_sum(fd, block, blocks, BLOCK_WORDS, (uint64_t *)whole);
    if (r == 0)
        memcpy(sums, (struct qpw_counts *)whole + first % QPW_COUNTS_BLOCK, count * sizeof(*sums));
    free(whole);
    return r;
}

void qpw_counts_correct(struct qpw_counts *to, const struct qpw_counts *from)
{
    to->connections += from->connections;
    to->rx_packets += from->rx_packets;
    to->rx_bytes += from->rx_bytes;
    to->tx_packets += from->tx_packets;
    to->tx_bytes += from->tx_bytes;
}

int qpw_counters_one(const struct qpw_kernel *k, uint32_t slot, struct qpw_counts *ret)
{
    uint32_t block = slot / QPW_COUNTS_BLOCK;
    struct qpw_counts_block corrections;
    int r = qpw_counters_sum(k->map_fd[QPW_MAP_counters], slot, 1, ret);

    if (r == 0 && bpf_map_lookup_elem(k->map_fd[QPW_MAP_corrections], &block, &corrections) == 0)
        qpw_counts_correct(ret, &corrections.slot[slot % QPW_COUNTS_BLOCK]);
    return r;
}

int qpw_corrections_read(int fd, struct qpw_entries *ret)
{
    return qpw_entries_read(fd, sizeof(uint32_t), sizeof(struct qpw_counts_block), ret);
}

const struct qpw_counts *qpw_correction_at(const struct qpw_entries *corrections, size_t index, uint32_t *ret_slot)
{
    const struct qpw_counts_block *block = (const struct qpw_counts_block *)corrections->values + index / QPW_COUNTS_BLOCK;

    *ret_slot = (((uint32_t *)corrections->keys)[index / QPW_COUNTS_BLOCK] * QPW_COUNTS_BLOCK + index % QPW_COUNTS_BLOCK) %
                QPW_COUNTER_SLOTS;
    return &block->slot[index % QPW_COUNTS_BLOCK];
}

int qpw_counters_put(int fd, uint32_t slot, const struct qpw_counts *values)
{
    uint32_t block = slot / QPW_COUNTS_BLOCK;
    int cpus = qpw_possible_cpus(), r = 0;
    struct qpw_counts_block *blocks;

    if (cpus < 0)
        return cpus;
    blocks = calloc((size_t)cpus, sizeof(*blocks));
    if (!blocks)
        return -ENOMEM;
    if (bpf_map_lookup_elem(fd, &block, blocks) < 0)
        r = -errno;
    for (int cpu = 0; r == 0 && cpu < cpus; cpu++)
        blocks[cpu].slot[slot % QPW_COUNTS_BLOCK] = values[cpu];
    if (r == 0 && bpf_map_update_elem(fd, &block, blocks, BPF_EXIST) < 0)
        r = -errno;
    free(blocks);
    return r;
}

int qpw_array_read(int fd, size_t size, uint32_t count, void *values)
{
    uint32_t batch = count, token;
    uint32_t *keys = malloc(count * sizeof(*keys));
    int r;

    if (!keys)
        return -ENOMEM;
    r = bpf_map_lookup_batch(fd, NULL, &token, keys, values, &batch, NULL);
    free(keys);
    if ((r == 0 || errno == ENOENT) && batch == count)
        return 0;
    for (uint32_t i = 0; i < count; i++)
        if (bpf_map_lookup_elem(fd, &i, (char *)values + i * size) < 0)
            return -errno;
    return 0;
}
