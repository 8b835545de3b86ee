/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* findings_lines.h - for findings.c: their order, and their lines. */
#ifndef QPW_FACTS_FINDINGS_LINES_H
#define QPW_FACTS_FINDINGS_LINES_H

#include "facts/findings.h"

/* Compare two pointers to rows for qsort(): most serious first. */
int qpw_findings_by_rank(const void *a, const void *b);

/* Make the lines of findings->rows, which are sorted, both open and past. Return 0 or -ENOMEM; findings own them. */
int qpw_findings_make_lines(struct qpw_findings *found);

#endif
