/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench/snapshot.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "host/clock.h"
#include "host/netlink.h"
#include "instance/cpus.h"
#include "snapshot/collect.h"
#include "snapshot/collect_maps.h"
#include "util/cleanup.h"

#define SNAPSHOTS 15
_Static_assert(QPW_BENCH_METERS <= QPW_METER_SLOTS_SAFE, "each has a slot of its own");

/* Put a meter for each inbound TCP port, as the programs would: slots in ascending order. */
static int put_meters(const struct qpw_kernel *k)
{
    struct qpw_meter_key key = {.kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP, .direction = QPW_DIR_INBOUND,
                                .verdict = QPW_VERDICT_ALLOWED, .rule = 1, .iface = 1};
    struct qpw_meter row = {.first_ns = qpw_kernel_now_ns(k)};
    int cpus = qpw_possible_cpus();
    struct qpw_counts *counts;

    if (cpus < 0)
        return cpus;
    counts = malloc((size_t)cpus * sizeof(*counts));
    if (!counts)
        return -ENOMEM;
    for (int cpu = 0; cpu < cpus; cpu++)
        counts[cpu] = (struct qpw_counts){1, 10, 640, 10, 640};
    for (uint32_t i = 0; i < QPW_BENCH_METERS; i++) {
        key.port = (uint16_t)(i + 1);
        row.slot = QPW_FIRST_METER_SLOT + i;
        if (bpf_map_update_elem(k->map_fd[QPW_MAP_meters], &key, &row, BPF_ANY) < 0 ||
            qpw_counters_put(k->map_fd[QPW_MAP_counters], row.slot, counts) < 0) {
            free(counts);
            return -errno;
        }
    }
    free(counts);
    return 0;
}

static int take_snapshots(const struct qpw_kernel *k, const struct qpw_collect_options *options,
                          struct qpw_bench_samples *samples, struct qpw_error *err)
{
    struct qpw_snapshot snapshot;
    uint64_t start;
    int r;

    for (samples->n = 0; samples->n < SNAPSHOTS; samples->n++) {
        start = qpw_clock_monotonic_ns();
        r = qpw_collect(k, options, &snapshot, err);
        samples->ns[samples->n] = (double)(qpw_clock_monotonic_ns() - start);
        if (r < 0)
            return r;
        if (snapshot.n_meters != QPW_BENCH_METERS)
            r = qpw_fail(err, -EPROTO, "a snapshot of %u meters has %zu", QPW_BENCH_METERS, snapshot.n_meters);
        qpw_snapshot_clear(&snapshot);
        if (r < 0)
            return r;
    }
    return 0;
}

int qpw_bench_snapshot(const struct qpw_kernel *k, uint64_t *ret_ns, struct qpw_error *err)
{
    struct qpw_collect_options options = {.brief = true};
    struct qpw_bench_samples samples = {.n = 0};
    QPW_CLEANUP(qpw_netlink_closep) struct qpw_netlink *links = NULL;
    int r = put_meters(k);

    if (r < 0)
        return qpw_fail(err, r, "cannot write meters into the kernel: %s", strerror(-r));
    r = qpw_netlink_open(&links, err); /* the view and the auditor also keep the links and addresses */
    if (r < 0)
        return r;
    options.links = links;
    r = take_snapshots(k, &options, &samples, err);
    if (r < 0)
        return r;
    *ret_ns = (uint64_t)qpw_bench_median(&samples);
    return 0;
}
