/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* changelist.h - what a reload changes, line by line, for readers with more and with less room. */
#ifndef QPW_CONTROL_CHANGELIST_H
#define QPW_CONTROL_CHANGELIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct qpw_changelist {
    char **lines;
    size_t n;
    size_t left_out; /* lines that an answer had no room for */
    bool incomplete; /* the memory did not suffice */
};

void qpw_changelist_add(struct qpw_changelist *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Each line behind a line break and two blanks. Where not all fit into buf, the last line says how many are left out
 * and what shows them. Returns buf; size at least 256.
 */
const char *qpw_changelist_text(const struct qpw_changelist *list, char *buf, size_t size);

/*
 * To and from the members "changes" (an array of strings), "left_out" and "incomplete" of an answer. Writing takes as
 * many lines as make up to `room` bytes of JSON. 0; -ENOMEM; reading, -EBADMSG where a member is not what it has to be.
 */
int qpw_changelist_write(const struct qpw_changelist *list, json_t *answer, size_t room);
int qpw_changelist_read(const json_t *answer, struct qpw_changelist *ret);

/* What a reload that worked is reported as: name and path of the policy, qpw_changelist_text(). */
#define QPW_RELOADED_TEXT "policy %s is in force%s"

void qpw_changelist_clear(struct qpw_changelist *list);

#endif
