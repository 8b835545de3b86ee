/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evidence.h - a folder that an auditor can keep: the report, what it rests on, and its figures by requirement. */
#ifndef QPW_EVIDENCE_EVIDENCE_H
#define QPW_EVIDENCE_EVIDENCE_H

#include "anonymous/anonymous.h"
#include "evidence/figures.h"
#include "util/error.h"

/* All pointers are borrowed. */
struct qpw_evidence_source {
    const struct qpw_report *report;
    const struct qpw_render_options *options;
    const char *policy_text; /* one text, includes expanded; NULL: not available, */
    const char *policy_why; /* and the reason */
    const char *source_name; /* of the vendor's page; NULL: not specified */
    uint64_t history_from_unix_ns, history_to_unix_ns; /* period of the whole history; 0: unknown */
    const char *alerts; /* path of the alert log; NULL: unknown */
    const struct qpw_anonymous *anonymous; /* already applied to the report; NULL: not anonymous */
};

/*
 * Write the evidence into a new or empty folder: README.txt, report.json, .html and .txt, requirements.json and .txt, recount.sh,
 * policy.txt, source-digest.txt, alerts.jsonl, chain.json, coverage.json, versions.txt, SIGN-OFF.txt, SHA256SUMS. 0, or a negative errno
 * with err and nothing left of it.
 */
int qpw_evidence_write(const struct qpw_evidence_source *evidence, const char *path, struct qpw_error *err);

/* Check that the folder is new or empty and can be written; leave nothing behind. Returns 0, or a negative errno with err. */
int qpw_evidence_check(const char *path, struct qpw_error *err);

struct qpw_evidence_figures {
    struct qpw_figure_value values[QPW_FIGURE_COUNT];
    const struct qpw_log_sums *log; /* NULL: none could be read */
};

/* Write the requirements with their figures, as JSON ("qportwatch.evidence/1") and as text. Returns 0, or a negative errno. */
int qpw_requirements_json(const struct qpw_evidence_source *evidence, const struct qpw_evidence_figures *figures, FILE *out);
int qpw_requirements_text(const struct qpw_evidence_source *evidence, const struct qpw_evidence_figures *figures, FILE *out);

/* Write README.txt and SIGN-OFF.txt. log NULL: none could be read. */
void qpw_evidence_readme(const struct qpw_evidence_source *evidence, const struct qpw_log_sums *log, FILE *out);
void qpw_evidence_sign_off(const struct qpw_evidence_source *evidence, FILE *out);

#endif
