/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load.h - load the policy that a command works with, as the options that all commands share select it.
 *
 * A command puts {&qpw_policy_argp, 0, "Policy:", 0} into its argp children, points the child input
 * at a struct qpw_policy_options and calls qpw_policy_load().
 */
#ifndef QPW_POLICY_LOAD_H
#define QPW_POLICY_LOAD_H

#include <argp.h>

#include "policy/lang/policy.h"
#include "util/error.h"

struct qpw_policy_options {
    const char *policy_file; /* --policy; all strings belong to the command line */
    const char *platform;    /* --platform */
    const char *peers_file;  /* --peers */
    const char **peers;      /* --peer, repeatable */
    size_t n_peers;
    const char *set_in; /* not an option: "it is set in FILE:LINE" if the configuration names the policy; else NULL */
    struct qpw_faults *faults; /* not an option: receives all errors of a file that cannot be loaded; may be NULL */
};

/* --policy, --platform, --peer, --peers. Child input: struct qpw_policy_options *. */
extern const struct argp qpw_policy_argp;

/*
 * --policy FILE, else --platform NAME, else /etc/qportwatch/policy if there, else the built-in
 * on-prem; then the peers. *ret_chosen (may be NULL) is a text saying why this one was taken
 * where it was not asked for, else NULL; static, or options->set_in. Returns 0, or negative errno with err as one line
 * (FILE:LINE:COLUMN: what, and how many more faults there are) and *ret untouched; every such failure is QPW_EXIT_USAGE.
 */
int qpw_policy_load(const struct qpw_policy_options *options, struct qpw_policy *ret, const char **ret_chosen,
                    struct qpw_error *err);

/* Add a warning for each file of the policy in force that users other than root can change. Returns 0 or -ENOMEM. */
int qpw_policy_warn_writable(struct qpw_policy *policy);

/* Free the list of peers and zero the options. */
void qpw_policy_options_clear(struct qpw_policy_options *options);

#endif
