/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lives.h - writes the steps in findings' lives, and which programs were first seen with them, beside the findings; only
 * the auditor, or who stands in for it, does.
 */
#ifndef QPW_INSTANCE_LIVES_H
#define QPW_INSTANCE_LIVES_H

#include "instance/kernel.h"

/* key: as struct qpw_life says. 0 or a negative errno: -E2BIG where the table is full. */
int qpw_life_put(const struct qpw_kernel *k, const struct qpw_finding_key *key, const struct qpw_life *life);

/* Takes a step back; one that is not there is no error. */
int qpw_life_remove(const struct qpw_kernel *k, const struct qpw_finding_key *key);

/* The first finding of a program. 0, -ENOENT: it was not seen yet, or another negative errno. */
int qpw_first_seen_get(const struct qpw_kernel *k, const struct qpw_program_key *program, struct qpw_first_seen *ret);

/* Notes it, if the program has none. 0, -EEXIST, -E2BIG where the table is full, or another negative errno. */
int qpw_first_seen_put(const struct qpw_kernel *k, const struct qpw_program_key *program, const struct qpw_first_seen *first);

#endif
