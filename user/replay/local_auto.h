/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * local_auto.h - which addresses of a capture are the node's, when nobody says.
 */
#ifndef QPW_REPLAY_LOCAL_AUTO_H
#define QPW_REPLAY_LOCAL_AUTO_H

#include <stddef.h>
#include <stdint.h>

#include "policy/lang/policy.h"
#include "replay/ends.h"
#include "util/error.h"

/* So many frames of the beginning are looked at. */
#define QPW_LOCAL_AUTO_FRAMES 200000u

/*
 * Reads the beginning of the captures (not standard input, which cannot be read twice) and adds the
 * addresses that are most likely the node's: where the capture tells directions, those that sent what
 * left it; else the address that talks to most others, with the other addresses of its network card; of
 * two that talk to as many, the one at whose ports the policy's inbound services were asked.
 * `why` says what was taken and for which reason, as a sentence. 0, or a negative errno with err: -ENODATA
 * where no address stands out.
 */
#define QPW_LOCAL_WHY 512u
int qpw_local_auto(char *const paths[], size_t n_paths, const struct qpw_policy *policy, struct qpw_ends *ends,
                   char why[static QPW_LOCAL_WHY], struct qpw_error *err);

#endif
