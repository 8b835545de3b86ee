/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* file.h - open files named by the user, without blocking the program. */
#ifndef QPW_UTIL_FILE_H
#define QPW_UTIL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * Open a regular file, or /dev/null, for reading. Never blocks, unlike open(2) of a FIFO without a writer. Returns a
 * close-on-exec descriptor, or a negative errno with err filled (-EINVAL: not a regular file; err has its kind).
 */
int qpw_file_open(const char *path, struct qpw_error *err);

/*
 * The same for a file or pipe, "-" being standard input. If a pipe has no data for a second, the callback below is
 * called, and waiting continues. -EINVAL: a directory, a device, a socket.
 */
int qpw_file_open_stream(const char *path, struct qpw_error *err);

/*
 * Open files with open_one, one of the functions above, while this process has the privileges; both functions then
 * return duplicates, regular files rewound. Files that cannot be opened are skipped; the later call reports the error.
 * The caller keeps the paths valid.
 */
void qpw_file_hold(const char *const *paths, size_t n, int (*open_one)(const char *path, struct qpw_error *err));

/*
 * Read fd to its end, but no more than one byte beyond `most`, by which a longer file is known. Returns 0 with a
 * zero byte behind the *ret_length bytes of *ret, which the caller frees; or a negative errno.
 */
int qpw_file_bytes(int fd, size_t most, char **ret, size_t *ret_length);

/* Return the descriptor held for a path, or -1. */
int qpw_file_held(const char *path);

/* Set the callback that reports waiting for a pipe of that name; without one, nothing is reported. */
void qpw_file_report_waiting(void (*report)(const char *path));

/*
 * Return whether others than root can change what is read at that path: the file, a link's target, or any folder on the
 * way, in which they could put another file in its place. True: buf has its owner and mode.
 */
bool qpw_file_is_others(const char *path, char *buf, size_t size);

/* Name a file's kind by its mode: "a FIFO", "a directory" … */
const char *qpw_file_kind(mode_t mode);

#endif
