/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cost of a snapshot as work: system calls and values copied, counted on their way to libbpf. A stopwatch would
 * measure how busy the machine is; `bench` has the time.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "snapshot/collect.h"
#include "snapshot/collect_maps.h"
#include "netns.h"

static struct qpw_kernel kernel;
static atomic_size_t other_calls, counter_calls, counter_slots;

/* ---- Wrappers of libbpf's functions ---- */

static void note_call(int fd, uint32_t blocks)
{
    if (fd != kernel.map_fd[QPW_MAP_counters]) {
        atomic_fetch_add(&other_calls, 1);
        return;
    }
    atomic_fetch_add(&counter_calls, 1);
    atomic_fetch_add(&counter_slots, blocks * QPW_COUNTS_BLOCK);
}

int bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values, __u32 *count,
                         const struct bpf_map_batch_opts *options)
{
    typeof(&bpf_map_lookup_batch) next = (typeof(next))dlsym(RTLD_NEXT, "bpf_map_lookup_batch");
    int rc = next(fd, in, out, keys, values, count, options), why = errno;

    note_call(fd, *count);
    errno = why;
    return rc;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
    typeof(&bpf_map_lookup_elem) next = (typeof(next))dlsym(RTLD_NEXT, "bpf_map_lookup_elem");

    note_call(fd, 1);
    return next(fd, key, value);
}

/* ---- Snapshots ---- */

static void setup(void)
{
    struct qpw_error err;
    struct netns here;

    netns_need_root();
    here = netns_new();
    netns_enter(&here);
    cr_assert_eq(qpw_kernel_load(&(struct qpw_load_options){.programs = 1u << QPW_PROG_qpw_tc_tx}, &kernel, &err), 0, "%s", err.text);
}

static void teardown(void)
{
    qpw_kernel_close(&kernel);
}

TestSuite(collect_work, .init = setup, .fini = teardown);

struct work {
    size_t other_calls;   /* lookups in all maps except `counters` */
    size_t counter_calls;
    size_t counter_slots; /* each one value per possible CPU */
};

/* Take a snapshot of that many meters, each with `packets` packets, and return its cost. */
static struct work take(size_t meters, uint64_t packets)
{
    struct qpw_snapshot snapshot;
    struct qpw_error err;

    atomic_store(&other_calls, 0);
    atomic_store(&counter_calls, 0);
    atomic_store(&counter_slots, 0);
    cr_assert_eq(qpw_collect(&kernel, &(struct qpw_collect_options){.brief = true}, &snapshot, &err), 0, "%s",
                 err.text);
    cr_assert_eq(snapshot.n_meters, meters);
    for (size_t i = 0; i < meters; i++)
        cr_assert_eq(snapshot.meters[i].counts.rx_packets, packets);
    qpw_snapshot_clear(&snapshot);
    return (struct work){atomic_load(&other_calls), atomic_load(&counter_calls), atomic_load(&counter_slots)};
}

/* One packet of each meter on every possible CPU. */
static void put_meters(uint32_t count, int cpus)
{
    struct qpw_meter_key key = {.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND,
                                .verdict = QPW_VERDICT_ALLOWED};
    struct qpw_counts *values = calloc(cpus, sizeof(*values));

    for (int cpu = 0; cpu < cpus; cpu++)
        values[cpu] = (struct qpw_counts){.rx_packets = 1, .rx_bytes = 60};
    for (uint32_t i = 0; i < count; i++) {
        struct qpw_meter row = {.slot = QPW_FIRST_METER_SLOT + i};

        key.port = (uint16_t)i;
        cr_assert_eq(bpf_map_update_elem(kernel.map_fd[QPW_MAP_meters], &key, &row, BPF_ANY), 0);
        cr_assert_eq(qpw_counters_put(kernel.map_fd[QPW_MAP_counters], row.slot, values), 0);
    }
    free(values);
}

/*
 * Return the calls for that many slots of `counters`: batches of at most 256 KiB, in several parts if there are many.
 */
static size_t calls_for(size_t slots, size_t cpus)
{
    enum { BATCH_BYTES = 1 << 18, PART_BYTES = 40000 * 64, MAX_PARTS = 8 };
    size_t a_call = BATCH_BYTES / (cpus * sizeof(struct qpw_counts_block)) * QPW_COUNTS_BLOCK;
    size_t parts = 1 + slots * cpus * sizeof(struct qpw_counts) / PART_BYTES;

    return slots / a_call + (parts < MAX_PARTS ? parts : MAX_PARTS); /* the last batch of a part need not be full */
}

Test(collect_work, five_thousand_meters_are_read_once_and_in_few_calls)
{
    enum { METERS = 5000 };
    size_t cpus = libbpf_num_possible_cpus();
    struct work none = take(0, 0), all;

    cr_assert_eq(none.counter_slots, QPW_OVERFLOW_SLOTS, "%zu", none.counter_slots);
    cr_assert_eq(QPW_FIRST_METER_SLOT % QPW_COUNTS_BLOCK, 0); /* a range begins with a block */
    cr_assert_leq(none.counter_calls, calls_for(QPW_OVERFLOW_SLOTS, cpus), "%zu", none.counter_calls);
    cr_assert_leq(none.other_calls, 16, "%zu", none.other_calls); /* one per map */
    put_meters(METERS, cpus);
    all = take(METERS, cpus);
    cr_assert_eq(all.counter_slots, QPW_OVERFLOW_SLOTS + (METERS + QPW_COUNTS_BLOCK - 1) / QPW_COUNTS_BLOCK * QPW_COUNTS_BLOCK,
                 "%zu", all.counter_slots);
    cr_assert_leq(all.counter_calls, none.counter_calls + calls_for(METERS, cpus), "%zu", all.counter_calls);
    cr_assert_leq(all.other_calls, none.other_calls + 2, "%zu after %zu", all.other_calls, none.other_calls);
}
