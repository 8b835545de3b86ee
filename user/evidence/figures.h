/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* figures.h - the figures that requirements are answered by, each computed once from what a report is made of: pure. */
#ifndef QPW_EVIDENCE_FIGURES_H
#define QPW_EVIDENCE_FIGURES_H

#include "alert/log/verify.h"
#include "report/render.h"

/* X(symbol, "what it counts", "where it can be counted again in the folder") */
#define QPW_FIGURES(X) \
    X(RULES_IN_FORCE, "rules in force", "report.json: rules[] with in_force") \
    X(RULES_WITHOUT_PURPOSE, "rules in force that say no purpose", "report.json: rules[].purpose null") \
    X(RULES_WITHOUT_REF, "rules in force that name no approval (ref=)", "report.json: rules[].ref null") \
    X(RULES_INSECURE, "rules in force for a service that is insecure by itself", "report.json: rules[].insecure") \
    X(RULES_WEAK, "rules in force for a wide, dynamic range", "report.json: rules[].verdict weak") \
    X(RULES_UNUSED, "rules in force without traffic in the period", "report.json: rules[].hits 0") \
    X(EXCEPTIONS, "rules in force that end at a date (until=)", "report.json: rules[].until") \
    X(INSECURE_CONNECTIONS, "connections of rules for a service that is insecure by itself", "report.json: rules[].connections") \
    X(FINDINGS_UNEXPECTED, "open unexpected findings", "report.json: findings[] open, verdict unexpected") \
    X(FINDINGS_ANSWERED, "open unexpected findings that were answered", "report.json: findings[] open, outcome answered or data") \
    X(FINDINGS_ACKNOWLEDGED, "findings that a person acknowledged", "report.json: findings[].state acknowledged") \
    X(LISTENERS, "listening sockets that the network reaches", "report.json: listeners[] not loopback, not ephemeral") \
    X(LISTENERS_UNLISTED, "of these, on ports that the policy does not list", "report.json: listeners[].verdict unlisted") \
    X(RULES_NOT_LISTENING, "rules that nobody listens for", "report.json: listed_not_listening[]") \
    X(PACKETS_INBOUND, "packets of exchanges that the network opened", "report.json: totals.by_direction.inbound") \
    X(PACKETS_OUTBOUND, "packets of exchanges that the node opened", "report.json: totals.by_direction.outbound") \
    X(PACKETS_UNEXPECTED, "packets that no rule explains", "report.json: totals.by_verdict.unexpected") \
    X(PACKETS_UNDECIDED, "packets whose opener or port could not be told", "report.json: totals.by_verdict.undecided") \
    X(PACKETS_WEAK, "packets that only a wide rule explains", "report.json: totals.by_verdict.weak") \
    X(PACKETS_IMPLIED, "packets of companions of a listed service", "report.json: totals.by_verdict.implied") \
    X(PACKETS_PEER, "packets between nodes of the cluster", "report.json: totals.by_verdict.peer") \
    X(PACKETS_FORGED, "packets sent from an address that is not the node's", "report.json: undecided, transit: foreign-source, route-unknown, echo") \
    X(PACKETS_UNSOLICITED, "answers from the network that nobody asked for", "report.json: undecided.unsolicited") \
    X(CONNECTIONS, "connections counted", "report.json: meters[].connections") \
    X(PEERS, "peers that the policy defines", "report.json: peers[] with in_force") \
    X(PEERS_SILENT, "of these, never heard of", "report.json: peers[].silent") \
    X(GAPS, "times without monitoring or without an auditor", "report.json: coverage.gaps[]") \
    X(SECONDS_UNSEEN, "seconds in which packets of an interface went by unseen", "report.json: coverage.gaps[] but auditor-gap") \
    X(MONITORING_LOST, "times that monitoring was lost, or an interface went", "report.json: coverage.events[] hook-lost, interface-gone") \
    X(AUDIT_RECORDS, "records of the audit's start and end", "report.json: coverage.events[] attached, detached, auditor-started, auditor-stopped") \
    X(POLICY_CHANGES, "reloads of the policy", "report.json: coverage.events[] reloaded, reloaded-alone") \
    X(LOSSES, "losses of detail", "report.json: coverage.losses but those that only delay") \
    X(VENDOR_PAGE, "the vendor's page is named by its digest (1: yes)", "source-digest.txt") \
    X(PERIOD_DAYS, "whole days of the period", "report.json: from, to") \
    X(ALERT_RECORDS, "records of the alert log's chain", "chain.json: records") \
    X(CHAIN_BREAKS, "breaks of the alert log's chain", "chain.json: breaks") \
    X(LOG_DAYS, "whole days from the alert log's first record to its last", "chain.json; the first and the last line of the log")
#define QPW_X_FIGURE(s, what, where) QPW_FIGURE_##s,
enum qpw_figure { QPW_FIGURES(QPW_X_FIGURE) QPW_FIGURE_COUNT };
const char *qpw_figure_what(unsigned figure);
const char *qpw_figure_where(unsigned figure);

struct qpw_figure_value {
    uint64_t value;
    bool known; /* false: what it would be counted from is not to be had */
};

/* What they are counted from; all borrowed. */
struct qpw_figures_from {
    const struct qpw_report *report;
    const struct qpw_render_options *options;
    const struct qpw_log_verify *log; /* the alert log; NULL: none could be read */
    uint64_t log_first_unix_ns, log_last_unix_ns; /* of its records; 0: none */
};
void qpw_figures_make(const struct qpw_figures_from *from, struct qpw_figure_value ret[QPW_FIGURE_COUNT]);

/* ---- The table of requirements: requirements.list ---- */

#define QPW_REQUIREMENT_FIGURES 8u
struct qpw_requirement {
    const char *catalogue, *id, *asks, *not_shown;
    unsigned char figures[QPW_REQUIREMENT_FIGURES]; /* enum qpw_figure; behind the last QPW_FIGURE_COUNT */
};
size_t qpw_requirements(const struct qpw_requirement **ret);

#endif
