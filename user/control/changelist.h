/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* changelist.h - the effect of a reload, one change a line, cut to the space that a reader has. */
#ifndef QPW_CONTROL_CHANGELIST_H
#define QPW_CONTROL_CHANGELIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct qpw_changelist {
    char **lines;
    size_t n;
    size_t left_out; /* lines omitted from an answer for lack of space */
    bool incomplete; /* out of memory while adding lines */
};

void qpw_changelist_add(struct qpw_changelist *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Write each line after a line break and two spaces. If they do not all fit into buf, the last line reports how many
 * are omitted and which command shows them. Returns buf; size at least 256.
 */
const char *qpw_changelist_text(const struct qpw_changelist *list, char *buf, size_t size);

/*
 * Convert to and from the members "changes" (an array of strings), "left_out" and "incomplete" of an answer. Writing
 * includes as many lines as fit into `room` bytes of JSON. Return 0 or -ENOMEM; reading also -EBADMSG for a malformed
 * member.
 */
int qpw_changelist_write(const struct qpw_changelist *list, json_t *answer, size_t room);
int qpw_changelist_read(const json_t *answer, struct qpw_changelist *ret);

/* The record of a successful reload: name and path of the policy, qpw_changelist_text(). */
#define QPW_RELOADED_TEXT "policy %s is in force%s"

void qpw_changelist_clear(struct qpw_changelist *list);

#endif
