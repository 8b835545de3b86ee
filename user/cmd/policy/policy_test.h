/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy_test.h - print the result of `policy test`. */
#ifndef QPW_POLICY_TEST_H
#define QPW_POLICY_TEST_H

#include <jansson.h>
#include <stdint.h>

#include "advice/what_if.h"
#include "policy/lang/policy.h"
#include "util/error.h"

/* The subject of the test: whose traffic, when, and which policy judged it. */
struct qpw_tested {
    char host[64];
    uint64_t from_ns, to_ns;
    char policy[64], path[256];
    json_t *interfaces; /* their names */
    json_t *answer;     /* about the node, under the policy in force */
};

/* Print "qportwatch.policy-test/1", or a table. Returns 0, or a negative errno with err filled. */
int qpw_policy_test_json(const struct qpw_what_if *result, const struct qpw_tested *tested, const struct qpw_policy *candidate,
                         struct qpw_error *err);
int qpw_policy_test_table(const struct qpw_what_if *result, const struct qpw_tested *tested, const struct qpw_policy *candidate,
                          struct qpw_error *err);

#endif
