/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * qportwatch_words.h - the words that the BPF programs and user space share, each list once: X(SYMBOL, "name").
 *
 * A list gives the enum here and the names in user/util/names.c; a word is added by adding its line. Names are printed
 * in every output and read back from logs and JSON documents: they do not change once released. Values are kept in
 * maps: add at the end, unless the order has a meaning (evidence, outcome), and raise QPW_ABI_VERSION.
 */
#ifndef QPORTWATCH_WORDS_H
#define QPORTWATCH_WORDS_H

/* The six of totals.by_direction: every packet is in exactly one. */
#define QPW_DIRECTIONS(X) \
    X(UNKNOWN, "unknown") \
    X(INBOUND, "inbound") \
    X(OUTBOUND, "outbound") \
    X(TRANSIT, "transit") \
    X(UNDECODABLE, "undecodable") \
    X(NON_IP, "non_ip")

#define QPW_VERDICTS(X) \
    X(NONE, "none") \
    X(TRANSIT, "transit") \
    X(PEER, "peer") \
    X(UNDECIDED, "undecided") \
    X(ALLOWED, "allowed") \
    X(WEAK, "weak") \
    X(INFRA, "infra") \
    X(IMPLIED, "implied") \
    X(UNEXPECTED, "unexpected") \
    X(MISMATCH, "mismatch") /* of findings alone: what speaks is another service; packets stay in the row of their rule */

/* Ascending strength: a greater value replaces a smaller one, never the other way. */
#define QPW_EVIDENCES(X) \
    X(NONE, "none") \
    X(INFERRED, "inferred") \
    X(FIRST, "first") \
    X(SOCKET, "socket") \
    X(HANDSHAKE, "handshake")

/* Ascending: an outcome only rises. */
#define QPW_OUTCOMES(X) \
    X(NONE, "none") \
    X(ATTEMPTED, "attempted") \
    X(REFUSED, "refused") \
    X(ANSWERED, "answered") \
    X(DATA, "data")

#define QPW_SCOPES(X) \
    X(OTHER, "other") \
    X(PEER, "peer") \
    X(SELF, "self")

/* Why a packet is undecided or in transit, or another notable circumstance of its judgement. */
#define QPW_REASONS(X) \
    X(NONE, "none") \
    X(MIDSTREAM, "midstream")               /* TCP first seen after its handshake, no evidence found */ \
    X(UNSOLICITED, "unsolicited")           /* SYN+ACK from the network without a request */ \
    X(TAIL, "tail")                         /* RST, FIN or late ACK without a connection */ \
    X(INFERRED, "inferred")                 /* direction only consistent with a rule */ \
    X(JUST_ATTACHED, "just-attached")       /* datagrams: the other end may have asked before the attachment */ \
    X(QUESTION_LOST, "question-lost")       /* datagrams: the other end may have asked, its question was pushed out */ \
    X(FRAGMENT, "fragment-without-first")   /* later fragment whose first is not known */ \
    X(FRAGMENT_SHORT, "first-fragment-too-short") /* RFC 1858: ports not in the first fragment */ \
    X(SHORT_ETHERNET, "ethernet-truncated") \
    X(VLAN_TRUNCATED, "vlan-truncated") \
    X(VLAN_DEPTH, "vlan-too-deep")          /* more than two tags */ \
    X(IP_TRUNCATED, "ip-truncated") \
    X(IP_VERSION, "ip-bad-version") \
    X(IP_IHL, "ip-bad-ihl") \
    X(IP_LENGTH, "ip-bad-length")           /* total length below the header, or beyond the frame */ \
    X(MAPPED, "ipv4-mapped-address")        /* ::ffff:a.b.c.d in an IPv6 header */ \
    X(EXT_TRUNCATED, "ipv6-extension-truncated") \
    X(EXT_DEPTH, "ipv6-extension-too-deep") \
    X(L4_TRUNCATED, "l4-truncated") \
    X(TCP_DOFF, "tcp-bad-doff") \
    X(UDP_LENGTH, "udp-bad-length") \
    X(HEADER_OFFSET, "header-too-far")      /* transport header beyond the parser's reach */ \
    X(TABLE_FULL, "table-full")             /* no place for a new connection */ \
    X(ECHO, "echo")                         /* transit: received with a local source */ \
    X(NOT_LOCAL, "not-local")               /* transit: neither end is this node */ \
    X(UNLISTED_LOCAL, "unlisted-local")     /* to the card's own MAC, address not (yet) known as local */ \
    X(INFRA_FORM, "infra-form")             /* infrastructure by its type, but not by its form, destination or hops */ \
    X(INFRA_SIZE, "infra-size")             /* larger than infrastructure needs */ \
    X(INFRA_RATE, "infra-rate")             /* more of it than infrastructure needs */ \
    X(OTHER_OWNER, "other-owner")           /* a companion, but held by another than who has its parent exchange */ \
    X(OWNER_UNKNOWN, "owner-unknown")       /* a companion, and who holds it, or its parent exchange, is not known */ \
    X(FOREIGN_SOURCE, "foreign-source")     /* sent from an address that is not the node's, and not forwarded either */ \
    X(ROUTE_UNKNOWN, "route-unknown")       /* the same, where no route leads to its source */

/*
 * What was lost or left uncounted, each visible in status and report. X(symbol, "name", effect): DELAYED costs time
 * only, because what an event reports stays in its table and a question is asked again with the next packet; DETAIL
 * and ANSWERED count findings without their detail; COUNTED is counted or judged less precisely.
 */
#define QPW_LOSSES(X) \
    X(NONE, "none", NONE) \
    X(METER_OVERFLOW, "meter-overflow", COUNTED)         /* new meter rows folded into an overflow row */ \
    X(FINDING_QUOTA, "finding-quota", DETAIL)            /* attempted findings counted only per port and prefix */ \
    X(NODE_QUOTA, "node-finding-quota", DETAIL)          /* the same of what the node's own packets entered */ \
    X(ANSWERED_QUOTA, "answered-finding-quota", ANSWERED) /* answered findings beyond their quota */ \
    X(COMPANION_QUOTA, "companion-finding-quota", DETAIL) /* the same of implied ones and of weak rules */ \
    X(DETAIL_TABLE, "detail-table-full", COUNTED)        /* lost detail for which not even a per-port row was free */ \
    X(EVENT_RATE, "event-rate", DELAYED)                 /* event not sent: token bucket empty */ \
    X(EVENT_RING, "event-ring-full", DELAYED)            /* event not sent: ring buffer full */ \
    X(CONN_HALF_FULL, "half-open-insert", COUNTED)       /* insert failed, by table */ \
    X(CONN_OUT_FULL, "outgoing-insert", COUNTED) \
    X(CONN_EST_FULL, "established-full", COUNTED) \
    X(CONN_DGRAM_FULL, "datagram-insert", COUNTED) \
    X(FRAGMENT_TABLE, "fragment-insert", COUNTED) \
    X(SOCKET_REQUEST, "socket-request", DELAYED)         /* question to user space that could not be sent */ \
    X(PARENT_TABLE, "parent-insert", COUNTED) \
    X(POLICY_MISSING, "policy-missing", COUNTED)         /* packet judged without a loaded policy */ \
    X(RESERVED_FULL, "reserved-place-full", ANSWERED)     /* the first answered exchange of a port found no place */ \
    X(OWNER_EVICTED, "owner-evicted", COUNTED)           /* connections that may still live lost their owner's number */ \
    X(EXECUTABLE_TABLE, "executable-not-kept", COUNTED)   /* no place for its path, or the path is too long */ \
    X(EXECUTABLE_EVICTED, "executable-evicted", DELAYED)  /* another's process took its slot, or it began while no auditor lived: /proc is asked while it lives */

enum qpw_loss_effect {
    QPW_EFFECT_NONE = 0,
    QPW_EFFECT_DELAYED,
    QPW_EFFECT_COUNTED,
    QPW_EFFECT_DETAIL,
    QPW_EFFECT_ANSWERED,
};

/* Tables of connections. Each has its own quota, so that a flood of one kind cannot evict another. */
#define QPW_CONN_CLASSES(X) \
    X(NONE, "none") \
    X(HALF, "half-open")     /* opened from outside and unanswered or half-open; also closed tails */ \
    X(OUT, "outgoing")       /* opened by the node: half-open TCP and all datagram exchanges */ \
    X(EST, "established")    /* TCP after the three-way handshake, and mid-stream TCP */ \
    X(DGRAM, "datagram")     /* datagram exchanges opened from outside and answered */

#define QPW_X_DIR(s, n) QPW_DIR_##s,
#define QPW_X_VERDICT(s, n) QPW_VERDICT_##s,
#define QPW_X_EVIDENCE(s, n) QPW_EVIDENCE_##s,
#define QPW_X_OUTCOME(s, n) QPW_OUTCOME_##s,
#define QPW_X_SCOPE(s, n) QPW_SCOPE_##s,
#define QPW_X_REASON(s, n) QPW_REASON_##s,
#define QPW_X_LOSS(s, n, effect) QPW_LOSS_##s,
#define QPW_X_CLASS(s, n) QPW_CLASS_##s,

enum qpw_direction { QPW_DIRECTIONS(QPW_X_DIR) QPW_DIR_COUNT };
enum qpw_verdict { QPW_VERDICTS(QPW_X_VERDICT) QPW_VERDICT_COUNT };
enum qpw_evidence { QPW_EVIDENCES(QPW_X_EVIDENCE) QPW_EVIDENCE_COUNT };
enum qpw_outcome { QPW_OUTCOMES(QPW_X_OUTCOME) QPW_OUTCOME_COUNT };
enum qpw_scope { QPW_SCOPES(QPW_X_SCOPE) QPW_SCOPE_COUNT };
enum qpw_reason { QPW_REASONS(QPW_X_REASON) QPW_REASON_COUNT };
enum qpw_loss { QPW_LOSSES(QPW_X_LOSS) QPW_LOSS_COUNT };
enum qpw_conn_class { QPW_CONN_CLASSES(QPW_X_CLASS) QPW_CLASS_COUNT };

#endif
