/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_evidence.h - `report --evidence`: find the policy text and alert log that belong to a report. */
#ifndef QPW_CMD_REPORT_EVIDENCE_H
#define QPW_CMD_REPORT_EVIDENCE_H

#include "anonymous/anonymous.h"
#include "history/read.h"
#include "report/render.h"
#include "util/error.h"

struct qpw_report_evidence {
    const struct qpw_report *report;
    const struct qpw_render_options *options; /* including the policy in force, if its text is available */
    struct qpw_history_reader *history;       /* the report's source; NULL: the attached instance */
    const char *folder;
    /* Path of the alert log; NULL: that of the instance, the configured one, or the default. */
    const char *alerts;
    const struct qpw_anonymous *anonymous;    /* NULL: keep the site's names */
};

/* Write the folder. Returns 0, or a negative errno with err filled and nothing left of it. */
int qpw_report_evidence(const struct qpw_report_evidence *asked, struct qpw_error *err);

#endif
