/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * severity.h - the severity of each concern: the one table that findings and signatures use.
 *
 * Add a concern as one row of QPW_CONCERNS. A signature names its row; qpw_finding_concern() chooses one for a finding.
 */
#ifndef QPW_FACTS_SEVERITY_H
#define QPW_FACTS_SEVERITY_H

#include <stdbool.h>

#include "snapshot/snapshot.h"

enum qpw_severity { QPW_SEVERITY_HIGH = 1, QPW_SEVERITY_MEDIUM, QPW_SEVERITY_LOW, QPW_SEVERITY_INFO };

/* X(symbol, severity, "description") */
#define QPW_CONCERNS(X) \
    X(NONE, INFO, "nothing to report") \
    X(IN_ATTEMPTED, LOW, "unexpected inbound, no answer") \
    X(IN_REFUSED, LOW, "unexpected inbound, refused") \
    X(IN_ANSWERED, HIGH, "unexpected inbound, answered") \
    X(IN_DATA, HIGH, "unexpected inbound, data exchanged") \
    X(OUT_ATTEMPTED, LOW, "unexpected outbound, no answer") \
    X(OUT_REFUSED, LOW, "unexpected outbound, refused") \
    X(OUT_ANSWERED, MEDIUM, "unexpected outbound, answered") \
    X(OUT_DATA, MEDIUM, "unexpected outbound, data exchanged") \
    X(OUT_ANSWERED_NEW, HIGH, "unexpected outbound, answered, by a program never seen before on this node") \
    X(OUT_DATA_NEW, HIGH, "unexpected outbound, data exchanged, by a program never seen before on this node") \
    X(PROTOCOL_ONE_WAY, LOW, "unlisted protocol, one way") \
    X(PROTOCOL_BOTH, HIGH, "unlisted protocol, both ways") \
    X(ETHERTYPE, LOW, "unlisted EtherType") \
    X(LISTENER, MEDIUM, "a new listening socket on an unlisted port") \
    X(OTHER_OWNER, MEDIUM, "another owner than the policy names on a listed port") \
    X(MISMATCH, MEDIUM, "first bytes on a listed port look like another service") \
    X(MISMATCH_TEXT, HIGH, "text on a listed inbound port whose service is binary") \
    X(CROSSED, MEDIUM, "unexpected datagrams both ways between two hosts, to different ports") \
    X(WEAK_ANSWERED, MEDIUM, "matches only a weak rule, answered") \
    X(IMPLIED, INFO, "goes with a listed service") \
    X(IMPLIED_UNKNOWN, MEDIUM, "goes with a listed service if its owner is the same, which is not known") \
    X(UNDECIDED_BOTH, MEDIUM, "direction unknown, payload both ways") \
    X(NO_HANDSHAKE, MEDIUM, "TCP payload both ways without a handshake") \
    X(INFERRED_BOTH, MEDIUM, "direction only inferred, payload both ways") \
    X(JUST_ATTACHED, LOW, "begun by the node soon after attaching, direction only inferred") \
    X(QUESTION_LOST, MEDIUM, "who asked first was pushed out of memory") \
    X(UNJUDGED_SENT, MEDIUM, "the node sends what cannot be decoded") \
    X(UNJUDGED_BOTH, MEDIUM, "what cannot be decoded or decided, both ways") \
    X(FOREIGN_SOURCE, MEDIUM, "sent from an address that is not the node's") \
    X(GROUP_ANSWERED, INFO, "the node answers what a broadcast or multicast address was asked") \
    X(GROUP, INFO, "broadcast or multicast, not answered") \
    X(ADVERTISEMENT, INFO, "router advertisement") \
    X(REDIRECT, INFO, "ICMP redirect") \
    X(LARGE_ECHO, INFO, "echoes larger or more frequent than usual") \
    X(SCAN, MEDIUM, "scan of the node") \
    X(SCAN_OUT, HIGH, "scan by the node") \
    X(MANY, LOW, "many initiators of one unanswered thing") \
    X(FURTHER, MEDIUM, "further users of an unlisted service that was reported") \
    X(FURTHER_INFO, INFO, "further users of a companion or of a discovery service") \
    X(NEIGHBOUR, LOW, "unexpected exchanges with an address that may be a peer") \
    X(PEER_SILENT, LOW, "a peer is silent") \
    X(PEER_FAMILY, MEDIUM, "a peer is not seen over a required address family") \
    X(PEER_NEWS, INFO, "a peer is back, or uses a new port") \
    X(CLUSTER_BLIND, HIGH, "a node does not see all packets that its peers send to it") \
    X(CLUSTER_LOST, LOW, "packets between two nodes are lost") \
    X(CLUSTER_FORGED, HIGH, "someone else sends in the name of a node") \
    X(CLUSTER_BYPASSED, HIGH, "peers receive packets that a node did not see itself send") \
    X(CLUSTER_DOWN, MEDIUM, "a node is silent to all its peers") \
    X(CLUSTER_STALE, MEDIUM, "a node makes no statement any more") \
    X(CLUSTER_PARTITION, MEDIUM, "some nodes do not hear each other") \
    X(CLUSTER_ADDRESS, MEDIUM, "two nodes hold the same address") \
    X(CLUSTER_COVERAGE, MEDIUM, "a node monitors less than the others") \
    X(CLUSTER_DIRECTION, MEDIUM, "two nodes disagree on who opened what") \
    X(CLUSTER_ODD, LOW, "one node differs from the others in what it answers") \
    X(CLUSTER_DRIFT, LOW, "nodes differ in policy, version or mode") \
    X(CLUSTER_CLOCK, LOW, "clocks of two nodes differ") \
    X(CLUSTER_KEY, MEDIUM, "a peer shows another key than the policy names") \
    X(CLUSTER_LOG, HIGH, "a peer's alert log was cut or begun again") \
    X(CLUSTER_UNCOMPARED, MEDIUM, "the nodes are not compared any more") \
    X(RELOAD_FAILED, MEDIUM, "the policy could not be reloaded") \
    X(DETAIL_LOST, MEDIUM, "detail was lost") \
    X(ANSWERED_LOST, HIGH, "detail of answered exchanges was lost") \
    X(TABLE_FULL, LOW, "a table was full") \
    X(AUDITOR_GAP, LOW, "the auditor was away") \
    X(BLIND, HIGH, "monitoring lost") \
    X(NOT_FIRST, MEDIUM, "another program may take packets first") \
    X(OWNERS_LOST, MEDIUM, "owners of sockets are not noted") \
    X(ADDRESSES_LEFT_OUT, MEDIUM, "more local addresses than the table of them holds") \
    X(INTERFACE_LOST, MEDIUM, "a monitored interface is gone or down") \
    X(RATE_LIMITED, MEDIUM, "alerts were delayed by the rate limit") \
    X(HOUSEKEEPING, INFO, "the auditor's own work")

#define QPW_X_CONCERN(s, severity, text) QPW_CONCERN_##s,
#define QPW_X_CONCERN_SEVERITY(s, severity, text) QPW_CONCERN_SEVERITY_##s = QPW_SEVERITY_##severity,
enum qpw_concern { QPW_CONCERNS(QPW_X_CONCERN) QPW_CONCERN_COUNT };
enum { QPW_CONCERNS(QPW_X_CONCERN_SEVERITY) }; /* e.g. QPW_CONCERN_SEVERITY_IN_ANSWERED, for static tables */

/* Return the enum qpw_severity of a concern. */
unsigned qpw_concern_severity(enum qpw_concern concern);

/* Return "high", "medium", "low" or "info". Static. */
const char *qpw_severity_name(unsigned severity);

/* Return the concern of a finding, whether superseded or not; QPW_CONCERN_NONE: nothing to report. */
enum qpw_concern qpw_finding_concern(const struct qpw_finding_row *finding);

/* Return the enum qpw_severity of a finding, the same as its alert's; a closed one is info. */
unsigned qpw_finding_severity(const struct qpw_finding_row *finding);

/* Return the concern of a coverage record; QPW_CONCERN_HOUSEKEEPING: nothing is missing. */
enum qpw_concern qpw_coverage_concern(unsigned kind);

/* Severity of packets counted without a finding because the table was full: attempts, not answered exchanges. */
#define QPW_DETAIL_SEVERITY QPW_CONCERN_SEVERITY_IN_ATTEMPTED

/* Return whether the outcome is answered or higher. */
static inline bool qpw_finding_answered(const struct qpw_finding_row *finding)
{
    return finding->value.outcome >= QPW_OUTCOME_ANSWERED;
}

/* Return whether a finding counts: neither acknowledged nor closed, see facts/life.h. */
bool qpw_finding_open(const struct qpw_finding_row *finding);

#endif
