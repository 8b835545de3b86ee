/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_findings.c - traffic that no rule explains, most serious first. */
#include <stdio.h>

#include "report/text_page.h"
#include "util/cleanup.h"
#include "util/names.h"
#include "words/finding.h"
#include "words/life.h"
#include "words/owner.h"
#include "words/table.h"
#include "words/words.h"

static enum qpw_text_style line_style(const struct qpw_finding_row *f)
{
    return qpw_finding_answered(f) ? qpw_style_of_verdict(f->key.verdict) : QPW_TEXT_PLAIN;
}

static const char *process_text(const struct qpw_text_page *p, const struct qpw_finding_line *line, char *buf,
                                size_t size)
{
    struct qpw_process owner;

    if ((line->findings > 1 && !line->service) || !p->o->owner || !p->o->owner(p->o->arg, line->first, &owner))
        return "";
    return qpw_words_owner(&owner, buf, size);
}

static int add_line(const struct qpw_text_page *p, struct qpw_table *t, const struct qpw_finding_line *line)
{
    const struct qpw_finding_row *f = line->first;
    char service[40], initiator[128], responder[128], packets[16], first[24], last[24], process[64];
    const char *cells[] = {
        qpw_severity_name(qpw_finding_line_severity(line)),
        qpw_words_line_outcome(line),
        qpw_words_direction_short(f->key.direction),
        qpw_words_line_service(line, service, sizeof(service)),
        qpw_words_line_initiator(line, initiator, sizeof(initiator)),
        qpw_words_line_responder(line, responder, sizeof(responder)),
        qpw_words_count(qpw_sum_of(&line->counts).packets, packets, sizeof(packets)),
        qpw_words_moment(line->first_unix_ns, p->r->s->unix_ns, first, sizeof(first)),
        qpw_words_moment(line->last_unix_ns, p->r->s->unix_ns, last, sizeof(last)),
        process_text(p, line, process, sizeof(process)),
    };

    return qpw_table_add(t, line_style(f), cells);
}

static void heading(const struct qpw_text_page *p, unsigned verdict, size_t findings)
{
    static const char *const titles[QPW_VERDICT_COUNT] = {
        [QPW_VERDICT_UNEXPECTED] = "UNEXPECTED",
        [QPW_VERDICT_MISMATCH] = "MISMATCH: ANOTHER SERVICE ON A LISTED PORT",
        [QPW_VERDICT_WEAK] = "WEAK",
        [QPW_VERDICT_UNDECIDED] = "UNDECIDED WITH PAYLOAD BOTH WAYS",
        [QPW_VERDICT_IMPLIED] = "IMPLIED",
        [QPW_VERDICT_INFRA] = "INFRASTRUCTURE: ROUTERS, REDIRECTS, LARGE PINGS",
    };
    char count[40], answered[24], note[96];

    qpw_words_many(findings, "finding", count, sizeof(count));
    if (verdict == QPW_VERDICT_UNEXPECTED)
        qpw_format(note, sizeof(note), "%s, %s%s answered, most serious first", count,
                   qpw_words_count(p->r->found.answered, answered, sizeof(answered)),
                   p->r->answer.losses.answered ? " or more" : "");
    else
        qpw_format(note, sizeof(note), "%s", count);
    qpw_print_heading(&p->printer, titles[verdict] ? titles[verdict] : "OTHER", note);
}

/* Add a member of the group above. */
static int add_member(const struct qpw_text_page *p, struct qpw_table *t, const struct qpw_finding_row *f)
{
    char outcome[32], service[40], initiator[128], responder[128], packets[16], first[24], last[24];
    const char *cells[] = {
        qpw_severity_name(qpw_finding_severity(f)),
        qpw_format(outcome, sizeof(outcome), "  %s", qpw_outcome_name(f->value.outcome)),
        qpw_words_direction_short(f->key.direction),
        qpw_words_service(f->key.kind, f->key.protocol, f->key.port, service, sizeof(service)),
        qpw_words_end_named(f->key.kind, f->key.initiator, "", initiator, sizeof(initiator)),
        qpw_words_end_named(f->key.kind, f->key.responder, "", responder, sizeof(responder)),
        qpw_words_count(qpw_sum_of(&f->counts).packets, packets, sizeof(packets)),
        qpw_words_moment(f->first_unix_ns, p->r->s->unix_ns, first, sizeof(first)),
        qpw_words_moment(f->last_unix_ns, p->r->s->unix_ns, last, sizeof(last)),
        "",
    };

    return qpw_table_add(t, QPW_TEXT_DIM, cells);
}

/* Print the lines of one verdict, which are adjacent in the report's order; with --all, each member below its line. */
static int findings_of(const struct qpw_text_page *p, unsigned verdict, size_t from, size_t to)
{
    static const struct qpw_table_column columns[] = {
        {"sev"}, {"outcome", .wrap = true}, {"dir"}, {"service", .wrap = true}, {"initiator", .wrap = true}, {"responder", .wrap = true},
        {"packets", .right = true}, {"first", .optional = true}, {"last"}, {"process", .wrap = true}};
    size_t limit = qpw_text_limit(p, verdict == QPW_VERDICT_UNEXPECTED ? QPW_SCREEN_LINES : QPW_SCREEN_LINES / 4);
    size_t end = limit && to - from > limit ? from + limit : to, findings = 0;
    bool folded = false;
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, 10};
    int r;

    for (size_t i = from; i < to; i++)
        findings += p->r->found.lines[i].findings;
    heading(p, verdict, findings);
    for (size_t i = from; i < end; i++) {
        const struct qpw_finding_line *line = &p->r->found.lines[i];

        r = add_line(p, &t, line);
        folded |= line->findings > 1;
        for (size_t k = 0; r == 0 && p->o->all && line->findings > 1 && k < line->findings; k++)
            r = add_member(p, &t, line->members[k]);
        if (r < 0)
            return r;
    }
    r = qpw_table_print(&t, &p->printer);
    if (r < 0)
        return r;
    qpw_text_more(p, to - end, "line");
    if (folded && !p->o->all)
        qpw_print_line(&p->printer, "  --all lists each finding of a folded line");
    return 0;
}

/* Print traffic of which no finding could be kept, by source prefix or by port. */
static void folded_rows(const struct qpw_text_page *p, bool by_prefix, const char *label)
{
    struct qpw_list list;
    char what[64], packets[40];

    qpw_list_begin(&list, &p->printer, qpw_text_limit(p, QPW_SCREEN_LINES / 4), label);
    for (size_t i = 0; i < p->r->found.n_details; i++) {
        const struct qpw_detail_row *d = p->r->found.details[i];

        if (d->key.by_prefix != by_prefix)
            continue;
        if (by_prefix)
            qpw_words_prefix(d->key.prefix, what, sizeof(what));
        else
            qpw_words_service(d->key.kind, d->key.protocol, d->key.port, what, sizeof(what));
        qpw_list_add(&list, "%s %s %s", qpw_words_direction(d->key.direction), what,
                     qpw_words_many(d->packets, "packet", packets, sizeof(packets)));
    }
    qpw_list_end(&list);
}

static int add_past_member(struct qpw_table *t, const struct qpw_text_page *p, const struct qpw_finding_row *f)
{
    char outcome[32], service[40], initiator[128], responder[128], how[320];
    const char *cells[] = {
        qpw_format(outcome, sizeof(outcome), "  %s", qpw_outcome_name(f->value.outcome)),
        qpw_words_direction_short(f->key.direction),
        qpw_words_service(f->key.kind, f->key.protocol, f->key.port, service, sizeof(service)),
        qpw_words_end_named(f->key.kind, f->key.initiator, "", initiator, sizeof(initiator)),
        qpw_words_end_named(f->key.kind, f->key.responder, "", responder, sizeof(responder)),
        qpw_words_life_step(p->r->s, f, how, sizeof(how)),
    };

    return qpw_table_add(t, QPW_TEXT_DIM, cells);
}

static int add_past_line(struct qpw_table *t, const struct qpw_text_page *p, const struct qpw_finding_line *line)
{
    char service[40], initiator[128], responder[128], how[320];
    const char *cells[] = {
        qpw_words_line_outcome(line),
        qpw_words_direction_short(line->first->key.direction),
        qpw_words_line_service(line, service, sizeof(service)),
        qpw_words_line_initiator(line, initiator, sizeof(initiator)),
        qpw_words_line_responder(line, responder, sizeof(responder)),
        qpw_words_line_step(p->r->s, line, how, sizeof(how)),
    };
    int r = qpw_table_add(t, QPW_TEXT_DIM, cells);

    for (size_t k = 0; r == 0 && p->o->all && line->findings > 1 && k < line->findings; k++)
        r = add_past_member(t, p, line->members[k]);
    return r;
}

/* Print what is not open: the n lines of acknowledged or closed findings. */
static int past_of(const struct qpw_text_page *p, const char *title, const struct qpw_finding_line *lines, size_t n, size_t findings)
{
    static const struct qpw_table_column columns[] = {
        {"outcome", .wrap = true}, {"dir"}, {"service", .wrap = true}, {"initiator", .wrap = true}, {"responder", .wrap = true},
        {"how", .wrap = true}};
    size_t limit = qpw_text_limit(p, QPW_SCREEN_LINES / 4), shown = limit && n > limit ? limit : n;
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, 6};
    char count[48];
    int r;

    if (!n)
        return 0;
    qpw_print_heading(&p->printer, title, qpw_words_many(findings, "finding", count, sizeof(count)));
    for (size_t i = 0; i < shown; i++) {
        r = add_past_line(&t, p, &lines[i]);
        if (r < 0)
            return r;
    }
    r = qpw_table_print(&t, &p->printer);
    if (r < 0)
        return r;
    qpw_text_more(p, n - shown, "line");
    return 0;
}

int qpw_text_findings(const struct qpw_text_page *p)
{
    const struct qpw_findings *found = &p->r->found;
    size_t from = 0, to;
    int r;

    if (!found->n_lines || found->lines[0].first->key.verdict != QPW_VERDICT_UNEXPECTED)
        qpw_print_heading(&p->printer, "UNEXPECTED", "none");
    for (; from < found->n_lines; from = to) {
        unsigned verdict = found->lines[from].first->key.verdict;

        for (to = from + 1; to < found->n_lines && found->lines[to].first->key.verdict == verdict; to++)
            ;
        r = findings_of(p, verdict, from, to);
        if (r < 0)
            return r;
    }
    r = past_of(p, "ACKNOWLEDGED", found->past, found->n_past_acknowledged, found->n_acknowledged);
    if (r < 0)
        return r;
    r = past_of(p, "CLOSED", found->past + found->n_past_acknowledged, found->n_past - found->n_past_acknowledged,
                found->n_closed);
    if (r < 0)
        return r;
    if (found->n_details) {
        folded_rows(p, /* by_prefix= */ true, "no detail");
        folded_rows(p, /* by_prefix= */ false, "  by port");
    }
    return 0;
}
