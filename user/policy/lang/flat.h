/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* flat.h - a policy's text as one, with every include put in its place. */
#ifndef QPW_POLICY_FLAT_H
#define QPW_POLICY_FLAT_H

#include "policy/lang/policy.h"

/*
 * Its statements as written, a line each, read again from where they were read. Lists that statements name (`file=`) stay
 * names, and peers of the command line are no statements. NULL: they are not what the policy's digest is of, or no memory.
 * The caller frees it.
 */
char *qpw_policy_flat(const struct qpw_policy *policy);

#endif
