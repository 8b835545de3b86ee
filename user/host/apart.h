/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* apart.h - a part of a command that reads what strangers wrote, in a process that may do little more than that. */
#ifndef QPW_HOST_APART_H
#define QPW_HOST_APART_H

#include <stddef.h>

#include "util/error.h"

/*
 * Runs function(arg) in a child of this process, which has everything that is open here, keeps of the capabilities only
 * those, and is confined by `confine` (host/confine.h). It ends with the status that the function returns, its standard output
 * written; what the parent needs of it besides has to be in shared memory or behind a descriptor. The status, or
 * QPW_EXIT_FAILED with err filled where there is none: it could not be started or confined, or was ended by a signal. Of a
 * status that the child returned err's text is empty.
 */
int qpw_apart_run(const unsigned *kept, size_t n_kept, int (*confine)(void), int (*function)(void *arg), void *arg,
                  struct qpw_error *err);

#endif
