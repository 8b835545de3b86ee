/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/collect.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/expiry.h"
#include "host/clock.h"
#include "snapshot/collect_maps.h"
#include "snapshot/conns.h"
#include "snapshot/lives.h"
#include "snapshot/collection.h"
#include "snapshot/memory.h"
#include "util/text.h"

static int read_header(struct qpw_collection *c, const struct qpw_collect_options *options, struct qpw_error *err)
{
    struct qpw_snapshot *s = &c->s;
    uint32_t zero = 0;

    if (bpf_map_lookup_elem(c->k->map_fd[QPW_MAP_meta], &zero, &s->meta) < 0)
        return qpw_fail(err, -errno, "the record of what is attached cannot be read: %s", strerror(errno));
    s->control = *c->k->control;
    s->mono_ns = qpw_kernel_now_ns(c->k);
    s->replay = c->k->config.replay;
    s->lock = options->lock;
    s->auditor = options->auditor;
    if (s->replay) {
        s->unix_ns = s->mono_ns;
    } else {
        /* Round to the millisecond, so that repeated readings of one moment print the same text. */
        c->unix_offset_ns = qpw_clock_unix_offset_ns() / 1000000 * 1000000;
        s->unix_ns = s->mono_ns + c->unix_offset_ns;
        s->from_unix_ns = s->meta.attached_unix_ns;
        if (!s->from_unix_ns)
            s->from_unix_ns = qpw_collection_unix(c, s->control.attached_ns);
    }
    if (*s->meta.sensor)
        qpw_text_clean(memcpy(s->host, s->meta.sensor, sizeof(s->host)));
    else
        gethostname(s->host, sizeof(s->host) - 1);
    return 0;
}

static int read_details(struct qpw_collection *c)
{
    struct qpw_snapshot *s = &c->s;
    struct qpw_entries e;
    int r =
        qpw_entries_read(c->k->map_fd[QPW_MAP_details], sizeof(struct qpw_detail_key), sizeof(struct qpw_detail), &e);

    if (r < 0)
        return r;
    s->details = calloc(e.count + 1, sizeof(*s->details));
    for (size_t i = 0; s->details && i < e.count; i++) {
        const struct qpw_detail *value = &((struct qpw_detail *)e.values)[i];

        s->details[s->n_details++] = (struct qpw_detail_row){
            .key = ((struct qpw_detail_key *)e.keys)[i],
            .packets = value->packets,
            .first_unix_ns = qpw_collection_unix(c, value->first_ns),
            .last_unix_ns = qpw_collection_unix(c, value->last_ns),
        };
    }
    qpw_entries_clear(&e);
    return s->details ? 0 : -ENOMEM;
}

/* State of a walk over one table. */
struct table_walk {
    struct qpw_collection *c;
    struct qpw_table_row *row;
    uint64_t now;
};

static void see_port(struct qpw_collection *c, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    uint32_t at = qpw_port_index(key->protocol, key->local_port);
    uint64_t last;

    if (!c->s.port_seen || conn->direction != QPW_DIR_INBOUND || at == QPW_PORT_INDEXES)
        return;
    last = qpw_collection_unix(c, conn->last_ns);
    if (last > c->s.port_seen[at])
        c->s.port_seen[at] = last;
}

/* Account for one connection: in its table, and for its port and peer. */
static void see_connection(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    const struct table_walk *walk = data;
    struct qpw_collection *c = walk->c;
    struct qpw_peer_seen *seen;

    if (qpw_conn_over(c->k->control, conn, key->protocol, walk->now)) {
        walk->row->expired++; /* its slot is free, if not reused already */
        return;
    }
    walk->row->entries++;
    see_port(c, key, conn);
    if (!qpw_conn_peer(conn) || qpw_conn_peer(conn) >= c->s.n_peers)
        return;
    seen = &c->s.peer_seen[qpw_conn_peer(conn)];
    if (qpw_collection_unix(c, conn->last_ns) > seen->last_unix_ns)
        seen->last_unix_ns = qpw_collection_unix(c, conn->last_ns);
    if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->remote))
        seen->v4 = true;
    else
        seen->v6 = true;
}

/* Read one table of connections: its fill level, and the peers in it. */
static int read_table(struct qpw_collection *c, enum qpw_conn_class conn_class, struct qpw_table_row *row)
{
    struct table_walk walk = {c, row, qpw_kernel_now_ns(c->k)};
    uint64_t gone;
    int r = qpw_conns_walk(c->k, conn_class, see_connection, &walk);

    if (r < 0)
        return r;
    row->capacity = qpw_conns_capacity(c->k, conn_class);
    gone = row->closed + row->expired + row->entries;
    row->evicted = row->opened > gone ? row->opened - gone : 0;
    return 0;
}

/* Read losses and, unless brief, the fill level of each connection table. */
static int read_tables(struct qpw_collection *c, bool brief, bool ports)
{
    static const char *const names[] = {
#define NAME(symbol, name) name,
        QPW_CONN_CLASSES(NAME)
#undef NAME
    };
    uint64_t stats[QPW_STATS];
    int r = qpw_percpu_sum(c->k->map_fd[QPW_MAP_losses], 0, QPW_STATS, 1, stats);

    if (r == 0 && !brief && !(c->s.peer_seen = calloc(c->s.n_peers + 1, sizeof(*c->s.peer_seen))))
        r = -ENOMEM;
    if (r == 0 && !brief && ports && !(c->s.port_seen = calloc(QPW_PORT_INDEXES, sizeof(*c->s.port_seen))))
        r = -ENOMEM;
    if (r < 0)
        return r;
    memcpy(c->s.losses, stats, sizeof(c->s.losses));
    c->s.freed[0] = stats[QPW_STAT_FREED(0)];
    c->s.freed[1] = stats[QPW_STAT_FREED(1)];
    for (unsigned i = QPW_CLASS_NONE + 1; i < QPW_CLASS_COUNT; i++) {
        struct qpw_table_row *row = &c->s.tables[i];

        row->name = names[i];
        row->opened = stats[QPW_STAT_OPENED(i)];
        row->closed = stats[QPW_STAT_CLOSED(i)];
        row->expired = stats[QPW_STAT_EXPIRED(i)];
        if (!brief)
            r = read_table(c, i, row);
        if (r < 0)
            return r;
    }
    return 0;
}

static int by_sequence(const void *a, const void *b)
{
    const struct qpw_coverage *x = a, *y = b;

    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

int qpw_collect_coverage(const struct qpw_kernel *k, struct qpw_coverage **ret, size_t *ret_n)
{
    struct qpw_coverage *records = calloc(QPW_COVERAGE_RECORDS, sizeof(*records));
    size_t kept = 0;
    int r = records ? qpw_array_read(k->map_fd[QPW_MAP_coverage], sizeof(*records), QPW_COVERAGE_RECORDS, records) : -ENOMEM;

    if (r < 0) {
        free(records);
        return r;
    }
    for (size_t i = 0; i < QPW_COVERAGE_RECORDS; i++)
        if (records[i].sequence)
            records[kept++] = records[i];
    qsort(records, kept, sizeof(*records), by_sequence);
    *ret = records;
    *ret_n = kept;
    return 0;
}

static int read_lives(struct qpw_collection *c)
{
    struct qpw_snapshot *s = &c->s;
    int r = s->replay ? 0 : qpw_lives_read(c->k, &s->lives);

    if (r < 0 || !s->lives)
        return r;
    s->lives->now_unix_ns = s->unix_ns;
    memcpy(s->lives->retention_ns, s->meta.retention_ns, sizeof(s->lives->retention_ns));
    qpw_lives_assign(s->lives, s->findings, s->n_findings);
    return 0;
}

static int read_names(struct qpw_collection *c, struct qpw_error *err)
{
    struct qpw_registry names = {0};
    int r = qpw_kernel_get_names(c->k, &names, err);

    if (r < 0)
        return r;
    c->s.rules = names.rules;
    c->s.n_rules = names.n_rules;
    c->s.peers = names.peers;
    c->s.n_peers = names.n_peers;
    c->s.listed = calloc(QPW_LISTED_TABLES, sizeof(*c->s.listed));
    r = c->s.listed ? qpw_array_read(c->k->map_fd[QPW_MAP_listed], sizeof(*c->s.listed), QPW_LISTED_TABLES, c->s.listed)
                    : -ENOMEM;
    return r ? qpw_fail(err, r, "the ports that the policy lists cannot be read: %s", strerror(-r)) : 0;
}

static int read_exceptions(struct qpw_collection *c, struct qpw_error *err)
{
    struct qpw_snapshot *s = &c->s;
    int r = -ENOMEM;

    s->exceptions = calloc(QPW_EXCEPTIONS, sizeof(*s->exceptions));
    if (s->exceptions)
        r = qpw_array_read(c->k->map_fd[QPW_MAP_exceptions], sizeof(*s->exceptions), QPW_EXCEPTIONS, s->exceptions);
    while (r == 0 && s->n_exceptions < QPW_EXCEPTIONS && s->exceptions[s->n_exceptions].of)
        s->n_exceptions++;
    return r ? qpw_fail(err, r, "the exceptions of the policy cannot be read: %s", strerror(-r)) : 0;
}

/* A capture starts with its first packet. */
static void begin_with_first(struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_meters; i++)
        if (s->meters[i].first_unix_ns && (!s->from_unix_ns || s->meters[i].first_unix_ns < s->from_unix_ns))
            s->from_unix_ns = s->meters[i].first_unix_ns;
}

static int read_counted(struct qpw_collection *c, const struct qpw_collect_options *options)
{
    int r = qpw_collect_rows(c);

    if (r < 0)
        return r;
    r = read_lives(c);
    if (r < 0)
        return r;
    r = read_details(c);
    if (r < 0)
        return r;
    r = read_tables(c, options->brief, options->ports);
    if (r < 0)
        return r;
    r = qpw_collect_coverage(c->k, &c->s.coverage, &c->s.n_coverage);
    if (r < 0)
        return r;
    return qpw_collect_host(c->k, options, &c->s);
}

static int collect(struct qpw_collection *c, const struct qpw_collect_options *options, struct qpw_error *err)
{
    int r = read_header(c, options, err);

    if (r < 0)
        return r;
    r = read_names(c, err);
    if (r < 0)
        return r;
    r = options->brief ? 0 : read_exceptions(c, err);
    if (r < 0)
        return r;
    r = read_counted(c, options);
    if (r < 0)
        return qpw_fail(err, r, "counters cannot be read: %s", strerror(-r));
    if (c->s.replay)
        begin_with_first(&c->s);
    if (!options->brief)
        c->s.memory_bytes = qpw_kernel_memory(c->k, c->s.memory);
    return 0;
}

int qpw_collect(const struct qpw_kernel *k, const struct qpw_collect_options *options, struct qpw_snapshot *ret,
                struct qpw_error *err)
{
    static const struct qpw_collect_options defaults;
    struct qpw_collection c = {.k = k};
    int r = collect(&c, options ? options : &defaults, err);

    free(c.raw);
    free(c.counts);
    free(c.row_of);
    if (r < 0) {
        qpw_snapshot_clear(&c.s);
        return r;
    }
    *ret = c.s;
    return 0;
}
