/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/cluster_status.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cluster_files.h"
#include "cmd/settings.h"
#include "host/clock.h"
#include "report/cluster.h"
#include "util/cleanup.h"
#include "util/output.h"
#include "util/usage.h"
#include "words/cluster_status.h"

enum { KEY_CLUSTER = 0x500, KEY_FORMAT };
enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_HTML };

struct options {
    enum format format;
    bool report;        /* otherwise: status, which is no page */
    const char *folder; /* NULL: the configured or the default one */
    const char *output;
};

#define CLUSTER_OPTION \
    {"cluster", KEY_CLUSTER, "DIRECTORY", 0, "Where 'qportwatch serve' keeps what it knows (default: as configured, else " QPW_DEFAULT_CLUSTER ")", 0}
#define JSON_OPTION {"json", 'j', NULL, 0, "Print one JSON document", 0}
#define OUTPUT_OPTION {"output", 'o', "FILE", 0, "Write to FILE instead of standard output (-)", 0}

static const struct argp_option status_options[] = {
    CLUSTER_OPTION, JSON_OPTION, {"format", KEY_FORMAT, "text|json", 0, "text (default) or json", 0}, OUTPUT_OPTION, {0}};
static const struct argp_option report_options[] = {
    CLUSTER_OPTION, JSON_OPTION, {"format", KEY_FORMAT, "text|json|html", 0, "Text (default), one JSON document, one HTML page", 0}, OUTPUT_OPTION, {0}};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    static const char *const of_report[] = {"text", "json", "html", NULL}, *const of_status[] = {"text", "json", NULL};
    struct options *o = state->input;

    switch (key) {
    case KEY_CLUSTER: o->folder = qpw_usage_path(state, "--cluster", value); return 0;
    case KEY_FORMAT: o->format = (enum format)qpw_usage_choice(state, "--format", value, o->report ? of_report : of_status); return 0;
    case 'j': o->format = FORMAT_JSON; return 0;
    case 'o': o->output = value; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int write_document(json_t *document, FILE *out)
{
    int r = !document ? -ENOMEM : json_dumpf(document, out, JSON_INDENT(1)) < 0 || fputc('\n', out) == EOF ? -EIO : 0;

    json_decref(document);
    return r;
}

static int render(const struct options *o, const struct qpw_cluster_files *k, uint64_t now_unix_ns, FILE *out)
{
    bool to_screen = !o->output || !strcmp(o->output, "-");
    struct qpw_printer printer = qpw_printer_of(to_screen ? stdout : out);

    printer.out = out;
    printer.indent = 0;
    if (o->format == FORMAT_HTML)
        return qpw_cluster_report_html(&k->status, &k->found, now_unix_ns, out);
    if (o->format == FORMAT_JSON)
        return write_document(o->report ? qpw_cluster_report_json(&k->status, &k->found) : qpw_cluster_status_document(&k->status), out);
    return o->report ? qpw_cluster_report_text(&k->status, &k->found, now_unix_ns, &printer)
                     : qpw_cluster_status_text(&k->status, now_unix_ns, &printer);
}

/* Render into memory first, so that a failure leaves no partial output. */
static int write_output(const struct options *o, const struct qpw_cluster_files *k, uint64_t now_unix_ns, struct qpw_error *err)
{
    struct qpw_output output;
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    int r = memory ? render(o, k, now_unix_ns, memory) : -ENOMEM;

    if (memory && fclose(memory) != 0 && r == 0)
        r = -ENOMEM;
    if (r < 0)
        qpw_fail(err, r, "%s", strerror(-r));
    if (r == 0)
        r = qpw_output_open(o->output, &output, err);
    if (r == 0) {
        qpw_output_write(&output, text, size);
        r = qpw_output_close(&output, true, err);
    }
    free(text);
    return r;
}

static int run(const char *command, const struct options *o)
{
    char configured[4096];
    const char *folder = o->folder ? o->folder : qpw_setting_configured("cluster", configured, sizeof(configured)) ? configured : QPW_DEFAULT_CLUSTER;
    uint64_t now = qpw_clock_unix_ns();
    struct qpw_error err = {""};
    QPW_CLEANUP(qpw_cluster_files_clear) struct qpw_cluster_files k = {0};

    if (qpw_cluster_files_read(folder, &k, &err) < 0 || write_output(o, &k, now, &err) < 0) {
        fprintf(stderr, "qportwatch cluster %s: %s\n", command, err.text);
        return QPW_EXIT_FAILED;
    }
    return k.found.n || qpw_cluster_status_stale(&k.status, now) || qpw_cluster_status_is_silent(&k.status, now) ||
                   (o->report && !k.found.at_unix_ns)
               ? QPW_EXIT_YES
               : QPW_EXIT_OK;
}

int qpw_cmd_cluster_status(int argc, char **argv)
{
    static const struct argp argp = {
        .options = status_options, .parser = take_option,
        .doc = "Show what this node hears of its peers, a line a node: how old its last statement is, its answer, version, policy, what "
               "it monitors, and why it cannot be asked. Exit status 3: a peer has made no statement for two minutes, 'qportwatch "
               "serve' has written nothing for as long, or nodes differ: see 'qportwatch cluster report'."};
    struct options o = {0};

    qpw_arguments_parse(&argp, argc, argv, &o);
    return run("status", &o);
}

int qpw_cmd_cluster_report(int argc, char **argv)
{
    static const struct argp argp = {
        .options = report_options, .parser = take_option,
        .doc = "Show what this node hears of its peers and in what it differs from them, most serious first, each with the command that "
               "settles it. Exit status 3: there is a difference, the nodes are not compared, a peer has made no statement for two "
               "minutes, or 'qportwatch serve' has written nothing for as long."};
    struct options o = {.report = true};

    qpw_arguments_parse(&argp, argc, argv, &o);
    return run("report", &o);
}
