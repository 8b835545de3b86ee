/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evidence/evidence.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "control/peer.h"
#include "evidence/folder.h"
#include "evidence/log.h"
#include "policy/lang/rule_text.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/version.h"
#include "words/printer.h"
#include "words/rule.h"
#include "words/words.h"

#define TEXT_COLUMNS 120u

extern const char qpw_recount[], qpw_recount_end[]; /* recount.sh, by embed.S */

static void write_json(FILE *out, json_t *document)
{
    json_dumpf(document, out, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    fputc('\n', out);
}

/* Print "in force  in-tcp-22  inbound tcp 22 SSH   from=10.0.5.0/24": the statement, and what `only` left of it. */
static void print_rule(const struct qpw_printer *p, const struct qpw_evidence_source *e, const struct qpw_rule_info *info)
{
    const struct qpw_policy *policy = e->options->policy;
    char limits[1024] = "", kept[sizeof(info->text) + 8];
    const char *text = qpw_rule_statement(policy, info, kept, sizeof(kept));

    for (size_t i = 0; policy && i < policy->n_rules; i++)
        if (!strcmp(policy->rules[i].name, info->name))
            qpw_row_limits_text(&policy->rules[i], limits, sizeof(limits));
    if (strstr(text, limits)) /* already in the statement */
        *limits = '\0';
    qpw_print_line(p, "# %-12s %-24.*s %s%s%s", info->in_force ? "in force" : "not in force", (int)sizeof(info->name), info->name, text,
                   *limits ? "   in force with " : "", limits);
}

static void write_policy(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    const struct qpw_snapshot *s = e->report->s;
    const struct qpw_meta *meta = &s->meta;
    FILE *out = qpw_folder_begin(folder, "policy.txt");
    struct qpw_printer p = {.out = out};
    char text[400];

    qpw_print_line(&p, "# The policy in force at %s%s.", qpw_words_time(s->unix_ns, text, sizeof(text)),
                   e->policy_text ? ", with every include, list of addresses and peer in its place" : "");
    qpw_print_line(&p, "# %s", qpw_words_policy(meta->policy_name, meta->policy_path, text, sizeof(text)));
    qpw_print_line(&p, "# %s over its files, without what was given beside them", meta->policy_digest);
    if (*meta->policy_args)
        qpw_print_line(&p, "# given on the command line: %.*s", (int)sizeof(meta->policy_args), meta->policy_args);
    qpw_print_end(&p);
    if (e->policy_text)
        qpw_print_lines(&p, "%s", e->policy_text);
    else
        qpw_print_line(&p, "# Its text is not to be had: %s. What was kept of each rule stands below.", e->policy_why ? e->policy_why : "not known");
    qpw_print_end(&p);
    qpw_print_line(&p, "# Its rules, as the programs in the kernel have them; infra and implied are the tool's own.");
    for (size_t i = 1; i < s->n_rules; i++)
        print_rule(&p, e, &s->rules[i]);
    for (size_t i = 1; i < s->n_peers; i++)
        qpw_print_line(&p, "# %-12s peer %s%s", s->peers[i].in_force ? "in force" : "not in force", s->peers[i].name,
                       s->peers[i].own ? " (this node itself)" : "");
    qpw_folder_end(folder);
}

static void write_source(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    const struct qpw_meta *meta = &e->report->s->meta;
    FILE *out = qpw_folder_begin(folder, "source-digest.txt");
    struct qpw_printer p = {.out = out};

    if (meta->source_digest[0])
        qpw_print_line(&p, "%s %s", meta->source_digest, e->source_name ? e->source_name : "");
    else
        qpw_print_line(&p, "The policy names no page of a vendor (its statement `source`).");
    qpw_folder_end(folder);
}

static void write_versions(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    const struct qpw_snapshot *s = e->report->s;
    FILE *out = qpw_folder_begin(folder, "versions.txt");
    struct qpw_printer p = {.out = out};
    struct utsname name;
    char by[256];

    fprintf(out, "qportwatch %s (this folder)\n", QPW_VERSION);
    if (!e->anonymous) { /* who made it, and how */
        qpw_peer_describe(getpid(), by, sizeof(by));
        qpw_print_line(&p, "made by %s", by);
    }
    if (s->meta.version[0])
        fprintf(out, "qportwatch %.*s (what is attached)\n", (int)sizeof(s->meta.version), s->meta.version);
    if (uname(&name) == 0) /* a site may append a name of its own to its kernels' versions */
        fprintf(out, "%s %.*s %s\n", name.sysname, (int)(e->anonymous ? strspn(name.release, "0123456789.") : strlen(name.release)),
                name.release, name.machine);
    fprintf(out, "policy %s\nsource %s\nschemas qportwatch.report/1 qportwatch.evidence/1 qportwatch.coverage/1 qportwatch.verify/1\n", s->meta.policy_digest,
            s->meta.source_digest[0] ? s->meta.source_digest : "none");
    qpw_folder_end(folder);
}

/* Write the report in all formats, and its coverage as coverage.json. */
static int write_report(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    struct qpw_render_options options = *e->options;
    json_auto_t *report = qpw_report_document(e->report, &options), *part = NULL;
    FILE *out;
    int r;

    if (!report)
        return -ENOMEM;
    write_json(qpw_folder_begin(folder, "report.json"), report);
    qpw_folder_end(folder);
    part = json_pack("{s:s,s:O,s:O,s:O,s:O*,s:O,s:O}", "schema", "qportwatch.coverage/1", "host", json_object_get(report, "host"), "from",
                     json_object_get(report, "from"), "to", json_object_get(report, "to"), "findings_since",
                     json_object_get(report, "findings_since"), "answer", json_object_get(report, "answer"), "coverage",
                     json_object_get(report, "coverage"));
    json_object_set_new(part, "history", e->history_to_unix_ns ? json_pack("{s:o,s:o}", "from", qpw_json_time(e->history_from_unix_ns), "to",
                                                                           qpw_json_time(e->history_to_unix_ns))
                                                               : json_null());
    write_json(qpw_folder_begin(folder, "coverage.json"), part);
    qpw_folder_end(folder);
    out = qpw_folder_begin(folder, "report.html");
    r = qpw_report_html(e->report, &options, out);
    qpw_folder_end(folder);
    if (r < 0)
        return r;
    options.columns = TEXT_COLUMNS;
    options.colour = false;
    options.all = true;
    out = qpw_folder_begin(folder, "report.txt");
    r = qpw_report_text(e->report, &options, out);
    qpw_folder_end(folder);
    return r;
}

/* Return the result of `alerts --verify` for the whole log; anonymous: without its path, sums and lines. */
static json_t *chain_json(const struct qpw_evidence_source *e, const struct qpw_log_sums *log)
{
    const struct qpw_log_verify *v = &log->chain;
    json_t *o = e->anonymous ? json_pack("{s:s,s:b,s:I,s:I,s:s}", "schema", "qportwatch.verify/1", "whole", qpw_log_verify_whole(v), "records",
                                         (json_int_t)v->records, "breaks", (json_int_t)v->n_breaches, "meaning", qpw_log_verify_meaning(v))
                             : qpw_log_verify_json(v);

    if (!e->anonymous) {
        qpw_document_set_period(o, e->report->s->host, log->oldest_unix_ns, log->newest_unix_ns);
        json_object_set_new(o, "log", qpw_json_text(e->alerts));
    }
    json_object_set_new(o, "oldest", qpw_json_time(log->oldest_unix_ns));
    json_object_set_new(o, "newest", qpw_json_time(log->newest_unix_ns));
    json_object_set_new(o, "copied", json_integer((json_int_t)log->copied));
    return o;
}

/* Returns whether there was a log that could be read. */
static bool write_log(const struct qpw_evidence_source *e, struct qpw_folder *folder, struct qpw_log_sums *ret)
{
    const struct qpw_report *r = e->report;
    struct qpw_error why = {"no alert log is known"};
    struct qpw_log_reading reading = {.from_unix_ns = r->since_unix_ns > r->s->from_unix_ns ? r->since_unix_ns : r->s->from_unix_ns,
                                      .to_unix_ns = r->s->unix_ns, .anonymous = e->anonymous};
    bool known;
    json_t *chain;

    reading.out = qpw_folder_begin(folder, "alerts.jsonl");
    known = e->alerts && qpw_evidence_log(&reading, e->alerts, ret, &why) == 0;
    qpw_folder_end(folder);
    chain = known ? chain_json(e, ret)
                  : json_pack("{s:s,s:n,s:o}", "schema", "qportwatch.verify/1", "whole", "why",
                              e->anonymous ? json_string("the alert log could not be read") : qpw_json_text(why.text));
    write_json(qpw_folder_begin(folder, "chain.json"), chain);
    qpw_folder_end(folder);
    json_decref(chain);
    return known;
}

static int write_figures(const struct qpw_evidence_source *e, const struct qpw_log_sums *log, struct qpw_folder *folder)
{
    struct qpw_evidence_figures figures = {.log = log};
    int r;

    qpw_figures_make(&(struct qpw_figures_from){.report = e->report, .options = e->options, .log = log,
                                                .history_from_unix_ns = e->history_from_unix_ns,
                                                .history_to_unix_ns = e->history_to_unix_ns}, figures.values);
    r = qpw_requirements_json(e, &figures, qpw_folder_begin(folder, "requirements.json"));
    qpw_folder_end(folder);
    if (r == 0) {
        r = qpw_requirements_text(e, &figures, qpw_folder_begin(folder, "requirements.txt"));
        qpw_folder_end(folder);
    }
    fwrite(qpw_recount, 1, (size_t)(qpw_recount_end - qpw_recount), qpw_folder_begin(folder, "recount.sh"));
    qpw_folder_end(folder);
    return r;
}

static void clear_log(struct qpw_log_sums *log)
{
    qpw_log_verify_clear(&log->chain);
}

static int write_all(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    QPW_CLEANUP(clear_log) struct qpw_log_sums log = {0};
    bool known;
    int r = write_report(e, folder);

    if (r < 0)
        return r;
    known = write_log(e, folder, &log);
    r = write_figures(e, known ? &log : NULL, folder);
    if (r < 0)
        return r;
    write_policy(e, folder);
    write_source(e, folder);
    write_versions(e, folder);
    qpw_evidence_readme(e, known ? &log : NULL, qpw_folder_begin(folder, "README.txt"));
    qpw_folder_end(folder);
    qpw_evidence_sign_off(e, qpw_folder_begin(folder, "SIGN-OFF.txt"));
    qpw_folder_end(folder);
    return 0;
}

int qpw_evidence_check(const char *path, struct qpw_error *err)
{
    struct qpw_folder *folder;
    int r = qpw_folder_open(path, &folder, err);

    return r < 0 ? r : qpw_folder_close(folder, /* keep= */ false, err);
}

int qpw_evidence_write(const struct qpw_evidence_source *evidence, const char *path, struct qpw_error *err)
{
    struct qpw_folder *folder;
    int r = qpw_folder_open(path, &folder, err), closed;

    if (r < 0)
        return r;
    r = write_all(evidence, folder);
    closed = qpw_folder_close(folder, r == 0, err);
    if (closed < 0)
        return closed;
    return r < 0 ? qpw_fail(err, r, "%s: cannot make the evidence: %s", path, strerror(-r)) : 0;
}
