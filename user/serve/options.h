/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options.h - the options of qportwatch-serve, which 'qportwatch complete' offers without running it. */
#ifndef QPW_SERVE_OPTIONS_H
#define QPW_SERVE_OPTIONS_H

#include "util/usage.h"

#include "policy/lang/policy.h"

#define QPW_KEY_FOLDER "/etc/qportwatch/cluster"
#define QPW_SERVE_STATE "/var/lib/qportwatch-serve"

enum {
    QPW_SERVE_OPTION_POLICY = 0x500, QPW_SERVE_OPTION_LISTEN, QPW_SERVE_OPTION_PORT, QPW_SERVE_OPTION_KEYS, QPW_SERVE_OPTION_STATE,
    QPW_SERVE_KEY_OPTION_FOLDER, QPW_SERVE_KEY_OPTION_NAME
};

static const struct argp_option qpw_serve_options[] __attribute__((unused)) = {
    {"policy", QPW_SERVE_OPTION_POLICY, "FILE", 0, "The policy that names peers, readers and their keys (default " QPW_POLICY_DEFAULT_PATH ")", 0},
    {"listen", QPW_SERVE_OPTION_LISTEN, "ADDRESS", 0, "Listen on this address (repeatable; default: those of this node that its peer line names)", 0},
    {"port", QPW_SERVE_OPTION_PORT, "PORT", 0, "Listen there, and ask peers there (default 9101, which the rule 'self' allows; another one needs a rule)", 0},
    {"keys", QPW_SERVE_OPTION_KEYS, "DIRECTORY", 0, "Where 'qportwatch cluster key' made key and certificate (default " QPW_KEY_FOLDER ")", 0},
    {"state", QPW_SERVE_OPTION_STATE, "DIRECTORY", 0, "Where what is known of the peers is kept (default " QPW_SERVE_STATE ")", 0},
    {0},
};

static const struct argp_option qpw_serve_key_options[] __attribute__((unused)) = {
    {"keys", QPW_SERVE_KEY_OPTION_FOLDER, "DIRECTORY", 0, "Where key and certificate are kept (default " QPW_KEY_FOLDER ")", 0},
    {"name", QPW_SERVE_KEY_OPTION_NAME, "NAME", 0, "This node's name in the policy (default: the host's name)", 0},
    {0},
};

#endif
