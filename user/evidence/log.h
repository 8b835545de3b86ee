/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* log.h - read the alert log once: copy the records of the period into the folder, and add up all of it. */
#ifndef QPW_EVIDENCE_LOG_H
#define QPW_EVIDENCE_LOG_H

#include <stdio.h>

#include "anonymous/anonymous.h"
#include "evidence/figures.h"

struct qpw_log_reading {
    uint64_t from_unix_ns,
        to_unix_ns; /* copy the records of this period, and all between the first and the last of them, */
    FILE *out;                             /* to here, */
    const struct qpw_anonymous *anonymous; /* anonymized; NULL: as they are */
};

/*
 * Read the log at `path` and its rotated files, oldest first. Returns 0, or a negative errno with err; in any case the
 * caller clears *ret with qpw_log_verify_clear(&ret->chain).
 */
int qpw_evidence_log(const struct qpw_log_reading *reading, const char *path, struct qpw_log_sums *ret, struct qpw_error *err);

#endif
