/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* samples.h - record the traffic exchanged with each peer once a second, so that nodes can compare their counts. */
#ifndef QPW_AUDIT_SAMPLES_H
#define QPW_AUDIT_SAMPLES_H

struct qpw_auditor;

/* Call once a second. Does nothing if the policy names no peers. */
void qpw_samples_tick(struct qpw_auditor *a);

#endif
