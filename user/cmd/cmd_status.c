/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "status/status.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "host/rights.h"
#include "instance/kernel_words.h"
#include "util/usage.h"

static const struct argp_option options_table[] = {
    QPW_FORMAT_OPTIONS,
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    bool *json = state->input;

    switch (key) {
    default: return qpw_format_take(state, key, value, json) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

int qpw_cmd_status(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option,
        .doc = "What is attached in this network namespace, how, since when, with which policy, and what it lost. "
               "Exit status 3: not attached, or no auditor is running."};
    struct qpw_status status;
    struct qpw_error err;
    bool json = false;
    int r, code;

    qpw_arguments_parse(&argp, argc, argv, &json);
    if (qpw_rights_check(&err) < 0) {
        fprintf(stderr, "qportwatch status: %s\n", err.text);
        return QPW_EXIT_FAILED;
    }
    qpw_quiet_libbpf();
    r = qpw_status_gather(&status, &err);
    if (r == -ENOENT && json && qpw_status_json_nothing(err.text, stdout) == 0)
        return QPW_EXIT_YES;
    if (r < 0) {
        fprintf(stderr, "qportwatch status: %s\n", err.text);
        return r == -ENOENT ? QPW_EXIT_YES : QPW_EXIT_FAILED;
    }
    code = status.answer.sight.auditor != QPW_AUDITOR_ALIVE ? QPW_EXIT_YES : QPW_EXIT_OK;
    if (!json)
        qpw_status_text(&status, stdout);
    else if (qpw_status_json(&status, stdout) < 0) {
        fprintf(stderr, "qportwatch status: the document cannot be written\n");
        code = QPW_EXIT_FAILED;
    }
    qpw_status_clear(&status);
    return code;
}
