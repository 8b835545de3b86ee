/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lines.h - the lines of one log file, plain or gzip, or of standard input; and which files a log was rotated to. */
#ifndef QPW_ALERT_LINES_H
#define QPW_ALERT_LINES_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct qpw_log_lines;

/* Opens `path` ("-": standard input). *ret is the caller's. 0, or a negative errno with err and *ret untouched. */
int qpw_log_lines_open(const char *path, struct qpw_log_lines **ret, struct qpw_error *err);

/*
 * The next line without its end, valid until the next call; a last one without an end counts, too. 1, 0 at the end, or a
 * negative errno with err: cannot be read, or damaged.
 */
int qpw_log_lines_next(struct qpw_log_lines *l, const char **ret_line, size_t *ret_length, struct qpw_error *err);

void qpw_log_lines_close(struct qpw_log_lines *l); /* NULL is fine */

/*
 * The files beside `path` that it was rotated to (PATH.1, PATH.2.gz, PATH-20260301), oldest first, ended by NULL; those
 * not touched since since_unix_ns (0: any) left out. To be freed by qpw_log_rotated_free(). NULL: no memory.
 */
char **qpw_log_rotated(const char *path, uint64_t since_unix_ns);
void qpw_log_rotated_free(char **paths); /* NULL is fine */

#endif
