/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* status_alerts.h - what `status` says of the alert log, from the auditor's own lines "key value". */
#ifndef QPW_AUDIT_STATUS_ALERTS_H
#define QPW_AUDIT_STATUS_ALERTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* Asks the auditor of this network namespace; lines is empty where there is none, or it writes no alert log. */
void qpw_status_alerts_gather(char *lines, size_t size);

/* Below a label as wide as the others'. Nothing where lines is empty. */
void qpw_status_alerts_text(const char *lines, FILE *out);

/* An object with a member for each line, numbers as such; null where lines is empty. The caller's. */
json_t *qpw_status_alerts_json(const char *lines);

#endif
