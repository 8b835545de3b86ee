/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse.h - what the parts of the parser share; everybody else includes policy.h. */
#ifndef QPW_POLICY_PARSE_H
#define QPW_POLICY_PARSE_H

#include "policy/lang/policy.h"
#include "policy/lang/statements.h"

#define QPW_MAX_POLICY_RULES (QPW_MAX_RULES - 64) /* the tool's own rules have a place too */

/*
 * All that parse return 0, or a negative errno with err naming the place: -EINVAL what stands there is wrong, -ENOENT a
 * name that nothing has, -E2BIG one too many to go on, -ENOMEM.
 */

/* ---- Words (parse_words.c) ---- */

/* The column of the character that `at` points to within the word, from 1. */
unsigned qpw_column_in(const struct qpw_word *word, const char *at);

struct qpw_port_list {
    struct qpw_port_range *ranges; /* ascending, disjoint; NULL for any */
    size_t n;
    bool any;
};

/* "445", "389,636", "32768-60999", "any"; `highest` is 65535, or 255 for ICMP types. Caller frees ranges. */
int qpw_parse_ports(const struct qpw_where *where, const struct qpw_word *word, const char *text, unsigned highest,
                    struct qpw_port_list *ret, struct qpw_error *err);

/* "tcp,udp", "47", "any" into bits. */
int qpw_parse_protocols(const struct qpw_where *where, const struct qpw_word *word, uint64_t ret_protocols[4],
                        bool *ret_any, struct qpw_error *err);

/* Highest port that these protocols can have: 65535, 255 for ICMP types, 0 where they have none. */
unsigned qpw_highest_port(const uint64_t protocols[4], bool any);

/* "2027-03-01" (through the end of that day, UTC) or "2027-03-01T12:00:00Z" into the second it ends at. */
int qpw_parse_until(const struct qpw_where *where, const struct qpw_word *word, const char *text, int64_t *ret,
                    struct qpw_error *err);

/* Lower-case letters, digits and . _ + -, not starting with one of these four. */
int qpw_parse_name(const struct qpw_where *where, const struct qpw_word *word, const char *text,
                   char ret[QPW_NAME_LEN], struct qpw_error *err);

/* The value behind "KEY=" in word, or NULL where the word is something else. */
const char *qpw_word_value(const struct qpw_word *word, const char *key);

/* Appends what "ADDR|CIDR|RANGE|@SET,…" names to set; sets come from `policy`. Not normalised. */
int qpw_parse_addresses(const struct qpw_policy *policy, const struct qpw_where *where, const struct qpw_word *word,
                        const char *text, struct qpw_addresses *set, struct qpw_error *err);

/* Adds ports in text form to `name`, as in "389+636" or "32768-60999". */
void qpw_ports_into_name(const struct qpw_port_range *ports, size_t n, char *name, size_t size);

/* From least to most words, the first included; otherwise the error shows the example. */
int qpw_expect_words(const struct qpw_statement *statement, size_t least, size_t most, const char *example,
                     struct qpw_error *err);

/* Adds a warning "FILE:LINE: what" to the policy. 0 or -ENOMEM. */
int qpw_policy_warn(struct qpw_policy *policy, const struct qpw_where *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- Rows (parse_rule.c) ---- */

/* "inbound …" or "outbound …" into a rule; parse_suppress: "suppress …". The caller clears on success only. */
int qpw_parse_rule(const struct qpw_policy *policy, const struct qpw_statement *statement, struct qpw_rule *ret,
                   struct qpw_error *err);
int qpw_parse_suppression(const struct qpw_policy *policy, const struct qpw_statement *statement,
                          struct qpw_suppression *ret, struct qpw_error *err);
/* What is known of a row that has a fault. */
void qpw_unread_rule(const struct qpw_statement *statement, struct qpw_rule *ret);
void qpw_rule_clear(struct qpw_rule *rule);
void qpw_suppression_clear(struct qpw_suppression *line);

/* ---- What changes rows that stand above (parse_change.c) ---- */

int qpw_apply_only(struct qpw_policy *policy, const struct qpw_statement *statement, struct qpw_error *err);
/* The hint at the rule or feature of the policy that the name is nearest to (util/near.h). Returns buf. */
const char *qpw_near_rule(const struct qpw_policy *policy, const char *name, char *buf, size_t size);
int qpw_apply_override(struct qpw_policy *policy, const struct qpw_statement *statement, struct qpw_error *err);
int qpw_apply_disable(struct qpw_policy *policy, const struct qpw_statement *statement, struct qpw_error *err);
/* The parent= of that row, if it has one, names another. */
int qpw_check_parent(const struct qpw_policy *policy, size_t row, struct qpw_error *err);

/* ---- Statements about peers and sets (parse_peers.c); each is a line, its word first ---- */

struct qpw_parser {
    struct qpw_policy policy;
    struct qpw_statements statements;
    bool draft; /* sets may still be empty */
};

int qpw_parse_peer(struct qpw_parser *p, const struct qpw_statement *statement, struct qpw_error *err);
int qpw_parse_peer_family(struct qpw_parser *p, const struct qpw_statement *statement, struct qpw_error *err);
int qpw_parse_peer_ports(struct qpw_parser *p, const struct qpw_statement *statement, struct qpw_error *err);
int qpw_parse_set(struct qpw_parser *p, const struct qpw_statement *statement, struct qpw_error *err);
/* Every set has addresses, on one of its lines or another. All that have none are named. */
int qpw_check_sets(const struct qpw_policy *policy, struct qpw_error *err);

#endif
