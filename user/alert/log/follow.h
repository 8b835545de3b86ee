/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* follow.h - follow the lines appended to a file by another process, across rotation and truncation. */
#ifndef QPW_ALERT_FOLLOW_H
#define QPW_ALERT_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct qpw_follow;

/*
 * Open the file at its beginning. Return 0 or a negative errno with err; without `wait`, -ENOENT if neither it nor a
 * rotated file of it exists; with it, it may appear later.
 */
int qpw_follow_open(const char *path, bool wait, struct qpw_follow **ret, struct qpw_error *err);
void qpw_follow_close(struct qpw_follow *f); /* NULL is fine */

/*
 * Get the next complete line, without its newline; valid until the next call. Return 1; 0 at the current end (without
 * `wait`) or if a signal interrupted the wait; or a negative errno with err.
 */
int qpw_follow_line(struct qpw_follow *f, bool wait, const char **ret_line, size_t *ret_length, struct qpw_error *err);

#endif
