/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html_findings.c - findings: a row per group, and below it everything that the JSON report has of the finding, or of
 * each member.
 */
#include <inttypes.h>
#include <stdio.h>

#include "report/finding.h"
#include "report/html_page.h"
#include "util/names.h"
#include "words/finding.h"
#include "words/life.h"
#include "words/printer.h"
#include "words/words.h"

/* Limit on rows; the JSON has the others. A browser takes minutes for a longer page. */
#define PAGE_ROWS 10000u
/* Limit on owner look-ups, most serious findings first; those of a flood are alike. */
#define OWNERS 1000u

/* ---- All data of one finding ---- */

typedef void (*fact_writer)(struct qpw_html_page *p, const char *name, const char *value);

/* Write a term of a separate list, side by side. */
static void write_term(struct qpw_html_page *p, const char *name, const char *value)
{
    qpw_html_start(p->h, "div", "");
    qpw_html_element(p->h, "dt", "", "%s", name);
    qpw_html_text(p->h, " ");
    qpw_html_element(p->h, "dd", "", "%s", value);
    qpw_html_end(p->h);
}

/* Write a term within a cell, one after the other. */
static void write_inline(struct qpw_html_page *p, const char *name, const char *value)
{
    qpw_html_text(p->h, "%s%s %s", p->n_facts++ ? "; " : "", name, value);
}

static void write_fact(struct qpw_html_page *p, fact_writer to, const char *name, const char *value)
{
    if (*value)
        to(p, name, value);
}

static void write_number(struct qpw_html_page *p, fact_writer to, const char *name, uint64_t value)
{
    char text[32];

    if (value)
        to(p, name, qpw_format(text, sizeof(text), "%" PRIu64, value));
}

static void write_owner(struct qpw_html_page *p, fact_writer to, const struct qpw_process *owner)
{
    char when[32];

    write_fact(p, to, "executable", owner->exe);
    write_fact(p, to, "user", owner->user);
    write_fact(p, to, owner->container ? "container" : "unit", owner->unit);
    write_fact(p, to, "command line", owner->command);
    if (owner->started_unix_ns)
        write_fact(p, to, "process started", qpw_words_time(owner->started_unix_ns, when, sizeof(when)));
    if (owner->pid || owner->match == QPW_MATCH_KERNEL)
        write_fact(p, to, "process found as", qpw_match_name(owner->match));
}

static void write_counts(struct qpw_html_page *p, fact_writer to, const struct qpw_counts *counts)
{
    char text[96], packets[32], bytes[32];

    write_fact(p, to, "received",
               qpw_format(text, sizeof(text), "%s, %s",
                          qpw_words_many(counts->rx_packets, "packet", packets, sizeof(packets)),
                          qpw_words_bytes(counts->rx_bytes, bytes, sizeof(bytes))));
    write_fact(p, to, "sent",
               qpw_format(text, sizeof(text), "%s, %s",
                          qpw_words_many(counts->tx_packets, "packet", packets, sizeof(packets)),
                          qpw_words_bytes(counts->tx_bytes, bytes, sizeof(bytes))));
    write_number(p, to, "connections", counts->connections);
}

static void write_facts(struct qpw_html_page *p, fact_writer to, const struct qpw_finding_row *f,
                        const struct qpw_finding_words *words)
{
    const struct qpw_snapshot *s = p->r->s;
    const struct qpw_finding *value = &f->value;
    char text[320];

    write_number(p, to, "flow id", f->flow_id);
    write_fact(p, to, "signature", words->signature);
    write_fact(p, to, "state", qpw_words_life(s, f, text, sizeof(text)));
    write_fact(p, to, "rule", qpw_snapshot_rule(s, value->rule));
    write_fact(p, to, "reason", value->reason ? qpw_reason_name(value->reason) : "");
    write_fact(p, to, "scope", qpw_scope_name(value->scope));
    write_fact(p, to, "peer", qpw_snapshot_peer(s, value->peer));
    write_fact(p, to, "interface", qpw_snapshot_iface(s, value->iface));
    write_number(p, to, "VLAN", value->vlan);
    write_number(p, to, "initiator's port", value->initiator_port);
    if (f->key.kind == QPW_KIND_ICMP)
        write_fact(p, to, "ICMP code", qpw_format(text, sizeof(text), "%u", value->icmp_code));
    write_owner(p, to, &words->owner);
    write_counts(p, to, &f->counts);
    write_fact(p, to, "program", f->program_seen == QPW_PROGRAM_NEW ? "first seen on this node with this finding" : "");
    write_fact(p, to, "superseded", value->flags & QPW_FINDING_SUPERSEDED ? "yes, judged again since" : "");
    write_fact(p, to, "kept",
               value->flags & QPW_FINDING_RESERVED ? "in the place reserved for the first answered exchange" : "");
    write_fact(p, to, "to", value->flags & QPW_FINDING_MULTICAST ? "a broadcast or multicast address" : "");
}

static void look_up(struct qpw_html_page *p, const struct qpw_finding_row *f, struct qpw_finding_words *ret)
{
    const struct qpw_render_options without = {0};

    qpw_finding_words(p->r, p->owners++ < OWNERS ? p->o : &without, f, ret);
}

/* ---- Members of a group ---- */

const struct qpw_page_table qpw_page_table_members = {
    "members", {"Severity", "Outcome", "!Service", "Initiator", "Responder", "Process", "Evidence", "#Packets", "#First", "#Last",
                "Further facts"}};

static void member(struct qpw_html_page *p, const struct qpw_finding_row *f)
{
    unsigned severity = qpw_finding_severity(f);
    uint64_t packets = qpw_sum_of(&f->counts).packets;
    struct qpw_finding_words words;
    char text[128];

    look_up(p, f, &words);
    qpw_page_open_row(p);
    qpw_page_cell_by(p, qpw_severity_class(severity), severity, qpw_severity_name(severity));
    qpw_page_cell(p, "", qpw_outcome_name(f->value.outcome));
    qpw_page_cell(p, "a", qpw_words_service(f->key.kind, f->key.protocol, f->key.port, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_end_named(f->key.kind, f->key.initiator, "", text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_end_named(f->key.kind, f->key.responder, "", text, sizeof(text)));
    qpw_page_cell(p, "w", words.process);
    qpw_page_cell(p, "", qpw_evidence_name(f->value.evidence));
    qpw_page_cell_by(p, "n", packets, qpw_words_count(packets, text, sizeof(text)));
    qpw_page_cell_by(p, "n", f->first_unix_ns / 1000, qpw_words_moment(f->first_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
    qpw_page_cell_by(p, "n", f->last_unix_ns / 1000, qpw_words_moment(f->last_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
    qpw_html_start(p->h, "td", "dim w");
    p->n_facts = 0;
    write_facts(p, write_inline, f, &words);
    qpw_html_end(p->h);
}

/* Write the members as a table nested in the current one. */
static void members(struct qpw_html_page *p, const struct qpw_finding_line *line)
{
    const struct qpw_page_table *around = p->table;
    char text[96], count[32];
    size_t shown = 0;

    qpw_html_start(p->h, "details", "");
    qpw_html_element(p->h, "summary", "", "%s", qpw_words_many(line->findings, "finding", text, sizeof(text)));
    qpw_page_open_table(p, &qpw_page_table_members, "", "");
    for (; shown < line->findings && p->rows < PAGE_ROWS; shown++, p->rows++)
        member(p, line->members[shown]);
    qpw_page_close_table(p);
    if (shown < line->findings)
        qpw_page_paragraph(p, "doubt", qpw_format(text, sizeof(text), "%s more are in the JSON report.",
                                                  qpw_words_count(line->findings - shown, count, sizeof(count))));
    qpw_html_end(p->h);
    p->table = around;
    p->row = true;
}

static void facts_below(struct qpw_html_page *p, const struct qpw_finding_row *f, const struct qpw_finding_words *words)
{
    char when[32];

    qpw_html_start(p->h, "details", "");
    qpw_html_element(p->h, "summary", "", "all facts");
    qpw_html_start(p->h, "dl", "facts");
    write_fact(p, write_term, "evidence", qpw_evidence_name(f->value.evidence));
    write_fact(p, write_term, "first seen", qpw_words_time(f->first_unix_ns, when, sizeof(when)));
    write_facts(p, write_term, f, words);
    qpw_html_end(p->h);
    qpw_html_end(p->h);
}

/* ---- Open ones ---- */

static void finding_cells(struct qpw_html_page *p, const struct qpw_finding_line *line, const struct qpw_finding_words *words)
{
    const struct qpw_finding_row *f = line->first;
    const struct qpw_sum sum = qpw_sum_of(&line->counts);
    unsigned severity = qpw_finding_line_severity(line);
    char text[96];

    qpw_page_cell_by(p, qpw_severity_class(severity), severity, qpw_severity_name(severity));
    qpw_page_cell(p, qpw_style_class(qpw_style_of_verdict(f->key.verdict)), qpw_verdict_name(f->key.verdict));
    qpw_page_cell(p, qpw_finding_answered(f) ? "bad" : "", qpw_words_line_outcome(line));
    qpw_page_cell(p, "", qpw_words_direction(f->key.direction));
    qpw_page_cell(p, "a", qpw_words_line_service(line, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_line_initiator(line, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_line_responder(line, text, sizeof(text)));
    qpw_page_cell(p, "w", line->findings > 1 && !line->service ? "" : words->process);
    qpw_page_cell(p, "", line->findings > 1 ? "" : qpw_evidence_name(f->value.evidence));
    qpw_page_cell_by(p, "n", sum.packets, qpw_words_count(sum.packets, text, sizeof(text)));
    qpw_page_cell_by(p, "n", sum.bytes, qpw_words_bytes(sum.bytes, text, sizeof(text)));
    qpw_page_cell_by(p, "n", line->first_unix_ns / 1000,
                     qpw_words_moment(line->first_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
    qpw_page_cell_by(p, "n", line->last_unix_ns / 1000,
                     qpw_words_moment(line->last_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
}

static void finding(struct qpw_html_page *p, const struct qpw_finding_line *line)
{
    struct qpw_finding_words words;

    look_up(p, line->first, &words);
    qpw_page_open_row(p);
    finding_cells(p, line, &words);
    if (line->findings > 1)
        qpw_finding_allow_any(p->r, line->first, &words);
    qpw_page_below(p);
    if ((line->findings == 1 || line->service) && words.allow[0]) {
        qpw_html_text(p->h, "to allow: ");
        qpw_html_element(p->h, "code", "", "%s", words.allow);
    }
    if (line->findings > 1)
        members(p, line);
    else
        facts_below(p, line->first, &words);
    qpw_page_end_below(p);
    p->rows += line->findings == 1;
}

const struct qpw_page_table qpw_page_table_past = {"past", {"Outcome", "Direction", "!Service", "Initiator", "Responder", "How"}};

static void past_line(struct qpw_html_page *p, const struct qpw_finding_line *line)
{
    struct qpw_finding_words words;
    char text[320];

    qpw_page_open_row(p);
    qpw_page_cell(p, "", qpw_words_line_outcome(line));
    qpw_page_cell(p, "", qpw_words_direction(line->first->key.direction));
    qpw_page_cell(p, "a", qpw_words_line_service(line, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_line_initiator(line, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_line_responder(line, text, sizeof(text)));
    qpw_page_cell(p, "w", qpw_words_line_step(p->r->s, line, text, sizeof(text)));
    qpw_page_below(p);
    if (line->findings > 1) {
        members(p, line);
    } else {
        look_up(p, line->first, &words);
        facts_below(p, line->first, &words);
        p->rows++;
    }
    qpw_page_end_below(p);
}

/* Write how many of n lines were left out. */
static void write_left_out(struct qpw_html_page *p, size_t shown, size_t n)
{
    char text[96], count[32];

    if (shown < n)
        qpw_page_paragraph(p, "doubt", qpw_format(text, sizeof(text), "%s more lines are in the JSON report.",
                                                  qpw_words_count(n - shown, count, sizeof(count))));
}

/* Write the n lines of acknowledged or closed findings. */
static void past(struct qpw_html_page *p, const char *id, const char *title, const struct qpw_finding_line *lines, size_t n)
{
    size_t shown = 0;

    if (!n)
        return;
    qpw_page_section(p, id, title);
    qpw_page_open_table(p, &qpw_page_table_past, title, "");
    for (; shown < n && p->rows < PAGE_ROWS; shown++)
        past_line(p, &lines[shown]);
    qpw_page_close_table(p);
    write_left_out(p, shown, n);
    qpw_page_end_section(p);
}

/* ---- Counted without details ---- */

const struct qpw_page_table qpw_page_table_busy = {"busy", {"Direction", "!Port or prefix", "#Packets", "#First", "#Last"}};

static void details(struct qpw_html_page *p)
{
    char text[96];

    qpw_page_paragraph(p, "doubt", "The tables of findings were full: further ones are counted by port and by prefix only.");
    qpw_page_open_table(p, &qpw_page_table_busy, "Counted without detail, most packets first", "");
    for (size_t i = 0; i < p->r->found.n_details && p->rows < PAGE_ROWS; i++, p->rows++) {
        const struct qpw_detail_row *d = p->r->found.details[i];

        qpw_page_open_row(p);
        qpw_page_cell(p, "", qpw_words_direction(d->key.direction));
        qpw_page_cell(p, "a", d->key.by_prefix ? qpw_words_prefix(d->key.prefix, text, sizeof(text))
                                               : qpw_words_service(d->key.kind, d->key.protocol, d->key.port, text, sizeof(text)));
        qpw_page_cell_by(p, "n", d->packets, qpw_words_count(d->packets, text, sizeof(text)));
        qpw_page_cell_by(p, "n", d->first_unix_ns / 1000, qpw_words_moment(d->first_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
        qpw_page_cell_by(p, "n", d->last_unix_ns / 1000, qpw_words_moment(d->last_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
    }
    qpw_page_close_table(p);
}

const struct qpw_page_table qpw_page_table_found = {
    "findings", {"Severity", "Verdict", "Outcome", "Direction", "!Service", "Initiator", "Responder", "Process", "Evidence", "#Packets",
                 "#Bytes", "#First", "#Last"}};

void qpw_page_findings(struct qpw_html_page *p)
{
    const struct qpw_findings *found = &p->r->found;
    char text[96], count[32];
    size_t shown = 0;

    qpw_page_section(p, "findings", "Findings");
    qpw_page_severities(p);
    qpw_page_timeline(p);
    if (found->n_lines) {
        qpw_page_tools(p, "find");
        qpw_page_open_table(p, &qpw_page_table_found, "Open findings, most serious first", "find");
        for (; shown < found->n_lines && p->rows < PAGE_ROWS; shown++)
            finding(p, &found->lines[shown]);
        qpw_page_close_table(p);
    } else {
        qpw_page_paragraph(p, "good", "No open findings.");
    }
    write_left_out(p, shown, found->n_lines);
    if (found->n_superseded)
        qpw_page_paragraph(p, "dim", qpw_format(text, sizeof(text), "%s judged again since: in the JSON report only.",
                                                qpw_words_many(found->n_superseded, "finding", count, sizeof(count))));
    if (found->n_details)
        details(p);
    qpw_page_end_section(p);
}

void qpw_page_past_findings(struct qpw_html_page *p)
{
    const struct qpw_findings *found = &p->r->found;

    past(p, "acknowledged", "Acknowledged findings", found->past, found->n_past_acknowledged);
    past(p, "closed", "Closed findings", found->past + found->n_past_acknowledged, found->n_past - found->n_past_acknowledged);
}
