/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Extend live counts into the past: add the history, minus what it already counted of this attachment. */
#include "history/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/totals.h"
#include "util/array.h"

struct merge {
    struct qpw_history_reader *r;
    struct qpw_snapshot *live;
    const struct qpw_snapshot *past;
    bool known; /* the history includes this attachment */
};

/* Return what the last write had already counted of it. */
static struct qpw_counts counted(const struct merge *m, int what, const void *id, int size)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = m->known ? qpw_db_bind(&m->r->db, "SELECT connections, rx_packets, rx_bytes, tx_packets, tx_bytes FROM counted WHERE what = ? "
                                             "AND id = ?", "ib", QPW_I(what), id, size) : NULL;
    struct qpw_counts counts = {0};

    if (s && sqlite3_step(s) == SQLITE_ROW)
        counts = (struct qpw_counts){(uint64_t)sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1),
                                     (uint64_t)sqlite3_column_int64(s, 2), (uint64_t)sqlite3_column_int64(s, 3),
                                     (uint64_t)sqlite3_column_int64(s, 4)};
    return counts;
}

/* Subtract modulo 2^64: a sum may be below its earlier value. */
static void subtract(struct qpw_counts *from, const struct qpw_counts *what)
{
    from->connections -= what->connections;
    from->rx_packets -= what->rx_packets;
    from->rx_bytes -= what->rx_bytes;
    from->tx_packets -= what->tx_packets;
    from->tx_bytes -= what->tx_bytes;
}

/* ---- Map names of the past to the live numbers, adding new ones at the end ---- */

static int rule_of(struct qpw_snapshot *live, const struct qpw_snapshot *past, unsigned rule)
{
    const char *name = qpw_snapshot_rule(past, rule);
    struct qpw_rule_info *more;

    if (!*name)
        return 0;
    for (size_t i = 1; i < live->n_rules; i++)
        if (!strcmp(live->rules[i].name, name))
            return (int)i;
    if (!live->n_rules) { /* rules are numbered from 1 */
        if (!QPW_EXTEND(live->rules, 0, 1))
            return -ENOMEM;
        live->n_rules++;
    }
    more = QPW_EXTEND(live->rules, live->n_rules, 1);
    if (!more)
        return -ENOMEM;
    *more = past->rules[rule];
    more->in_force = 0;
    return (int)live->n_rules++;
}

static int peer_of(struct qpw_snapshot *live, const struct qpw_snapshot *past, unsigned peer)
{
    const char *name = qpw_snapshot_peer(past, peer);

    for (size_t i = 1; *name && i < live->n_peers; i++)
        if (!strcmp(live->peers[i].name, name))
            return (int)i;
    return 0; /* no longer a peer: its packets keep their verdict */
}

static int iface_of(struct qpw_snapshot *live, const struct qpw_snapshot *past, unsigned number)
{
    const char *name = qpw_snapshot_iface(past, number);
    unsigned highest = 0;
    struct qpw_iface_row *more;

    if (!*name)
        return 0;
    for (size_t i = 0; i < live->n_ifaces; i++) {
        if (!strcmp(live->ifaces[i].name, name))
            return live->ifaces[i].iface.number;
        if (live->ifaces[i].iface.number > highest)
            highest = live->ifaces[i].iface.number;
    }
    more = QPW_EXTEND(live->ifaces, live->n_ifaces, 1);
    if (!more)
        return -ENOMEM;
    *more = (struct qpw_iface_row){.iface.number = (uint16_t)(highest + 1), .hook = QPW_HOOK_NONE};
    snprintf(more->name, sizeof(more->name), "%s", name);
    live->n_ifaces++;
    return more->iface.number;
}

/* ---- Rows ---- */

static int add_meters(struct merge *m)
{
    struct qpw_snapshot *live = m->live;
    struct qpw_counts before;
    struct qpw_meter_row *more;
    int rule, iface;

    for (size_t i = 0; i < live->n_meters; i++) {
        before = counted(m, 0, &live->meters[i].key, (int)sizeof(live->meters[i].key));
        subtract(&live->meters[i].counts, &before);
    }
    more = QPW_EXTEND(live->meters, live->n_meters, m->past->n_meters);
    if (!more)
        return -ENOMEM;
    for (size_t i = 0; i < m->past->n_meters; i++, more++) {
        *more = m->past->meters[i];
        rule = rule_of(live, m->past, more->key.rule);
        iface = iface_of(live, m->past, more->key.iface);
        if (rule < 0 || iface < 0)
            return -ENOMEM;
        more->key.rule = (uint16_t)rule;
        more->key.iface = (uint16_t)iface;
        more->key.peer = (uint16_t)peer_of(live, m->past, more->key.peer);
        live->n_meters++;
    }
    return 0;
}

static int by_flow(const void *a, const void *b)
{
    uint64_t x = ((const struct qpw_finding_row *)a)->flow_id, y = ((const struct qpw_finding_row *)b)->flow_id;

    return x < y ? -1 : x > y;
}

/* Merge past findings: one that is still live gets its earlier counts, others are added. */
static int add_findings(struct merge *m)
{
    struct qpw_snapshot *live = m->live;
    size_t known = live->n_findings;
    struct qpw_finding_row *more = QPW_EXTEND(live->findings, known, m->past->n_findings), *same;
    struct qpw_counts before;
    int rule, iface;

    if (!more)
        return -ENOMEM;
    qsort(live->findings, known, sizeof(*more), by_flow);
    for (size_t i = 0; i < m->past->n_findings; i++) {
        const struct qpw_finding_row *past = &m->past->findings[i];

        same = bsearch(past, live->findings, known, sizeof(*same), by_flow);
        if (same) {
            before = counted(m, 1, &past->flow_id, (int)sizeof(past->flow_id));
            subtract(&same->counts, &before);
            qpw_counts_add(&same->counts, &past->counts);
            qpw_earlier(&same->first_unix_ns, past->first_unix_ns);
            continue;
        }
        rule = rule_of(live, m->past, past->value.rule);
        iface = iface_of(live, m->past, past->value.iface);
        if (rule < 0 || iface < 0)
            return -ENOMEM;
        *more = *past;
        more->value.rule = (uint16_t)rule;
        more->value.iface = (uint16_t)iface;
        more->value.peer = (uint16_t)peer_of(live, m->past, past->value.peer);
        live->n_findings++;
        more++;
    }
    return 0;
}

/* Add the records that precede the first one of the live side. */
static int add_records(struct merge *m)
{
    struct qpw_snapshot *live = m->live;
    uint64_t first = live->n_coverage ? live->coverage[0].unix_ns : UINT64_MAX;
    struct qpw_coverage *all;
    size_t n = 0;
    int iface;

    while (n < m->past->n_coverage && m->past->coverage[n].unix_ns < first)
        n++;
    all = calloc(n + live->n_coverage + 1, sizeof(*all));
    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        all[i] = m->past->coverage[i];
        iface = iface_of(live, m->past, all[i].iface);
        all[i].iface = iface > 0 ? (uint16_t)iface : 0;
    }
    if (live->n_coverage)
        memcpy(all + n, live->coverage, live->n_coverage * sizeof(*all));
    free(live->coverage);
    live->coverage = all;
    live->n_coverage += n;
    return 0;
}

int qpw_history_reach_back(struct qpw_history_reader *r, int64_t since, struct qpw_snapshot *live, struct qpw_snapshot *ret_past,
                           struct qpw_error *err)
{
    struct qpw_history_window window = {.since = since};
    struct merge m = {.r = r, .live = live, .past = ret_past};
    int code = qpw_db_run(&r->db, "BEGIN", ""); /* one consistent state, even while it is being written */

    if (code < 0)
        return qpw_history_fail(r, code, err);
    code = qpw_history_snapshot(r, &window, live->unix_ns, ret_past, err);
    m.known = qpw_db_number(&r->db, 0, "SELECT attached_ns = ? FROM epoch ORDER BY id DESC LIMIT 1", "i", QPW_I(live->meta.attached_unix_ns)) == 1;
    if (code == 0) {
        if (add_meters(&m) < 0 || add_findings(&m) < 0 || add_records(&m) < 0)
            code = qpw_fail(err, -ENOMEM, "out of memory");
        live->from_unix_ns = ret_past->from_unix_ns < live->from_unix_ns ? ret_past->from_unix_ns : live->from_unix_ns;
    }
    qpw_db_run(&r->db, "COMMIT", "");
    return code;
}
