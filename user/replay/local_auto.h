/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* local_auto.h - guess which addresses in a capture are the node's. */
#ifndef QPW_REPLAY_LOCAL_AUTO_H
#define QPW_REPLAY_LOCAL_AUTO_H

#include <stddef.h>
#include <stdint.h>

#include "policy/lang/policy.h"
#include "replay/ends.h"
#include "util/error.h"

/* How many frames at the beginning are examined. */
#define QPW_LOCAL_AUTO_FRAMES 200000u

/*
 * Examine the beginning of the captures (not standard input, which cannot be read twice) and add the addresses that are
 * most likely the node's: if the capture has directions, the senders of outgoing frames; otherwise the address with
 * most partners, together with the other addresses of its network card; on a tie, the one whose ports the policy's
 * inbound services were requested at. `why` gets a sentence on the choice and its reason. Returns 0, or a negative
 * errno with err filled: -ENODATA if no address stands out.
 */
#define QPW_LOCAL_WHY 512u
int qpw_local_auto(char *const paths[], size_t n_paths, const struct qpw_policy *policy, struct qpw_ends *ends,
                   char why[static QPW_LOCAL_WHY], struct qpw_error *err);

#endif
