/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_cluster.c - what a node hears of its peers and in what the nodes differ: a section of the page, or a page of its own. */
#include <stdio.h>
#include <string.h>

#include "facts/severity.h"
#include "report/cluster.h"
#include "report/html_page.h"
#include "util/names.h"
#include "util/version.h"
#include "words/cluster_status.h"
#include "words/printer.h"
#include "words/words.h"

const struct qpw_page_table qpw_page_table_nodes = {"nodes", {"!Node", "#Statement", "Answer", "Version", "Policy", "Monitors", "Newest finding", "Trouble"}};
const struct qpw_page_table qpw_page_table_differences = {"differences", {"Severity", "!Concerns", "Difference", "Settled by", "Since"}};

static void node(struct qpw_html_page *p, const struct qpw_peer_status *peer, uint64_t now_unix_ns)
{
    struct qpw_peer_words words;

    qpw_peer_words(peer, now_unix_ns, &words);
    qpw_page_open_row(p);
    qpw_page_cell(p, words.stale ? "w bad" : "w", peer->name);
    qpw_page_cell_by(p, words.stale ? "n bad" : "n", peer->got_unix_ns ? qpw_cluster_age_ns(peer->got_unix_ns, now_unix_ns) : UINT64_MAX, words.age);
    qpw_page_cell(p, strcmp(words.answer, "CLEAN") ? "doubt" : "good", words.answer);
    qpw_page_cell(p, "", peer->version);
    qpw_page_cell(p, "a", words.policy);
    qpw_page_cell(p, "w", peer->monitored);
    qpw_page_cell(p, "w", words.newest);
    qpw_page_cell(p, "w", words.trouble);
}

static void nodes(struct qpw_html_page *p, const struct qpw_cluster_status *s, uint64_t now_unix_ns)
{
    qpw_page_open_table(p, &qpw_page_table_nodes, "Peers, with the age of the last statement of each", "");
    for (size_t i = 0; i < s->n; i++)
        node(p, &s->peers[i], now_unix_ns);
    qpw_page_close_table(p);
}

static void difference(struct qpw_html_page *p, const struct qpw_found *f)
{
    unsigned severity = qpw_signature(f->signature)->severity;
    char text[sizeof(f->text) + 40], since[40];

    qpw_page_open_row(p);
    qpw_page_cell_by(p, severity == QPW_SEVERITY_HIGH ? "bad" : severity == QPW_SEVERITY_MEDIUM ? "doubt" : "", severity, qpw_severity_name(severity));
    qpw_page_cell(p, "w", f->subject);
    qpw_page_cell(p, "w", qpw_format(text, sizeof(text), "%s%s", f->text, f->elsewhere ? " (reported by another node)" : ""));
    qpw_page_cell(p, "a", f->command);
    qpw_page_cell(p, "", qpw_words_time(f->since_unix_ns, since, sizeof(since)));
}

static void differences(struct qpw_html_page *p, const struct qpw_found_list *found)
{
    char text[80];

    if (!found->n) {
        qpw_page_paragraph(p, found->at_unix_ns ? "good" : "doubt", QPW_WORDS_NO_DIFFERENCE(found->at_unix_ns));
        return;
    }
    qpw_page_open_table(p, &qpw_page_table_differences, "In what the nodes differ, most serious first", "");
    for (size_t i = 0; i < found->n; i++)
        difference(p, &found->items[i]);
    qpw_page_close_table(p);
    if (found->left_out)
        qpw_page_paragraph(p, "dim", qpw_format(text, sizeof(text), "and %llu more, for which there was no room", (unsigned long long)found->left_out));
}

static void silent(struct qpw_html_page *p, const struct qpw_cluster_status *s, uint64_t now_unix_ns)
{
    char text[200];

    if (*qpw_words_cluster_silent(s, now_unix_ns, text, sizeof(text)))
        qpw_page_paragraph(p, "bad", text);
}

void qpw_page_cluster(struct qpw_html_page *p)
{
    const struct qpw_cluster_status *s = p->o->cluster;
    char text[200];

    if (!s && !p->o->cluster_why)
        return;
    qpw_page_section(p, "cluster", "Cluster");
    if (s) {
        silent(p, s, p->r->s->unix_ns);
        qpw_page_paragraph(p, "", qpw_cluster_headline(s, p->o->cluster_found, p->r->s->unix_ns, text, sizeof(text)));
        nodes(p, s, p->r->s->unix_ns);
        differences(p, p->o->cluster_found);
    } else {
        qpw_page_paragraph(p, "dim", p->o->cluster_why);
    }
    qpw_page_end_section(p);
}

int qpw_cluster_report_html(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns, FILE *out)
{
    struct qpw_html_page p = {0};
    char text[200], when[40];
    int r = qpw_page_open(&p, out, qpw_format(text, sizeof(text), "cluster of %s", *s->node ? s->node : "this node"));

    if (r < 0)
        return r;
    qpw_html_element(p.h, "h1", "", "%s", *s->node ? s->node : "Cluster");
    qpw_html_element(p.h, "p", "dim", "qportwatch %s, as of %s", QPW_VERSION, qpw_words_time(s->at_unix_ns, when, sizeof(when)));
    silent(&p, s, now_unix_ns);
    qpw_html_element(p.h, "p", qpw_format(when, sizeof(when), "answer %s", qpw_style_class(qpw_cluster_style(s, found, now_unix_ns))), "%s",
                     qpw_cluster_headline(s, found, now_unix_ns, text, sizeof(text)));
    qpw_html_raw(p.h, "\n");
    qpw_page_section(&p, "differences", "Differences");
    differences(&p, found);
    qpw_page_end_section(&p);
    qpw_page_section(&p, "peers", "Peers");
    nodes(&p, s, now_unix_ns);
    qpw_page_end_section(&p);
    return qpw_page_close(&p);
}
