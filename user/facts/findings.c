/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts/findings.h"
#include "facts/findings_lines.h"
#include "facts/life.h"

unsigned qpw_finding_rank(const struct qpw_finding_row *f)
{
    bool answered = qpw_finding_answered(f), noise = f->value.flags & QPW_FINDING_MULTICAST;

    if (!qpw_finding_open(f))
        return 0;
    switch (f->key.verdict) {
    case QPW_VERDICT_UNEXPECTED:
        if (noise)
            return 8;
        if (answered && f->key.direction == QPW_DIR_OUTBOUND)
            return f->program_seen == QPW_PROGRAM_NEW ? 14 : 13;
        if (answered)
            return f->key.direction == QPW_DIR_INBOUND ? 15 : 12;
        return f->key.direction == QPW_DIR_OUTBOUND ? 11 : f->value.outcome == QPW_OUTCOME_REFUSED ? 9 : 10;
    case QPW_VERDICT_MISMATCH:
        return 7;
    case QPW_VERDICT_WEAK:
        return answered ? 6 : 5;
    case QPW_VERDICT_UNDECIDED:
        return 4;
    case QPW_VERDICT_IMPLIED:
        return answered ? 3 : 2;
    default:
        return 1;
    }
}

static int by_packets(const void *a, const void *b)
{
    const struct qpw_detail_row *x = *(const struct qpw_detail_row *const *)a;
    const struct qpw_detail_row *y = *(const struct qpw_detail_row *const *)b;

    if (x->packets != y->packets)
        return x->packets < y->packets ? 1 : -1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int make_details(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_findings *r)
{
    r->details = calloc(s->n_details + 1, sizeof(*r->details));
    if (!r->details)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_details; i++)
        if (s->details[i].last_unix_ns >= since_unix_ns)
            r->details[r->n_details++] = &s->details[i];
    qsort(r->details, r->n_details, sizeof(*r->details), by_packets);
    return 0;
}

static int make_rows(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_findings *r)
{
    r->rows = calloc(s->n_findings + 1, sizeof(*r->rows));
    if (!r->rows)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];

        if (qpw_finding_news(f) < since_unix_ns)
            continue;
        r->rows[r->n_rows++] = f;
        if (f->key.verdict != QPW_VERDICT_UNEXPECTED || !qpw_finding_open(f))
            continue;
        r->unexpected++;
        r->answered += qpw_finding_answered(f);
    }
    qsort(r->rows, r->n_rows, sizeof(*r->rows), qpw_findings_by_rank);
    return 0;
}

static void count_past(struct qpw_findings *r)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        struct qpw_finding_life life = qpw_finding_life(r->rows[i]);
        bool superseded = life.by == QPW_CLOSED_BY_SUPERSEDED;

        r->n_superseded += superseded;
        r->n_acknowledged += !superseded && life.state == QPW_FINDING_ACKNOWLEDGED;
        r->n_closed += !superseded && life.state == QPW_FINDING_CLOSED;
    }
}

static int make_found(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_findings *made)
{
    int r = make_details(s, since_unix_ns, made);

    if (r < 0)
        return r;
    r = make_rows(s, since_unix_ns, made);
    if (r < 0)
        return r;
    return qpw_findings_make_lines(made);
}

int qpw_findings_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_findings *ret)
{
    struct qpw_findings made = {0};
    int r = make_found(s, since_unix_ns, &made);

    if (r < 0) {
        qpw_findings_clear(&made);
        return r;
    }
    count_past(&made);
    *ret = made;
    return 0;
}

void qpw_findings_clear(struct qpw_findings *f)
{
    free(f->rows);
    free(f->lines);
    free(f->members);
    free(f->past);
    free(f->past_members);
    free(f->details);
    memset(f, 0, sizeof(*f));
}

size_t qpw_details_busiest(const struct qpw_snapshot *s, const struct qpw_detail_row **ret, size_t most)
{
    size_t n = 0, at;

    for (size_t i = 0; i < s->n_details; i++) {
        const struct qpw_detail_row *row = &s->details[i];

        for (at = 0; at < n && ret[at]->packets >= row->packets; at++)
            ;
        if (row->key.by_prefix || at == most)
            continue;
        n += n < most;
        memmove(&ret[at + 1], &ret[at], (n - 1 - at) * sizeof(*ret));
        ret[at] = row;
    }
    return n;
}
