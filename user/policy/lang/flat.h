/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* flat.h - a policy's text as one, which needs no other file: every include, list of addresses and peer in its place. */
#ifndef QPW_POLICY_FLAT_H
#define QPW_POLICY_FLAT_H

#include "policy/lang/policy.h"

/*
 * Its statements as written, a line each, read again from where they were read; where `addresses` names a list (`file=`),
 * with its addresses; behind them the peers that were given beside the file, as statements. NULL: the files are not what the
 * policy's digest is of any more, or no memory. The caller frees it.
 */
char *qpw_policy_flat(const struct qpw_policy *policy);

#endif
