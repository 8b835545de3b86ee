/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rule_text.h - parts of a policy as text. Each function writes a terminated text into buf, truncated if necessary, and
 * returns buf.
 */
#ifndef QPW_POLICY_RULE_TEXT_H
#define QPW_POLICY_RULE_TEXT_H

#include "policy/lang/policy.h"

/* Write protocols: "tcp,udp", "any". */
const char *qpw_protocols_text(const uint64_t protocols[4], bool any, char *buf, size_t size);

/* Write ports: "389,636", "32768-60999", "any". */
const char *qpw_ports_text(const struct qpw_port_range *ports, size_t n, bool any, char *buf, size_t size);

/* Write addresses: "10.0.0.0/8,10.9.0.1-10.9.0.7", "… (N more)" if buf is too small; "nobody" for an empty set. */
const char *qpw_addresses_text(const struct qpw_addresses *set, char *buf, size_t size);

/* Write the keys, separated by ", "; "" for none. Returns buf. */
#define QPW_KEYS_TEXT (QPW_MAX_KEYS * (QPW_KEY_LEN + 2))
const char *qpw_keys_text(const struct qpw_keys *keys, char buf[QPW_KEYS_TEXT]);

/* Write an expiry time: "2027-03-01" for the end of a day, else a full time; empty for 0. */
const char *qpw_until_text(int64_t until, char *buf, size_t size);

/* Write a rule's limits as in a policy: from=, to=, vlan=, iface=, until=. */
const char *qpw_row_limits_text(const struct qpw_rule *rule, char *buf, size_t size);

/* Write a rule's other options, except ref=: flags, owner=, speaks=, feature=, parent=. */
const char *qpw_row_marks_text(const struct qpw_rule *rule, char *buf, size_t size);

/*
 * Return whether ref= refers to a line of a vendor's page, such as "required-ports.md:23": the rule's origin, not its
 * approval. source: the page that the policy names, or NULL.
 */
bool qpw_ref_is_page(const char *ref, const char *source);

#endif
