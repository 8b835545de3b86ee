/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* takeover.h - continue what an earlier auditor attached. */
#ifndef QPW_AUDITOR_TAKEOVER_H
#define QPW_AUDITOR_TAKEOVER_H

#include "auditor/internal.h"

/* Adopt the attached instance, whose layout is this version's. Returns 0, or a negative errno with err filled. */
int qpw_takeover_adopt(struct qpw_auditor *a, const struct qpw_hook_scan *scan, struct qpw_error *err);

/*
 * Replace an instance of another layout: monitor its interfaces, remove it, then report what was carried over. So no
 * packet passes unseen. Returns 0, or a negative errno with err filled.
 */
int qpw_takeover_replace(struct qpw_auditor *a, struct qpw_error *err);

/* Record a gap since a->reported_until_ns, also when the previous auditor was killed and left no "stopped" record. */
void qpw_takeover_record_gap(struct qpw_auditor *a);

/* Judge the existing findings again, because the policy may differ. Returns 0, or a negative errno with err filled. */
int qpw_takeover_rejudge(struct qpw_auditor *a, struct qpw_error *err);

#endif
