/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* executable.h - whether a process executes the file that a path names, whatever links lead to it. */
#ifndef QPW_HOST_EXECUTABLE_H
#define QPW_HOST_EXECUTABLE_H

#include <stddef.h>

#include "host/process.h"

enum qpw_executes { QPW_EXECUTES_OTHER = 0, QPW_EXECUTES_IT, QPW_EXECUTES_UNSURE };

/*
 * Links on the way to either file are followed (a merged /usr, alternatives), and what a process that has ended gave to
 * execve(2) is resolved as the kernel did: a script is its interpreter. What the kernel adds to the path of a replaced
 * file is left out. UNSURE: the path was relative to a folder that nobody knows and ends in that name, or an upgrade has
 * led the link to another file of the folder since the process started, or only a mount namespace of its own says what the
 * replaced file was.
 */
enum qpw_executes qpw_executes(const struct qpw_process *p, const char *path);

/* The path of its executable without what the kernel adds once the file is replaced or removed. Returns buf. */
const char *qpw_executable_bare(const char *exe, char *buf, size_t size);

#endif
