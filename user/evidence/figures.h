/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* figures.h - the figures behind the requirements, each computed once from the report's data. Pure. */
#ifndef QPW_EVIDENCE_FIGURES_H
#define QPW_EVIDENCE_FIGURES_H

#include "alert/log/verify.h"
#include "report/render.h"

/* The period of a figure, shown in each format. X(symbol, "name", "label") */
#define QPW_FIGURE_OFS(X) \
    X(END, "end", "at the end") /* at the end of the period */ \
    X(COUNTED, "counted", "counted") /* over the counters' whole period */ \
    X(FOUND, "found", "recorded") /* over the same, or since --since: findings, records, gaps */ \
    X(HISTORY, "history", "history") /* over the whole history */ \
    X(LOG, "log", "alert log") /* over the whole alert log */
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
    const char *file, *filter; /* jq FILTER FILE recounts it; -s if the file has one document per line */
    enum qpw_figure_of of;
};
const struct qpw_figure_row *qpw_figure_row(unsigned figure);

struct qpw_figure_value {
    uint64_t value;
    bool known; /* false: its source is not available */
};

/* Sums over the alert log. */
struct qpw_log_sums {
    struct qpw_log_verify chain;            /* of all of it */
    uint64_t oldest_unix_ns, newest_unix_ns; /* of its records; 0: none */
    uint64_t copied; /* records copied into alerts.jsonl; of these */
    uint64_t audit_records, failures; /* start or end of the audit; failure of a part of it */
};

/* Sources of the figures; all borrowed. */
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
