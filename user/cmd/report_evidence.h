/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_evidence.h - `report --evidence`: finds the policy's text and the alert log that belong to a report. */
#ifndef QPW_CMD_REPORT_EVIDENCE_H
#define QPW_CMD_REPORT_EVIDENCE_H

#include "anonymous/anonymous.h"
#include "history/read.h"
#include "report/render.h"
#include "util/error.h"

struct qpw_report_evidence {
    const struct qpw_report *report;
    const struct qpw_render_options *options; /* with the policy in force, where its text is to be had */
    struct qpw_history_reader *history;       /* that the report is of; NULL: of what is attached */
    const char *folder;
    const char *alerts;                       /* path of the alert log; NULL: that of what is attached, of the configuration, or the default */
    const struct qpw_anonymous *anonymous;    /* NULL: with the site's own names */
};

/* Writes the folder. 0, or a negative errno with err and nothing left of it. */
int qpw_report_evidence(const struct qpw_report_evidence *asked, struct qpw_error *err);

#endif
