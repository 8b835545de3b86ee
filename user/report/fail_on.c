/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/fail_on.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words/words.h"
#include "util/names.h"
#include "util/near.h"

static const struct {
    const char *text;
    struct qpw_condition condition;
} words[] = {
    {"gap", {.kind = QPW_FAIL_GAP}},
    {"blind", {.kind = QPW_FAIL_BLIND}},
    {"high", {.kind = QPW_FAIL_SEVERITY, .severity = QPW_SEVERITY_HIGH}},
    {"medium", {.kind = QPW_FAIL_SEVERITY, .severity = QPW_SEVERITY_MEDIUM}},
    {"answered", {.kind = QPW_FAIL_ANSWERED}},
    {"new", {.kind = QPW_FAIL_NEW}},
};

static int parse_percent(const char *text, double *ret)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return -EINVAL;
    *ret = strtod(text, &end);
    if (*end == '%')
        end++;
    return *end || *ret > 100 ? -EINVAL : 0;
}

int qpw_condition_parse(const char *text, struct qpw_condition *ret)
{
    struct qpw_condition c = {.kind = QPW_FAIL_PACKETS};
    size_t length = strcspn(text, "=");

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcmp(text, words[i].text)) {
            *ret = words[i].condition;
            return 0;
        }
    for (unsigned i = QPW_VERDICT_NONE + 1; i < QPW_VERDICT_COUNT; i++)
        if (strlen(qpw_verdict_name(i)) == length && !strncmp(qpw_verdict_name(i), text, length))
            c.verdict = i;
    if (c.verdict == QPW_VERDICT_NONE)
        return -EINVAL;
    if (c.verdict == QPW_VERDICT_UNEXPECTED || c.verdict == QPW_VERDICT_WEAK)
        c.kind = QPW_FAIL_FOUND;
    if (text[length] == '=')
        c.kind = QPW_FAIL_SHARE;
    if (c.kind == QPW_FAIL_SHARE && parse_percent(text + length + 1, &c.percent) < 0)
        return -EINVAL;
    *ret = c;
    return 0;
}

const char *qpw_condition_near(const char *text, char *buf, size_t size)
{
    struct qpw_near near = qpw_near_to(text, strcspn(text, "="));

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        qpw_near_offer(&near, words[i].text);
    for (unsigned i = QPW_VERDICT_NONE + 1; i < QPW_VERDICT_COUNT; i++)
        qpw_near_offer(&near, qpw_verdict_name(i));
    return qpw_near_hint(&near, buf, size);
}

bool qpw_condition_has_time(const struct qpw_condition *c)
{
    return c->kind != QPW_FAIL_PACKETS;
}

static bool is_meant(const struct qpw_condition *c, const struct qpw_report *r, const struct qpw_finding_row *f)
{
    switch (c->kind) {
    case QPW_FAIL_SEVERITY: return qpw_finding_severity(f) <= c->severity;
    case QPW_FAIL_ANSWERED: return qpw_finding_answered(f);
    case QPW_FAIL_NEW: return f->first_unix_ns >= r->since_unix_ns;
    case QPW_FAIL_FOUND: return f->key.verdict == c->verdict;
    default: return false;
    }
}

/*
 * Count the open findings that meet the condition; without any, the details that could not be kept as findings, which
 * are only known to be unexpected.
 */
static size_t count_findings(const struct qpw_condition *c, const struct qpw_report *r)
{
    bool details = c->kind == QPW_FAIL_NEW || (c->kind == QPW_FAIL_FOUND && c->verdict == QPW_VERDICT_UNEXPECTED);
    size_t n = 0;

    for (size_t i = 0; i < r->found.n_rows; i++) {
        const struct qpw_finding_row *f = r->found.rows[i];

        n += qpw_finding_open(f) && qpw_finding_severity(f) < QPW_SEVERITY_INFO && is_meant(c, r, f);
    }
    return details && !n ? r->found.n_details : n;
}

/* Write "2 high findings", "3 answered findings". */
static void describe_findings(const struct qpw_condition *c, size_t n, char *why, size_t size)
{
    const char *what = c->kind == QPW_FAIL_FOUND      ? qpw_verdict_name(c->verdict)
                       : c->kind == QPW_FAIL_ANSWERED ? "answered"
                       : c->kind == QPW_FAIL_NEW      ? "new"
                       : c->severity == QPW_SEVERITY_HIGH ? "high" : "high or medium";
    char noun[48];

    snprintf(noun, sizeof(noun), "%s finding", what);
    qpw_words_many(n, noun, why, size);
}

/* Return whether nothing is being monitored now, which is as serious as anything that may be happening unseen. */
static bool is_blind(const struct qpw_report *r, char *why, size_t size)
{
    bool blind = qpw_answer_has(&r->answer, QPW_ANSWER_BLIND);

    if (blind)
        snprintf(why, size, "%s: nobody watches now", qpw_answer_name(QPW_ANSWER_BLIND));
    return blind;
}

static bool gap_holds(const struct qpw_report *r, char *why, size_t size)
{
    char count[64];

    if (is_blind(r, why, size))
        return true;
    snprintf(why, size, "%s in the coverage", qpw_words_many(r->n_gaps, "gap", count, sizeof(count)));
    return r->n_gaps;
}

static bool packets_hold(const struct qpw_condition *c, const struct qpw_report *r, char *why, size_t size)
{
    uint64_t packets = r->totals.by_verdict[c->verdict].packets, all = r->totals.all.packets;
    char count[64], noun[32], share[16];

    if (!packets || (c->kind == QPW_FAIL_SHARE && qpw_percent_of(packets, all) <= c->percent))
        return false;
    snprintf(noun, sizeof(noun), "%s packet", qpw_verdict_name(c->verdict));
    snprintf(why, size, "%s, %s of all", qpw_words_many(packets, noun, count, sizeof(count)),
             qpw_words_share(packets, all, share, sizeof(share)));
    return true;
}

bool qpw_condition_holds(const struct qpw_condition *c, const struct qpw_report *r, char *why, size_t size)
{
    size_t n;

    if (c->kind == QPW_FAIL_GAP)
        return gap_holds(r, why, size);
    if (c->kind == QPW_FAIL_BLIND)
        return is_blind(r, why, size);
    if (c->kind == QPW_FAIL_PACKETS || c->kind == QPW_FAIL_SHARE)
        return packets_hold(c, r, why, size);
    n = count_findings(c, r);
    if (n)
        describe_findings(c, n, why, size);
    return n || (c->kind == QPW_FAIL_SEVERITY && is_blind(r, why, size));
}
