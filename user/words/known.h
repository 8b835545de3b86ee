/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * known.h - names of addresses and purposes of ports for people: out of a hosts file, and of the policy in force.
 *
 * Of the whole process, set by its main thread before it prints. Nothing is ever asked of DNS. Documents and the policy
 * lines that would allow something have addresses and numbers alone.
 */
#ifndef QPW_WORDS_KNOWN_H
#define QPW_WORDS_KNOWN_H

#include <stddef.h>
#include <stdint.h>

#include "policy/lang/policy.h"
#include "util/error.h"

#define QPW_KNOWN_NAME 48

/* Takes the names of a file in the format of /etc/hosts. 0, or a negative errno with err: "FILE:LINE: what". */
int qpw_known_hosts(const char *path, struct qpw_error *err);

/* Takes peers, address sets and purposes of a policy, in place of those of the one before. 0 or -ENOMEM. */
int qpw_known_policy(const struct qpw_policy *policy);

/* The name of the hosts file, the peer's, "@set" of the smallest set it is in, in this order; "" where there is none. */
const char *qpw_known_name(const uint8_t addr[16]);

/* The purpose of the rule that lists just this port; "" where there is none. protocol: IPPROTO_*. */
const char *qpw_known_purpose(unsigned protocol, unsigned port);

/* Forgets everything. */
void qpw_known_clear(void);

#endif
