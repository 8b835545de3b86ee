/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* follow.h - the lines of a file that another process appends to, over rotation and truncation. */
#ifndef QPW_ALERT_FOLLOW_H
#define QPW_ALERT_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct qpw_follow;

/* Opens the file at its beginning. `wait` false: -ENOENT where there is none. With `wait` it may come later. */
int qpw_follow_open(const char *path, bool wait, struct qpw_follow **ret, struct qpw_error *err);
void qpw_follow_close(struct qpw_follow *f); /* NULL is fine */

/*
 * The next whole line, without its newline; valid until the next call. 1; 0 at the end of what is there (without
 * `wait`), or when a signal came while waiting; a negative errno with err.
 */
int qpw_follow_line(struct qpw_follow *f, bool wait, const char **ret_line, size_t *ret_length, struct qpw_error *err);

#endif
