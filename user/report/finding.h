/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding.h - what every format shows of a finding besides its key and counters. */
#ifndef QPW_REPORT_FINDING_H
#define QPW_REPORT_FINDING_H

#include "host/process.h"
#include "report/render.h"

struct qpw_finding_words {
    const char *severity;       /* "high" … "info" */
    const char *signature;      /* title of its alert; "" if it has none */
    char allow[256];            /* the policy line that would allow it; "" if none can or is needed */
    struct qpw_process owner;   /* all zero: not looked up, or unknown */
    char process[96];           /* the owner in words; "" if unknown */
};

/* Return the HTML class of a severity; "" for low. Static. */
const char *qpw_severity_class(unsigned severity);

void qpw_finding_words(const struct qpw_report *r, const struct qpw_render_options *o, const struct qpw_finding_row *f,
                       struct qpw_finding_words *ret);

/* Change the allow line in `words` to cover every remote address. */
void qpw_finding_allow_any(const struct qpw_report *r, const struct qpw_finding_row *f, struct qpw_finding_words *words);

#endif
