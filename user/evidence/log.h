/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* log.h - the alert log, read once: what of it belongs into the folder, and what all of it comes to. */
#ifndef QPW_EVIDENCE_LOG_H
#define QPW_EVIDENCE_LOG_H

#include <stdio.h>

#include "anonymous/anonymous.h"
#include "evidence/figures.h"

struct qpw_log_reading {
    uint64_t from_unix_ns, to_unix_ns;     /* the period whose records are copied, with all between the first and the last of them, */
    FILE *out;                             /* to here, */
    const struct qpw_anonymous *anonymous; /* with other names; NULL: as they stand */
};

/*
 * The log at `path` with the files it was rotated to, oldest first. 0, or a negative errno with err; the caller clears *ret
 * in any case: qpw_log_verify_clear(&ret->chain).
 */
int qpw_evidence_log(const struct qpw_log_reading *reading, const char *path, struct qpw_log_sums *ret, struct qpw_error *err);

#endif
