/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* figures.h - the figures that requirements are answered by, each computed once from what a report is made of: pure. */
#ifndef QPW_EVIDENCE_FIGURES_H
#define QPW_EVIDENCE_FIGURES_H

#include "alert/log/verify.h"
#include "report/render.h"

/* Of when a figure is; each face says it. X(symbol, "name", "label of people") */
#define QPW_FIGURE_OFS(X) \
    X(END, "end", "at the end")       /* of the moment at which the period ends, and of no other */ \
    X(COUNTED, "counted", "counted")  /* of the counters' whole period */ \
    X(FOUND, "found", "recorded")     /* of the same, or since --since: findings, records, gaps */ \
    X(HISTORY, "history", "history")  /* of the whole history that is there */ \
    X(LOG, "log", "alert log")        /* of the whole alert log that is there */
#define QPW_X_FIGURE_OF(s, name, label) QPW_FIGURE_OF_##s,
enum qpw_figure_of { QPW_FIGURE_OFS(QPW_X_FIGURE_OF) QPW_FIGURE_OF_COUNT };
const char *qpw_figure_of_name(unsigned of);
const char *qpw_figure_of_label(unsigned of);

/* figures.list */
#define ROW(symbol, name, of, what, file, filter) QPW_FIGURE_##symbol,
enum qpw_figure {
#include "evidence/figures.list"
    QPW_FIGURE_COUNT
};
#undef ROW
struct qpw_figure_row {
    const char *name, *what;
    const char *file, *filter; /* jq FILTER FILE counts it again; -s where the file has one document a line */
    enum qpw_figure_of of;
};
const struct qpw_figure_row *qpw_figure_row(unsigned figure);

struct qpw_figure_value {
    uint64_t value;
    bool known; /* false: what it would be counted from is not to be had */
};

/* What the alert log comes to. */
struct qpw_log_sums {
    struct qpw_log_verify chain;            /* of all of it */
    uint64_t oldest_unix_ns, newest_unix_ns; /* of its records; 0: none */
    uint64_t copied;                        /* records into alerts.jsonl; of these */
    uint64_t audit_records, failures;       /* that the audit began or ended; that something of it failed */
};

/* What they are counted from; all borrowed. */
struct qpw_figures_from {
    const struct qpw_report *report;
    const struct qpw_render_options *options;
    uint64_t history_from_unix_ns, history_to_unix_ns; /* 0: not known */
    const struct qpw_log_sums *log; /* of the alert log; NULL: none could be read */
};
void qpw_figures_make(const struct qpw_figures_from *from, struct qpw_figure_value ret[QPW_FIGURE_COUNT]);

/* ---- The table of requirements: requirements.list ---- */

#define QPW_REQUIREMENT_FIGURES 10u
struct qpw_requirement {
    const char *catalogue, *id, *asks, *not_shown;
    unsigned char figures[QPW_REQUIREMENT_FIGURES]; /* enum qpw_figure; behind the last QPW_FIGURE_COUNT */
};
size_t qpw_requirements(const struct qpw_requirement **ret);

#endif
