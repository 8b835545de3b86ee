/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* README.txt and SIGN-OFF.txt: what a person opens first, and what one signs. */
#include <string.h>

#include "evidence/evidence.h"
#include "host/clock.h"
#include "util/version.h"
#include "words/answer.h"
#include "words/coverage.h"
#include "words/printer.h"
#include "words/words.h"

#define WIDTH 92u
#define GAPS 10u /* listed at most */

static void paragraph(const struct qpw_printer *p, const char *text)
{
    qpw_print_wrapped(p, 0, text);
    qpw_print_end(p);
}

static void head(const struct qpw_printer *p, const struct qpw_evidence_source *e)
{
    const struct qpw_snapshot *s = e->report->s;
    char text[400];

    qpw_print_item(p, "node", "%s", s->host);
    qpw_print_item(p, "period", "%s", qpw_words_period(s->from_unix_ns, s->unix_ns, text, sizeof(text)));
    if (e->report->since_unix_ns > s->from_unix_ns)
        qpw_print_item(p, "since", "%s: findings and coverage since then; counters are of the whole period",
                       qpw_words_time(e->report->since_unix_ns, text, sizeof(text)));
    qpw_print_item(p, "policy", "%s", qpw_words_policy(s->meta.policy_name, s->meta.policy_path, text, sizeof(text)));
    qpw_print_item(p, "", "%s", s->meta.policy_digest);
    qpw_print_item(p, "answer", "%s", qpw_words_headline(&e->report->answer, s->unix_ns, text, sizeof(text)));
    qpw_print_item(p, "made", "at %s by qportwatch %s", qpw_words_time(qpw_clock_unix_ns(), text, sizeof(text)), QPW_VERSION);
    qpw_print_end(p);
}

/* Print each interface of the host, and the gaps. */
static void coverage(const struct qpw_printer *p, const struct qpw_evidence_source *e)
{
    const struct qpw_report *r = e->report;
    char text[200];

    qpw_print_line(p, r->s->inventory ? "Interfaces at the end of the period" : "Interfaces");
    for (size_t i = 0; i < r->s->n_inventory; i++)
        qpw_print_item(p, r->s->inventory[i].name, "%s", qpw_words_link_state(&r->s->inventory[i], text, sizeof(text)));
    for (size_t i = 0; !r->s->inventory && i < r->s->n_ifaces; i++)
        qpw_print_item(p, r->s->ifaces[i].name, "monitored in the period, except for the times below");
    if (!r->s->inventory)
        qpw_print_item(p, "others", "%s", QPW_WORDS_NOT_RECORDED);
    qpw_print_end(p);
    qpw_print_line(p, "Times without monitoring or without an auditor (the kernel goes on counting without one)");
    for (size_t i = 0; i < r->n_gaps && i < GAPS; i++)
        qpw_print_wrapped(p, p->indent, qpw_words_gap(r->s, &r->gaps[i], text, sizeof(text)));
    if (r->n_gaps > GAPS)
        qpw_print_line(p, "  and %zu more, in coverage.json", r->n_gaps - GAPS);
    if (!r->n_gaps)
        qpw_print_line(p, "  none");
    qpw_print_end(p);
}

static const struct {
    const char *name, *holds;
} files[] = {
    {"report.html", "the report, for a browser; it asks for nothing from the network, and prints"},
    {"report.txt", "the same as plain text"},
    {"report.json", "the same for programs, with every finding, rule and listening socket"},
    {"requirements.txt", "what auditors ask for, each with its figures, what these do not show, and a box for the assessor"},
    {"requirements.json", "the same for programs, with the file and the filter by which each figure is counted again"},
    {"recount.sh", "counts all of them again from the files here ('sh recount.sh'; needs jq)"},
    {"policy.txt", "the policy in force at the end of the period: its text, and its rules and peers as the kernel had them"},
    {"source-digest.txt", "the vendor's page that the policy was made from, by its SHA-256"},
    {"alerts.jsonl", "the alert log's records of the period, without holes from the first to the last, in EVE format, one JSON document a line"},
    {"chain.json", "whether the chain of sums through the whole alert log holds, and its head"},
    {"coverage.json", "when and what was monitored, every interface of the host, and what may be missing"},
    {"versions.txt", "what made this folder, who ran it, and on what"},
    {"SIGN-OFF.txt", "to be filled in by the person who reviews it"},
    {"SHA256SUMS", "sums over all files but itself"},
};

/* Print which records were copied, and how to verify their chain. */
static void log_text(const struct qpw_printer *p, const struct qpw_evidence_source *e, const struct qpw_log_sums *log)
{
    char records[40], breaks[40], copied[40];

    qpw_print_line(p, "The alert log");
    if (!log) {
        paragraph(p, "No alert log was read: chain.json says why.");
        return;
    }
    qpw_words_many(log->chain.records, "record", records, sizeof(records));
    qpw_words_many(log->chain.n_breaches, "break", breaks, sizeof(breaks));
    qpw_print_wrapped(p, 0, "Each record has the SHA-256 of itself over that of the record before it (alert.metadata.chain, or chain among "
                            "metadata.flowvars, as NUMBER:SUM). What is cut out, changed, moved or added afterwards breaks that chain.");
    qpw_print_line(p, "The whole log has %s in a chain with %s. alerts.jsonl has %s of the period.", records,
                   log->chain.n_breaches ? breaks : "no break", qpw_words_many(log->copied, "record", copied, sizeof(copied)));
    paragraph(p, e->anonymous ? "The records here have other names and addresses, and so no sums."
                              : "'qportwatch alerts --verify alerts.jsonl' follows the chain through the records here.");
}

void qpw_evidence_readme(const struct qpw_evidence_source *e, const struct qpw_log_sums *log, FILE *out)
{
    struct qpw_printer p = {.out = out, .width = WIDTH, .indent = 2, .label = 21};

    qpw_print_line(&p, "What a storage node's network carried, held against the ports that its vendor requires");
    qpw_print_end(&p);
    p.label = 12;
    head(&p, e);
    coverage(&p, e);
    p.label = 21;
    qpw_print_line(&p, "Files");
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        qpw_print_item(&p, files[i].name, "%s", files[i].holds);
    qpw_print_end(&p);
    qpw_print_line(&p, "To check that nothing was changed since");
    qpw_print_line(&p, "    sha256sum -c SHA256SUMS");
    paragraph(&p, "This shows changes against the sums only. Write down the sum of SHA256SUMS itself, or sign it, and keep that elsewhere: "
                  "SIGN-OFF.txt has a line for it.");
    qpw_print_line(&p, "How to read it");
    paragraph(&p, "qportwatch watches the packets on the node's own network interfaces and judges each exchange by the policy: allowed, "
                  "between nodes of the cluster (peer), needed by any node (infra), a companion of a listed service (implied), explained "
                  "by a very wide rule only (weak), another service than the rule's by its first bytes (mismatch), not to be told "
                  "(undecided), not addressed to this node (transit), or unexpected. It blocks nothing.");
    paragraph(&p, "A finding is what is known of exchanges of one service between two ends that no rule clearly allows. Its outcome says what "
                  "came of it: attempted (no answer was seen), refused, answered, or data (payload went both ways). It is open until a person "
                  "acknowledges it, a rule explains it or it has been silent for long; those are listed as acknowledged and closed.");
    log_text(&p, e, log);
    qpw_print_line(&p, "What this folder does not show");
    paragraph(&p, "Traffic of interfaces and times that were not monitored (coverage.json); what a service that is allowed was used for; "
                  "a service that mimics an allowed one; RDMA; what the node's firewall did with a packet, for packets are seen before "
                  "it; sockets that listened before the end of the period and no longer do. Root of the node could have changed the audit "
                  "or its records before this folder was made: the head in chain.json shows it only when compared with one that another "
                  "machine kept.");
    if (e->anonymous)
        paragraph(&p, "Names and addresses in this folder stand for others: the same one for the same, under a key that stayed on the "
                      "site. Prefixes and kinds of addresses are kept. Texts that people wrote are left out.");
}

void qpw_evidence_sign_off(const struct qpw_evidence_source *e, FILE *out)
{
    static const char *const lines[] = {"Sum of SHA256SUMS", "Rules of the vendor's page that the site approves (all, or which not)",
                                        "Exceptions, until when", "Decision", "Reviewed by", "Role", "Date", "Signature"};
    struct qpw_printer p = {.out = out, .width = WIDTH, .indent = 2, .label = 12};

    qpw_print_line(&p, "Sign-off");
    qpw_print_end(&p);
    head(&p, e);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        qpw_print_line(&p, "%s:", lines[i]);
        qpw_print_line(&p, "______________________________________________________________________");
        qpw_print_end(&p);
    }
}
