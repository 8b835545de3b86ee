/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lives.h - write the steps in findings' lives, and each program's first finding, beside the findings; only the auditor
 * or its substitute may.
 */
#ifndef QPW_INSTANCE_LIVES_H
#define QPW_INSTANCE_LIVES_H

#include "instance/kernel.h"

/* Write a step; key: see struct qpw_life. Returns 0 or a negative errno (-E2BIG: table full). */
int qpw_life_put(const struct qpw_kernel *k, const struct qpw_finding_key *key, const struct qpw_life *life);

/* Remove a step; a missing one is no error. */
int qpw_life_remove(const struct qpw_kernel *k, const struct qpw_finding_key *key);

/* Read a program's first finding. Returns 0, -ENOENT: none so far, or another negative errno. */
int qpw_first_seen_get(const struct qpw_kernel *k, const struct qpw_program_key *program, struct qpw_first_seen *ret);

/*
 * Write a program's first finding, unless it has one. Returns 0, -EEXIST, -E2BIG if the table is full, or another
 * negative errno.
 */
int qpw_first_seen_put(const struct qpw_kernel *k, const struct qpw_program_key *program, const struct qpw_first_seen *first);

#endif
