/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/lang/parse.h"
#include "util/array.h"
#include "util/file.h"
#include "util/usage.h"

enum { KEY_PLATFORM = 0x100, KEY_PEER, KEY_PEERS };

static const struct argp_option options_table[] = {
    {"policy", 'p', "FILE", 0,
     "Policy file (default " QPW_POLICY_DEFAULT_PATH " if there, else the built-in of --platform)", 0},
    {"platform", KEY_PLATFORM, "NAME", 0, "Built-in policy: on-prem (default), aws, azure or cnq-gcp", 0},
    {"peer", KEY_PEER, "[NAME=]ADDR|CIDR|RANGE", 0, "Another node of the cluster (repeatable)", 0},
    {"peers", KEY_PEERS, "FILE", 0, "Nodes of the cluster, one per line: [NAME] ADDR…", 0},
    {0},
};

static error_t take_once(const struct argp_state *state, const char *option, const char **ret, const char *value)
{
    if (*ret)
        qpw_usage_error(state, "--%s is given twice: '%s' and '%s'", option, *ret, value);
    *ret = value;
    return 0;
}

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct qpw_policy_options *options = state->input;
    const char **peer;

    switch (key) {
    case 'p': return take_once(state, "policy", &options->policy_file, value);
    case KEY_PLATFORM: return take_once(state, "platform", &options->platform, value);
    case KEY_PEERS: return take_once(state, "peers", &options->peers_file, value);
    case KEY_PEER:
        peer = QPW_ADD(options->peers, options->n_peers);
        if (!peer)
            return ENOMEM;
        *peer = value;
        options->n_peers++;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp qpw_policy_argp = {.options = options_table, .parser = take_option};

void qpw_policy_options_clear(struct qpw_policy_options *options)
{
    free(options->peers);
    *options = (struct qpw_policy_options){0};
}

static int load_chosen(const struct qpw_policy_options *options, struct qpw_policy *ret, const char **ret_chosen,
                       struct qpw_error *err)
{
    struct qpw_policy_source source = {.name = QPW_POLICY_DEFAULT_PATH, .faults = options->faults};

    *ret_chosen = options->set_in;
    if (options->policy_file && options->platform)
        return qpw_fail(err, -EINVAL,
                        "--policy and --platform exclude each other; write 'include %s' into the policy file instead",
                        options->platform);
    if (options->policy_file) {
        source.name = options->policy_file;
        return qpw_policy_parse(&source, ret, err);
    }
    if (options->platform)
        return qpw_policy_parse_builtin(options->platform, ret, err);
    if (access(QPW_POLICY_DEFAULT_PATH, F_OK) == 0) {
        *ret_chosen = QPW_POLICY_DEFAULT_PATH " exists";
        return qpw_policy_parse(&source, ret, err);
    }
    *ret_chosen = "neither --policy nor --platform was given and " QPW_POLICY_DEFAULT_PATH " does not exist";
    return qpw_policy_parse_builtin(QPW_POLICY_DEFAULT_PLATFORM, ret, err);
}

int qpw_policy_warn_writable(struct qpw_policy *policy)
{
    char whose[400];
    int r = 0;

    for (size_t i = 0; i < policy->n_files && r == 0; i++)
        if (strncmp(policy->files[i], "built-in:", 9) && qpw_file_is_others(policy->files[i], whose, sizeof(whose)))
            r = qpw_policy_warn(policy, NULL, "%s: others than root can change it (%s)", policy->files[i], whose);
    return r;
}

int qpw_policy_load(const struct qpw_policy_options *options, struct qpw_policy *ret, const char **ret_chosen,
                    struct qpw_error *err)
{
    struct qpw_policy policy = {0};
    const char *chosen;
    int error = load_chosen(options, &policy, &chosen, err);

    if (error == 0 && options->peers_file)
        error = qpw_policy_add_peers_file(&policy, options->peers_file, options->faults, err);
    for (size_t i = 0; i < options->n_peers && error == 0; i++)
        error = qpw_policy_add_peer(&policy, options->peers[i], "--peer", err);
    if (error == 0)
        error = qpw_policy_warn_expiry(&policy, time(NULL));
    if (error < 0) {
        qpw_policy_clear(&policy);
        return error;
    }
    *ret = policy;
    if (ret_chosen)
        *ret_chosen = chosen;
    return 0;
}
