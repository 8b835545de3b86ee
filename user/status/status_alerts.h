/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* status_alerts.h - the state of the alert log in `status`, which only the auditor knows (auditor/alerts.h). */
#ifndef QPW_STATUS_ALERTS_H
#define QPW_STATUS_ALERTS_H

#include <jansson.h>

#include "words/printer.h"

/* Ask the auditor of this network namespace. Returns an object, or null if there is none or it writes no alert log. */
json_t *qpw_status_alerts_gather(void);

/* Print the state; nothing for null. */
void qpw_status_alerts_text(const json_t *alerts, const struct qpw_printer *p);

#endif
