/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* found.h - read what `serve` found about the cluster (alert/found.h), and report it. */
#ifndef QPW_AUDITOR_FOUND_H
#define QPW_AUDITOR_FOUND_H

struct qpw_auditor;

/* Call once a second. Does nothing as long as serve has never written its file. */
void qpw_audit_found_tick(struct qpw_auditor *a);

void qpw_audit_found_close(struct qpw_auditor *a);

#endif
