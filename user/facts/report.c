/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct qpw_report_sum qpw_report_sum_of(const struct qpw_counts *counts)
{
    return (struct qpw_report_sum){counts->rx_packets + counts->tx_packets, counts->rx_bytes + counts->tx_bytes};
}

const char *qpw_report_rule_name(const struct qpw_snapshot *s, unsigned rule)
{
    return rule && rule < s->n_rules ? s->rules[rule].name : "";
}

const char *qpw_report_peer_name(const struct qpw_snapshot *s, unsigned peer)
{
    return peer && peer < s->n_peers ? s->peers[peer].name : "";
}

const char *qpw_report_iface_name(const struct qpw_snapshot *s, unsigned number)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].iface.number == number)
            return s->ifaces[i].name;
    return "";
}

static void add(struct qpw_report_sum *to, struct qpw_report_sum more)
{
    to->packets += more.packets;
    to->bytes += more.bytes;
}

static void make_totals(struct qpw_report *r)
{
    for (size_t i = 0; i < r->s->n_meters; i++) {
        const struct qpw_meter_row *row = &r->s->meters[i];
        struct qpw_report_sum sum = qpw_report_sum_of(&row->counts);
        unsigned verdict = row->key.verdict < QPW_VERDICT_COUNT ? row->key.verdict : QPW_VERDICT_NONE;
        unsigned direction = row->key.direction < QPW_DIR_COUNT ? row->key.direction : QPW_DIR_UNKNOWN;

        add(&r->total, sum);
        add(&r->by_verdict[verdict], sum);
        add(&r->by_direction[direction], sum);
        if (row->key.reason < QPW_REASON_COUNT && verdict == QPW_VERDICT_UNDECIDED)
            add(&r->undecided[row->key.reason], sum);
        if (row->key.reason < QPW_REASON_COUNT && verdict == QPW_VERDICT_TRANSIT)
            add(&r->transit[row->key.reason], sum);
    }
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        r->losses += r->s->losses[i];
}

static int by_meter_key(const void *a, const void *b)
{
    return memcmp(&((const struct qpw_report_meter *)a)->key, &((const struct qpw_report_meter *)b)->key,
                  sizeof(struct qpw_meter_key));
}

static int by_bytes(const void *a, const void *b)
{
    const struct qpw_report_meter *x = a, *y = b;
    uint64_t left = qpw_report_sum_of(&x->counts).bytes, right = qpw_report_sum_of(&y->counts).bytes;

    return left != right ? (left < right ? 1 : -1) : by_meter_key(a, b);
}

static int make_meters(struct qpw_report *r)
{
    size_t kept = 0;

    r->meters = calloc(r->s->n_meters + 1, sizeof(*r->meters));
    if (!r->meters)
        return -ENOMEM;
    for (size_t i = 0; i < r->s->n_meters; i++) {
        r->meters[i].key = r->s->meters[i].key;
        r->meters[i].key.reason = r->meters[i].key.peer = 0;
        r->meters[i].counts = r->s->meters[i].counts;
        r->meters[i].first_unix_ns = r->s->meters[i].first_unix_ns;
    }
    qsort(r->meters, r->s->n_meters, sizeof(*r->meters), by_meter_key);
    for (size_t i = 0; i < r->s->n_meters; i++) {
        struct qpw_report_meter *last = kept ? &r->meters[kept - 1] : NULL, *next = &r->meters[i];

        if (!last || by_meter_key(last, next)) {
            r->meters[kept++] = *next;
            continue;
        }
        last->counts.connections += next->counts.connections;
        last->counts.rx_packets += next->counts.rx_packets;
        last->counts.rx_bytes += next->counts.rx_bytes;
        last->counts.tx_packets += next->counts.tx_packets;
        last->counts.tx_bytes += next->counts.tx_bytes;
        if (next->first_unix_ns && (!last->first_unix_ns || next->first_unix_ns < last->first_unix_ns))
            last->first_unix_ns = next->first_unix_ns;
    }
    r->n_meters = kept;
    qsort(r->meters, kept, sizeof(*r->meters), by_bytes);
    return 0;
}

int qpw_report_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_report *ret)
{
    struct qpw_report r = {.s = s, .since_unix_ns = since_unix_ns};
    int rc;

    make_totals(&r);
    rc = make_meters(&r);
    rc = rc ? rc : qpw_report_make_findings(&r);
    rc = rc ? rc : qpw_report_make_peers(&r);
    rc = rc ? rc : qpw_report_make_rules(&r);
    rc = rc ? rc : qpw_report_make_gaps(&r);
    if (rc < 0) {
        qpw_report_clear(&r);
        return rc;
    }
    *ret = r;
    return 0;
}

void qpw_report_clear(struct qpw_report *r)
{
    free(r->meters);
    free(r->findings);
    free(r->lines);
    free(r->details);
    free(r->peers);
    free(r->rules);
    free(r->gaps);
    memset(r, 0, sizeof(*r));
}
