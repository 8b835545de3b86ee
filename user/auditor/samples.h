/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* samples.h - what is exchanged with each peer, noted once a second, so that nodes can compare what they saw. */
#ifndef QPW_AUDIT_SAMPLES_H
#define QPW_AUDIT_SAMPLES_H

struct qpw_auditor;

/* Once a second. Does nothing where the policy names no peers. */
void qpw_samples_tick(struct qpw_auditor *a);

#endif
