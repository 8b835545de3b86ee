/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Snapshots of a kernel side whose maps hold known values, written by the test instead of packets. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "snapshot/collect.h"
#include "snapshot/collect_maps.h"
#include "netns.h"
#include "util/names.h"
#include "words/coverage.h"

static struct qpw_kernel kernel;
static struct qpw_snapshot snapshot;
static struct qpw_error err;
static struct netns here, there;

static void setup(void)
{
    netns_need_root();
    here = netns_new();
    there = netns_new();
    netns_enter(&here);
    cr_assert_eq(qpw_kernel_load(&(struct qpw_load_options){.programs = 1u << QPW_PROG_qpw_tc_tx}, &kernel, &err), 0, "%s", err.text);
}

static void teardown(void)
{
    qpw_snapshot_clear(&snapshot);
    qpw_kernel_close(&kernel);
}

TestSuite(collect, .init = setup, .fini = teardown);

static void put(enum qpw_map map, const void *key, const void *value)
{
    cr_assert_eq(bpf_map_update_elem(kernel.map_fd[map], key, value, BPF_ANY), 0, "%s: %s", qpw_map_name(map),
                 strerror(errno));
}

/* Write different counts on each CPU: `value` on the first, twice that on the second, and so on. */
static void put_counts(uint32_t slot, struct qpw_counts value)
{
    int cpus = libbpf_num_possible_cpus();
    struct qpw_counts *values = calloc(cpus, sizeof(*values));

    for (int i = 0; i < cpus; i++)
        values[i] = (struct qpw_counts){value.connections * (i + 1), value.rx_packets * (i + 1),
                                        value.rx_bytes * (i + 1),
                                        value.tx_packets * (i + 1), value.tx_bytes * (i + 1)};
    cr_assert_eq(qpw_counters_put(kernel.map_fd[QPW_MAP_counters], slot, values), 0);
    free(values);
}

/* Return the sum of put_counts() over all CPUs, per unit. */
static uint64_t units(void)
{
    uint64_t cpus = libbpf_num_possible_cpus();

    return cpus * (cpus + 1) / 2;
}

static void put_meter(struct qpw_meter_key key, uint32_t slot, struct qpw_counts counts)
{
    struct qpw_meter meter = {.slot = slot, .first_ns = qpw_kernel_now_ns(&kernel) - 60000000000ull};

    put(QPW_MAP_meters, &key, &meter);
    put_counts(slot, counts);
}

static void collect(const struct qpw_collect_options *options)
{
    qpw_snapshot_clear(&snapshot);
    cr_assert_eq(qpw_collect(&kernel, options, &snapshot, &err), 0, "%s", err.text);
}

static const struct qpw_meter_row *meter(unsigned verdict, unsigned port)
{
    for (size_t i = 0; i < snapshot.n_meters; i++)
        if (snapshot.meters[i].key.verdict == verdict && snapshot.meters[i].key.port == port)
            return &snapshot.meters[i];
    cr_assert_fail("no meter %s %u", qpw_verdict_name(verdict), port);
    return NULL;
}

static uint64_t all_packets(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < snapshot.n_meters; i++)
        sum += snapshot.meters[i].counts.rx_packets + snapshot.meters[i].counts.tx_packets;
    return sum;
}

static const struct qpw_meter_key smb = {.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND,
                                         .scope = QPW_SCOPE_OTHER, .verdict = QPW_VERDICT_ALLOWED, .port = 445,
                                         .rule = 3, .iface = 1};
static const struct qpw_meter_key backdoor = {.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND,
                                              .scope = QPW_SCOPE_OTHER, .verdict = QPW_VERDICT_UNEXPECTED, .port = 4444,
                                              .iface = 1};

static struct qpw_finding_key finding_key(unsigned last)
{
    struct qpw_finding_key key = {.port = 4444, .kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND,
                                  .verdict = QPW_VERDICT_UNEXPECTED};

    qpw_address_parse("10.9.0.0", key.initiator);
    qpw_address_parse("10.1.0.12", key.responder);
    key.initiator[14] = last >> 8;
    key.initiator[15] = last;
    return key;
}

Test(collect, empty_kernel_side_is_an_empty_picture)
{
    collect(NULL);
    cr_assert_eq(snapshot.n_meters, 0);
    cr_assert_eq(snapshot.n_findings, 0);
    cr_assert_eq(snapshot.n_coverage, 0);
    cr_assert_gt(snapshot.memory_bytes, 1000000);
    cr_assert(!snapshot.replay);
    cr_assert_str_not_empty(snapshot.host);
}

Test(collect, counters_are_summed_over_cpus)
{
    put_meter(smb, QPW_FIRST_METER_SLOT, (struct qpw_counts){1, 10, 1000, 20, 30000});
    put_meter(backdoor, QPW_FIRST_OPEN_SLOT + 700, (struct qpw_counts){2, 3, 180, 4, 240});
    collect(NULL);
    cr_assert_eq(snapshot.n_meters, 2);
    cr_assert_eq(meter(QPW_VERDICT_ALLOWED, 445)->counts.connections, units());
    cr_assert_eq(meter(QPW_VERDICT_ALLOWED, 445)->counts.rx_packets, 10 * units());
    cr_assert_eq(meter(QPW_VERDICT_ALLOWED, 445)->counts.rx_bytes, 1000 * units());
    cr_assert_eq(meter(QPW_VERDICT_ALLOWED, 445)->counts.tx_packets, 20 * units());
    cr_assert_eq(meter(QPW_VERDICT_ALLOWED, 445)->counts.tx_bytes, 30000 * units());
    cr_assert_eq(meter(QPW_VERDICT_ALLOWED, 445)->key.rule, 3);
    cr_assert_eq(meter(QPW_VERDICT_UNEXPECTED, 4444)->counts.tx_bytes, 240 * units());
    cr_assert_eq(all_packets(), 37 * units());
}

Test(collect, packets_of_findings_are_added_to_their_meter_and_connections_are_not)
{
    uint64_t now = qpw_kernel_now_ns(&kernel);
    struct qpw_finding_key a = finding_key(1), b = finding_key(2);
    struct qpw_finding attempted = {.first_ns = now - 5000000000ull, .last_ns = now - 4000000000ull,
                                    .slot = QPW_FIRST_FINDING_SLOT, .meter = QPW_FIRST_OPEN_SLOT, .changes = 1,
                                    .outcome = QPW_OUTCOME_ATTEMPTED, .evidence = QPW_EVIDENCE_HANDSHAKE};
    struct qpw_finding answered = attempted;
    const struct qpw_finding_row *row;

    put_meter(backdoor, QPW_FIRST_OPEN_SLOT, (struct qpw_counts){3, 0, 0, 0, 0});
    put(QPW_MAP_findings, &a, &attempted);
    put_counts(attempted.slot, (struct qpw_counts){1, 1, 74, 0, 0});
    /* The same key again, now answered, in the table of answered ones. */
    answered.first_ns = now - 3000000000ull;
    answered.last_ns = now - 1000000000ull;
    answered.slot = QPW_FIRST_ANSWERED_SLOT;
    answered.outcome = QPW_OUTCOME_DATA;
    put(QPW_MAP_answered, &a, &answered);
    put_counts(answered.slot, (struct qpw_counts){1, 5, 400, 6, 700});
    answered.slot = QPW_FIRST_ANSWERED_SLOT + 4095;
    put(QPW_MAP_answered, &b, &answered);
    put_counts(answered.slot, (struct qpw_counts){1, 7, 500, 8, 800});

    collect(NULL);
    cr_assert_eq(snapshot.n_findings, 2);
    row = snapshot.findings[0].key.initiator[15] == 1 ? &snapshot.findings[0] : &snapshot.findings[1];
    cr_assert_arr_eq(&row->key, &a, sizeof(a));
    cr_assert_eq(row->value.outcome, QPW_OUTCOME_DATA);
    cr_assert_eq(row->value.changes, 2);
    cr_assert_eq(row->counts.rx_packets, 6 * units());
    cr_assert_eq(row->counts.tx_bytes, 700 * units());
    cr_assert_eq(row->counts.connections, 2 * units());
    cr_assert_eq(row->last_unix_ns - row->first_unix_ns, 4000000000ull);
    cr_assert_eq(row->flow_id, qpw_finding_flow_id(&a));
    cr_assert_neq(row->flow_id, qpw_finding_flow_id(&b));
    cr_assert_lt(row->flow_id, 1ull << 53);

    cr_assert_eq(snapshot.n_meters, 1);
    cr_assert_eq(meter(QPW_VERDICT_UNEXPECTED, 4444)->counts.rx_packets, 13 * units());
    cr_assert_eq(meter(QPW_VERDICT_UNEXPECTED, 4444)->counts.tx_bytes, 1500 * units());
    cr_assert_eq(meter(QPW_VERDICT_UNEXPECTED, 4444)->counts.connections, 3 * units());
}

Test(collect, reserved_place_is_a_finding_without_counters)
{
    struct qpw_reserved place = {finding_key(9), {.flags = QPW_FINDING_RESERVED, .outcome = QPW_OUTCOME_ANSWERED,
                                .meter = QPW_FIRST_OPEN_SLOT}};
    struct qpw_reserved_key key = {QPW_RESERVED_BITS, 4444, QPW_KIND_PORT, 6, QPW_DIR_INBOUND, QPW_VERDICT_UNEXPECTED, {0}};

    put_meter(backdoor, QPW_FIRST_OPEN_SLOT, (struct qpw_counts){1, 2, 120, 1, 60});
    put(QPW_MAP_reserved, &key, &place);
    collect(NULL);
    cr_assert_eq(snapshot.n_findings, 1);
    cr_assert_eq(snapshot.findings[0].value.flags, QPW_FINDING_RESERVED);
    cr_assert_eq(snapshot.findings[0].counts.rx_packets, 0);
    cr_assert_eq(all_packets(), 3 * units());
}

Test(collect, overflow_rows_and_findings_without_meter_lose_no_packet)
{
    struct qpw_finding_key key = finding_key(1);
    struct qpw_finding value = {.slot = QPW_FIRST_FINDING_SLOT + 5, .meter = QPW_FIRST_OPEN_SLOT + 9, .iface = 1,
                                .outcome = QPW_OUTCOME_ATTEMPTED};
    struct qpw_finding_key other = finding_key(2);
    struct qpw_finding aggregated = value;

    put_counts(QPW_OVERFLOW_SLOT(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND), (struct qpw_counts){0, 100, 6000, 0, 0});
    put(QPW_MAP_findings, &key, &value);
    put_counts(value.slot, (struct qpw_counts){1, 1, 60, 0, 0});
    aggregated.slot++;
    aggregated.meter = QPW_OVERFLOW_SLOT(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND);
    put(QPW_MAP_findings, &other, &aggregated);
    put_counts(aggregated.slot, (struct qpw_counts){1, 10, 600, 0, 0});
    collect(NULL);
    cr_assert_eq(snapshot.n_meters, 2);
    cr_assert_eq(all_packets(), 111 * units());
    cr_assert_eq(meter(QPW_VERDICT_UNEXPECTED, 0)->key.kind, QPW_KIND_NONE);
    cr_assert_eq(meter(QPW_VERDICT_UNEXPECTED, 0)->key.direction, QPW_DIR_INBOUND);
    cr_assert_eq(meter(QPW_VERDICT_UNEXPECTED, 0)->counts.rx_packets, 110 * units());
    cr_assert_eq(meter(QPW_VERDICT_UNEXPECTED, 4444)->key.iface, 1);
}

Test(collect, connection_that_moves_between_rows_is_never_below_zero)
{
    put_meter(smb, QPW_FIRST_METER_SLOT, (struct qpw_counts){(uint64_t)-1, 1, 60, 0, 0});
    collect(NULL);
    cr_assert_eq(meter(QPW_VERDICT_ALLOWED, 445)->counts.connections, 0);
}

Test(collect, times_are_unix_times)
{
    struct qpw_finding_key key = finding_key(1);
    struct qpw_finding value = {.outcome = QPW_OUTCOME_ATTEMPTED};
    struct timespec now;
    uint64_t first;

    clock_gettime(CLOCK_REALTIME, &now);
    value.first_ns = qpw_kernel_now_ns(&kernel) - 3600000000000ull;
    value.last_ns = value.first_ns + 1000000000ull;
    put(QPW_MAP_findings, &key, &value);
    collect(NULL);
    first = snapshot.findings[0].first_unix_ns;
    cr_assert_leq(llabs((long long)(now.tv_sec - 3600 - (time_t)(first / 1000000000u))), 2);
    cr_assert_eq(snapshot.findings[0].last_unix_ns, first + 1000000000ull);
    collect(NULL);
    cr_assert_leq(llabs((long long)(snapshot.findings[0].first_unix_ns - first)), 1000000, "one moment has one text");
}

Test(collect, losses_and_tables)
{
    int cpus = libbpf_num_possible_cpus();
    uint64_t values[cpus];
    const uint32_t stats[][2] = {{QPW_LOSS_EVENT_RATE, 7}, {QPW_STAT_OPENED(QPW_CLASS_EST), 50},
                                 {QPW_STAT_CLOSED(QPW_CLASS_EST), 20}, {QPW_STAT_EXPIRED(QPW_CLASS_EST), 5}};
    struct qpw_conn conn = {.state = QPW_STATE_ESTABLISHED, .last_ns = qpw_kernel_now_ns(&kernel)};
    struct qpw_conn_key key = {.local_port = 445, .protocol = 6};

    for (size_t i = 0; i < sizeof(stats) / sizeof(*stats); i++) {
        memset(values, 0, sizeof(values));
        values[cpus - 1] = stats[i][1];
        put(QPW_MAP_losses, &stats[i][0], values);
    }
    for (key.remote_port = 1; key.remote_port <= 3; key.remote_port++)
        put(QPW_MAP_conns_est, &key, &conn);
    collect(NULL);
    cr_assert_eq(snapshot.losses[QPW_LOSS_EVENT_RATE], 7);
    cr_assert_eq(snapshot.losses[QPW_LOSS_EVENT_RING], 0);
    cr_assert_str_eq(snapshot.tables[QPW_CLASS_EST].name, "established");
    cr_assert_eq(snapshot.tables[QPW_CLASS_EST].entries, 3);
    cr_assert_eq(snapshot.tables[QPW_CLASS_EST].capacity, QPW_DEFAULT_CONNECTIONS);
    cr_assert_eq(snapshot.tables[QPW_CLASS_EST].opened, 50);
    cr_assert_eq(snapshot.tables[QPW_CLASS_EST].evicted, 22);
    cr_assert_eq(snapshot.tables[QPW_CLASS_HALF].evicted, 0);
}

Test(collect, peers_are_seen_in_their_connections)
{
    struct qpw_peer_info info = {.name = "node2", .in_force = 1};
    struct qpw_conn conn = {.peer = 1, .last_ns = qpw_kernel_now_ns(&kernel) - 5000000000ull};
    struct qpw_conn_key key = {.local_port = 3712, .protocol = 6};
    uint32_t one = 1;

    put(QPW_MAP_peer_info, &one, &info);
    qpw_address_parse("fd00:10::12", key.remote);
    put(QPW_MAP_conns_est, &key, &conn);
    conn.last_ns -= 1000000000ull;
    put(QPW_MAP_conns_dgram, &key, &conn);
    conn.peer = 999; /* an unknown number: nothing must be written */
    key.remote_port = 1;
    put(QPW_MAP_conns_dgram, &key, &conn);
    collect(NULL);
    cr_assert_eq(snapshot.n_peers, 2);
    cr_assert(snapshot.peer_seen[1].v6 && !snapshot.peer_seen[1].v4);
    cr_assert_leq(llabs((long long)(snapshot.unix_ns - 5000000000ull - snapshot.peer_seen[1].last_unix_ns)),
                  1000000000);
    collect(&(struct qpw_collect_options){.brief = true});
    cr_assert_null(snapshot.peer_seen);
}

Test(collect, coverage_is_told_oldest_first)
{
    for (uint32_t sequence = 510; sequence <= 515; sequence++) {
        struct qpw_coverage record = {.sequence = sequence, .kind = QPW_COVERAGE_ATTACHED};
        uint32_t place = sequence % QPW_COVERAGE_RECORDS;

        put(QPW_MAP_coverage, &place, &record);
    }
    collect(NULL);
    cr_assert_eq(snapshot.n_coverage, 6);
    for (uint32_t i = 0; i < 6; i++)
        cr_assert_eq(snapshot.coverage[i].sequence, 510 + i);
}

Test(collect, details_that_stand_for_findings)
{
    struct qpw_detail_key key = {.port = 23, .kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND};
    struct qpw_detail value = {.packets = 12345, .first_ns = qpw_kernel_now_ns(&kernel)};

    put(QPW_MAP_details, &key, &value);
    collect(NULL);
    cr_assert_eq(snapshot.n_details, 1);
    cr_assert_eq(snapshot.details[0].packets, 12345);
    cr_assert_eq(snapshot.details[0].key.port, 23);
}

Test(collect, interfaces_watched_and_not)
{
    struct qpw_meta meta = {.magic = QPW_ABI_MAGIC, .attached_unix_ns = 1700000000000000000ull};
    struct qpw_iface iface = {.number = 1};
    uint32_t zero = 0;

    netns_veth(&here, "node0", &there, "far0");
    netns_veth(&here, "other0", &there, "far1");
    iface.ifindex = netns_ifindex(&here, "node0");
    strcpy(meta.ifname[1], "node0");
    meta.rx_hook[1] = QPW_HOOK_TCX;
    strcpy(meta.why[1], "requested with --mode tc");
    strcpy(meta.ifname[2], "gone0");
    put(QPW_MAP_meta, &zero, &meta);
    put(QPW_MAP_ifaces, &iface.ifindex, &iface);
    netns_run(&here, "ip link set node0 name data0 2>/dev/null || { ip link set node0 down && ip link set node0 name "
                     "data0 "
                     "&& ip link set data0 up; }");
    collect(NULL);
    cr_assert_eq(snapshot.from_unix_ns, meta.attached_unix_ns);
    cr_assert_eq(snapshot.n_ifaces, 2);
    cr_assert_str_eq(snapshot.ifaces[0].name, "data0", "renamed since: %s", snapshot.ifaces[0].name);
    cr_assert_eq(snapshot.ifaces[0].hook, QPW_HOOK_TCX);
    cr_assert_str_eq(snapshot.ifaces[0].why, "requested with --mode tc");
    cr_assert(snapshot.ifaces[0].up);
    cr_assert_str_eq(snapshot.ifaces[1].name, "gone0");
    cr_assert(!snapshot.ifaces[1].up && !snapshot.ifaces[1].attached);
    cr_assert_eq(snapshot.n_unwatched, 2 - snapshot.ifaces[0].attached);
}

Test(collect, notes_of_what_passes_by)
{
    char base[] = "/tmp/qportwatch-collect-XXXXXX", command[500], text[QPW_NOTE_TEXT];
    struct qpw_collect_options options = {.sysfs = base, .procfs = base};
    struct qpw_meta meta = {.magic = QPW_ABI_MAGIC, .abi = QPW_ABI_VERSION, .owners_missing = "no unified hierarchy"};
    uint32_t zero = 0;

    put(QPW_MAP_meta, &zero, &meta);
    cr_assert_not_null(mkdtemp(base));
    snprintf(command, sizeof(command),
             "d=%s/class/infiniband/mlx5_0/ports/1/counters; mkdir -p $d %s/net; echo 12 >$d/port_rcv_packets; "
             "echo 30 >$d/port_xmit_packets; printf 'protocol size sockets\\nXDP  1234   2  -1\\n' >%s/net/protocols; "
             "printf 'sk RefCnt Type\\nffff 3 3\\n' >%s/net/packet",
             base, base, base, base);
    cr_assert_eq(system(command), 0);
    collect(&options);
    snprintf(command, sizeof(command), "rm -r %s", base);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(snapshot.n_notes, 4);
    cr_assert_not_null(strstr(qpw_words_note(&snapshot.notes[0], text), "mlx5_0 port 1 has carried 42 packets"), "%s", text);
    cr_assert_not_null(strstr(qpw_words_note(&snapshot.notes[1], text), "2 sockets are open"), "%s", text);
    cr_assert_not_null(strstr(qpw_words_note(&snapshot.notes[2], text), "1 socket is open"), "%s", text);
    cr_assert_not_null(strstr(qpw_words_note(&snapshot.notes[3], text), "not noted: no unified hierarchy."), "%s", text);
    collect(&(struct qpw_collect_options){.brief = true, .sysfs = base});
    cr_assert_eq(snapshot.n_notes, 0);
}

Test(collect, maps_of_any_size_are_read_whole)
{
    static const unsigned sizes[] = {1, 2, 4095, 4096, 4097, 9000};
    struct qpw_entries e;
    bool *seen;

    for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
        int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "test", 4, 8, sizes[s], NULL);

        for (uint32_t key = 0; key < sizes[s]; key++) {
            uint64_t value = 3ull * key;

            cr_assert_eq(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
        }
        cr_assert_eq(qpw_entries_read(fd, 4, 8, &e), 0);
        cr_assert_eq(e.count, sizes[s]);
        seen = calloc(sizes[s], 1);
        for (size_t i = 0; i < e.count; i++) {
            uint32_t key = ((uint32_t *)e.keys)[i];

            cr_assert(key < sizes[s] && !seen[key]);
            seen[key] = true;
            cr_assert_eq(((uint64_t *)e.values)[i], 3ull * key);
        }
        free(seen);
        qpw_entries_clear(&e);
        cr_assert_eq(qpw_entries_read(fd, 4, 16, &e), -EPROTO);
        close(fd);
    }
}

Test(collect, sums_are_the_same_in_one_part_and_in_many)
{
    enum { COUNT = 50000 };
    int cpus = libbpf_num_possible_cpus(), fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "test", 4, 16, COUNT, NULL);
    uint64_t *sums = malloc(COUNT * 16), values[2 * cpus];

    for (uint32_t key = 0; key < COUNT; key += 7) {
        for (int cpu = 0; cpu < cpus; cpu++)
            values[2 * cpu] = key + cpu, values[2 * cpu + 1] = 1;
        cr_assert_eq(bpf_map_update_elem(fd, &key, values, BPF_ANY), 0);
    }
    cr_assert_eq(qpw_percpu_sum(fd, 1, COUNT - 1, 2, sums), 0);
    for (uint32_t key = 1; key < COUNT; key++) {
        cr_assert_eq(sums[2 * (key - 1) + 1], key % 7 ? 0 : cpus, "slot %u", key);
        cr_assert_eq(sums[2 * (key - 1)], key % 7 ? 0 : (uint64_t)cpus * key + cpus * (cpus - 1) / 2, "slot %u", key);
    }
    cr_assert_eq(qpw_percpu_sum(fd, COUNT - 3, 3, 2, sums), 0);
    cr_assert_eq(qpw_percpu_sum(fd, COUNT - 3, 5, 2, sums), -ERANGE);
    free(sums);
    close(fd);
}
