/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.h - what was seen, put together for people: a pure function of a snapshot.
 *
 * report/ renders it. Live and replayed traffic give the same report.
 */
#ifndef QPW_REPORT_REPORT_H
#define QPW_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

/* Packets and bytes of both directions together, in the order of the enum that indexes it. */
struct qpw_report_sum {
    uint64_t packets;
    uint64_t bytes;
};

/* Meter rows that differ only in reason, peer or counting slot, as one. */
struct qpw_report_meter {
    struct qpw_meter_key key; /* reason and peer zero */
    struct qpw_counts counts;
    uint64_t first_unix_ns;
};

/* One line of what is unexpected: a finding, or many that one cause explains. */
struct qpw_report_line {
    const struct qpw_finding_row *first; /* the finding, or the earliest of those it stands for */
    size_t findings;    /* 1: the finding itself */
    size_t ports;       /* different ones among them */
    uint16_t low_port;  /* the lowest and the highest of these, where all are of one protocol; else 0 */
    uint16_t high_port;
    size_t initiators;
    size_t responders;
    struct qpw_counts counts;
    uint64_t first_unix_ns;
    uint64_t last_unix_ns;
    unsigned worry;     /* as qpw_report_worry() */
};

#define QPW_REPORT_PORTS 6
struct qpw_report_port {
    struct qpw_report_sum sum;
    uint16_t port;
    uint8_t kind;
    uint8_t protocol;
    uint8_t direction;
};

struct qpw_report_peer {
    const struct qpw_peer_info *info;
    uint16_t number;
    struct qpw_counts counts;
    uint64_t first_unix_ns;
    uint64_t last_unix_ns; /* 0: not known, no connection is live */
    bool v4, v6;           /* families of live connections */
    bool silent;           /* no packet at all */
    struct qpw_report_port busiest[QPW_REPORT_PORTS]; /* most bytes first; packets 0: no more */
    size_t n_ports;        /* all of them, also those beyond the array */
};

struct qpw_report_rule {
    const struct qpw_rule_info *info;
    uint16_t id;
    struct qpw_counts counts;
    uint64_t first_unix_ns;
};

/* A time in which packets of an interface went by unseen. */
struct qpw_report_gap {
    uint64_t from_unix_ns;
    uint64_t to_unix_ns;
    uint16_t iface;   /* 0: all */
    const char *why;  /* name of a coverage record, static */
    bool open;        /* still so */
};

struct qpw_report {
    const struct qpw_snapshot *s; /* the caller's; has to outlive the report */
    uint64_t since_unix_ns;       /* 0: the whole period */
    struct qpw_report_sum total;
    struct qpw_report_sum by_verdict[QPW_VERDICT_COUNT];
    struct qpw_report_sum by_direction[QPW_DIR_COUNT];
    struct qpw_report_sum undecided[QPW_REASON_COUNT]; /* by reason */
    struct qpw_report_sum transit[QPW_REASON_COUNT];
    uint64_t losses;                                   /* all kinds together */

    struct qpw_report_meter *meters; /* most bytes first */
    size_t n_meters;
    const struct qpw_finding_row **findings; /* most worrying first */
    size_t n_findings;
    size_t n_unexpected; /* of verdict unexpected and not superseded */
    size_t n_answered;   /* of these, answered or more */
    struct qpw_report_line *lines; /* the same for people, many of one cause as one; superseded ones left out */
    size_t n_lines;
    const struct qpw_detail_row **details; /* what no finding could be kept of, most packets first */
    size_t n_details;
    struct qpw_report_peer *peers; /* in force and not the node itself; most bytes first, silent ones last */
    size_t n_peers;
    struct qpw_report_rule *rules; /* in force, or having carried something; most packets first */
    size_t n_rules;
    struct qpw_report_gap *gaps;   /* oldest first */
    size_t n_gaps;
};

/*
 * since_unix_ns: leaves out findings not seen since then, gaps that ended before and coverage records
 * of before; 0: none. Counters are sums over the whole period, from which nothing can be taken out.
 * 0 or -ENOMEM, then *ret is untouched. The caller clears *ret before the snapshot.
 */
int qpw_report_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_report *ret);
void qpw_report_clear(struct qpw_report *r);

/*
 * How worrying a finding is; greater is worse. What was answered inbound on a port that no row
 * explains comes first, then what the node itself opened, other answered things, refused and
 * unanswered ones; weak, undecided and implied after unexpected; superseded last (0).
 */
unsigned qpw_report_worry(const struct qpw_finding_row *f);

/* Parts of qpw_report_make(), each 0 or -ENOMEM. */
int qpw_report_make_findings(struct qpw_report *r);
int qpw_report_make_peers(struct qpw_report *r);
int qpw_report_make_rules(struct qpw_report *r);
int qpw_report_make_gaps(struct qpw_report *r);

/* Both directions of a row together. */
struct qpw_report_sum qpw_report_sum_of(const struct qpw_counts *counts);

/* Names by number; "" where there is none. */
const char *qpw_report_rule_name(const struct qpw_snapshot *s, unsigned rule);
const char *qpw_report_peer_name(const struct qpw_snapshot *s, unsigned peer);
const char *qpw_report_iface_name(const struct qpw_snapshot *s, unsigned number);

#endif
