/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* suggest_int.h - what the parts of suggest share; everybody else includes suggest.h. */
#ifndef QPW_ADVICE_SUGGEST_INT_H
#define QPW_ADVICE_SUGGEST_INT_H

#include <stdio.h>

#include "advice/suggest.h"
#include "policy/lang/addresses.h"
#include "snapshot/snapshot.h"

/* Write an override for each rule whose port is used by something else; adds how many to *lines. Returns 0 or -ENOMEM. */
int qpw_suggest_speaks(const struct qpw_snapshot *s, FILE *out, size_t *lines);

/* Where prefixes are written to: one list, or as many lines of a named set as needed. */
struct qpw_prefix_list {
    FILE *out;
    const char *set; /* NULL: one list with commas */
    size_t n;        /* written so far */
};
void qpw_suggest_addresses(const struct qpw_addresses *addresses, struct qpw_prefix_list *list);

/* List the rules without traffic. Returns 0 or -ENOMEM. */
int qpw_suggest_unused(const struct qpw_snapshot *s, FILE *out);

/* Write an `only` line for each rule with few users. Returns 0 or -ENOMEM. */
int qpw_suggest_narrowed(const struct qpw_snapshot *s, const struct qpw_suggest_options *options, FILE *out);

#endif
