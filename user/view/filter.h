/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.h - the filter language of the live view.
 *
 *   port:4444 dir:in verdict:unexpected addr:10.0.0.0/8 proc:nc peer:node2 rule:in-tcp-445 proto:tcp
 *
 * Terms are separated by blanks, and all must match. A comma separates alternatives (port:80,443); so do two terms of
 * one field. A leading `-` or `!` negates. Ranges: port:1000-2000, vlan:100-199. Words of a fixed list may be
 * abbreviated and then mean every word with that prefix (dir:in, verdict:un). Names (rule, peer, iface) are compared as
 * a whole, with * and ?. A word without a field is searched for in the whole text of the row. Quotes keep blanks
 * together: proc:"my tool".
 */
#ifndef QPW_VIEW_FILTER_H
#define QPW_VIEW_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* X(symbol, "name", "short name", "what it compares") */
#define QPW_FIELDS(X) \
    X(WORD, "", "", "a word anywhere in the row") \
    X(PORT, "port", "p", "service port, ICMP type or EtherType; ranges") \
    X(DIR, "dir", "direction", "inbound, outbound, unknown, transit, undecodable, non_ip") \
    X(VERDICT, "verdict", "v", "allowed, peer, weak, infra, implied, undecided, transit, unexpected") \
    X(ADDR, "addr", "ip", "either address: one, or a prefix as 10.0.0.0/8") \
    X(FROM, "from", "src", "the initiator's address or prefix") \
    X(TO, "to", "dst", "the responder's address or prefix") \
    X(PROC, "proc", "process", "part of the process, with * and ?") \
    X(PEER, "peer", "node", "name of the cluster peer, with * and ?") \
    X(RULE, "rule", "r", "name of the policy rule, with * and ?") \
    X(PROTO, "proto", "protocol", "tcp, udp, sctp, icmp, icmp6, non-ip or a number") \
    X(OUTCOME, "outcome", "o", "attempted, refused, answered, data") \
    X(SEVERITY, "severity", "sev", "high, medium, low, info") \
    X(EVIDENCE, "evidence", "e", "handshake, socket, first, inferred, none") \
    X(REASON, "reason", "why", "reason of an undecided or transit row, with * and ?") \
    X(IFACE, "iface", "if", "interface, with * and ?") \
    X(VLAN, "vlan", "tag", "VLAN number; ranges; 0 is untagged")

#define QPW_X_FIELD(s, n, o, d) QPW_FIELD_##s,
enum qpw_field { QPW_FIELDS(QPW_X_FIELD) QPW_FIELD_COUNT };

const char *qpw_field_name(enum qpw_field field);
const char *qpw_field_help(enum qpw_field field);

#define QPW_FILTER_TERMS 32
#define QPW_FILTER_TEXT 240

struct qpw_term {
    enum qpw_field field;
    bool negate;
    uint32_t low, high;  /* numbers: inclusive range */
    uint32_t words;      /* fixed lists: bitmask of the values meant */
    uint8_t addr[16];
    unsigned prefix;     /* of 128 */
    char text[64];       /* names and free words, in lower case */
};

struct qpw_filter {
    struct qpw_term terms[QPW_FILTER_TERMS];
    size_t n_terms;
    uint32_t fields; /* bitmask of the fields that occur */
};

#define QPW_NO_PORT 0xffffffffu

/* What a filter compares. `has`: bitmask of the fields that this kind of row has; terms on others are not applied. */
struct qpw_facts {
    uint32_t has;
    bool non_ip;
    uint8_t protocol, direction, verdict, outcome, severity, evidence;
    uint32_t port; /* QPW_NO_PORT if the protocol has none */
    uint16_t vlan;
    const uint8_t *from, *to; /* NULL: none */
    const char *process, *peer, *rule, *reason, *iface; /* "" if there is none */
    const char *words; /* all of the row's text; only read if the filter has free words */
};

/*
 * Parse text; an empty one gives a filter that matches everything. Returns 0, or -EINVAL with err filled and *ret
 * unchanged.
 */
int qpw_filter_parse(const char *text, struct qpw_filter *ret, struct qpw_error *err);

bool qpw_filter_match(const struct qpw_filter *filter, const struct qpw_facts *facts);

#endif
