/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alerts_int.h - what the parts of alerts share; everybody else includes alerts.h. */
#ifndef QPW_AUDITOR_ALERTS_INT_H
#define QPW_AUDITOR_ALERTS_INT_H

#include "alert/engine.h"
#include "alert/log/events.h"
#include "alert/log/log.h"
#include "alert/log/syslog.h"
#include "auditor/internal.h"
#include "host/boot.h"

#define QPW_ALERTS_LINKS 128u
#define QPW_ALERTS_QUEUE 256u

struct qpw_alerts {
    struct qpw_engine *engine;
    struct qpw_log log;
    struct qpw_log_chain chain; /* of the lines written so far */
    struct qpw_log_events events;  /* the same lines, for peers */
    bool recalled;              /* to them what was in the log before */
    char boot[QPW_BOOT_ID];
    struct qpw_syslog *syslog; /* NULL: none */
    char host[64];
    struct qpw_prefix links[QPW_ALERTS_LINKS];
    struct qpw_auditor *auditor;
    /* Rows of events since the last flush, with the process of those for which it was looked up at once. */
    struct qpw_finding_row queue[QPW_ALERTS_QUEUE];
    struct qpw_process process[QPW_ALERTS_QUEUE];
    size_t queued;
    bool last_words;   /* report as warnings what the log does not accept */
    uint64_t unwritten;
    bool reported;         /* that the log cannot be written */
    bool tried; /* opened, or tried to */
    uint32_t coverage; /* sequence after the last coverage record in the log */
};

#endif
