/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* suggest_int.h - what the parts of suggest share; everybody else includes suggest.h. */
#ifndef QPW_ADVICE_SUGGEST_INT_H
#define QPW_ADVICE_SUGGEST_INT_H

#include <stdio.h>

#include "snapshot/snapshot.h"

/* Write an override for each rule whose port is used by something else; adds how many to *lines. Returns 0 or -ENOMEM. */
int qpw_suggest_speaks(const struct qpw_snapshot *s, FILE *out, size_t *lines);

#endif
