/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lines.h - read the lines of a log file, plain or gzip, or of standard input; find the rotated files of a log. */
#ifndef QPW_ALERT_LINES_H
#define QPW_ALERT_LINES_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct qpw_log_lines;

/*
 * Open `path` ("-": standard input). Return 0 with *ret owned by the caller, or a negative errno with err and *ret
 * untouched.
 */
int qpw_log_lines_open(const char *path, struct qpw_log_lines **ret, struct qpw_error *err);

/*
 * Get the next line without its newline, valid until the next call; a last line without newline counts. Return 1, 0 at
 * the end, or a negative errno with err: unreadable or damaged.
 */
int qpw_log_lines_next(struct qpw_log_lines *l, const char **ret_line, size_t *ret_length, struct qpw_error *err);

void qpw_log_lines_close(struct qpw_log_lines *l); /* NULL is fine */

/*
 * List the rotated files beside `path` (PATH.1, PATH.2.gz, PATH-20260301), oldest first, NULL-terminated; omit those
 * not modified since since_unix_ns (0: none). Free with qpw_log_rotated_free(). NULL: out of memory.
 */
char **qpw_log_rotated(const char *path, uint64_t since_unix_ns);
void qpw_log_rotated_free(char **paths); /* NULL is fine */

#endif
