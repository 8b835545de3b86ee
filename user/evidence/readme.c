/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a person opens first, and what one signs. */
#include <string.h>

#include "evidence/evidence.h"
#include "util/version.h"
#include "words/answer.h"
#include "words/printer.h"
#include "words/words.h"

#define WIDTH 92u

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
    if (e->report->since_unix_ns)
        qpw_print_item(p, "since", "%s: findings and coverage since then; counters are of the whole period",
                       qpw_words_time(e->report->since_unix_ns, text, sizeof(text)));
    qpw_print_item(p, "policy", "%s", qpw_words_policy(s->meta.policy_name, s->meta.policy_path, text, sizeof(text)));
    qpw_print_item(p, "", "%s", s->meta.policy_digest);
    qpw_print_item(p, "answer", "%s", qpw_words_headline(&e->report->answer, s->unix_ns, text, sizeof(text)));
    qpw_print_item(p, "made by", "qportwatch %s", QPW_VERSION);
    qpw_print_end(p);
}

static const struct {
    const char *name, *holds;
} files[] = {
    {"report.html", "the report, for a browser; it asks for nothing from the network, and prints"},
    {"report.txt", "the same as plain text"},
    {"report.json", "the same for programs, with every finding"},
    {"requirements.txt", "the figures by requirement, with what each does not show and a box for the assessor"},
    {"requirements.json", "the same for programs, with where each figure can be counted again"},
    {"policy.txt", "the policy in force at the end of the period, every include in its place; its digest is over the files themselves"},
    {"source-digest.txt", "the vendor's page that the policy was made from, by its SHA-256"},
    {"alerts.jsonl", "the alert log's records of the period, as they stand in the log, in EVE format"},
    {"chain.json", "whether the chain of sums through the whole alert log holds, and its head"},
    {"coverage.json", "when and what was monitored, and what may be missing"},
    {"versions.txt", "what made this folder, and on what"},
    {"SIGN-OFF.txt", "to be filled in by the person who reviews it"},
    {"SHA256SUMS", "sums over all files but itself"},
};

void qpw_evidence_readme(const struct qpw_evidence_source *e, FILE *out)
{
    struct qpw_printer p = {.out = out, .width = WIDTH, .indent = 2, .label = 21};

    qpw_print_line(&p, "What a storage node's network carried, held against the ports that its vendor requires");
    qpw_print_end(&p);
    p.label = 12;
    head(&p, e);
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
                  "by a very wide rule only (weak), not to be told (undecided), or unexpected. A finding is an exchange that no rule "
                  "explains; one that was answered matters more than one that was only attempted. It blocks nothing.");
    qpw_print_line(&p, "What this folder does not show");
    paragraph(&p, "Traffic of interfaces and times that were not monitored (coverage.json); what a service that is allowed was used for; "
                  "a service that mimics an allowed one; RDMA; what the node's firewall did with a packet, for packets are seen before "
                  "it. Root of the node could have changed the audit or its records before this folder was made: the head in chain.json "
                  "shows it only when compared with one that another machine kept.");
    if (e->anonymous)
        paragraph(&p, "Names and addresses in this folder stand for others: the same one for the same, under a key that stayed on the "
                      "site. Prefixes and kinds of addresses are kept. Texts that people wrote, and the lines of the alert log, are "
                      "left out.");
}

void qpw_evidence_sign_off(const struct qpw_evidence_source *e, FILE *out)
{
    static const char *const lines[] = {"Sum of SHA256SUMS", "Reviewed by", "Role", "Date", "Decision", "Exceptions, until when", "Signature"};
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
