/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse.h - shared by the parts of the parser; all other files include policy.h. */
#ifndef QPW_POLICY_PARSE_H
#define QPW_POLICY_PARSE_H

#include "policy/lang/policy.h"
#include "policy/lang/statements.h"

#define QPW_MAX_POLICY_RULES (QPW_MAX_RULES - 64) /* leaves room for the built-in rules */

/*
 * Parse functions return 0, or a negative errno with err naming the position: -EINVAL invalid text, -ENOENT undefined
 * name, -E2BIG too many, stop, -ENOMEM.
 */

/* ---- Words (parse_words.c) ---- */

/* Return the column, from 1, of the character at `at` within the word. */
unsigned qpw_column_in(const struct qpw_word *word, const char *at);

struct qpw_port_list {
    struct qpw_port_range *ranges; /* ascending, disjoint; NULL for any */
    size_t n;
    bool any;
};

/* Parse "445", "389,636", "32768-60999", "any". highest: 65535, or 255 for ICMP types. The caller frees the ranges. */
int qpw_parse_ports(const struct qpw_where *where, const struct qpw_word *word, const char *text, unsigned highest,
                    struct qpw_port_list *ret, struct qpw_error *err);

/* Parse "tcp,udp", "47" or "any" into bits. */
int qpw_parse_protocols(const struct qpw_where *where, const struct qpw_word *word, uint64_t ret_protocols[4],
                        bool *ret_any, struct qpw_error *err);

/* Return the highest port of these protocols: 65535, 255 for ICMP types, 0: no ports. */
unsigned qpw_highest_port(const uint64_t protocols[4], bool any);

/* Parse "2027-03-01" (until the end of that day, UTC) or "2027-03-01T12:00:00Z" into the Unix second of expiry. */
int qpw_parse_until(const struct qpw_where *where, const struct qpw_word *word, const char *text, int64_t *ret,
                    struct qpw_error *err);

/* Parse a name: lower-case letters, digits and . _ + -, starting with a letter or digit. */
int qpw_parse_name(const struct qpw_where *where, const struct qpw_word *word, const char *text,
                   char ret[QPW_NAME_LEN], struct qpw_error *err);

/* Return the value after "KEY=" in the word, or NULL for any other word. */
const char *qpw_word_value(const struct qpw_word *word, const char *key);

/* Append the addresses of "ADDR|CIDR|RANGE|@SET,…" to the set, not normalised. Named sets are those of `policy`. */
int qpw_parse_addresses(const struct qpw_policy *policy, const struct qpw_where *where, const struct qpw_word *word,
                        const char *text, struct qpw_addresses *set, struct qpw_error *err);

/* Append the ports to `name` as text, such as "389+636" or "32768-60999". */
void qpw_ports_into_name(const struct qpw_port_range *ports, size_t n, char *name, size_t size);

/* Check the number of words, the first included; the error shows the example. */
int qpw_expect_words(const struct qpw_policy_statement *statement, size_t least, size_t most, const char *example,
                     struct qpw_error *err);

/* Add a warning "FILE:LINE: what" to the policy. Returns 0 or -ENOMEM. */
int qpw_policy_warn(struct qpw_policy *policy, const struct qpw_where *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- Rules (parse_rule.c) ---- */

/* Parse "inbound …" or "outbound …"; parse_suppress: "suppress …". The caller clears *ret after success only. */
int qpw_parse_rule(const struct qpw_policy *policy, const struct qpw_policy_statement *statement, struct qpw_rule *ret,
                   struct qpw_error *err);
int qpw_parse_suppression(const struct qpw_policy *policy, const struct qpw_policy_statement *statement,
                          struct qpw_suppression *ret, struct qpw_error *err);
/* Fill in what is known of a rule that cannot be parsed: its names. */
void qpw_unread_rule(const struct qpw_policy_statement *statement, struct qpw_rule *ret);
void qpw_rule_clear(struct qpw_rule *rule);
void qpw_suppression_clear(struct qpw_suppression *line);

/* ---- Statements that change earlier rules (parse_change.c) ---- */

int qpw_apply_only(struct qpw_policy *policy, const struct qpw_policy_statement *statement, struct qpw_error *err);
/* Write a hint naming the rule or feature most similar to the name (util/near.h). Returns buf. */
const char *qpw_near_rule(const struct qpw_policy *policy, const char *name, char *buf, size_t size);
int qpw_apply_override(struct qpw_policy *policy, const struct qpw_policy_statement *statement, struct qpw_error *err);
int qpw_apply_disable(struct qpw_policy *policy, const struct qpw_policy_statement *statement, struct qpw_error *err);
/* Check that the rule's parent=, if any, names another rule. */
int qpw_check_parent(const struct qpw_policy *policy, size_t row, struct qpw_error *err);

/* ---- Statements about peers and sets (parse_peers.c) ---- */

struct qpw_parser {
    struct qpw_policy policy;
    struct qpw_statements statements;
    bool draft; /* sets may still be empty */
};

int qpw_parse_peer(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err);
int qpw_parse_reader(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err);
int qpw_parse_cluster(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err);
int qpw_parse_peer_family(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err);
int qpw_parse_peer_ports(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err);
int qpw_parse_set(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err);
/* Check that every set has addresses; the error names all empty ones. */
int qpw_check_sets(const struct qpw_policy *policy, struct qpw_error *err);

/* ---- The tool's own port (parse_self.c) ---- */

/* Add the rule `self`, unless nobody has a key or the policy has a rule of that name. Call after all statements. */
int qpw_parse_self(struct qpw_policy *policy, struct qpw_error *err);

#endif
