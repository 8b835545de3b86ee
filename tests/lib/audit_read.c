/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* audit_read.c - read the counts of a kernel side under test, and check their invariants. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "snapshot/collect_maps.h"
#include "util/names.h"

static void add(struct qpw_counts *to, const struct qpw_counts *more)
{
    to->connections += more->connections;
    to->rx_packets += more->rx_packets;
    to->rx_bytes += more->rx_bytes;
    to->tx_packets += more->tx_packets;
    to->tx_bytes += more->tx_bytes;
}

/* Return all counters summed over CPUs: QPW_COUNTER_SLOTS of them. Caller frees. */
static struct qpw_counts *read_slots(struct audit *a)
{
    struct qpw_entries corrections;
    struct qpw_counts *slots = calloc(QPW_COUNTER_SLOTS, sizeof(*slots));

    cr_assert(slots && qpw_counters_sum(a->kernel.map_fd[QPW_MAP_counters], 0, QPW_COUNTER_SLOTS, slots) == 0);
    cr_assert_eq(qpw_corrections_read(a->kernel.map_fd[QPW_MAP_corrections], &corrections), 0);
    for (size_t i = 0; i < corrections.count * QPW_COUNTS_BLOCK; i++) {
        uint32_t slot;
        const struct qpw_counts *correction = qpw_correction_at(&corrections, i, &slot);

        qpw_counts_correct(&slots[slot], correction);
    }
    qpw_entries_clear(&corrections);
    return slots;
}

/* Add the counts of findings in `map` to the meters that they belong to, and empty their slots. */
static void fold_findings(struct audit *a, enum qpw_map map, struct qpw_counts *slots)
{
    struct qpw_finding_key key, *previous = NULL;
    struct qpw_finding value;

    while (bpf_map_get_next_key(a->kernel.map_fd[map], previous, &key) == 0) {
        previous = &key;
        cr_assert(bpf_map_lookup_elem(a->kernel.map_fd[map], &key, &value) == 0);
        cr_assert(value.meter > 0 && value.meter < QPW_FIRST_FINDING_SLOT, "finding without a meter");
        cr_assert(value.slot >= QPW_FIRST_FINDING_SLOT && value.slot < QPW_COUNTER_SLOTS);
        slots[value.slot].connections = 0; /* counted in the meter, too */
        add(&slots[value.meter], &slots[value.slot]);
        memset(&slots[value.slot], 0, sizeof(*slots));
    }
}

static bool fits(uint32_t wanted, uint32_t value)
{
    return !wanted || wanted == value + 1;
}

static bool is_named(const char *wanted, const char *name)
{
    return !wanted || !strcmp(wanted, name);
}

static bool fits_row(struct audit *a, const struct audit_filter *f, const struct qpw_meter_key *key)
{
    return fits(f->protocol, key->protocol) && fits(f->port, key->port) && fits(f->direction, key->direction) &&
           fits(f->verdict, key->verdict) && fits(f->reason, key->reason) && fits(f->scope, key->scope) &&
           fits(f->kind, key->kind) && fits(f->iface, key->iface) &&
           (!f->rule || (key->rule && is_named(f->rule, a->names.rules[key->rule].name))) &&
           (!f->peer || (key->peer && is_named(f->peer, a->names.peers[key->peer].name)));
}

static bool fits_overflow(const struct audit_filter *f, uint32_t verdict, uint32_t direction)
{
    return !f->protocol && !f->port && !f->reason && !f->scope && !f->kind && !f->iface && !f->rule && !f->peer &&
           fits(f->verdict, verdict) && fits(f->direction, direction);
}

/* Sum the matching rows. With `used`, mark the slots of all rows there. */
static struct qpw_counts sum_slots(struct audit *a, const struct audit_filter *f, const struct qpw_counts *slots,
                                   bool *used)
{
    struct qpw_meter_key key, *previous = NULL;
    struct qpw_counts sum = {0};
    struct qpw_meter meter;

    while (bpf_map_get_next_key(a->kernel.map_fd[QPW_MAP_meters], previous, &key) == 0) {
        previous = &key;
        cr_assert(bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_meters], &key, &meter) == 0);
        if (fits_row(a, f, &key))
            add(&sum, &slots[meter.slot]);
        if (used)
            used[meter.slot] = true;
    }
    for (uint32_t verdict = 0; verdict < QPW_VERDICT_COUNT; verdict++)
        for (uint32_t direction = 0; direction < QPW_DIR_COUNT; direction++)
            if (fits_overflow(f, verdict, direction))
                add(&sum, &slots[QPW_OVERFLOW_SLOT(verdict, direction)]);
    return sum;
}

struct qpw_counts audit_sum(struct audit *a, const struct audit_filter *filter)
{
    struct qpw_counts *slots = read_slots(a), sum;

    fold_findings(a, QPW_MAP_findings, slots);
    fold_findings(a, QPW_MAP_answered, slots);
    sum = sum_slots(a, filter, slots, NULL);
    free(slots);
    return sum;
}

static int by_key(const void *x, const void *y)
{
    return memcmp(x, y, sizeof(struct qpw_meter_key));
}

size_t audit_rows(struct audit *a, struct audit_row *rows, size_t max)
{
    struct qpw_counts *slots = read_slots(a);
    struct qpw_meter_key *previous = NULL;
    struct qpw_meter meter;
    size_t n = 0;

    fold_findings(a, QPW_MAP_findings, slots);
    fold_findings(a, QPW_MAP_answered, slots);
    for (; n < max && bpf_map_get_next_key(a->kernel.map_fd[QPW_MAP_meters], previous, &rows[n].key) == 0; n++) {
        previous = &rows[n].key;
        cr_assert(bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_meters], &rows[n].key, &meter) == 0);
        rows[n].counts = slots[meter.slot];
    }
    qsort(rows, n, sizeof(*rows), by_key);
    free(slots);
    return n;
}

uint64_t audit_packets(struct audit *a, const struct audit_filter *filter)
{
    struct qpw_counts sum = audit_sum(a, filter);

    return sum.rx_packets + sum.tx_packets;
}

static uint64_t packets_of(struct audit *a, const struct qpw_counts *slots, struct audit_filter filter)
{
    struct qpw_counts sum = sum_slots(a, &filter, slots, NULL);

    return sum.rx_packets + sum.tx_packets;
}

void audit_check(struct audit *a)
{
    static bool used[QPW_COUNTER_SLOTS];
    struct qpw_counts *slots = read_slots(a), all;
    uint64_t directions = 0, verdicts = 0;

    fold_findings(a, QPW_MAP_findings, slots);
    fold_findings(a, QPW_MAP_answered, slots);
    memset(used, 0, sizeof(used));
    all = sum_slots(a, &(struct audit_filter){0}, slots, used);
    cr_assert_eq(all.rx_packets + all.tx_packets, a->frames, "counted %" PRIu64 " frames of %" PRIu64,
                 (uint64_t)(all.rx_packets + all.tx_packets), a->frames);
    cr_assert_eq(all.rx_bytes + all.tx_bytes, a->bytes, "counted %" PRIu64 " bytes of %" PRIu64,
                 (uint64_t)(all.rx_bytes + all.tx_bytes), a->bytes);
    cr_assert((int64_t)all.connections >= 0);
    for (uint32_t i = 0; i < QPW_DIR_COUNT; i++)
        directions += packets_of(a, slots, (struct audit_filter){.direction = AUDIT_IS(i)});
    for (uint32_t i = QPW_VERDICT_NONE + 1; i < QPW_VERDICT_COUNT; i++) /* NONE is not a verdict */
        verdicts += packets_of(a, slots, (struct audit_filter){.verdict = AUDIT_IS(i)});
    cr_assert_eq(directions, a->frames, "sum by direction");
    cr_assert_eq(verdicts, a->frames, "sum by verdict");
    for (uint32_t slot = QPW_OVERFLOW_SLOTS; slot < QPW_COUNTER_SLOTS; slot++)
        cr_assert(used[slot] || (!slots[slot].rx_packets && !slots[slot].tx_packets), "slot %u: of no row", slot);
    free(slots);
}

/* ---- Entries ---- */

struct qpw_conn_key audit_key(uint8_t protocol, const char *local, uint16_t local_port, const char *remote,
                              uint16_t remote_port)
{
    struct qpw_conn_key key = {.local_port = local_port, .remote_port = remote_port, .protocol = protocol};

    audit_address(local, key.local);
    audit_address(remote, key.remote);
    return key;
}

bool audit_conn(struct audit *a, const struct qpw_conn_key *key, struct qpw_conn *ret)
{
    struct qpw_conn conn;
    int found = 0;

    for (int c = QPW_CLASS_NONE + 1; c < QPW_CLASS_COUNT; c++)
        if (qpw_conns_find(&a->kernel, c, key, &conn) == 0) {
            cr_assert_eq(conn.conn_class, c, "an entry must know which table it is in");
            *ret = conn;
            found++;
        }
    cr_assert(found <= 1, "one connection in %d tables", found);
    return found == 1;
}

static struct qpw_conn must_have(struct audit *a, uint8_t protocol, const char *remote, uint16_t remote_port,
                                 uint16_t local_port)
{
    const char *local = strchr(remote, ':') ? AUDIT_NODE6 : AUDIT_NODE;
    struct qpw_conn_key key = audit_key(protocol, local, local_port, remote, remote_port);
    struct qpw_conn conn;

    cr_assert(audit_conn(a, &key, &conn), "no connection %s:%u - %s:%u", local, local_port, remote, remote_port);
    return conn;
}

struct qpw_conn audit_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port)
{
    return must_have(a, 6, remote, remote_port, local_port);
}

struct qpw_conn audit_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port)
{
    return must_have(a, 17, remote, remote_port, local_port);
}

static uint8_t kind_of(uint8_t protocol)
{
    if (protocol == 6 || protocol == 17 || protocol == 132)
        return QPW_KIND_PORT;
    return protocol == 1 || protocol == 58 ? QPW_KIND_ICMP : QPW_KIND_PROTOCOL;
}

bool audit_finding_by(struct audit *a, const struct qpw_finding_key *key, struct qpw_finding *ret)
{
    return bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_answered], key, ret) == 0 ||
           bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_findings], key, ret) == 0;
}

bool audit_finding(struct audit *a, struct audit_sought sought, struct qpw_finding *ret)
{
    struct qpw_finding_key key = {.port = sought.port, .kind = kind_of(sought.protocol), .protocol = sought.protocol,
                                  .direction = (uint8_t)sought.direction, .verdict = (uint8_t)sought.verdict};

    audit_address(sought.initiator, key.initiator);
    audit_address(sought.responder, key.responder);
    return audit_finding_by(a, &key, ret);
}

static void count_one(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    ++*(size_t *)data;
}

size_t audit_connections(struct audit *a, enum qpw_conn_class conn_class)
{
    size_t n = 0;

    cr_assert_eq(qpw_conns_walk(&a->kernel, conn_class, count_one, &n), 0);
    return n;
}

size_t audit_entries(struct audit *a, enum qpw_map map)
{
    char key[64], *previous = NULL;
    size_t n = 0;

    while (bpf_map_get_next_key(a->kernel.map_fd[map], previous, key) == 0) {
        previous = key;
        n++;
    }
    return n;
}

uint64_t audit_stat(struct audit *a, uint32_t index)
{
    static uint64_t values[1024];
    int cpus = libbpf_num_possible_cpus();
    uint64_t sum = 0;

    cr_assert(bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_losses], &index, values) == 0);
    for (int cpu = 0; cpu < cpus; cpu++)
        sum += values[cpu];
    return sum;
}

struct event_count {
    enum qpw_event_kind kind;
    size_t n;
};

static int count_event(void *arg, void *data, size_t size)
{
    struct event_count *count = arg;
    const struct qpw_event *e = data;

    count->n += e->kind == (uint32_t)count->kind;
    return 0;
}

size_t audit_events(struct audit *a, enum qpw_event_kind kind)
{
    struct event_count count = {.kind = kind};
    struct ring_buffer *ring = ring_buffer__new(a->kernel.map_fd[QPW_MAP_events], count_event, &count, NULL);

    cr_assert(ring != NULL);
    cr_assert_geq(ring_buffer__consume(ring), 0);
    ring_buffer__free(ring);
    return count.n;
}
