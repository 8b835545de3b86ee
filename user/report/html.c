/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report as one page: nothing to load, no scripts, light or dark as the reader's system is. */
#include <limits.h>
#include <stdio.h>

#include "report/finding.h"
#include "report/listening.h"
#include "report/html_page.h"
#include "util/names.h"
#include "util/version.h"
#include "words/coverage.h"
#include "words/finding.h"
#include "words/listening.h"
#include "words/printer.h"
#include "words/answer.h"
#include "words/owner.h"
#include "words/life.h"
#include "words/words.h"

/* Findings beyond these are in the JSON. */
#define PAGE_LINES 500u
#define UNFOLDED 100u /* of one line */

static const char style[] =
    ":root{color-scheme:light dark;--fg:#1b1f24;--dim:#5b6672;--bg:#fbfcfd;--card:#fff;--line:#dde3e9;--bad:#b3261e;"
    "--doubt:#8a5a00;--good:#1a6b3c;--cool:#2b5ea7;--rest:#9aa7b4}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#e4e8ec;--dim:#98a3ae;--bg:#14171a;--card:#1c2024;--line:#30363c;"
    "--bad:#ff8a80;--doubt:#f0b860;--good:#7fd1a0;--cool:#8ab4f0;--rest:#5c6670}}\n"
    "body{margin:0 auto;padding:2rem 1.2rem 4rem;max-width:78rem;color:var(--fg);background:var(--bg);"
    "font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2.2rem 0 .6rem}\n"
    ".dim{color:var(--dim)}.bad{color:var(--bad)}.doubt{color:var(--doubt)}.good{color:var(--good)}\n"
    ".answer{font-size:1.15rem;font-weight:600;margin:1rem 0;padding:.8rem 1rem;background:var(--card);"
    "border:1px solid var(--line);border-left:.35rem solid currentColor;border-radius:.4rem}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;background:var(--card);"
    "border:1px solid var(--line);border-radius:.4rem}\n"
    "th,td{text-align:left;padding:.32rem .7rem;border-bottom:1px solid var(--line);vertical-align:top}\n"
    "th{font-weight:600;font-size:.85rem;color:var(--dim)}tr:last-child td{border-bottom:0}"
    "tr:has(+.more) td{border-bottom:0;padding-bottom:0}.more td{padding-top:0;color:var(--dim);font-size:.85rem}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.a{font-family:ui-monospace,monospace;"
    "font-size:.9rem}\n"
    ".bar{display:flex;height:.9rem;border-radius:.45rem;overflow:hidden;background:var(--line);margin:.4rem 0 .8rem}\n"
    ".bar i{display:block;min-width:2px}.v8{background:var(--bad)}.v5,.v3{background:var(--doubt)}"
    ".v4{background:var(--good)}.v2{background:var(--cool)}.v0,.v1,.v6,.v7{background:var(--rest)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.8rem 0}dt{color:var(--dim)}\n"
    "dd{margin:0}\n"
    "@media print{body{padding:0}.answer,table{break-inside:avoid}}\n";

/* ---- Parts of a page ---- */

/* ---- Head ---- */

static void open_page(const struct qpw_html_page *p)
{
    qpw_html_raw(p->h, "<!DOCTYPE html>\n");
    qpw_html_start(p->h, "html", "");
    qpw_html_attribute(p->h, "lang", "en");
    qpw_html_start(p->h, "head", "");
    qpw_html_raw(p->h, "<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" "
                       "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    qpw_html_element(p->h, "title", "", "qportwatch: %s", p->r->s->host);
    qpw_html_start(p->h, "style", "");
    qpw_html_raw(p->h, style);
    qpw_html_end(p->h);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    qpw_html_start(p->h, "body", "");
}

/* The one sentence that answers what the report is read for. */
static void head_answer(const struct qpw_html_page *p)
{
    const struct qpw_answer *answer = &p->r->answer;
    char text[320], class[24];

    qpw_format(class, sizeof(class), "answer %s", qpw_style_class(qpw_style_of_answer(answer->state)));
    qpw_html_start(p->h, "p", class);
    qpw_html_attribute(p->h, "data-answer", qpw_answer_name(answer->state));
    qpw_html_text(p->h, "%s", qpw_words_headline(answer, p->r->s->unix_ns, text, sizeof(text)));
    qpw_html_end(p->h);
}

static void captures(const struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[PATH_MAX + 256];

    for (size_t i = 0; i < s->n_captures; i++)
        qpw_page_term(p, "Capture", "%s", qpw_words_capture(&s->captures[i], text, sizeof(text)));
    for (size_t i = 0; i < s->n_locals; i++)
        qpw_page_term(p, "Local", "%s", qpw_words_local(s->locals[i].addr, s->locals[i].length, text, sizeof(text)));
}

static void head(const struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[256];

    qpw_html_element(p->h, "h1", "", s->replay ? "Replay, made on %s" : "%s", s->host);
    qpw_html_element(p->h, "p", "dim", "qportwatch %s, %s%s", QPW_VERSION,
                     s->unix_ns ? qpw_words_period(s->from_unix_ns, s->unix_ns, text, sizeof(text)) : "no period",
                     s->incomplete ? ", of a capture that could not be read to its end" : "");
    head_answer(p);
    qpw_html_start(p->h, "dl", "");
    if (s->replay)
        captures(p);
    for (size_t i = 0; i < s->n_ifaces && !s->replay; i++)
        qpw_page_term(p, "Monitored", "%s", qpw_words_watched(s, &s->ifaces[i], text, sizeof(text)));
    qpw_page_term(p, "Policy", "%s, %s", qpw_words_policy(s->meta.policy_name, s->meta.policy_path, text, sizeof(text)),
                  s->meta.policy_digest);
    if (p->r->since_unix_ns)
        qpw_page_term(p, "Since", "%s: findings and coverage since then; counters are of the whole period",
                      qpw_words_time(p->r->since_unix_ns, text, sizeof(text)));
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

/* ---- Verdicts ---- */

static void verdict_bar(const struct qpw_html_page *p)
{
    char class[8];

    qpw_html_start(p->h, "div", "bar");
    for (unsigned i = QPW_VERDICT_COUNT; i-- > 0;) {
        if (!p->r->totals.by_verdict[i].packets)
            continue;
        qpw_html_start(p->h, "i", qpw_format(class, sizeof(class), "v%u", i));
        qpw_html_attribute(p->h, "title", qpw_verdict_name(i));
        qpw_html_width(p->h, p->r->totals.by_verdict[i].packets, p->r->totals.all.packets);
        qpw_html_end(p->h);
    }
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

static void directions(const struct qpw_html_page *p)
{
    char share[16];

    qpw_html_start(p->h, "p", "dim");
    for (unsigned i = 0; i < QPW_DIR_COUNT; i++)
        qpw_html_text(p->h, "%s%s %s", i ? ", " : "By direction: ", qpw_words_direction(i),
                      qpw_words_share(p->r->totals.by_direction[i].packets, p->r->totals.all.packets, share, sizeof(share)));
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

static void verdicts(const struct qpw_html_page *p)
{
    static const char *const titles[] = {"Verdict", "#Packets", "#Share", "#Bytes", "Meaning", NULL};
    char text[32];

    qpw_page_heading(p, "Verdicts");
    verdict_bar(p);
    qpw_page_open_table(p, titles);
    for (unsigned i = QPW_VERDICT_COUNT; i-- > 0;) {
        const struct qpw_sum *sum = &p->r->totals.by_verdict[i];

        if (!sum->packets && i != QPW_VERDICT_UNEXPECTED)
            continue;
        qpw_page_open_row(p);
        qpw_page_cell(p, sum->packets ? qpw_style_class(qpw_style_of_verdict(i)) : "", qpw_verdict_name(i));
        qpw_page_cell(p, "n", qpw_words_count(sum->packets, text, sizeof(text)));
        qpw_page_cell(p, "n", qpw_words_share(sum->packets, p->r->totals.all.packets, text, sizeof(text)));
        qpw_page_cell(p, "n", qpw_words_bytes(sum->bytes, text, sizeof(text)));
        qpw_page_cell(p, "dim", qpw_words_verdict(i));
        qpw_page_close_row(p);
    }
    qpw_page_close_table(p);
    directions(p);
}

/* ---- Findings ---- */

/* The line that would allow a finding, below it: it is too long for a column. */
static void allow_row(const struct qpw_html_page *p, const char *line)
{
    qpw_html_start(p->h, "tr", "more");
    qpw_html_start(p->h, "td", "");
    qpw_html_attribute(p->h, "colspan", "13");
    qpw_html_text(p->h, "to allow: ");
    qpw_html_element(p->h, "code", "", "%s", line);
    qpw_html_end(p->h);
    qpw_page_close_row(p);
}

/* The findings of a line, to be opened. */
static void unfolded(const struct qpw_html_page *p, const struct qpw_finding_line *line, const char *columns)
{
    static const char *const titles[] = {"Severity", "Outcome", "Service", "Initiator", "Responder", "#Packets", "#First", "#Last", NULL};
    char text[128];

    qpw_html_start(p->h, "tr", "more");
    qpw_html_start(p->h, "td", "");
    qpw_html_attribute(p->h, "colspan", columns);
    qpw_html_start(p->h, "details", "");
    qpw_html_element(p->h, "summary", "", "%s", qpw_words_many(line->findings, "finding", text, sizeof(text)));
    qpw_page_open_table(p, titles);
    for (size_t i = 0; i < line->findings && i < UNFOLDED; i++) {
        const struct qpw_finding_row *f = line->members[i];
        unsigned severity = qpw_finding_severity(f);

        qpw_page_open_row(p);
        qpw_page_cell(p, qpw_severity_class(severity), qpw_severity_name(severity));
        qpw_page_cell(p, "", qpw_outcome_name(f->value.outcome));
        qpw_page_cell(p, "a", qpw_words_service(f->key.kind, f->key.protocol, f->key.port, text, sizeof(text)));
        qpw_page_cell(p, "a", qpw_words_end_named(f->key.kind, f->key.initiator, "", text, sizeof(text)));
        qpw_page_cell(p, "a", qpw_words_end_named(f->key.kind, f->key.responder, "", text, sizeof(text)));
        qpw_page_cell(p, "n", qpw_words_count(qpw_sum_of(&f->counts).packets, text, sizeof(text)));
        qpw_page_cell(p, "n", qpw_words_moment(f->first_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
        qpw_page_cell(p, "n", qpw_words_moment(f->last_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
        qpw_page_close_row(p);
    }
    qpw_page_close_table(p);
    if (line->findings > UNFOLDED)
        qpw_page_paragraph(p, "dim", qpw_format(text, sizeof(text), "%zu more are in the JSON report.", line->findings - UNFOLDED));
    qpw_html_end(p->h);
    qpw_html_end(p->h);
    qpw_page_close_row(p);
}

static void finding(const struct qpw_html_page *p, const struct qpw_finding_line *line)
{
    const struct qpw_finding_row *f = line->first;
    const struct qpw_sum sum = qpw_sum_of(&line->counts);
    struct qpw_finding_words words;
    char text[96];

    qpw_finding_words(p->r, p->o, f, &words);
    qpw_page_open_row(p);
    qpw_page_cell(p, qpw_severity_class(qpw_finding_line_severity(line)), qpw_severity_name(qpw_finding_line_severity(line)));
    qpw_page_cell(p, qpw_style_class(qpw_style_of_verdict(f->key.verdict)), qpw_verdict_name(f->key.verdict));
    qpw_page_cell(p, qpw_finding_answered(f) ? "bad" : "", qpw_words_line_outcome(line));
    qpw_page_cell(p, "", qpw_words_direction(f->key.direction));
    qpw_page_cell(p, "a", qpw_words_line_service(line, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_line_initiator(line, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_line_responder(line, text, sizeof(text)));
    qpw_page_cell(p, "", line->findings > 1 && !line->service ? "" : words.process);
    qpw_page_cell(p, "", line->findings > 1 ? "" : qpw_evidence_name(f->value.evidence));
    qpw_page_cell(p, "n", qpw_words_count(sum.packets, text, sizeof(text)));
    qpw_page_cell(p, "n", qpw_words_bytes(sum.bytes, text, sizeof(text)));
    qpw_page_cell(p, "n", qpw_words_moment(line->first_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
    qpw_page_cell(p, "n", qpw_words_moment(line->last_unix_ns, p->r->s->unix_ns, text, sizeof(text)));
    qpw_page_close_row(p);
    if (line->findings > 1)
        qpw_finding_allow_any(p->r, f, &words);
    if ((line->findings == 1 || line->service) && words.allow[0])
        allow_row(p, words.allow);
    if (line->findings > 1)
        unfolded(p, line, "13");
}

static void past_line(const struct qpw_html_page *p, const struct qpw_finding_line *line)
{
    char text[320];

    qpw_page_open_row(p);
    qpw_page_cell(p, "", qpw_words_line_outcome(line));
    qpw_page_cell(p, "", qpw_words_direction(line->first->key.direction));
    qpw_page_cell(p, "a", qpw_words_line_service(line, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_line_initiator(line, text, sizeof(text)));
    qpw_page_cell(p, "a", qpw_words_line_responder(line, text, sizeof(text)));
    qpw_page_cell(p, "", qpw_words_line_step(p->r->s, line, text, sizeof(text)));
    qpw_page_close_row(p);
    if (line->findings > 1)
        unfolded(p, line, "6");
}

/* The n lines of acknowledged ones, or of closed ones. */
static void past(const struct qpw_html_page *p, const char *title, const struct qpw_finding_line *lines, size_t n)
{
    static const char *const titles[] = {"Outcome", "Direction", "Service", "Initiator", "Responder", "How", NULL};

    if (!n)
        return;
    qpw_page_heading(p, title);
    qpw_page_open_table(p, titles);
    for (size_t i = 0; i < n && i < PAGE_LINES; i++)
        past_line(p, &lines[i]);
    qpw_page_close_table(p);
}

static void findings(const struct qpw_html_page *p)
{
    static const char *const titles[] = {"Severity", "Verdict", "Outcome", "Direction", "Service", "Initiator",
                                         "Responder", "Process", "Evidence", "#Packets", "#Bytes", "#First", "#Last",
                                         NULL};
    char text[160], count[40];

    qpw_page_heading(p, "Findings, most serious first");
    if (!p->r->found.n_lines)
        qpw_page_paragraph(p, "good", "None.");
    else
        qpw_page_open_table(p, titles);
    for (size_t i = 0; i < p->r->found.n_lines && i < PAGE_LINES; i++)
        finding(p, &p->r->found.lines[i]);
    if (p->r->found.n_lines)
        qpw_page_close_table(p);
    if (p->r->found.n_lines > PAGE_LINES)
        qpw_page_paragraph(p, "dim",
                           qpw_format(text, sizeof(text), "%s more are in the JSON report.",
                                      qpw_words_count(p->r->found.n_lines - PAGE_LINES, count, sizeof(count))));
    if (p->r->found.n_details)
        qpw_page_paragraph(p, "doubt",
                           qpw_format(text, sizeof(text), "The tables of findings were full: further ones are counted by port "
                                      "and by prefix only (%s in the JSON report).",
                                      qpw_words_many(p->r->found.n_details, "row", count, sizeof(count))));
}

static void past_findings(const struct qpw_html_page *p)
{
    const struct qpw_findings *found = &p->r->found;

    past(p, "Acknowledged findings", found->past, found->n_past_acknowledged);
    past(p, "Closed findings", found->past + found->n_past_acknowledged, found->n_past - found->n_past_acknowledged);
}

/* ---- Peers, rules ---- */

static void peers(const struct qpw_html_page *p)
{
    static const char *const titles[] = {"Peer", "Last seen", "#Received", "#Sent", "Over", "Busiest ports", NULL};
    char text[96], ports[320];

    qpw_page_heading(p, "Peers");
    if (!p->r->n_peers) {
        qpw_page_paragraph(p, "dim", QPW_WORDS_NO_PEERS);
        return;
    }
    qpw_page_open_table(p, titles);
    for (size_t i = 0; i < p->r->n_peers; i++) {
        const struct qpw_peer_sum *peer = &p->r->peers[i];

        qpw_page_open_row(p);
        qpw_page_cell(p, "", peer->info->name);
        qpw_words_moment(peer->last_unix_ns, p->r->s->unix_ns, text, sizeof(text));
        qpw_page_cell(p, peer->silent ? "doubt" : "", peer->silent ? "silent" : text);
        qpw_page_cell(p, "n", qpw_words_bytes(peer->counts.rx_bytes, text, sizeof(text)));
        qpw_page_cell(p, "n", qpw_words_bytes(peer->counts.tx_bytes, text, sizeof(text)));
        qpw_page_cell(p, "", qpw_words_family(peer->v4, peer->v6));
        qpw_page_cell(p, "a", qpw_words_ports(peer->busiest, ports, sizeof(ports)));
        qpw_page_close_row(p);
    }
    qpw_page_close_table(p);
}

static void rules(const struct qpw_html_page *p)
{
    static const char *const titles[] = {"Rule", "Verdict", "#Packets", "#Received", "#Sent", "#Connections", NULL};
    char text[32];

    qpw_page_heading(p, "Rules");
    if (!p->r->n_rules) {
        qpw_page_paragraph(p, "dim", "None.");
        return;
    }
    qpw_page_open_table(p, titles);
    for (size_t i = 0; i < p->r->n_rules; i++) {
        const struct qpw_rule_use *rule = &p->r->rules[i];
        uint64_t packets = qpw_sum_of(&rule->counts).packets;

        qpw_page_open_row(p);
        qpw_page_cell(p, packets ? "" : "dim", rule->info->name);
        qpw_page_cell(p, "dim", rule->info->in_force ? qpw_verdict_name(rule->info->verdict) : "no longer in the policy");
        qpw_page_cell(p, "n", packets          ? qpw_words_count(packets, text, sizeof(text))
                              : rule->inferred ? "only inferred" : "not used");
        qpw_page_cell(p, "n", packets ? qpw_words_bytes(rule->counts.rx_bytes, text, sizeof(text)) : "");
        qpw_page_cell(p, "n", packets ? qpw_words_bytes(rule->counts.tx_bytes, text, sizeof(text)) : "");
        qpw_page_cell(p, "n", packets ? qpw_words_count(rule->counts.connections, text, sizeof(text)) : "");
        qpw_page_close_row(p);
    }
    qpw_page_close_table(p);
}

static void listener(const struct qpw_html_page *p, const struct qpw_listening_row *row)
{
    const struct qpw_process *owner = &row->listener->owner;
    bool bad = row->verdict == QPW_VERDICT_UNEXPECTED || row->owner_word == QPW_OWNER_OTHER;
    bool quiet = row->loopback || row->listener->ephemeral;
    char text[160];

    qpw_page_open_row(p);
    qpw_page_cell(p, quiet ? "dim" : bad ? "bad" : "", qpw_words_listener_verdict(row));
    qpw_page_cell(p, "", qpw_words_service_named(QPW_KIND_PORT, row->listener->protocol, row->listener->port, text,
                                                 sizeof(text)));
    qpw_page_cell(p, "", qpw_words_listener_address(row->listener, text, sizeof(text)));
    qpw_page_cell(p, "", qpw_owner_known(owner) ? qpw_words_owner(owner, text, sizeof(text)) : "-");
    qpw_page_cell(p, "", owner->user);
    qpw_page_cell(p, "", owner->unit);
    qpw_page_cell(p, "", qpw_words_listener_asked(p->o->listening, row, p->o->listening_about->now_unix_ns, text,
                                                  sizeof(text)));
    qpw_page_cell(p, "", row->rule ? p->o->listening_about->names->rules[row->rule].name : "");
    qpw_page_cell(p, row->owner_word == QPW_OWNER_OTHER ? "bad" : "dim",
                  row->owner_word == QPW_OWNER_UNSURE ? "not known" : row->wanted ? row->wanted : "");
    qpw_page_close_row(p);
}

static void listeners(const struct qpw_html_page *p)
{
    static const char *const titles[] = {"Verdict", "Service", "Address", "Process", "User", "Unit", "Last asked", "Rule",
                                         "Owner by the policy", NULL};
    const struct qpw_listening *l = p->o->listening;

    if (!l && !p->o->listening_why)
        return;
    qpw_page_heading(p, "Listeners");
    if (!l) {
        qpw_page_paragraph(p, "dim", p->o->listening_why);
        return;
    }
    qpw_page_open_table(p, titles);
    for (size_t i = 0; i < l->n; i++)
        listener(p, &l->rows[i]);
    qpw_page_close_table(p);
    qpw_html_start(p->h, "dl", "");
    for (size_t i = 0; i < l->n_idle; i++)
        qpw_page_term(p, i ? "" : "Listed, no listener", "%s", p->o->listening_about->names->rules[l->idle[i]].name);
    if (!l->n_idle)
        qpw_page_term(p, "Listed, no listener", "none");
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    if (p->o->listening_about->no_owners)
        qpw_page_paragraph(p, "dim", QPW_WORDS_NO_OWNERS);
}

int qpw_report_html(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out)
{
    struct qpw_html_page p = {r, options, qpw_html_open(out)};

    if (p.h) {
        open_page(&p);
        head(&p);
        verdicts(&p);
        findings(&p);
        past_findings(&p);
        peers(&p);
        rules(&p);
        listeners(&p);
        qpw_page_undecided(&p);
        qpw_page_coverage(&p);
    }
    return qpw_html_close(p.h);
}
