/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* findings.h - findings in reading order, with many of one cause folded into one line. */
#ifndef QPW_FACTS_FINDINGS_H
#define QPW_FACTS_FINDINGS_H

#include <stdbool.h>

#include "facts/severity.h"
#include "facts/totals.h"

/* One line of the list: a single finding, or many with a common cause. */
struct qpw_finding_line {
    const struct qpw_finding_row *first; /* the finding, or the earliest one of the group */
    size_t findings;    /* number of members; 1: a single finding */
    size_t ports;       /* distinct ports among them */
    uint16_t low_port;  /* lowest and highest of these if all are of one protocol; else 0 */
    uint16_t high_port;
    size_t initiators;
    size_t responders;
    size_t remotes;     /* distinct addresses other than the node's */
    bool both_ways;     /* members differ in direction, possible when grouped by host or process */
    struct qpw_counts counts;
    uint64_t first_unix_ns;
    uint64_t last_unix_ns;
    unsigned rank;      /* as qpw_finding_rank() */
    uint8_t outcome;    /* highest among the members */
    const struct qpw_finding_row **members; /* all members */
    bool service;       /* answered exchanges of one service (facts/service.h); `first` is the earliest */
};

/* Return the enum qpw_severity of the worst finding of a line. */
unsigned qpw_finding_line_severity(const struct qpw_finding_line *line);

/* All rows point into the snapshot. */
struct qpw_findings {
    const struct qpw_finding_row **rows; /* most serious first */
    size_t n_rows;
    size_t unexpected; /* open, verdict unexpected */
    size_t answered;   /* of these, outcome answered or higher */
    struct qpw_finding_line *lines; /* the open findings, folded for display */
    size_t n_lines;
    const struct qpw_finding_row **members; /* members of all lines, one line after the other */
    size_t n_members;
    struct qpw_finding_line *past;       /* acknowledged, then closed findings, folded in the same way; in each,
                                            answered ones first, then by latest step; superseded ones omitted */
    size_t n_past;
    size_t n_past_acknowledged;          /* of these, lines of acknowledged findings */
    const struct qpw_finding_row **past_members;
    size_t n_past_members;
    size_t n_acknowledged, n_closed;     /* findings, not lines */
    size_t n_superseded;
    const struct qpw_detail_row **details; /* packets that no finding could be stored for; most packets first */
    size_t n_details;
};

/*
 * Omit findings neither seen nor reopened since since_unix_ns (0: omit none). Return 0 or -ENOMEM; the caller clears
 * *ret.
 */
int qpw_findings_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_findings *ret);
void qpw_findings_clear(struct qpw_findings *f);

/*
 * Replace the lines, both open and past: one line for each set of findings that `order` considers equal, most serious
 * first. Return 0 or -ENOMEM.
 */
typedef int (*qpw_finding_order)(const struct qpw_finding_row *a, const struct qpw_finding_row *b, void *arg);
int qpw_findings_regroup(struct qpw_findings *f, qpw_finding_order order, void *arg);

/*
 * Return up to `most` ports with the most packets that no finding could be stored for, most first. The result is their
 * number.
 */
size_t qpw_details_busiest(const struct qpw_snapshot *s, const struct qpw_detail_row **ret, size_t most);

/*
 * Return the rank of a finding among those of its severity; greater is more serious. Answered inbound on a port without
 * a rule ranks first, then answered connections opened by the node, other answered findings, refused and unanswered
 * ones; weak, undecided and implied rank after unexpected; findings that are not open rank last (0).
 */
unsigned qpw_finding_rank(const struct qpw_finding_row *f);

#endif
