/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_cluster.c - qportwatch cluster: compare what the nodes of a cluster state about each other. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/comparison.h"
#include "cluster/statement.h"
#include "cmd/cluster_status.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/subcommands.h"
#include "host/clock.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/usage.h"

struct options {
    bool json;
    const char **files;
    size_t n_files;
};

static const struct argp_option options_table[] = {QPW_FORMAT_OPTIONS, {0}};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;
    const char **more;

    switch (key) {
    case ARGP_KEY_ARG:
        more = QPW_ADD(o->files, o->n_files);
        if (!more)
            return ENOMEM;
        *more = value;
        o->n_files++;
        return 0;
    case ARGP_KEY_NO_ARGS:
        qpw_usage_error(state, "missing statement argument; 'qportwatch statement --samples' on each node writes one");
    default: return qpw_format_take(state, key, value, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

/* Refuse statements of two nodes with one name, because nodes are compared by name. Returns whether it refused them. */
static bool refuse_namesakes(const struct qpw_statement *statements, size_t n)
{
    const struct qpw_statement *a, *b;

    if (!qpw_namesakes(statements, n, &a, &b))
        return false;
    fprintf(stderr, "qportwatch cluster compare: %s, %s: two nodes are called '%s'; give each a peer line of its own in the policy that "
                    "all load, which names it\n", a->source, b->source, a->node);
    return true;
}

/* Read every file and report each invalid one with the reason. Returns the number of invalid files. */
static size_t load(const struct options *o, struct qpw_statement *statements)
{
    struct qpw_error err;
    size_t bad = 0;

    for (size_t i = 0; i < o->n_files; i++)
        if (qpw_statement_load(o->files[i], &statements[i], &err) < 0) {
            fprintf(stderr, "qportwatch cluster compare: %s\n", err.text);
            bad++;
        }
    return bad;
}

static int print(const struct options *o, const struct qpw_comparison *c, uint64_t now)
{
    struct qpw_printer printer = qpw_printer_of(stdout);
    json_t *document;
    int r;

    if (!o->json)
        return qpw_comparison_text(c, now, &printer);
    document = qpw_comparison_json(c);
    r = !document ? -ENOMEM : json_dumpf(document, stdout, JSON_INDENT(1)) < 0 || putchar('\n') == EOF ? -EIO : 0;
    json_decref(document);
    return r;
}

static int failed(int error)
{
    fprintf(stderr, "qportwatch cluster compare: %s\n", strerror(-error));
    return QPW_EXIT_FAILED;
}

/* Read the files into `statements`, which has room for all of them, compare and print. Returns the exit status. */
static int compare_files(const struct options *o, struct qpw_statement *statements, uint64_t now)
{
    QPW_CLEANUP(qpw_comparison_clear) struct qpw_comparison c = {0};
    int r;

    if (load(o, statements) || refuse_namesakes(statements, o->n_files))
        return QPW_EXIT_USAGE;
    r = qpw_compare(statements, o->n_files, now, &c);
    if (r < 0)
        return failed(r);
    r = print(o, &c, now);
    if (r < 0)
        return failed(r);
    return c.n_differences ? QPW_EXIT_YES : QPW_EXIT_OK;
}

static int compare(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option, .args_doc = "FILE...",
        .doc = "Compare statements of the nodes of a cluster, one or more of each, and say in what they differ: packets that one sent "
               "and the other did not see, or the other way round; who opened what; nodes that are silent; addresses; coverage; "
               "policy and version; services of one node alone; scans. Exit status 3: there are differences.\vOn each node "
               "'qportwatch statement --samples' writes one; - is standard input. Packets are compared for as long as the samples of "
               "both ends overlap, so collect them within a minute."};
    uint64_t now = qpw_clock_unix_ns();
    struct qpw_statement *statements;
    struct options o = {0};
    int status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    statements = calloc(o.n_files + 1, sizeof(*statements));
    status = statements ? compare_files(&o, statements, now) : failed(-ENOMEM);
    for (size_t i = 0; statements && i < o.n_files; i++)
        qpw_statement_clear(&statements[i]);
    free(statements);
    free(o.files);
    return status;
}

static const struct qpw_command subcommands[] = {{"compare", compare, "compare statements of several nodes"},
                                                 {"status", qpw_cmd_cluster_status, "show what this node hears of its peers"},
                                                 {"report", qpw_cmd_cluster_report, "show in what the nodes differ"},
                                                 {"key", qpw_cmd_cluster_key, "make this node's key and print it for the policy"}};

const struct qpw_command *qpw_cluster_commands(size_t *ret_n)
{
    *ret_n = sizeof(subcommands) / sizeof(*subcommands);
    return subcommands;
}

int qpw_cmd_cluster(int argc, char **argv)
{
    static const struct qpw_subcommands all = {"qportwatch cluster", "", subcommands, sizeof(subcommands) / sizeof(*subcommands)};

    return qpw_subcommands_run(&all, argc, argv);
}
