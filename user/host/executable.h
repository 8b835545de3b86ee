/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* executable.h - compare a process's executable with a path, through all links. */
#ifndef QPW_HOST_EXECUTABLE_H
#define QPW_HOST_EXECUTABLE_H

#include <stddef.h>

#include "host/process.h"

enum qpw_executes { QPW_EXECUTES_OTHER = 0, QPW_EXECUTES_IT, QPW_EXECUTES_UNSURE };

/*
 * Return whether a process executes the file that `path` names. Links on the way to either file are followed (merged
 * /usr, alternatives); the path that an ended process gave to execve(2) is resolved as the kernel did it, so that a
 * script stands for its interpreter. The kernel's suffix for a replaced file is ignored.
 * UNSURE if the path was relative to an unknown folder and ends in that name, if an upgrade has redirected the link to
 * another file of that folder since the process started, or if only a private mount namespace vouches for the replaced
 * file's path.
 */
enum qpw_executes qpw_executes(const struct qpw_process *p, const char *path);

/*
 * Copy an executable's path to buf without the suffix that the kernel adds once the file is replaced or removed.
 * Returns buf.
 */
const char *qpw_executable_bare(const char *exe, char *buf, size_t size);

#endif
