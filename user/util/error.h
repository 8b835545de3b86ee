/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * error.h - one error, as one line: what failed, on which object, why, what to do.
 *
 * Modules never print. A function that can fail takes `struct qpw_error *err`, fills it and
 * returns a negative errno; the command that called prints it once and picks the exit status.
 */
#ifndef QPW_UTIL_ERROR_H
#define QPW_UTIL_ERROR_H

/* Exit statuses of every command. */
enum qpw_exit {
    QPW_EXIT_OK = 0,
    QPW_EXIT_FAILED = 1,
    QPW_EXIT_USAGE = 2, /* bad usage, bad policy, not a capture */
    QPW_EXIT_YES = 3,   /* the answer is "yes, there is something" */
};

struct qpw_error {
    char text[512];
};

/* Formats into err (which may be NULL) and returns `code` unchanged, so that it can be returned at once. */
int qpw_fail(struct qpw_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
