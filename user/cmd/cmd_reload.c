/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <argp.h>
#include <stdio.h>
#include <unistd.h>

#include "auditor/reload.h"
#include "cmd/cmd.h"
#include "control/changelist.h"
#include "control/message.h"
#include "instance/kernel_words.h"
#include "util/usage.h"
#include "words/printer.h"
#include "words/words.h"

static error_t take_option(int key, char *value, struct argp_state *state)
{
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

static int print_changes(const json_t *answer)
{
    const json_t *policy = json_object_get(answer, "policy");
    const char *name = json_string_value(json_object_get(policy, "name"));
    const char *path = json_string_value(json_object_get(policy, "path"));
    struct qpw_changelist changes;
    char text[QPW_CONTROL_BYTES], policy_text[352];

    if (qpw_changelist_read(answer, &changes) < 0) {
        fprintf(stderr, "qportwatch reload: the auditor's answer has no changes\n");
        return QPW_EXIT_FAILED;
    }
    qpw_put_lines(stdout, QPW_RELOADED_TEXT,
                  qpw_words_policy(name ? name : "", path ? path : "", policy_text, sizeof(policy_text)),
                  qpw_changelist_text(&changes, text, sizeof(text)));
    qpw_changelist_clear(&changes);
    return QPW_EXIT_OK;
}

int qpw_cmd_reload(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&qpw_policy_argp, 0, "Another policy, or other peers, than so far (what is not given stays):", 0}, {0}};
    static const struct argp argp = {
        .parser = take_option, .children = children,
        .doc = "Reads the policy again, puts it in force in one step and prints the difference. A policy with an "
               "error changes nothing (exit status 2)."};
    struct qpw_policy_options options = {0};
    json_t *answer;
    struct qpw_error err;
    int status;

    qpw_arguments_parse(&argp, argc, argv, &options);
    if (geteuid() != 0) {
        fprintf(stderr, "qportwatch reload: root privileges are required (try sudo)\n");
        qpw_policy_options_clear(&options);
        return QPW_EXIT_FAILED;
    }
    qpw_quiet_libbpf();
    status = qpw_reload(&options, &answer, &err);
    if (status == QPW_EXIT_OK)
        status = print_changes(answer);
    else
        fprintf(stderr, "qportwatch reload: %s\n", err.text);
    json_decref(answer);
    qpw_policy_options_clear(&options);
    return status;
}
