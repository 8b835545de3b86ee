/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* apart.h - run the part of a command that reads untrusted input in a process with hardly any other rights. */
#ifndef QPW_HOST_APART_H
#define QPW_HOST_APART_H

#include <stddef.h>

#include "util/error.h"

/*
 * Run function(arg) in a child process that inherits every open descriptor, keeps only the capabilities `kept` and is
 * confined by `confine` (host/confine.h). The child exits with function's return value after flushing standard output;
 * any other result must go through shared memory or a descriptor.
 * Returns the child's exit status with err's text empty, or QPW_EXIT_FAILED with err filled if the child could not be
 * started or confined, or was killed by a signal.
 */
int qpw_apart_run(const unsigned *kept, size_t n_kept, int (*confine)(void), int (*function)(void *arg), void *arg,
                  struct qpw_error *err);

#endif
