/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* file.h - files that are named by a user and must not make the program wait. */
#ifndef QPW_UTIL_FILE_H
#define QPW_UTIL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * Opens a regular file, or /dev/null, to read. Never waits, as open(2) does at a FIFO that nobody writes. A descriptor, closed on exec;
 * or a negative errno with err filled (-EINVAL: it is no regular file, and which kind it is).
 */
int qpw_file_open(const char *path, struct qpw_error *err);

/*
 * The same for what may be a pipe, "-" being standard input. Where a pipe has nothing to read for a second, that is said as
 * below, and it is waited for. -EINVAL: a directory, a device, a socket.
 */
int qpw_file_open_stream(const char *path, struct qpw_error *err);

/*
 * Opens what will be asked for by open_one, one of the two above, while this process has the rights for it: from then on both
 * give what was opened, a file from its start again. Of one that cannot be opened they say so then. Paths are the caller's to
 * keep.
 */
void qpw_file_hold(const char *const *paths, size_t n, int (*open_one)(const char *path, struct qpw_error *err));

/* The descriptor that is held of that path, or -1. */
int qpw_file_held(const char *path);

/* What says that a pipe of that name is waited for; without it nothing is said. */
void qpw_file_say_waiting(void (*say)(const char *path));

/*
 * Whether others than root can change what is read at that path: the file, where it leads to, or a folder on the way, in which
 * another could be put in its place. True: buf says whose it is.
 */
bool qpw_file_is_others(const char *path, char *buf, size_t size);

/* "a FIFO", "a directory" … of a file's mode. */
const char *qpw_file_kind(mode_t mode);

#endif
