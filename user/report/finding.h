/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding.h - what every format says of one finding besides its key and counters. */
#ifndef QPW_REPORT_FINDING_H
#define QPW_REPORT_FINDING_H

#include "host/process.h"
#include "report/render.h"

struct qpw_finding_words {
    const char *severity;       /* "high" … "info" */
    const char *signature;      /* what its alert is titled; "" where there is none */
    char allow[256];            /* the policy line that would allow it; "" where none can or is needed */
    struct qpw_process owner;   /* zero: not asked, or not known */
    char process[96];           /* the owner in words; "" where it is not known */
};

/* The HTML class of a severity; "" for low. Static. */
const char *qpw_severity_class(unsigned severity);

void qpw_finding_words(const struct qpw_report *r, const struct qpw_render_options *o, const struct qpw_finding_row *f,
                       struct qpw_finding_words *ret);

/* Makes the allow line of filled words one for every remote address. */
void qpw_finding_allow_any(const struct qpw_report *r, const struct qpw_finding_row *f, struct qpw_finding_words *words);

#endif
