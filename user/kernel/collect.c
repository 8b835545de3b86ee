/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "kernel/collect.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/collect_maps.h"

#define WORDS (sizeof(struct qpw_counts) / sizeof(uint64_t))

/* A value of the map `reserved`: the finding that stands in the reserved place of its port. */
struct reserved_value {
    struct qpw_finding_key key;
    struct qpw_finding value;
};

/* A finding as one table has it. */
struct raw_finding {
    struct qpw_finding_key key;
    struct qpw_finding value;
    int rank; /* which to believe where tables differ: 0 answered, 1 reserved, 2 attempted */
};

/* What is needed while the rows are put together. */
struct collection {
    const struct qpw_kernel *k;
    struct qpw_snapshot s;
    int64_t unix_offset_ns; /* from the programs' clock to Unix time */
    struct raw_finding *raw;
    size_t n_raw;
    struct qpw_counts *counts; /* [QPW_COUNTER_SLOTS], summed over CPUs */
    uint32_t *row_of;          /* [QPW_COUNTER_SLOTS]: 1 + index of the meter row of a slot, 0: none */
    size_t room_meters;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t to_unix(const struct collection *c, uint64_t ns)
{
    return ns ? ns + c->unix_offset_ns : 0;
}

static int read_header(struct collection *c, struct qpw_error *err)
{
    struct qpw_snapshot *s = &c->s;
    uint32_t zero = 0;

    if (bpf_map_lookup_elem(c->k->map_fd[QPW_MAP_meta], &zero, &s->meta) < 0)
        return qpw_fail(err, -errno, "the record of what is attached cannot be read: %s", strerror(errno));
    s->control = *c->k->control;
    s->mono_ns = qpw_kernel_now_ns(c->k);
    s->replay = c->k->config.replay;
    if (s->replay) {
        s->unix_ns = s->mono_ns;
    } else {
        /* To the millisecond, so that one moment has one text however often it is asked for. */
        c->unix_offset_ns = (int64_t)(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC)) / 1000000 * 1000000;
        s->unix_ns = s->mono_ns + c->unix_offset_ns;
        s->from_unix_ns = s->meta.attached_unix_ns ? s->meta.attached_unix_ns : to_unix(c, s->control.attached_ns);
    }
    gethostname(s->host, sizeof(s->host) - 1);
    return 0;
}

/* ---- Findings ---- */

static int by_key(const void *a, const void *b)
{
    const struct raw_finding *x = a, *y = b;
    int order = memcmp(&x->key, &y->key, sizeof(x->key));

    return order ? order : x->rank - y->rank;
}

/* Reads the three tables into c->raw, sorted so that entries of one key stand together. */
static int read_raw_findings(struct collection *c)
{
    struct qpw_entries attempted = {0}, answered = {0}, reserved = {0};
    int rc = qpw_entries_read(c->k->map_fd[QPW_MAP_findings], sizeof(struct qpw_finding_key),
                              sizeof(struct qpw_finding), &attempted);

    if (rc == 0)
        rc = qpw_entries_read(c->k->map_fd[QPW_MAP_answered], sizeof(struct qpw_finding_key),
                              sizeof(struct qpw_finding), &answered);
    if (rc == 0)
        rc = qpw_entries_read(c->k->map_fd[QPW_MAP_reserved], 8, sizeof(struct reserved_value), &reserved);
    if (rc == 0) {
        c->raw = calloc(attempted.count + answered.count + reserved.count + 1, sizeof(*c->raw));
        rc = c->raw ? 0 : -ENOMEM;
    }
    for (size_t i = 0; rc == 0 && i < answered.count; i++)
        c->raw[c->n_raw++] = (struct raw_finding){((struct qpw_finding_key *)answered.keys)[i],
                                                  ((struct qpw_finding *)answered.values)[i], 0};
    for (size_t i = 0; rc == 0 && i < reserved.count; i++)
        c->raw[c->n_raw++] = (struct raw_finding){((struct reserved_value *)reserved.values)[i].key,
                                                  ((struct reserved_value *)reserved.values)[i].value, 1};
    for (size_t i = 0; rc == 0 && i < attempted.count; i++)
        c->raw[c->n_raw++] = (struct raw_finding){((struct qpw_finding_key *)attempted.keys)[i],
                                                  ((struct qpw_finding *)attempted.values)[i], 2};
    qpw_entries_clear(&attempted);
    qpw_entries_clear(&answered);
    qpw_entries_clear(&reserved);
    if (rc == 0)
        qsort(c->raw, c->n_raw, sizeof(*c->raw), by_key);
    return rc;
}

/* Adds packets and bytes; connections are counted in the meter itself too, so only findings take theirs. */
static void add_packets(struct qpw_counts *to, const struct qpw_counts *from)
{
    to->rx_packets += from->rx_packets;
    to->rx_bytes += from->rx_bytes;
    to->tx_packets += from->tx_packets;
    to->tx_bytes += from->tx_bytes;
}

/* Adds one more entry of the same key to a finding's row. */
static void merge_finding(struct qpw_finding_row *row, const struct raw_finding *raw)
{
    struct qpw_finding *to = &row->value;
    const struct qpw_finding *from = &raw->value;

    if (from->first_ns < to->first_ns)
        to->first_ns = from->first_ns;
    if (from->last_ns > to->last_ns)
        to->last_ns = from->last_ns;
    if (from->outcome > to->outcome)
        to->outcome = from->outcome;
    if (from->evidence > to->evidence)
        to->evidence = from->evidence;
    to->flags |= from->flags & (QPW_FINDING_RESERVED | QPW_FINDING_MULTICAST);
    to->changes += from->changes;
}

static int make_findings(struct collection *c)
{
    struct qpw_snapshot *s = &c->s;
    struct qpw_finding_row *row = NULL;

    s->findings = calloc(c->n_raw + 1, sizeof(*s->findings));
    if (!s->findings)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_raw; i++) {
        const struct raw_finding *raw = &c->raw[i];

        if (row && !memcmp(&row->key, &raw->key, sizeof(raw->key))) {
            merge_finding(row, raw);
        } else {
            row = &s->findings[s->n_findings++];
            row->key = raw->key;
            row->value = raw->value;
            row->flow_id = qpw_finding_flow_id(&raw->key);
        }
        if (raw->value.slot && raw->value.slot < QPW_COUNTER_SLOTS) {
            add_packets(&row->counts, &c->counts[raw->value.slot]);
            row->counts.connections += c->counts[raw->value.slot].connections;
        }
        row->first_unix_ns = to_unix(c, row->value.first_ns);
        row->last_unix_ns = to_unix(c, row->value.last_ns);
    }
    return 0;
}

/* ---- Meters ---- */

static struct qpw_meter_row *add_meter(struct collection *c, const struct qpw_meter_key *key, uint32_t slot,
                                       uint64_t first_ns)
{
    struct qpw_snapshot *s = &c->s;
    struct qpw_meter_row *more;

    if (s->n_meters == c->room_meters) {
        size_t room = c->room_meters ? 2 * c->room_meters : 1024;

        more = realloc(s->meters, room * sizeof(*more));
        if (!more)
            return NULL;
        s->meters = more;
        c->room_meters = room;
    }
    more = &s->meters[s->n_meters++];
    memset(more, 0, sizeof(*more));
    more->key = *key;
    more->first_unix_ns = to_unix(c, first_ns);
    if (slot < QPW_COUNTER_SLOTS)
        c->row_of[slot] = s->n_meters;
    return more;
}

static int read_meters(struct collection *c)
{
    struct qpw_entries e;
    int rc = qpw_entries_read(c->k->map_fd[QPW_MAP_meters], sizeof(struct qpw_meter_key), sizeof(struct qpw_meter), &e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < e.count; i++) {
        const struct qpw_meter *meter = &((struct qpw_meter *)e.values)[i];

        if (!add_meter(c, &((struct qpw_meter_key *)e.keys)[i], meter->slot, meter->first_ns))
            rc = -ENOMEM;
    }
    qpw_entries_clear(&e);
    return rc;
}

/* Sums the ranges of slots up to the last one in use: the queues hand them out in ascending order. */
static int read_counters(struct collection *c)
{
    static const uint32_t starts[] = {0, QPW_FIRST_METER_SLOT, QPW_FIRST_OPEN_SLOT, QPW_FIRST_FINDING_SLOT,
                                      QPW_FIRST_ANSWERED_SLOT, QPW_COUNTER_SLOTS};
    const unsigned ranges = sizeof(starts) / sizeof(*starts) - 1;
    uint32_t last;
    bool used[QPW_COUNTER_SLOTS];
    int rc = 0;

    for (uint32_t slot = 0; slot < QPW_COUNTER_SLOTS; slot++)
        used[slot] = slot < QPW_OVERFLOW_SLOTS || c->row_of[slot];
    for (size_t i = 0; i < c->n_raw; i++)
        if (c->raw[i].value.slot < QPW_COUNTER_SLOTS)
            used[c->raw[i].value.slot] = true;
    for (unsigned i = 0; rc == 0 && i < ranges; i++) {
        for (last = starts[i + 1]; last > starts[i] && !used[last - 1]; last--)
            ;
        if (last > starts[i])
            rc = qpw_percpu_sum(c->k->map_fd[QPW_MAP_counters], starts[i], last - starts[i], WORDS,
                                (uint64_t *)&c->counts[starts[i]]);
    }
    /* A connection that moves to another row is taken back on the CPU that sees it: a sum may be below 0 meanwhile. */
    for (uint32_t slot = 0; slot < QPW_COUNTER_SLOTS; slot++)
        if ((int64_t)c->counts[slot].connections < 0)
            c->counts[slot].connections = 0;
    return rc;
}

/* Where a finding's packets belong: its meter's row, made of what the finding knows if it is not there. */
static struct qpw_meter_row *meter_of(struct collection *c, const struct raw_finding *raw)
{
    struct qpw_meter_key key = {0};
    uint32_t slot = raw->value.meter;

    if (slot < QPW_COUNTER_SLOTS && c->row_of[slot])
        return &c->s.meters[c->row_of[slot] - 1];
    key.kind = raw->key.kind;
    key.protocol = raw->key.protocol;
    key.direction = raw->key.direction;
    key.scope = raw->value.scope;
    key.verdict = raw->key.verdict;
    key.port = raw->key.port;
    key.rule = raw->value.rule;
    key.iface = raw->value.iface;
    key.peer = raw->value.peer;
    return add_meter(c, &key, slot, raw->value.first_ns);
}

static bool any_packets(const struct qpw_counts *counts)
{
    return counts->rx_packets || counts->tx_packets || counts->connections;
}

/* Rows of what found no row of its own, by verdict and direction. */
static int add_overflow_rows(struct collection *c)
{
    for (unsigned verdict = 0; verdict < QPW_VERDICT_COUNT; verdict++)
        for (unsigned direction = 0; direction < QPW_DIR_COUNT; direction++) {
            struct qpw_meter_key key = {.verdict = verdict, .direction = direction};
            uint32_t slot = QPW_OVERFLOW_SLOT(verdict, direction);

            if (any_packets(&c->counts[slot]) && !add_meter(c, &key, slot, 0))
                return -ENOMEM;
        }
    return 0;
}

static int make_meters(struct collection *c)
{
    struct qpw_meter_row *row;
    int rc = add_overflow_rows(c);

    if (rc < 0)
        return rc;
    for (uint32_t slot = 0; slot < QPW_COUNTER_SLOTS; slot++)
        if (c->row_of[slot])
            c->s.meters[c->row_of[slot] - 1].counts = c->counts[slot];
    for (size_t i = 0; i < c->n_raw; i++) {
        uint32_t slot = c->raw[i].value.slot;

        if (!slot || slot >= QPW_COUNTER_SLOTS)
            continue;
        row = meter_of(c, &c->raw[i]);
        if (!row)
            return -ENOMEM;
        add_packets(&row->counts, &c->counts[slot]);
    }
    return 0;
}

/* ---- The rest ---- */

static int read_details(struct collection *c)
{
    struct qpw_snapshot *s = &c->s;
    struct qpw_entries e;
    int rc = qpw_entries_read(c->k->map_fd[QPW_MAP_details], sizeof(struct qpw_detail_key), sizeof(struct qpw_detail),
                              &e);

    if (rc < 0)
        return rc;
    s->details = calloc(e.count + 1, sizeof(*s->details));
    for (size_t i = 0; s->details && i < e.count; i++) {
        const struct qpw_detail *value = &((struct qpw_detail *)e.values)[i];

        s->details[s->n_details++] = (struct qpw_detail_row){
            .key = ((struct qpw_detail_key *)e.keys)[i],
            .packets = value->packets,
            .first_unix_ns = to_unix(c, value->first_ns),
            .last_unix_ns = to_unix(c, value->last_ns),
        };
    }
    qpw_entries_clear(&e);
    return s->details ? 0 : -ENOMEM;
}

/* What one table's connections say of the peers. */
static void see_peers(struct collection *c, const struct qpw_entries *e)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    for (size_t i = 0; i < e->count; i++) {
        const struct qpw_conn *conn = &((struct qpw_conn *)e->values)[i];
        struct qpw_peer_seen *seen;

        if (!conn->peer || conn->peer >= c->s.n_peers)
            continue;
        seen = &c->s.peer_seen[conn->peer];
        if (to_unix(c, conn->last_ns) > seen->last_unix_ns)
            seen->last_unix_ns = to_unix(c, conn->last_ns);
        if (memcmp(((struct qpw_conn_key *)e->keys)[i].remote, mapped, sizeof(mapped)))
            seen->v6 = true;
        else
            seen->v4 = true;
    }
}

/* Reads one table of connections: how full it is, and the peers in it. */
static int read_table(struct collection *c, int fd, struct qpw_table_row *row)
{
    struct qpw_entries e;
    uint64_t gone;
    int rc = qpw_entries_read(fd, sizeof(struct qpw_conn_key), sizeof(struct qpw_conn), &e);

    if (rc < 0)
        return rc;
    see_peers(c, &e);
    row->entries = e.count;
    row->capacity = qpw_map_capacity(fd);
    qpw_entries_clear(&e);
    gone = row->closed + row->expired + row->entries;
    row->evicted = row->opened > gone ? row->opened - gone : 0;
    return 0;
}

/* Losses and, unless it is to be brief, how full each table of connections is. */
static int read_tables(struct collection *c, bool brief)
{
    static const int maps[QPW_CLASS_COUNT] = {
        [QPW_CLASS_HALF] = QPW_MAP_conns_half,
        [QPW_CLASS_OUT] = QPW_MAP_conns_out,
        [QPW_CLASS_EST] = QPW_MAP_conns_est,
        [QPW_CLASS_DGRAM] = QPW_MAP_conns_dgram,
    };
    static const char *const names[] = {
#define NAME(symbol, name) name,
        QPW_CONN_CLASSES(NAME)
#undef NAME
    };
    uint64_t stats[QPW_STATS];
    int rc = qpw_percpu_sum(c->k->map_fd[QPW_MAP_losses], 0, QPW_STATS, 1, stats);

    if (rc == 0 && !brief && !(c->s.peer_seen = calloc(c->s.n_peers + 1, sizeof(*c->s.peer_seen))))
        rc = -ENOMEM;
    if (rc < 0)
        return rc;
    memcpy(c->s.losses, stats, sizeof(c->s.losses));
    for (unsigned i = QPW_CLASS_NONE + 1; i < QPW_CLASS_COUNT; i++) {
        struct qpw_table_row *row = &c->s.tables[i];

        row->name = names[i];
        row->opened = stats[QPW_STAT_OPENED(i)];
        row->closed = stats[QPW_STAT_CLOSED(i)];
        row->expired = stats[QPW_STAT_EXPIRED(i)];
        if (!brief)
            rc = read_table(c, c->k->map_fd[maps[i]], row);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int by_sequence(const void *a, const void *b)
{
    const struct qpw_coverage *x = a, *y = b;

    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static int read_coverage(struct collection *c)
{
    struct qpw_snapshot *s = &c->s;
    size_t kept = 0;
    int rc;

    s->coverage = calloc(QPW_COVERAGE_RECORDS, sizeof(*s->coverage));
    if (!s->coverage)
        return -ENOMEM;
    rc = qpw_array_read(c->k->map_fd[QPW_MAP_coverage], sizeof(*s->coverage), QPW_COVERAGE_RECORDS, s->coverage);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < QPW_COVERAGE_RECORDS; i++)
        if (s->coverage[i].sequence)
            s->coverage[kept++] = s->coverage[i];
    s->n_coverage = kept;
    qsort(s->coverage, kept, sizeof(*s->coverage), by_sequence);
    return 0;
}

static int read_names(struct collection *c, struct qpw_error *err)
{
    struct qpw_registry names = {0};
    int rc = qpw_kernel_get_names(c->k, &names, err);

    if (rc < 0)
        return rc;
    c->s.rules = names.rules;
    c->s.n_rules = names.n_rules;
    c->s.peers = names.peers;
    c->s.n_peers = names.n_peers;
    return 0;
}

/* The policy's tables stand behind maps of maps, which count only for themselves. */
static uint64_t inner_memory(int outer_fd)
{
    uint64_t bytes = 0;
    uint32_t id;
    int fd;

    for (uint32_t i = 0; i < 2; i++) {
        if (bpf_map_lookup_elem(outer_fd, &i, &id) < 0 || (fd = bpf_map_get_fd_by_id(id)) < 0)
            continue;
        bytes += qpw_map_memory(fd);
        close(fd);
    }
    return bytes;
}

static void read_memory(struct collection *c)
{
    static const int outer[] = {QPW_MAP_pol_slots, QPW_MAP_pol_chains, QPW_MAP_pol_steps, QPW_MAP_pol_sets};

    for (int i = 0; i < QPW_MAP_COUNT; i++)
        c->s.memory_bytes += qpw_map_memory(c->k->map_fd[i]);
    for (size_t i = 0; i < sizeof(outer) / sizeof(*outer); i++)
        c->s.memory_bytes += inner_memory(c->k->map_fd[outer[i]]);
}

/* A capture begins with its first packet. */
static void begin_with_first(struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_meters; i++)
        if (s->meters[i].first_unix_ns && (!s->from_unix_ns || s->meters[i].first_unix_ns < s->from_unix_ns))
            s->from_unix_ns = s->meters[i].first_unix_ns;
}

static int collect(struct collection *c, const struct qpw_collect_options *options, struct qpw_error *err)
{
    int rc = read_header(c, err);

    if (rc == 0)
        rc = read_names(c, err);
    if (rc < 0)
        return rc;
    c->counts = calloc(QPW_COUNTER_SLOTS, sizeof(*c->counts));
    c->row_of = calloc(QPW_COUNTER_SLOTS, sizeof(*c->row_of));
    if (!c->counts || !c->row_of)
        return qpw_fail(err, -ENOMEM, "counters: out of memory");
    /* In this order a finding's meter is always there, and a row's slot is read after the row. */
    rc = read_raw_findings(c);
    rc = rc ? rc : read_meters(c);
    rc = rc ? rc : read_counters(c);
    rc = rc ? rc : make_meters(c);
    rc = rc ? rc : make_findings(c);
    rc = rc ? rc : read_details(c);
    rc = rc ? rc : read_tables(c, options->brief);
    rc = rc ? rc : read_coverage(c);
    rc = rc ? rc : qpw_collect_host(c->k, options, &c->s);
    if (rc < 0)
        return qpw_fail(err, rc, "counters cannot be read: %s", strerror(-rc));
    if (c->s.replay)
        begin_with_first(&c->s);
    if (!options->brief)
        read_memory(c);
    return 0;
}

int qpw_collect(const struct qpw_kernel *k, const struct qpw_collect_options *options, struct qpw_snapshot *ret,
                struct qpw_error *err)
{
    static const struct qpw_collect_options defaults;
    struct collection c = {.k = k};
    int rc = collect(&c, options ? options : &defaults, err);

    free(c.raw);
    free(c.counts);
    free(c.row_of);
    if (rc < 0) {
        qpw_snapshot_clear(&c.s);
        return rc;
    }
    *ret = c.s;
    return 0;
}
