/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * faults.h - all errors in a policy's text, each as "FILE:LINE:COLUMN: what".
 *
 * Only the first error of a statement counts. Consequences of another error are not reported: a name defined by a faulty
 * rule counts as defined, and where a whole line or file is missing, undefined names are not reported.
 */
#ifndef QPW_POLICY_FAULTS_H
#define QPW_POLICY_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* Stop after this many: the file is no policy, and must not delay the auditor. */
#define QPW_MOST_FAULTS 1000u

struct qpw_fault {
    size_t file;   /* in the order of reading; SIZE_MAX: of the whole */
    unsigned line;
    size_t number; /* in the order of detection */
    char *text;
};

/* A zeroed list is valid and empty. */
struct qpw_faults {
    struct qpw_fault *list;
    size_t n;
    size_t unsure; /* statements not judged: the names they use may be defined in a missing line or file */
};

/* Add a fault. Returns 0 or -ENOMEM; -E2BIG: no more are accepted. */
int qpw_faults_add(struct qpw_faults *faults, size_t file, unsigned line, const char *text);

/* Sort by position in the text. */
void qpw_faults_sort(struct qpw_faults *faults);

/* Fill err with the first fault and the number of further ones. Returns -EINVAL. There must be at least one. */
int qpw_faults_fail(const struct qpw_faults *faults, struct qpw_error *err);

void qpw_faults_clear(struct qpw_faults *faults);

#endif
