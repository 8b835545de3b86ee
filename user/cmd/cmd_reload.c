/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <argp.h>
#include <stdio.h>
#include <unistd.h>

#include "control/control.h"
#include "control/reload.h"
#include "cmd/cmd.h"
#include "instance/words.h"
#include "util/usage.h"

static error_t take_option(int key, char *value, struct argp_state *state)
{
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
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
    char words[QPW_CONTROL_BYTES];
    int status;

    qpw_arguments_parse(&argp, argc, argv, &options);
    if (geteuid() != 0) {
        fprintf(stderr, "qportwatch reload: only root can change what is attached; use sudo\n");
        qpw_policy_options_clear(&options);
        return QPW_EXIT_FAILED;
    }
    qpw_quiet_libbpf();
    status = qpw_reload(&options, words, sizeof(words));
    if (status == QPW_EXIT_OK)
        printf("%s\n", words);
    else
        fprintf(stderr, "qportwatch reload: %s\n", words);
    qpw_policy_options_clear(&options);
    return status;
}
