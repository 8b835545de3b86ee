/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* changelist.h - what a reload changes, line by line, for readers with more and with less room. */
#ifndef QPW_AUDIT_CHANGELIST_H
#define QPW_AUDIT_CHANGELIST_H

#include <stdbool.h>
#include <stddef.h>

struct qpw_changelist {
    char **lines;
    size_t n;
    bool incomplete; /* the memory did not suffice */
};

void qpw_changelist_add(struct qpw_changelist *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Each line behind a line break and two blanks. Where not all fit into buf, the last line says how many are left out
 * and what shows them. Returns buf; size at least 256.
 */
const char *qpw_changelist_text(const struct qpw_changelist *list, char *buf, size_t size);

void qpw_changelist_clear(struct qpw_changelist *list);

#endif
