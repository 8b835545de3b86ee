/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_statement.c - qportwatch statement: what this node states about itself for its peers. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/anonymize.h"
#include "cmd/cmd.h"
#include "cmd/node_statement.h"
#include "instance/kernel_words.h"
#include "util/usage.h"

enum { KEY_SAMPLES = 0x500, KEY_ANONYMIZE };

static const struct argp_option options_table[] = {
    {"samples", KEY_SAMPLES, NULL, 0,
     "Add what was exchanged with up to 64 peers in each of the last 120 seconds, so that packets can be compared", 0},
    {"anonymize", KEY_ANONYMIZE, "KEYFILE", 0, QPW_ANONYMIZE_HELP, 0},
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct qpw_node_statement_options *options = state->input;

    switch (key) {
    case KEY_SAMPLES: options->samples = true; return 0;
    case KEY_ANONYMIZE: options->key = value; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int qpw_cmd_statement(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option,
        .doc = "Print what this node states about itself for its peers, as one JSON document: what is monitored, what was exchanged "
               "with each peer, services, listeners, neighbours, and the answer.\vCollect one of each node and compare them with "
               "'qportwatch cluster compare FILE...'."};
    json_t *document = NULL;
    struct qpw_error err;
    struct qpw_node_statement_options options = {0};
    int r;

    qpw_arguments_parse(&argp, argc, argv, &options);
    qpw_quiet_libbpf();
    r = qpw_node_statement(&options, &document, &err);
    if (r == 0 && (json_dumpf(document, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) < 0 || putchar('\n') == EOF))
        r = qpw_fail(&err, -EIO, "standard output cannot be written");
    json_decref(document);
    if (r < 0)
        fprintf(stderr, "qportwatch statement: %s\n", err.text);
    return r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}
