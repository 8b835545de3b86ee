/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evidence.h - a folder that an auditor can keep: the report, what it rests on, and its figures by requirement. */
#ifndef QPW_EVIDENCE_EVIDENCE_H
#define QPW_EVIDENCE_EVIDENCE_H

#include "anonymous/anonymous.h"
#include "evidence/figures.h"
#include "util/error.h"

/* All borrowed. */
struct qpw_evidence_source {
    const struct qpw_report *report;
    const struct qpw_render_options *options;
    const char *policy_text;  /* one text, every include in place; NULL: not to be had, */
    const char *policy_why;   /* and why */
    const char *source_name;  /* of the vendor's page; NULL: not said */
    uint64_t history_from_unix_ns, history_to_unix_ns; /* which time the whole history covers; 0: not known */
    const char *alerts;       /* path of the alert log; NULL: none is known */
    const struct qpw_anonymous *anonymous; /* whose names the report has already; NULL: its own */
};

/*
 * Writes it into a new or empty folder: README.txt, report.json, .html and .txt, requirements.json and .txt, recount.sh,
 * policy.txt, source-digest.txt, alerts.jsonl, chain.json, coverage.json, versions.txt, SIGN-OFF.txt, SHA256SUMS. 0, or a negative errno
 * with err and nothing left of it.
 */
int qpw_evidence_write(const struct qpw_evidence_source *evidence, const char *path, struct qpw_error *err);

/* Whether the folder could be written: new or empty, in a place that can be written. Leaves nothing. 0, or a negative errno with err. */
int qpw_evidence_check(const char *path, struct qpw_error *err);

struct qpw_evidence_figures {
    struct qpw_figure_value values[QPW_FIGURE_COUNT];
    const struct qpw_log_sums *log; /* NULL: none could be read */
};

/* The table with its figures, as JSON ("qportwatch.evidence/1") and as text. 0, or a negative errno. */
int qpw_requirements_json(const struct qpw_evidence_source *evidence, const struct qpw_evidence_figures *figures, FILE *out);
int qpw_requirements_text(const struct qpw_evidence_source *evidence, const struct qpw_evidence_figures *figures, FILE *out);

/* README.txt, SIGN-OFF.txt. log NULL: none could be read. */
void qpw_evidence_readme(const struct qpw_evidence_source *evidence, const struct qpw_log_sums *log, FILE *out);
void qpw_evidence_sign_off(const struct qpw_evidence_source *evidence, FILE *out);

#endif
