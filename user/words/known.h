/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * known.h - names of addresses and purposes of ports for people, from a hosts file and the policy in force.
 *
 * Global to the process and set by its main thread before it prints. DNS is never queried. Documents, and policy lines
 * that would allow something, contain only addresses and numbers.
 */
#ifndef QPW_WORDS_KNOWN_H
#define QPW_WORDS_KNOWN_H

#include <stddef.h>
#include <stdint.h>

#include "policy/lang/policy.h"
#include "util/error.h"

#define QPW_KNOWN_NAME 48

/*
 * Read the names of a file in the format of /etc/hosts. Returns 0, or a negative errno with err filled: "FILE:LINE:
 * what".
 */
int qpw_known_hosts(const char *path, struct qpw_error *err);

/* Take peers, address sets and purposes from a policy, replacing the previous one's. Returns 0 or -ENOMEM. */
int qpw_known_policy(const struct qpw_policy *policy);

/*
 * Return the name in the hosts file, otherwise the peer's, otherwise "@set" for the smallest set that contains the
 * address; "" if there is none.
 */
const char *qpw_known_name(const uint8_t addr[16]);

/* Return the purpose of the rule that lists only this port; "" if there is none. protocol: IPPROTO_*. */
const char *qpw_known_purpose(unsigned protocol, unsigned port);

/* Forget all names. */
void qpw_known_clear(void);

#endif
