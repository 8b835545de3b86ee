/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/cluster_status.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cluster_files.h"
#include "cmd/format.h"
#include "cmd/settings.h"
#include "host/clock.h"
#include "report/cluster.h"
#include "util/usage.h"
#include "words/cluster_status.h"

enum { KEY_CLUSTER = 0x500 };

struct options {
    bool json;
    const char *folder;
};

static const struct argp_option options_table[] = {
    {"cluster", KEY_CLUSTER, "DIRECTORY", 0, "Where 'qportwatch serve' keeps what it knows (default " QPW_DEFAULT_CLUSTER ")", 0},
    QPW_FORMAT_OPTIONS, {0}};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    if (key == KEY_CLUSTER) {
        o->folder = value;
        return 0;
    }
    return qpw_format_take(state, key, value, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
}

static int print_document(json_t *document)
{
    int r = !document ? -ENOMEM : json_dumpf(document, stdout, JSON_INDENT(1)) < 0 || putchar('\n') == EOF ? -EIO : 0;

    json_decref(document);
    return r;
}

static int print_status(const struct qpw_cluster_files *k, bool as_json, uint64_t now, const struct qpw_printer *p)
{
    return as_json ? print_document(qpw_cluster_status_document(&k->status)) : qpw_cluster_status_text(&k->status, now, p);
}

static int print_report(const struct qpw_cluster_files *k, bool as_json, uint64_t now, const struct qpw_printer *p)
{
    return as_json ? print_document(qpw_cluster_report_json(&k->status, &k->found)) : qpw_cluster_report_text(&k->status, &k->found, now, p);
}

static int run(const char *command, const struct options *o, int (*print)(const struct qpw_cluster_files *, bool, uint64_t, const struct qpw_printer *))
{
    struct qpw_printer printer = qpw_printer_of(stdout);
    uint64_t now = qpw_clock_unix_ns();
    struct qpw_error err = {""};
    struct qpw_cluster_files k;
    bool any;
    int r = qpw_cluster_files_read(o->folder, &k, &err);

    any = k.found.n || qpw_cluster_status_stale(&k.status, now);
    printer.indent = 0;
    if (r == 0) {
        r = print(&k, o->json, now, &printer);
        if (r < 0)
            qpw_fail(&err, r, "%s", strerror(-r));
    }
    if (r < 0)
        fprintf(stderr, "qportwatch cluster %s: %s\n", command, err.text);
    qpw_cluster_files_clear(&k);
    return r < 0 ? QPW_EXIT_FAILED : any ? QPW_EXIT_YES : QPW_EXIT_OK;
}

int qpw_cmd_cluster_status(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option,
        .doc = "Show what this node hears of its peers, a line a node: how old its last statement is, its answer, version, policy, what "
               "it monitors, and why it cannot be asked. Exit status 3: a peer has made no statement for two minutes, or nodes differ: "
               "see 'qportwatch cluster report'."};
    struct options o = {.folder = QPW_DEFAULT_CLUSTER};

    qpw_arguments_parse(&argp, argc, argv, &o);
    return run("status", &o, print_status);
}

int qpw_cmd_cluster_report(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option,
        .doc = "Show what this node hears of its peers and in what it differs from them, most serious first, each with the command that "
               "settles it. Exit status 3: there is a difference, or a peer has made no statement for two minutes."};
    struct options o = {.folder = QPW_DEFAULT_CLUSTER};

    qpw_arguments_parse(&argp, argc, argv, &o);
    return run("report", &o, print_report);
}
