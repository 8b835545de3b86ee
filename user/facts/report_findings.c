/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts/report.h"

/* So many unanswered findings with one remote end, or of one port, become one line. */
#define FOLD_FROM 8

unsigned qpw_report_worry(const struct qpw_finding_row *f)
{
    bool answered = f->value.outcome >= QPW_OUTCOME_ANSWERED, noise = f->value.flags & QPW_FINDING_MULTICAST;

    if (f->value.flags & QPW_FINDING_SUPERSEDED)
        return 0;
    switch (f->key.verdict) {
    case QPW_VERDICT_UNEXPECTED:
        if (noise)
            return 7;
        if (answered)
            return f->key.direction == QPW_DIR_INBOUND ? 13 : f->key.direction == QPW_DIR_OUTBOUND ? 12 : 11;
        return f->key.direction == QPW_DIR_OUTBOUND ? 10 : f->value.outcome == QPW_OUTCOME_REFUSED ? 8 : 9;
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

static int by_worry(const void *a, const void *b)
{
    const struct qpw_finding_row *x = *(const struct qpw_finding_row *const *)a;
    const struct qpw_finding_row *y = *(const struct qpw_finding_row *const *)b;
    unsigned left = qpw_report_worry(x), right = qpw_report_worry(y);

    if (left != right)
        return left < right ? 1 : -1;
    if (x->last_unix_ns != y->last_unix_ns)
        return x->last_unix_ns < y->last_unix_ns ? 1 : -1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int by_line(const void *a, const void *b)
{
    const struct qpw_report_line *x = a, *y = b;

    if (x->worry != y->worry)
        return x->worry < y->worry ? 1 : -1;
    if (x->last_unix_ns != y->last_unix_ns)
        return x->last_unix_ns < y->last_unix_ns ? 1 : -1;
    return memcmp(&x->first->key, &y->first->key, sizeof(x->first->key));
}

typedef int (*compare)(const void *, const void *);

static const uint8_t *remote_end(const struct qpw_finding_key *key)
{
    return key->direction == QPW_DIR_OUTBOUND ? key->responder : key->initiator;
}

/* Same verdict, direction and remote end: one that knocks at many doors, or at whose doors the node does. */
static int by_remote(const void *a, const void *b)
{
    const struct qpw_finding_key *x = &(*(const struct qpw_finding_row *const *)a)->key;
    const struct qpw_finding_key *y = &(*(const struct qpw_finding_row *const *)b)->key;

    if (x->verdict != y->verdict || x->direction != y->direction)
        return x->verdict != y->verdict ? x->verdict - y->verdict : x->direction - y->direction;
    return memcmp(remote_end(x), remote_end(y), 16);
}

/* Same verdict, direction and port: many that knock at one door. */
static int by_port(const void *a, const void *b)
{
    const struct qpw_finding_key *x = &(*(const struct qpw_finding_row *const *)a)->key;
    const struct qpw_finding_key *y = &(*(const struct qpw_finding_row *const *)b)->key;

    if (x->port != y->port)
        return x->port - y->port;
    if (x->kind != y->kind || x->protocol != y->protocol)
        return x->kind != y->kind ? x->kind - y->kind : x->protocol - y->protocol;
    return x->verdict != y->verdict ? x->verdict - y->verdict : x->direction - y->direction;
}

static void begin_line(struct qpw_report_line *line, const struct qpw_finding_row *f)
{
    *line = (struct qpw_report_line){.first = f, .findings = 1, .ports = 1, .initiators = 1, .responders = 1,
                                     .counts = f->counts, .first_unix_ns = f->first_unix_ns,
                                     .last_unix_ns = f->last_unix_ns, .worry = qpw_report_worry(f)};
}

static void extend_line(struct qpw_report_line *line, const struct qpw_finding_row *f)
{
    line->findings++;
    line->counts.connections += f->counts.connections;
    line->counts.rx_packets += f->counts.rx_packets;
    line->counts.rx_bytes += f->counts.rx_bytes;
    line->counts.tx_packets += f->counts.tx_packets;
    line->counts.tx_bytes += f->counts.tx_bytes;
    if (f->first_unix_ns < line->first_unix_ns) {
        line->first_unix_ns = f->first_unix_ns;
        line->first = f;
    }
    if (f->last_unix_ns > line->last_unix_ns)
        line->last_unix_ns = f->last_unix_ns;
    if (qpw_report_worry(f) > line->worry)
        line->worry = qpw_report_worry(f);
}

static int by_number(const void *a, const void *b)
{
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : *(const uint32_t *)a > *(const uint32_t *)b;
}

static int by_address(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static size_t distinct(void *items, size_t count, size_t size, compare order)
{
    size_t different = count > 0;

    qsort(items, count, size, order);
    for (size_t i = 1; i < count; i++)
        different += order((char *)items + i * size, (char *)items + (i - 1) * size) != 0;
    return different;
}

/* How many different ports and addresses there are among the findings of a line. */
static int count_distinct(struct qpw_report_line *line, const struct qpw_finding_row *const *f, size_t count)
{
    uint8_t(*addresses)[16] = malloc(count * sizeof(*addresses));
    uint32_t *ports = malloc(count * sizeof(*ports));

    if (!addresses || !ports) {
        free(addresses);
        free(ports);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        ports[i] = (uint32_t)f[i]->key.kind << 24 | (uint32_t)f[i]->key.protocol << 16 | f[i]->key.port;
    line->ports = distinct(ports, count, sizeof(*ports), by_number);
    if (ports[0] >> 16 == ports[count - 1] >> 16) {
        line->low_port = ports[0] & 0xffff;
        line->high_port = ports[count - 1] & 0xffff;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(addresses[i], f[i]->key.initiator, 16);
    line->initiators = distinct(addresses, count, 16, by_address);
    for (size_t i = 0; i < count; i++)
        memcpy(addresses[i], f[i]->key.responder, 16);
    line->responders = distinct(addresses, count, 16, by_address);
    free(addresses);
    free(ports);
    return 0;
}

/*
 * Makes lines of groups that are alike by `order` and large enough, moving what is left to the
 * front of `f`; returns how many are left, or -ENOMEM.
 */
static ssize_t fold(struct qpw_report *r, const struct qpw_finding_row **f, size_t count, compare order)
{
    size_t left = 0, end;

    if (count)
        qsort(f, count, sizeof(*f), order);
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && !order(&f[i], &f[end]); end++)
            ;
        if (end - i < FOLD_FROM) {
            memmove(&f[left], &f[i], (end - i) * sizeof(*f));
            left += end - i;
            continue;
        }
        begin_line(&r->lines[r->n_lines], f[i]);
        for (size_t j = i + 1; j < end; j++)
            extend_line(&r->lines[r->n_lines], f[j]);
        if (count_distinct(&r->lines[r->n_lines++], f + i, end - i) < 0)
            return -ENOMEM;
    }
    return left;
}

static int make_lines(struct qpw_report *r)
{
    const struct qpw_finding_row **rest = calloc(r->n_findings + 1, sizeof(*rest));
    ssize_t left = 0;

    r->lines = calloc(r->n_findings + 1, sizeof(*r->lines));
    if (!rest || !r->lines) {
        free(rest);
        return -ENOMEM;
    }
    for (size_t i = 0; i < r->n_findings; i++) {
        if (!qpw_report_worry(r->findings[i]))
            continue;
        if (r->findings[i]->value.outcome < QPW_OUTCOME_ANSWERED) /* what was answered is never folded */
            rest[left++] = r->findings[i];
        else
            begin_line(&r->lines[r->n_lines++], r->findings[i]);
    }
    left = fold(r, rest, left, by_remote);
    if (left >= 0)
        left = fold(r, rest, left, by_port);
    for (ssize_t i = 0; i < left; i++)
        begin_line(&r->lines[r->n_lines++], rest[i]);
    free(rest);
    if (left < 0)
        return left;
    if (r->n_lines)
        qsort(r->lines, r->n_lines, sizeof(*r->lines), by_line);
    return 0;
}

static int by_packets(const void *a, const void *b)
{
    const struct qpw_detail_row *x = *(const struct qpw_detail_row *const *)a;
    const struct qpw_detail_row *y = *(const struct qpw_detail_row *const *)b;

    if (x->packets != y->packets)
        return x->packets < y->packets ? 1 : -1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int make_details(struct qpw_report *r)
{
    r->details = calloc(r->s->n_details + 1, sizeof(*r->details));
    if (!r->details)
        return -ENOMEM;
    for (size_t i = 0; i < r->s->n_details; i++)
        if (r->s->details[i].last_unix_ns >= r->since_unix_ns)
            r->details[r->n_details++] = &r->s->details[i];
    qsort(r->details, r->n_details, sizeof(*r->details), by_packets);
    return 0;
}

int qpw_report_make_findings(struct qpw_report *r)
{
    int rc = make_details(r);

    if (rc < 0)
        return rc;
    r->findings = calloc(r->s->n_findings + 1, sizeof(*r->findings));
    if (!r->findings)
        return -ENOMEM;
    for (size_t i = 0; i < r->s->n_findings; i++) {
        const struct qpw_finding_row *f = &r->s->findings[i];

        if (f->last_unix_ns < r->since_unix_ns)
            continue;
        r->findings[r->n_findings++] = f;
        if (f->key.verdict != QPW_VERDICT_UNEXPECTED || f->value.flags & QPW_FINDING_SUPERSEDED)
            continue;
        r->n_unexpected++;
        r->n_answered += f->value.outcome >= QPW_OUTCOME_ANSWERED;
    }
    qsort(r->findings, r->n_findings, sizeof(*r->findings), by_worry);
    return make_lines(r);
}
