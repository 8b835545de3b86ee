/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy_test_options.h - what the two parts of `policy test` share: its options, and how it answers. */
#ifndef QPW_POLICY_TEST_OPTIONS_H
#define QPW_POLICY_TEST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/captures.h"
#include "cmd/history_file.h"
#include "cmd/policy/policy_test.h"
#include "cmd/settings.h"
#include "snapshot/snapshot.h"

#define QPW_TEST_WITHOUT 32u

struct qpw_test_options {
    struct qpw_policy_options policy;
    struct qpw_captures captures;
    bool json;
    const char *candidate;
    struct qpw_history_args history;
    const char *without[QPW_TEST_WITHOUT]; /* rules to remove from the policy in force, instead of a candidate */
    size_t n_without;
};

/* Turn a result into the exit status, and print the error if it is one. */
int qpw_test_exit(int r, const struct qpw_error *err);

/* Take the answer about the node as it is, as JSON. Returns 0, or a negative errno with err filled. */
int qpw_test_take_answer(const struct qpw_snapshot *s, struct qpw_tested *tested, struct qpw_error *err);

/* Print the result. Returns an exit status. */
int qpw_test_answer(const struct qpw_test_options *o, const struct qpw_what_if *result, const struct qpw_tested *tested,
                    const struct qpw_policy *candidate);

void qpw_tested_clear(struct qpw_tested *tested);

/* Replay the captures under the policy of the options and under the candidate. Returns an exit status. */
int qpw_test_captures(struct qpw_test_options *o, const struct qpw_policy *candidate);

#endif
