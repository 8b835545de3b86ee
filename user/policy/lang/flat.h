/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* flat.h - a policy as one self-contained text: every include, address list and peer is expanded in place. */
#ifndef QPW_POLICY_FLAT_H
#define QPW_POLICY_FLAT_H

#include "policy/lang/policy.h"

/*
 * Return the statements as written, one per line, read again from the same files, with the addresses of the lists that
 * `addresses` names (`file=`), followed by the peers given beside the file, as statements. NULL: the files no longer match
 * the policy's digest, or out of memory. The caller frees the text.
 */
char *qpw_policy_flat(const struct qpw_policy *policy);

#endif
