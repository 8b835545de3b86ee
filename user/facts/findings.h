/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* findings.h - findings in the order in which they should be read, and many of one cause as one line. */
#ifndef QPW_FACTS_FINDINGS_H
#define QPW_FACTS_FINDINGS_H

#include <stdbool.h>

#include "facts/severity.h"
#include "facts/totals.h"

/* One line of what is unexpected: a finding, or many that one cause explains. */
struct qpw_finding_line {
    const struct qpw_finding_row *first; /* the finding, or the earliest of those it stands for */
    size_t findings;    /* 1: the finding itself */
    size_t ports;       /* different ones among them */
    uint16_t low_port;  /* the lowest and the highest of these, where all are of one protocol; else 0 */
    uint16_t high_port;
    size_t initiators;
    size_t responders;
    size_t remotes;     /* ends that are not the node's */
    bool both_ways;     /* directions differ among them, as they may where findings are grouped by host or process */
    struct qpw_counts counts;
    uint64_t first_unix_ns;
    uint64_t last_unix_ns;
    unsigned rank;      /* as qpw_finding_rank() */
    uint8_t outcome;    /* the highest of them */
    const struct qpw_finding_row **members; /* all of them */
    bool service;       /* answered exchanges of one service (facts/service.h), `first` the first of them */
};

/* enum qpw_severity of the worst of a line's findings. */
unsigned qpw_finding_line_severity(const struct qpw_finding_line *line);

/* Rows point into the snapshot. */
struct qpw_findings {
    const struct qpw_finding_row **rows; /* most serious first */
    size_t n_rows;
    size_t unexpected; /* of verdict unexpected and open */
    size_t answered;   /* of these, answered or more */
    struct qpw_finding_line *lines; /* the open ones for people */
    size_t n_lines;
    const struct qpw_finding_row **members; /* of all lines, one after the other */
    size_t n_members;
    struct qpw_finding_line *past;       /* acknowledged, then closed ones, folded in the same way; of both answered first,
                                            then the latest step; superseded left out */
    size_t n_past;
    size_t n_past_acknowledged;          /* lines of these that are of acknowledged ones */
    const struct qpw_finding_row **past_members;
    size_t n_past_members;
    size_t n_acknowledged, n_closed;     /* findings */
    size_t n_superseded;
    const struct qpw_detail_row **details; /* what no finding could be kept of, most packets first */
    size_t n_details;
};

/* Leaves out what was neither seen nor opened again since since_unix_ns (0: nothing). 0 or -ENOMEM; the caller clears *ret. */
int qpw_findings_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_findings *ret);
void qpw_findings_clear(struct qpw_findings *f);

/*
 * In place of the lines one of each set of open findings that `order` finds alike, most serious first; and so with those
 * that are not open. 0 or -ENOMEM.
 */
typedef int (*qpw_finding_order)(const struct qpw_finding_row *a, const struct qpw_finding_row *b, void *arg);
int qpw_findings_regroup(struct qpw_findings *f, qpw_finding_order order, void *arg);

/* The ports, at most `most`, with most packets that no finding could be kept of; most first. Returns how many. */
size_t qpw_details_busiest(const struct qpw_snapshot *s, const struct qpw_detail_row **ret, size_t most);

/*
 * Where a finding stands among others of its severity; greater is more serious. What was answered inbound on a port that no rule
 * explains comes first, then what the node itself opened, other answered things, refused and
 * unanswered ones; weak, undecided and implied after unexpected; what is not open last (0).
 */
unsigned qpw_finding_rank(const struct qpw_finding_row *f);

#endif
