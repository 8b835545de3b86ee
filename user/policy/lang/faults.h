/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * faults.h - all that is wrong with a policy's text, each as "FILE:LINE:COLUMN: what".
 *
 * Of a statement the first fault counts. What only follows from another fault is none: a name that a row with a fault
 * defines is known, and where a whole line or file is missing no name is missed.
 */
#ifndef QPW_POLICY_FAULTS_H
#define QPW_POLICY_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* So many end the reading: what has more is no policy, and the auditor must not be held up by it. */
#define QPW_MOST_FAULTS 1000u

struct qpw_fault {
    size_t file;   /* in the order of reading; SIZE_MAX: of the whole */
    unsigned line;
    size_t number; /* in the order of finding */
    char *text;
};

/* A zeroed one is valid and empty. */
struct qpw_faults {
    struct qpw_fault *list;
    size_t n;
    size_t unsure; /* statements left out: they name what may be defined in a line or file that is missing */
};

/* Adds one. 0 or -ENOMEM; -E2BIG: it is the last that is taken. */
int qpw_faults_add(struct qpw_faults *faults, size_t file, unsigned line, const char *text);

/* Puts them in the order of the text. */
void qpw_faults_sort(struct qpw_faults *faults);

/* err becomes the first one, and how many more there are. Returns -EINVAL. There is one. */
int qpw_faults_fail(const struct qpw_faults *faults, struct qpw_error *err);

void qpw_faults_clear(struct qpw_faults *faults);

#endif
