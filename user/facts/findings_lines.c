/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The order of findings, and which of them share a line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts/findings.h"
#include "facts/findings_lines.h"
#include "facts/life.h"
#include "facts/service.h"

/* Minimum number of unanswered findings with one remote end, or on one port, to fold into one line. */
#define FOLD_FROM 8

/* The same for broadcasts and multicasts. */
#define FOLD_NOISE_FROM 3

/* The same for answered exchanges of one service. */
#define FOLD_SERVICE_FROM 2

/*
 * Return the section of a rank: unexpected, mismatch, weak, undecided, implied, others, and last the findings that are not open.
 */
static unsigned section(unsigned rank)
{
    return rank >= 8 ? 6 : rank == 7 ? 5 : rank >= 5 ? 4 : rank >= 4 ? 3 : rank >= 2 ? 2 : rank;
}

/* Compare by section, severity and rank. < 0: x sorts first. */
static int compare_ranks(unsigned rank_x, unsigned severity_x, unsigned rank_y, unsigned severity_y)
{
    if (section(rank_x) != section(rank_y))
        return section(rank_x) > section(rank_y) ? -1 : 1;
    if (rank_x && severity_x != severity_y)
        return severity_x < severity_y ? -1 : 1;
    return rank_x == rank_y ? 0 : rank_x > rank_y ? -1 : 1;
}

int qpw_findings_by_rank(const void *a, const void *b)
{
    const struct qpw_finding_row *x = *(const struct qpw_finding_row *const *)a;
    const struct qpw_finding_row *y = *(const struct qpw_finding_row *const *)b;
    int r = compare_ranks(qpw_finding_rank(x), qpw_finding_severity(x), qpw_finding_rank(y), qpw_finding_severity(y));

    if (r)
        return r;
    if (x->last_unix_ns != y->last_unix_ns)
        return x->last_unix_ns < y->last_unix_ns ? 1 : -1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int by_line(const void *a, const void *b)
{
    const struct qpw_finding_line *x = a, *y = b;
    int r = compare_ranks(x->rank, qpw_finding_line_severity(x), y->rank, qpw_finding_line_severity(y));

    if (r)
        return r;
    if (x->last_unix_ns != y->last_unix_ns)
        return x->last_unix_ns < y->last_unix_ns ? 1 : -1;
    return memcmp(&x->first->key, &y->first->key, sizeof(x->first->key));
}

typedef int (*compare)(const void *, const void *);

static int is_noise(const void *a)
{
    return ((*(const struct qpw_finding_row *const *)a)->value.flags & QPW_FINDING_MULTICAST) != 0;
}

/*
 * Equal: same verdict, direction and remote end, as when one host probes many ports. Broadcast and multicast sort
 * apart.
 */
static int by_remote(const void *a, const void *b)
{
    const struct qpw_finding_key *x = &(*(const struct qpw_finding_row *const *)a)->key;
    const struct qpw_finding_key *y = &(*(const struct qpw_finding_row *const *)b)->key;

    if (x->verdict != y->verdict || x->direction != y->direction)
        return x->verdict != y->verdict ? x->verdict - y->verdict : x->direction - y->direction;
    if (is_noise(a) != is_noise(b))
        return is_noise(a) - is_noise(b);
    return memcmp(qpw_finding_remote(x), qpw_finding_remote(y), 16);
}

/* Equal: same verdict, direction and port, as when many hosts probe one port. */
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

/* Equal: broadcast and multicast of one verdict. All others differ. */
static int by_noise(const void *a, const void *b)
{
    const struct qpw_finding_key *x = &(*(const struct qpw_finding_row *const *)a)->key;
    const struct qpw_finding_key *y = &(*(const struct qpw_finding_row *const *)b)->key;

    if (is_noise(a) && is_noise(b))
        return x->verdict != y->verdict ? x->verdict - y->verdict : x->direction - y->direction;
    return is_noise(a) != is_noise(b) ? is_noise(b) - is_noise(a) : memcmp(x, y, sizeof(*x));
}

/* Equal: exchanges of one service. Findings without a service all differ. */
static int by_service(const void *a, const void *b)
{
    const struct qpw_finding_row *x = *(const struct qpw_finding_row *const *)a;
    const struct qpw_finding_row *y = *(const struct qpw_finding_row *const *)b;
    struct qpw_service left, right;
    bool of_one = qpw_finding_service(x, &left), of_other = qpw_finding_service(y, &right);

    if (of_one && of_other)
        return memcmp(&left, &right, sizeof(left));
    if (of_one != of_other)
        return of_one ? -1 : 1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* Start a line with its first finding. */
static void begin_line(struct qpw_finding_line *line, const struct qpw_finding_row *f)
{
    *line = (struct qpw_finding_line){.first = f,
                                      .findings = 1,
                                      .ports = 1,
                                      .initiators = 1,
                                      .responders = 1,
                                      .remotes = 1,
                                      .counts = f->counts,
                                      .first_unix_ns = f->first_unix_ns,
                                      .last_unix_ns = f->last_unix_ns,
                                      .rank = qpw_finding_rank(f),
                                      .outcome = f->value.outcome};
}

static void extend_line(struct qpw_finding_line *line, const struct qpw_finding_row *f)
{
    line->findings++;
    line->both_ways |= f->key.direction != line->first->key.direction;
    qpw_counts_add(&line->counts, &f->counts);
    if (f->first_unix_ns < line->first_unix_ns) {
        line->first_unix_ns = f->first_unix_ns;
        line->first = f;
    }
    if (f->last_unix_ns > line->last_unix_ns)
        line->last_unix_ns = f->last_unix_ns;
    if (qpw_finding_rank(f) > line->rank)
        line->rank = qpw_finding_rank(f);
    if (f->value.outcome > line->outcome)
        line->outcome = f->value.outcome;
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

/* Count the distinct ports and addresses among the findings of a line. Return 0 or -ENOMEM. */
static int count_distinct(struct qpw_finding_line *line, const struct qpw_finding_row *const *f, size_t count)
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
    for (size_t i = 0; i < count; i++)
        memcpy(addresses[i], qpw_finding_remote(&f[i]->key), 16);
    line->remotes = distinct(addresses, count, 16, by_address);
    free(addresses);
    free(ports);
    return 0;
}

/* Destination of lines and their members: the open ones, or the past ones. */
struct sink {
    struct qpw_finding_line *lines;
    size_t *n_lines;
    const struct qpw_finding_row **members;
    size_t *n_members;
};

static struct sink open_sink(struct qpw_findings *found)
{
    return (struct sink){found->lines, &found->n_lines, found->members, &found->n_members};
}

static struct sink past_sink(struct qpw_findings *found)
{
    return (struct sink){found->past, &found->n_past, found->past_members, &found->n_past_members};
}

/* Add one line for these findings. Return 0 or -ENOMEM. */
static int add_line(const struct sink *to, const struct qpw_finding_row *const *f, size_t count, bool service)
{
    struct qpw_finding_line *line = &to->lines[(*to->n_lines)++];

    begin_line(line, f[0]);
    for (size_t i = 1; i < count; i++)
        extend_line(line, f[i]);
    line->service = service;
    line->members = &to->members[*to->n_members];
    memcpy(line->members, f, count * sizeof(*f));
    *to->n_members += count;
    return count > 1 ? count_distinct(line, f, count) : 0;
}

static int by_program(const void *a, const void *b, void *unknown)
{
    const struct qpw_finding_row *x = *(const struct qpw_finding_row *const *)a,
                                 *y = *(const struct qpw_finding_row *const *)b;
    uint64_t as = *(const uint64_t *)unknown, left = x->value.owner.exe ? x->value.owner.exe : as,
             right = y->value.owner.exe ? y->value.owner.exe : as;

    if (left != right)
        return left < right ? -1 : 1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

/*
 * Sort by program and return the size of the first group, because another program on the same port is a service of its
 * own. A finding whose program is unknown is taken to be of the earliest known one.
 */
static size_t of_one_program(const struct qpw_finding_row **f, size_t count)
{
    const struct qpw_finding_row *first = NULL;
    uint64_t unknown;
    size_t n = 1;

    for (size_t i = 0; i < count; i++)
        if (f[i]->value.owner.exe && (!first || f[i]->first_unix_ns < first->first_unix_ns))
            first = f[i];
    unknown = first ? first->value.owner.exe : 0;
    qsort_r(f, count, sizeof(*f), by_program, &unknown);
    while (n < count && (f[n]->value.owner.exe ? f[n]->value.owner.exe : unknown) ==
                            (f[0]->value.owner.exe ? f[0]->value.owner.exe : unknown))
        n++;
    return n;
}

/*
 * Fold each large enough group of findings that are equal by `order` into a line, and move the rest to the front of
 * `f`. Return the number of the rest, or -ENOMEM.
 */
static ssize_t fold(const struct sink *to, const struct qpw_finding_row **f, size_t count, compare order)
{
    size_t from = order == by_service ? FOLD_SERVICE_FROM
                  : order == by_noise ? FOLD_NOISE_FROM
                                      : FOLD_FROM,
           left = 0, end;

    if (count)
        qsort(f, count, sizeof(*f), order);
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && !order(&f[i], &f[end]); end++)
            ;
        if (order == by_service)
            end = i + of_one_program(f + i, end - i);
        if (end - i < from) {
            memmove(&f[left], &f[i], (end - i) * sizeof(*f));
            left += end - i;
            continue;
        }
        if (add_line(to, f + i, end - i, order == by_service) < 0)
            return -ENOMEM;
    }
    return left;
}

/* Add lines for the first `left` findings of rest, all answered or all unanswered. Sorts rest. Return 0 or -ENOMEM. */
static int lines_of(const struct sink *to, const struct qpw_finding_row **rest, ssize_t left, bool answered)
{
    left = fold(to, rest, left, answered ? by_service : by_noise);
    if (left > 0 && !answered)
        left = fold(to, rest, left, by_remote);
    if (left > 0 && !answered)
        left = fold(to, rest, left, by_port);
    for (ssize_t i = 0; i < left; i++)
        add_line(to, &rest[i], 1, /* service= */ false);
    return left < 0 ? (int)left : 0;
}

/*
 * Collect the findings in this state and answered or not; return their number. Superseded ones are omitted, because
 * they were judged again.
 */
static size_t rows_in(const struct qpw_findings *found, unsigned state, bool answered, const struct qpw_finding_row **ret)
{
    size_t n = 0;

    for (size_t i = 0; i < found->n_rows; i++) {
        struct qpw_finding_life life = qpw_finding_life(found->rows[i]);

        if (life.state == state && life.by != QPW_CLOSED_BY_SUPERSEDED && qpw_finding_answered(found->rows[i]) == answered)
            ret[n++] = found->rows[i];
    }
    return n;
}

/* Return the time of the latest life-cycle step among the findings of a line. */
static uint64_t last_step(const struct qpw_finding_line *line)
{
    uint64_t last = 0;

    for (size_t i = 0; i < line->findings; i++) {
        uint64_t when = qpw_finding_life(line->members[i]).when_unix_ns;

        last = when > last ? when : last;
    }
    return last;
}

/* Acknowledged before closed, answered before unanswered, latest step first. */
static int by_past(const void *a, const void *b)
{
    const struct qpw_finding_line *x = a, *y = b;
    unsigned state_x = qpw_finding_life(x->first).state, state_y = qpw_finding_life(y->first).state;
    bool answered_x = x->outcome >= QPW_OUTCOME_ANSWERED, answered_y = y->outcome >= QPW_OUTCOME_ANSWERED;
    uint64_t step_x = last_step(x), step_y = last_step(y);

    if (state_x != state_y)
        return state_x < state_y ? -1 : 1;
    if (answered_x != answered_y)
        return answered_x ? -1 : 1;
    if (step_x != step_y)
        return step_x > step_y ? -1 : 1;
    return memcmp(&x->first->key, &y->first->key, sizeof(x->first->key));
}

static void sort_past(struct qpw_findings *found)
{
    if (found->n_past)
        qsort(found->past, found->n_past, sizeof(*found->past), by_past);
    found->n_past_acknowledged = 0;
    for (size_t i = 0; i < found->n_past; i++)
        found->n_past_acknowledged += qpw_finding_life(found->past[i].first).state == QPW_FINDING_ACKNOWLEDGED;
}

int qpw_findings_make_lines(struct qpw_findings *found)
{
    const struct qpw_finding_row **rest = calloc(found->n_rows + 1, sizeof(*rest));
    static const uint8_t past[] = {QPW_FINDING_ACKNOWLEDGED, QPW_FINDING_CLOSED};
    struct sink to, to_past;
    int result = 0;

    found->lines = calloc(found->n_rows + 1, sizeof(*found->lines));
    found->members = calloc(found->n_rows + 1, sizeof(*found->members));
    found->past = calloc(found->n_rows + 1, sizeof(*found->past));
    found->past_members = calloc(found->n_rows + 1, sizeof(*found->past_members));
    if (!rest || !found->lines || !found->members || !found->past || !found->past_members)
        result = -ENOMEM;
    to = open_sink(found);
    to_past = past_sink(found);
    for (int answered = 1; result == 0 && answered >= 0; answered--) {
        result = lines_of(&to, rest, (ssize_t)rows_in(found, QPW_FINDING_OPEN, answered, rest), answered);
        for (size_t i = 0; result == 0 && i < sizeof(past); i++)
            result = lines_of(&to_past, rest, (ssize_t)rows_in(found, past[i], answered, rest), answered);
    }
    free(rest);
    if (result < 0)
        return result;
    if (found->n_lines)
        qsort(found->lines, found->n_lines, sizeof(*found->lines), by_line);
    sort_past(found);
    return 0;
}

struct ordering {
    qpw_finding_order order;
    void *arg;
};

static int by_ordering(const void *a, const void *b, void *ordering)
{
    const struct qpw_finding_row *x = *(const struct qpw_finding_row *const *)a;
    const struct qpw_finding_row *y = *(const struct qpw_finding_row *const *)b;
    const struct ordering *o = ordering;
    int r = o->order(x, y, o->arg);

    return r ? r : qpw_findings_by_rank(a, b);
}

/* Add one line for each set of the first n rows that the order considers equal. Sorts rows. Return 0 or -ENOMEM. */
static int regroup(const struct sink *to, const struct qpw_finding_row **rows, size_t n, struct ordering *o)
{
    size_t end;
    int r = 0;

    if (n)
        qsort_r(rows, n, sizeof(*rows), by_ordering, o);
    for (size_t i = 0; r == 0 && i < n; i = end) {
        for (end = i + 1; end < n && !o->order(rows[i], rows[end], o->arg); end++)
            ;
        r = add_line(to, rows + i, end - i, /* service= */ false);
    }
    return r;
}

int qpw_findings_regroup(struct qpw_findings *f, qpw_finding_order order, void *arg)
{
    static const uint8_t past[] = {QPW_FINDING_ACKNOWLEDGED, QPW_FINDING_CLOSED};
    struct ordering ordering = {order, arg};
    const struct qpw_finding_row **rows = calloc(f->n_rows + 1, sizeof(*rows));
    struct sink to = open_sink(f), to_past = past_sink(f);
    size_t n;
    int r = rows ? 0 : -ENOMEM;

    f->n_lines = f->n_members = f->n_past = f->n_past_members = 0;
    if (r == 0) {
        n = rows_in(f, QPW_FINDING_OPEN, /* answered= */ true, rows);
        n += rows_in(f, QPW_FINDING_OPEN, /* answered= */ false, rows + n);
        r = regroup(&to, rows, n, &ordering);
    }
    for (size_t i = 0; r == 0 && i < sizeof(past); i++) {
        n = rows_in(f, past[i], /* answered= */ true, rows);
        n += rows_in(f, past[i], /* answered= */ false, rows + n);
        r = regroup(&to_past, rows, n, &ordering);
    }
    free(rows);
    if (f->n_lines)
        qsort(f->lines, f->n_lines, sizeof(*f->lines), by_line);
    sort_past(f);
    return r;
}

unsigned qpw_finding_line_severity(const struct qpw_finding_line *line)
{
    unsigned worst = QPW_SEVERITY_INFO;

    for (size_t i = 0; i < line->findings; i++) {
        unsigned severity = qpw_finding_severity(line->members[i]);

        worst = severity < worst ? severity : worst;
    }
    return worst;
}
