/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html.c - the report as one page: loads nothing, follows the reader's light or dark setting, prints completely,
 * readable without its script.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "report/html_page.h"
#include "util/names.h"
#include "util/version.h"
#include "words/answer.h"
#include "words/coverage.h"
#include "words/printer.h"
#include "words/words.h"

/* page.css and page.js, embedded by embed.S. */
extern const char qpw_page_css[], qpw_page_css_end[], qpw_page_js[], qpw_page_js_end[];

/* ---- Head ---- */

/* Write the rules for narrow screens, on which a row becomes a card with each cell after its column's title. */
static void title_rules(const struct qpw_html_page *p)
{
    static const struct qpw_page_table *const tables[] = {
#define TABLE(name) &qpw_page_table_##name,
        QPW_PAGE_TABLES(TABLE)
#undef TABLE
    };
    char rule[160];

    qpw_html_raw(p->h, "@media screen and (max-width: 790px) {\n");
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        for (unsigned n = 0; tables[i]->titles[n]; n++) {
            const char *title = tables[i]->titles[n];

            qpw_html_raw(p->h, qpw_format(rule, sizeof(rule), ".%s > tbody > tr:not(.more) > :nth-child(%u)::before { content: \"%s\"; }\n",
                                          tables[i]->class, n + 1, title + (*title == '#' || *title == '!')));
        }
    qpw_html_raw(p->h, "}\n");
}

/* Write an embedded element, which takes effect only through its nonce. */
static void embedded(const struct qpw_html_page *p, const char *element, const char *from, const char *to)
{
    qpw_html_start(p->h, element, "");
    qpw_html_attribute(p->h, "nonce", p->nonce);
    qpw_html_raw(p->h, "\n");
    qpw_html_raw_part(p->h, from, (size_t)(to - from));
    if (from == qpw_page_css)
        title_rules(p);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

static void meta(const struct qpw_html_page *p, const char *name, const char *value, const char *content)
{
    qpw_html_start(p->h, "meta", "");
    qpw_html_attribute(p->h, name, value);
    if (*content)
        qpw_html_attribute(p->h, "content", content);
    qpw_html_end_void(p->h);
    qpw_html_raw(p->h, "\n");
}

static void open_page(const struct qpw_html_page *p, const char *title)
{
    char policy[256];

    qpw_html_raw(p->h, "<!DOCTYPE html>\n");
    qpw_html_start(p->h, "html", "");
    qpw_html_attribute(p->h, "lang", "en");
    qpw_html_start(p->h, "head", "");
    meta(p, "charset", "utf-8", "");
    meta(p, "name", "viewport", "width=device-width,initial-scale=1");
    meta(p, "http-equiv", "Content-Security-Policy",
         qpw_format(policy, sizeof(policy), "default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; base-uri 'none'; "
                    "form-action 'none'", p->nonce, p->nonce));
    meta(p, "name", "referrer", "no-referrer");
    qpw_html_element(p->h, "title", "", "qportwatch: %s", title);
    embedded(p, "style", qpw_page_css, qpw_page_css_end);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    qpw_html_start(p->h, "body", "");
    qpw_html_start(p->h, "main", "");
}

/* Write the one sentence that answers the report's question. */
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

static void captures(struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[PATH_MAX + 256];

    for (size_t i = 0; i < s->n_captures; i++)
        qpw_page_term(p, "Capture", "%s", qpw_words_capture(&s->captures[i], text, sizeof(text)));
    for (size_t i = 0; i < s->n_locals; i++)
        qpw_page_term(p, "Local", "%s", qpw_words_local(s->locals[i].addr, s->locals[i].length, text, sizeof(text)));
}

static void head(struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[400];

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
    if (s->meta.source_digest[0])
        qpw_page_term(p, "Vendor's page", "%s", s->meta.source_digest);
    if (p->r->since_unix_ns)
        qpw_page_term(p, "Since", "%s: findings and coverage since then; counters are of the whole period",
                      qpw_words_time(p->r->since_unix_ns, text, sizeof(text)));
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

static void contents(const struct qpw_html_page *p)
{
    static const struct { const char *id, *title; } sections[] = {
        {"verdicts", "Verdicts"}, {"findings", "Findings"}, {"peers", "Peers"}, {"cluster", "Cluster"}, {"rules", "Rules"}, {"listeners", "Listeners"}, {"traffic", "Traffic"},
        {"undecided", "Undecided"}, {"coverage", "Coverage"}, {"sign", "Sign-off"}};
    char to[32];

    qpw_html_start(p->h, "nav", "");
    qpw_html_attribute(p->h, "aria-label", "Sections");
    qpw_html_start(p->h, "ul", "");
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
        if (!strcmp(sections[i].id, "listeners") && !p->o->listening && !p->o->listening_why)
            continue;
        if (!strcmp(sections[i].id, "cluster") && !p->o->cluster && !p->o->cluster_why)
            continue;
        qpw_html_start(p->h, "li", "");
        qpw_html_start(p->h, "a", "");
        qpw_html_attribute(p->h, "href", qpw_format(to, sizeof(to), "#%s", sections[i].id));
        qpw_html_text(p->h, "%s", sections[i].title);
        qpw_html_end(p->h);
        qpw_html_end(p->h);
    }
    qpw_html_end(p->h);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

/* ---- Verdicts ---- */

static void verdict_bar(struct qpw_html_page *p)
{
    static const char *const classes[QPW_VERDICT_COUNT] = {
        [QPW_VERDICT_UNEXPECTED] = "f-bad", [QPW_VERDICT_WEAK] = "f-doubt", [QPW_VERDICT_MISMATCH] = "f-doubt", [QPW_VERDICT_UNDECIDED] = "f-doubt",
        [QPW_VERDICT_ALLOWED] = "f-good", [QPW_VERDICT_PEER] = "f-cool"};
    struct qpw_page_part parts[QPW_VERDICT_COUNT];

    for (unsigned i = 0; i < QPW_VERDICT_COUNT; i++) {
        unsigned verdict = QPW_VERDICT_COUNT - 1 - i;

        parts[i] = (struct qpw_page_part){classes[verdict] ? classes[verdict] : "f-rest", qpw_verdict_name(verdict),
                                          p->r->totals.by_verdict[verdict].packets};
    }
    qpw_page_bar(p, "Packets by verdict", parts, QPW_VERDICT_COUNT);
}

static void directions(struct qpw_html_page *p)
{
    char share[16];

    qpw_html_start(p->h, "p", "dim");
    for (unsigned i = 0; i < QPW_DIR_COUNT; i++)
        qpw_html_text(p->h, "%s%s %s", i ? ", " : "By direction: ", qpw_words_direction(i),
                      qpw_words_share(p->r->totals.by_direction[i].packets, p->r->totals.all.packets, share, sizeof(share)));
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

const struct qpw_page_table qpw_page_table_verdicts = {"verdicts", {"!Verdict", "#Packets", "#Share", "#Bytes", "Meaning"}};

static void verdicts(struct qpw_html_page *p)
{
    char text[32];

    qpw_page_section(p, "verdicts", "Verdicts");
    verdict_bar(p);
    qpw_page_open_table(p, &qpw_page_table_verdicts, "Packets and bytes by verdict", "");
    for (unsigned i = QPW_VERDICT_COUNT; i-- > 0;) {
        const struct qpw_sum *sum = &p->r->totals.by_verdict[i];

        if (!sum->packets && i != QPW_VERDICT_UNEXPECTED)
            continue;
        qpw_page_open_row(p);
        qpw_page_cell(p, sum->packets ? qpw_style_class(qpw_style_of_verdict(i)) : "", qpw_verdict_name(i));
        qpw_page_cell_by(p, "n", sum->packets, qpw_words_count(sum->packets, text, sizeof(text)));
        qpw_page_cell_by(p, "n", sum->packets, qpw_words_share(sum->packets, p->r->totals.all.packets, text, sizeof(text)));
        qpw_page_cell_by(p, "n", sum->bytes, qpw_words_bytes(sum->bytes, text, sizeof(text)));
        qpw_page_cell(p, "dim", qpw_words_verdict(i));
    }
    qpw_page_close_table(p);
    directions(p);
    qpw_page_end_section(p);
}

/* ---- Fields to fill in ---- */

static void sign_off(struct qpw_html_page *p)
{
    static const char *const lines[] = {"Reviewed by", "Role", "Date", "Decision and exceptions", "Signature"};

    qpw_page_section(p, "sign", "Sign-off");
    qpw_page_paragraph(p, "dim", "This page says what was counted on the node's own interfaces in the period above. What it could not "
                       "see stands under Coverage.");
    qpw_html_start(p->h, "dl", "sign");
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        qpw_page_term(p, lines[i], "%s", "");
    qpw_html_end(p->h);
    qpw_page_end_section(p);
}

int qpw_page_open(struct qpw_html_page *p, FILE *out, const char *title)
{
    int r = qpw_html_nonce(p->nonce);

    if (r < 0)
        return r;
    p->h = qpw_html_open(out);
    if (!p->h)
        return -ENOMEM;
    open_page(p, title);
    return 0;
}

int qpw_page_close(struct qpw_html_page *p)
{
    qpw_html_end(p->h); /* closes main */
    embedded(p, "script", qpw_page_js, qpw_page_js_end);
    return qpw_html_close(p->h);
}

int qpw_report_html(const struct qpw_report *report, const struct qpw_render_options *options, FILE *out)
{
    struct qpw_html_page p = {.r = report, .o = options};
    int r = qpw_page_open(&p, out, report->s->host), closed;

    if (r < 0)
        return r;
    head(&p);
    contents(&p);
    verdicts(&p);
    qpw_page_findings(&p);
    qpw_page_past_findings(&p);
    qpw_page_peers(&p);
    qpw_page_cluster(&p);
    qpw_page_rules(&p);
    r = qpw_page_speaks(&p);
    qpw_page_listeners(&p);
    qpw_page_traffic(&p);
    qpw_page_undecided(&p);
    qpw_page_coverage(&p);
    sign_off(&p);
    closed = qpw_page_close(&p);
    return r < 0 ? r : closed;
}
