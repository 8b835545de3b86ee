/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evidence/evidence.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "alert/log/eve.h"
#include "alert/log/lines.h"
#include "evidence/folder.h"
#include "util/document.h"
#include "util/version.h"
#include "words/words.h"

#define TEXT_COLUMNS 120u

/* What the whole log comes to, while the period's lines are copied. */
struct log_reading {
    struct qpw_log_verify chain;
    uint64_t from_unix_ns, to_unix_ns;   /* of the period */
    uint64_t first_unix_ns, last_unix_ns; /* of the log's records */
    FILE *out;                            /* NULL: nothing is copied */
};

static uint64_t time_of(const char *line, size_t length)
{
    json_t *o = json_loadb(line, length, 0, NULL);
    const char *text = json_string_value(json_object_get(o, "timestamp"));
    uint64_t unix_ns = text ? qpw_eve_parse_time(text) : 0;

    json_decref(o);
    return unix_ns;
}

static int read_file(struct log_reading *l, const char *path, struct qpw_error *err)
{
    struct qpw_log_lines *lines = NULL;
    const char *line;
    uint64_t number = 0;
    size_t length;
    int r = qpw_log_lines_open(path, &lines, err);

    while (r >= 0) {
        uint64_t when;

        r = qpw_log_lines_next(lines, &line, &length, err);
        if (r <= 0)
            break;
        qpw_log_verify_line(&l->chain, path, ++number, line, length);
        when = time_of(line, length);
        if (!when)
            continue;
        if (!l->first_unix_ns)
            l->first_unix_ns = when;
        l->last_unix_ns = when;
        if (l->out && when >= l->from_unix_ns && when <= l->to_unix_ns)
            fprintf(l->out, "%.*s\n", (int)length, line);
    }
    l->chain.files += r == 0;
    qpw_log_lines_close(lines);
    return r;
}

/* The log with what it was rotated to, oldest first. */
static int read_log(struct log_reading *l, const char *path, struct qpw_error *err)
{
    char **rotated = qpw_log_rotated(path, 0);
    int r = rotated ? 0 : qpw_fail(err, -ENOMEM, "out of memory");

    for (char **one = rotated; r == 0 && *one; one++)
        r = read_file(l, *one, err);
    qpw_log_rotated_free(rotated);
    r = r ? r : read_file(l, path, err);
    qpw_log_verify_end(&l->chain);
    return r;
}

static void write_json(FILE *out, json_t *document)
{
    json_dumpf(document, out, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    fputc('\n', out);
}

static void write_policy(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    const struct qpw_meta *meta = &e->report->s->meta;
    FILE *out = qpw_folder_begin(folder, "policy.txt");
    char text[400];

    fprintf(out, "# %s\n# %s\n", qpw_words_policy(meta->policy_name, meta->policy_path, text, sizeof(text)), meta->policy_digest);
    if (e->policy_text)
        fputs(e->policy_text, out);
    else
        fprintf(out, "# Its text is not to be had: %s. Its rules stand in report.json as far as they were kept.\n",
                e->policy_why ? e->policy_why : "not known");
    qpw_folder_end(folder);
    out = qpw_folder_begin(folder, "source-digest.txt");
    if (meta->source_digest[0])
        fprintf(out, "%s %s\n", meta->source_digest, e->source_name ? e->source_name : "");
    else
        fprintf(out, "The policy names no page of a vendor (its statement `source`).\n");
    qpw_folder_end(folder);
}

static void write_versions(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    const struct qpw_snapshot *s = e->report->s;
    FILE *out = qpw_folder_begin(folder, "versions.txt");
    struct utsname name;

    fprintf(out, "qportwatch %s (this folder)\n", QPW_VERSION);
    if (s->meta.version[0])
        fprintf(out, "qportwatch %.*s (what is attached)\n", (int)sizeof(s->meta.version), s->meta.version);
    if (uname(&name) == 0)
        fprintf(out, "%s %s %s\n", name.sysname, name.release, name.machine);
    fprintf(out, "policy %s\nsource %s\nschemas qportwatch.report/1 qportwatch.evidence/1 qportwatch.verify/1\n", s->meta.policy_digest,
            s->meta.source_digest[0] ? s->meta.source_digest : "none");
    qpw_folder_end(folder);
}

/* The report as all its formats; coverage.json is the JSON's part about it. */
static int write_report(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    struct qpw_render_options options = *e->options;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    json_t *report, *part;
    int r = out ? qpw_report_json(e->report, &options, out) : -ENOMEM;

    if (out && fclose(out) != 0)
        r = -ENOMEM;
    out = qpw_folder_begin(folder, "report.json");
    if (r == 0)
        fwrite(text, 1, size, out);
    qpw_folder_end(folder);
    report = r == 0 ? json_loadb(text, size, 0, NULL) : NULL;
    free(text);
    out = qpw_folder_begin(folder, "coverage.json");
    part = json_pack("{s:s,s:O,s:O,s:O,s:O,s:O}", "schema", "qportwatch.coverage/1", "host", json_object_get(report, "host"), "from",
                     json_object_get(report, "from"), "to", json_object_get(report, "to"), "answer", json_object_get(report, "answer"),
                     "coverage", json_object_get(report, "coverage"));
    write_json(out, part);
    qpw_folder_end(folder);
    json_decref(part);
    json_decref(report);
    out = qpw_folder_begin(folder, "report.html");
    r = r ? r : qpw_report_html(e->report, &options, out);
    qpw_folder_end(folder);
    options.columns = TEXT_COLUMNS;
    options.colour = false;
    options.all = true;
    out = qpw_folder_begin(folder, "report.txt");
    r = r ? r : qpw_report_text(e->report, &options, out);
    qpw_folder_end(folder);
    return r;
}

static void write_log(const struct qpw_evidence_source *e, struct qpw_folder *folder, struct log_reading *log, bool *ret_known)
{
    struct qpw_error why = {"no alert log is known"};
    bool known;
    json_t *chain;
    FILE *out = qpw_folder_begin(folder, "alerts.jsonl");

    log->out = e->anonymous ? NULL : out;
    known = e->alerts && read_log(log, e->alerts, &why) == 0;
    qpw_folder_end(folder);
    chain = known && !e->anonymous ? qpw_log_verify_json(&log->chain) : NULL;
    if (chain)
        json_object_set_new(chain, "log", qpw_json_text(e->alerts));
    if (known && e->anonymous)
        chain = json_pack("{s:s,s:b,s:I,s:I,s:s}", "schema", "qportwatch.verify/1", "whole", qpw_log_verify_whole(&log->chain), "records",
                          (json_int_t)log->chain.records, "breaks", (json_int_t)log->chain.n_breaches, "meaning",
                          qpw_log_verify_meaning(&log->chain));
    if (!chain)
        chain = json_pack("{s:s,s:n,s:o}", "schema", "qportwatch.verify/1", "whole", "why",
                          e->anonymous ? json_string("the alert log could not be read") : qpw_json_text(why.text));
    out = qpw_folder_begin(folder, "chain.json");
    write_json(out, chain);
    qpw_folder_end(folder);
    json_decref(chain);
    *ret_known = known;
}

static int write_all(const struct qpw_evidence_source *e, struct qpw_folder *folder)
{
    const struct qpw_report *r = e->report;
    struct log_reading log = {.from_unix_ns = r->since_unix_ns > r->s->from_unix_ns ? r->since_unix_ns : r->s->from_unix_ns,
                              .to_unix_ns = r->s->unix_ns};
    struct qpw_figure_value figures[QPW_FIGURE_COUNT];
    struct qpw_figures_from from = {.report = r, .options = e->options};
    bool known = false;
    FILE *out;
    int rc;

    qpw_log_verify_begin(&log.chain, NULL, NULL);
    rc = write_report(e, folder);
    write_log(e, folder, &log, &known);
    from.log = known ? &log.chain : NULL;
    from.log_first_unix_ns = log.first_unix_ns;
    from.log_last_unix_ns = log.last_unix_ns;
    qpw_figures_make(&from, figures);
    out = qpw_folder_begin(folder, "requirements.json");
    rc = rc ? rc : qpw_requirements_json(e, figures, out);
    qpw_folder_end(folder);
    out = qpw_folder_begin(folder, "requirements.txt");
    rc = rc ? rc : qpw_requirements_text(e, figures, out);
    qpw_folder_end(folder);
    write_policy(e, folder);
    write_versions(e, folder);
    out = qpw_folder_begin(folder, "README.txt");
    qpw_evidence_readme(e, out);
    qpw_folder_end(folder);
    out = qpw_folder_begin(folder, "SIGN-OFF.txt");
    qpw_evidence_sign_off(e, out);
    qpw_folder_end(folder);
    qpw_log_verify_clear(&log.chain);
    return rc;
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
