/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* status_alerts.h - what `status` says of the alert log, which the auditor alone knows (auditor/alerts.h). */
#ifndef QPW_STATUS_ALERTS_H
#define QPW_STATUS_ALERTS_H

#include <jansson.h>

#include "words/printer.h"

/* Asks the auditor of this network namespace. An object, or null where there is none, or it writes no alert log. */
json_t *qpw_status_alerts_gather(void);

/* Nothing for null. */
void qpw_status_alerts_text(const json_t *alerts, const struct qpw_printer *p);

#endif
