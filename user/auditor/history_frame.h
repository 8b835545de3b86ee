/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* history_frame.h - what the auditor sends to the process that keeps the history. */
#ifndef QPW_AUDITOR_HISTORY_FRAME_H
#define QPW_AUDITOR_HISTORY_FRAME_H

#include <sys/types.h>

#include "auditor/internal.h"

struct qpw_audit_history {
    pid_t pid;          /* 0: ended, or not started */
    int fd;
    bool busy;          /* it is writing a frame */
    bool stopped;       /* the last frame could not be written, as reported */
    uint64_t minute;    /* Unix minute of the last frame, 0: none yet */
    uint64_t again;     /* minute of its last start */
    uint64_t cut_ns;    /* programs' clock: connections that started earlier were counted in an earlier frame */
    uint64_t next_cut_ns;
    char *policy;       /* text for the next frame; NULL: none */
    char policy_by[96];
    uint64_t policy_unix_ns;
};

/*
 * Write a frame with the counters up to now into fd. end: counting of the attachment has ended; last: it is this
 * auditor's last frame. Return 0, or a negative errno with err filled.
 */
int qpw_audit_frame_write(struct qpw_auditor *a, int fd, bool end, bool last, struct qpw_error *err);

#endif
