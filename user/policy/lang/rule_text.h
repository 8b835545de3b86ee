/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_text.h - parts of a policy as text. Each writes into buf, ends it with a zero byte, and returns buf; what does
 * not fit is cut. */
#ifndef QPW_POLICY_RULE_TEXT_H
#define QPW_POLICY_RULE_TEXT_H

#include "policy/lang/policy.h"

/* "tcp,udp", "any". */
const char *qpw_protocols_text(const uint64_t protocols[4], bool any, char *buf, size_t size);

/* "389,636", "32768-60999", "any". */
const char *qpw_ports_text(const struct qpw_port_range *ports, size_t n, bool any, char *buf, size_t size);

/* "10.0.0.0/8,10.9.0.1-10.9.0.7", with "… (N more)" where there is no room; "nobody" for an empty set. */
const char *qpw_addresses_text(const struct qpw_addresses *set, char *buf, size_t size);

/* "2027-03-01" for the end of a day, else a full time; empty for 0. */
const char *qpw_until_text(int64_t until, char *buf, size_t size);

/* What limits a row, as it would be written: from=, to=, vlan=, iface=, until=. */
const char *qpw_row_limits_text(const struct qpw_rule *rule, char *buf, size_t size);

/* Its other options but ref=: flags, owner=, speaks=, feature=, parent=. */
const char *qpw_row_marks_text(const struct qpw_rule *rule, char *buf, size_t size);

/*
 * Whether ref= names a place in a vendor's page, such as "required-ports.md:23", and so where the rule comes from, not who
 * approved it. source: the page that the policy names, NULL where it names none.
 */
bool qpw_ref_is_page(const char *ref, const char *source);

#endif
