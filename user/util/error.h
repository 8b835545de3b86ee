/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * error.h - an error as one line: what failed, on which object, why, and what to do.
 *
 * Modules never print. A function that can fail takes `struct qpw_error *err`, fills it and returns a negative errno;
 * the calling command prints it once and chooses the exit status.
 */
#ifndef QPW_UTIL_ERROR_H
#define QPW_UTIL_ERROR_H

/* Exit statuses of every command. */
enum qpw_exit {
    QPW_EXIT_OK = 0,
    QPW_EXIT_FAILED = 1,
    QPW_EXIT_USAGE = 2, /* bad usage, bad policy, not a capture */
    QPW_EXIT_YES = 3,   /* the answer is "yes": something was found */
};

struct qpw_error {
    char text[512];
};

/* Format into err (may be NULL) and return `code`, so that the caller can return the result directly. */
int qpw_fail(struct qpw_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
