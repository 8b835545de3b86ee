/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_report.c - qportwatch report: what was seen, for a screen, as JSON or as an HTML page. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/anonymize.h"
#include "cmd/cluster_files.h"
#include "cmd/cmd.h"
#include "cmd/finding_process.h"
#include "cmd/history_file.h"
#include "cmd/hosts.h"
#include "cmd/node_listeners.h"
#include "cmd/report_evidence.h"
#include "control/watched.h"
#include "evidence/evidence.h"
#include "host/clock.h"
#include "host/sockets.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "report/fail_on.h"
#include "report/render.h"
#include "util/cleanup.h"
#include "util/names.h"
#include "util/output.h"
#include "util/since.h"
#include "util/usage.h"
#include "words/terminal.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_HTML };
#define MAX_CONDITIONS 16

struct options {
    enum format format;
    bool all;
    const char *since;
    struct qpw_history_args history; /* its `since` equals the one above */
    const char *output;
    const char *key;      /* from --anonymize; NULL: keep names */
    const char *alerts;   /* for the evidence */
    const char *evidence; /* folder; NULL: one document */
    struct qpw_condition conditions[MAX_CONDITIONS];
    size_t n_conditions;
};

enum { KEY_FORMAT = 0x100, KEY_SINCE, KEY_UNTIL, KEY_HISTORY, KEY_FAIL_ON, KEY_ALL, KEY_EVIDENCE, KEY_ALERTS, KEY_ANONYMIZE };

static const struct argp_option argp_options[] = {
    {"format", KEY_FORMAT, "text|json|html", 0, "One screen of text (default), one JSON document, one HTML page", 0},
    {"json", 'j', NULL, 0, "The same as --format json", 0},
    {"output", 'o', "FILE", 0, "Write to FILE instead of standard output (-)", 0},
    {"since", KEY_SINCE, "TIME", 0, "Findings, gaps and coverage since TIME: 90m, 12h, 7d ago, or "
     "2026-01-31[T12:00[:00]] in UTC; counters are sums since attaching, or since TIME where that lies before and the history has them", 0},
    {"until", KEY_UNTIL, "TIME", 0, "From the history: up to TIME, the same", 0},
    {"history", KEY_HISTORY, "FILE", 0, "From this history", 0},
    {"evidence", KEY_EVIDENCE, "DIR", 0, "Write a folder that an auditor can keep, new or empty: the report in all formats, figures by requirement, "
     "policy, alert log, coverage, sums, sign-off", 0},
    {"alerts", KEY_ALERTS, "FILE", 0, "With --evidence: this alert log, with the files it was rotated to (default: that of what is attached, else of the "
     "configuration)", 0},
    {"anonymize", KEY_ANONYMIZE, "KEYFILE", 0, QPW_ANONYMIZE_HELP, 0},
    {"all", KEY_ALL, NULL, 0, "text: every line, not only what fits on a screen", 0},
    {"fail-on", KEY_FAIL_ON, "WHAT", 0, "Exit status 3 if there is an open finding of that severity or worse or nobody watches now (high, medium), a finding that "
     "was answered, one first seen since --since (new), one of that verdict, nobody watching now (blind), that or a gap in "
     "the coverage (gap), or more than a share of packets since "
     "attaching (undecided=PERCENT); obeys --since; repeatable", 0},
    {0},
};

static const char *const formats[] = {"text", "json", "html", NULL};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    char hint[64];

    switch (key) {
    case KEY_FORMAT: o->format = (enum format)qpw_usage_choice(state, "--format", arg, formats); break;
    case 'j': o->format = FORMAT_JSON; break;
    case KEY_ALL: o->all = true; break;
    case KEY_SINCE: o->since = o->history.since = arg; break;
    case KEY_UNTIL: o->history.until = arg; break;
    case KEY_HISTORY: o->history.file = arg; break;
    case 'o': o->output = arg; break;
    case KEY_EVIDENCE: o->evidence = arg; break;
    case KEY_ALERTS: o->alerts = arg; break;
    case KEY_ANONYMIZE: o->key = arg; break;
    case KEY_FAIL_ON:
        if (o->n_conditions == MAX_CONDITIONS)
            qpw_usage_error(state, "--fail-on: more than %d", MAX_CONDITIONS);
        else if (qpw_condition_parse(arg, &o->conditions[o->n_conditions++]) < 0)
            qpw_usage_error(state, "--fail-on %s: not one of " QPW_FAIL_ON_USAGE "%s", arg,
                            qpw_condition_near(arg, hint, sizeof(hint)));
        break;
    case ARGP_KEY_END:
        if (o->evidence && (o->output || o->format != FORMAT_TEXT || o->all))
            qpw_usage_error(state, "--evidence DIR has all formats: -o, --format and --all do not go with it");
        if (o->alerts && !o->evidence)
            qpw_usage_error(state, "--alerts goes with --evidence only");
        for (size_t i = 0; o->since && i < o->n_conditions; i++)
            if (!qpw_condition_has_time(&o->conditions[i]))
                qpw_usage_error(state, "--fail-on %s with --since: such packets are counted since attaching, without a time",
                                qpw_verdict_name(o->conditions[i].verdict));
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    argp_options, parse, NULL,
    "What was seen since attaching: by verdict, unexpected findings with the most serious first, peers, "
    "policy rules, what could not be decided, and what may be missing.\vAddresses are never resolved. Exit status: 0 done, 1 failed, 2 bad "
    "usage, 3 something that --fail-on names was found.", qpw_hosts_child, NULL, NULL};

static bool to_screen(const struct options *o)
{
    return !o->output || !strcmp(o->output, "-");
}

/* Add the listeners; if that fails, only their section is missing and gives the reason. */
static void add_listeners(const struct qpw_kernel *kernel, const struct qpw_report *report, struct qpw_sockets *sockets,
                          struct qpw_node_listeners *node, struct qpw_error *why, struct qpw_render_options *options)
{
    int r = qpw_node_listeners_load(node, NULL, kernel, report->s, why);

    if (r == 0) {
        options->policy = node->about.no_owners ? NULL : &node->policy;
        r = qpw_node_listeners_read(node, sockets, report->s, why);
    }
    if (r < 0) {
        options->listening_why = why->text;
        return;
    }
    options->listening = &node->listening;
    options->listening_about = &node->about;
}

/* Add what `serve` knows; without it there is no section, unless something is there that cannot be read. */
static void add_cluster(const struct qpw_snapshot *s, struct qpw_cluster_files *files, struct qpw_error *why, struct qpw_render_options *options)
{
    int r = qpw_cluster_files_read(qpw_cluster_folder(s), files, why);

    if (r < 0) {
        options->cluster_why = r == -ENOENT ? NULL : why->text;
        return;
    }
    options->cluster = &files->status;
    options->cluster_found = &files->found;
}

/* What rendering needs: for a live instance, its sockets now. */
struct rendering {
    struct qpw_node_listeners node;
    struct qpw_sockets *sockets;
    struct qpw_cluster_files cluster;
    struct qpw_error why, cluster_why;
    struct qpw_render_options options;
};

/* Prepare rendering. kernel NULL: the report covers a past period. */
static void begin_rendering(struct rendering *rendering, const struct qpw_kernel *kernel,
                            const struct qpw_report *report, const struct options *o)
{
    *rendering = (struct rendering){.options = {.columns = qpw_terminal_columns(to_screen(o) ? stdout : NULL),
                                                .colour = to_screen(o) && qpw_terminal_colour(stdout),
                                                .all = o->all}};
    if (!kernel) {
        rendering->options.listening_why = "sockets of then are not known";
        return;
    }
    add_cluster(report->s, &rendering->cluster, &rendering->cluster_why, &rendering->options);
    if (qpw_sockets_open(&rendering->sockets, NULL) == 0) {
        qpw_sockets_executables(rendering->sockets, qpw_executable_path, kernel);
        rendering->options.owner = qpw_finding_owner;
        rendering->options.arg = rendering->sockets;
        add_listeners(kernel, report, rendering->sockets, &rendering->node, &rendering->why, &rendering->options);
    }
}

static void end_rendering(struct rendering *rendering)
{
    qpw_node_listeners_clear(&rendering->node);
    qpw_cluster_files_clear(&rendering->cluster);
    qpw_sockets_close(rendering->sockets);
}

static int render(const struct rendering *rendering, const struct qpw_report *report, const struct options *o,
                  FILE *out)
{
    switch (o->format) {
    case FORMAT_JSON: return qpw_report_json(report, &rendering->options, out);
    case FORMAT_HTML: return qpw_report_html(report, &rendering->options, out);
    default: return qpw_report_text(report, &rendering->options, out);
    }
}

/* Render into memory first, so that a failed report leaves no partial output. */
static int write_document(const struct rendering *rendering, const struct qpw_report *report, const struct options *o,
                          struct qpw_error *err)
{
    struct qpw_output output;
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    int r = memory ? render(rendering, report, o, memory) : -ENOMEM;

    if (memory && fclose(memory) != 0 && r == 0)
        r = -ENOMEM;
    if (r < 0)
        qpw_fail(err, r, "cannot make the report: %s", strerror(-r));
    if (r == 0)
        r = qpw_output_open(o->output, &output, err);
    if (r == 0) {
        qpw_output_write(&output, text, size);
        r = qpw_output_close(&output, /* keep= */ true, err);
    }
    free(text);
    return r;
}

/* The data that a report is made from. */
struct subject {
    const struct qpw_kernel *kernel;      /* NULL: a past period */
    struct qpw_history_reader *history;   /* NULL: the attached instance */
    struct qpw_snapshot *snapshot, *past; /* past: data that the snapshot's rows may point into, or NULL */
};

/* Replace the site's names. The key is opened only now, so that none is created if there is nothing to report. */
static int anonymize(const struct subject *about, const struct qpw_anonymous *a, struct rendering *rendering,
                     struct qpw_anonymized *z, struct qpw_error *err)
{
    if (!a)
        return 0;
    if (qpw_anonymize_report(z, a, about->snapshot, &rendering->node, &rendering->options) < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    if (rendering->options.cluster || rendering->options.cluster_why) {
        rendering->options.cluster = NULL;
        rendering->options.cluster_why = "left out: its sentences name nodes and addresses";
    }
    if (about->past)
        qpw_anonymous_lives(a, about->past);
    return 0;
}

static int write_report(const struct subject *about, const struct qpw_report *report, const struct options *o, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_freep) struct rendering *rendering = malloc(sizeof(*rendering));
    QPW_CLEANUP(qpw_anonymous_closep) struct qpw_anonymous *anonymous = NULL;
    QPW_CLEANUP(qpw_anonymized_clear) struct qpw_anonymized z = {0};
    int r = o->evidence ? qpw_evidence_check(o->evidence, err) : 0;

    if (r < 0)
        return r; /* NOLINT(clang-analyzer-unix.Malloc): clang 14 does not see what QPW_CLEANUP() frees */
    if (!rendering)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = qpw_anonymize_open(o->key, &anonymous, err);
    if (r < 0)
        return r;
    begin_rendering(rendering, about->kernel, report, o);
    r = anonymize(about, anonymous, rendering, &z, err);
    if (r == 0 && o->evidence)
        r = qpw_report_evidence(&(struct qpw_report_evidence){.report = report,
                                                              .options = &rendering->options,
                                                              .history = about->history,
                                                              .folder = o->evidence,
                                                              .alerts = o->alerts,
                                                              .anonymous = anonymous},
                                err);
    else if (r == 0)
        r = write_document(rendering, report, o, err);
    end_rendering(rendering);
    return r;
}

/* Print each --fail-on condition that holds. Returns the exit status. */
static int check_conditions(const struct qpw_report *report, const struct options *o)
{
    char why[128];
    int status = QPW_EXIT_OK;

    for (size_t i = 0; i < o->n_conditions; i++) {
        if (!qpw_condition_holds(&o->conditions[i], report, why, sizeof(why)))
            continue;
        fprintf(stderr, "qportwatch report: --fail-on: %s\n", why);
        status = QPW_EXIT_YES;
    }
    return status;
}

/* Report on a past period, or one that began before the instance was attached, from the history's sums. */
static int report_recorded(const struct options *o, struct qpw_error *err)
{
    struct qpw_history_window window;
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    QPW_CLEANUP(qpw_snapshot_clear) struct qpw_snapshot s = {0};
    QPW_CLEANUP(qpw_report_clear) struct qpw_report report = {0};
    int r = qpw_history_times(&o->history, 0, &window, err);

    if (r < 0 || qpw_history_open_file(&o->history, &reader, err) < 0 ||
        qpw_history_snapshot(reader, &window, qpw_clock_unix_ns(), &s, err) < 0)
        return QPW_EXIT_FAILED;
    r = qpw_report_make(&s, (uint64_t)window.since * 1000000000, &report);
    if (r < 0) {
        qpw_fail(err, r, "cannot make the report: %s", strerror(-r));
        return QPW_EXIT_FAILED;
    }
    if (write_report(&(struct subject){.history = reader, .snapshot = &s}, &report, o, err) < 0)
        return QPW_EXIT_FAILED;
    return check_conditions(&report, o);
}

/* Find the answer's rows again, because they have moved. */
static void point_again(const struct qpw_snapshot *s, uint64_t worst, unsigned iface, struct qpw_answer *answer)
{
    answer->worst = NULL;
    answer->sight.first = NULL;
    for (size_t i = 0; worst && i < s->n_findings; i++)
        if (s->findings[i].flow_id == worst)
            answer->worst = &s->findings[i];
    for (size_t i = 0; iface && i < s->n_ifaces; i++)
        if (s->ifaces[i].iface.number == iface)
            answer->sight.first = &s->ifaces[i];
}

/*
 * Extend the snapshot with the history back to `since`; without a history there is nothing before the attachment. The
 * answer remains that of the node as it is now, the same as in every other face; the lists cover the whole period.
 */
static int reach_back(uint64_t since_unix_ns, struct qpw_snapshot *snapshot, struct qpw_snapshot *past, struct qpw_answer *ret_answer,
                      struct qpw_error *err)
{
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    unsigned iface;
    uint64_t worst;

    if (!since_unix_ns || since_unix_ns >= snapshot->from_unix_ns || !*snapshot->meta.history_path ||
        qpw_history_open(snapshot->meta.history_path, &reader, NULL) < 0)
        return 0;
    if (qpw_answer_make(snapshot, ret_answer) < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    worst = ret_answer->worst ? ret_answer->worst->flow_id : 0;
    iface = ret_answer->sight.first ? ret_answer->sight.first->iface.number : 0;
    if (qpw_history_reach_back(reader, (int64_t)(since_unix_ns / 1000000000), snapshot, past, err) < 0)
        return -EIO;
    point_again(snapshot, worst, iface, ret_answer);
    return 1;
}

static int report_attached(const struct qpw_kernel *kernel, const struct options *o, uint64_t since_unix_ns, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_snapshot_clear) struct qpw_snapshot snapshot = {0};
    QPW_CLEANUP(qpw_snapshot_clear) struct qpw_snapshot past = {0};
    QPW_CLEANUP(qpw_report_clear) struct qpw_report report = {0};
    struct qpw_answer answer;
    int r, reached;

    if (qpw_collect_watched(kernel, NULL, &snapshot, err) < 0)
        return QPW_EXIT_FAILED;
    reached = reach_back(since_unix_ns, &snapshot, &past, &answer, err);
    if (reached < 0)
        return QPW_EXIT_FAILED;
    qpw_node_names(&snapshot);
    r = qpw_report_make(&snapshot, since_unix_ns, &report);
    if (r < 0) {
        qpw_fail(err, r, "cannot make the report: %s", strerror(-r));
        return QPW_EXIT_FAILED;
    }
    if (reached)
        report.answer = answer;
    if (write_report(&(struct subject){.kernel = kernel, .snapshot = &snapshot, .past = reached ? &past : NULL}, &report, o, err) < 0)
        return QPW_EXIT_FAILED;
    return check_conditions(&report, o);
}

static int make_and_write(const struct options *o, uint64_t since_unix_ns, struct qpw_error *err)
{
    struct qpw_kernel kernel;
    struct qpw_error why;
    int r, status;

    if (o->history.until || o->history.file)
        return report_recorded(o, err);
    r = qpw_instance_find(&kernel, err);
    if (r == -ENOENT && o->since)
        return report_recorded(o, &why); /* no history either: err still says why nothing can be reported */
    if (r < 0)
        return QPW_EXIT_FAILED;
    status = report_attached(&kernel, o, since_unix_ns, err);
    qpw_kernel_close(&kernel);
    return status;
}

int qpw_cmd_report(int argc, char **argv)
{
    struct options o = {0};
    struct qpw_error err = {""};
    uint64_t since_unix_ns = 0;
    struct qpw_history_window window;
    int status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    if (qpw_history_times(&o.history, 0, &window, &err) < 0) {
        fprintf(stderr, "qportwatch report: %s\n", err.text);
        return QPW_EXIT_USAGE;
    }
    if (o.since)
        qpw_since_parse(o.since, qpw_clock_unix_ns(), &since_unix_ns); /* already validated */
    qpw_quiet_libbpf();
    status = make_and_write(&o, since_unix_ns, &err);
    if (status == QPW_EXIT_FAILED)
        fprintf(stderr, "qportwatch report: %s\n", err.text);
    return status;
}
