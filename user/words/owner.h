/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* owner.h - who holds the node's end of an exchange, or waits on a port: in a cell, in a sentence, as JSON. */
#ifndef QPW_WORDS_OWNER_H
#define QPW_WORDS_OWNER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/process.h"

/* Whether anybody is known to hold it: a process, or the kernel itself. */
static inline bool qpw_owner_known(const struct qpw_process *owner)
{
    return owner->pid || owner->match == QPW_MATCH_KERNEL;
}

/* For a cell: "ncat[11331]", "kernel"; "" where nobody is known. Returns buf. */
const char *qpw_words_owner(const struct qpw_process *owner, char *buf, size_t size);

/*
 * For a sentence, with what of the match is not exact: "python3, pid 2671, root, web.service", "listener python3, …",
 * "opened by python3, …", "kernel, no process"; "" where nobody is known. Returns buf.
 */
const char *qpw_words_owner_said(const struct qpw_process *owner, char *buf, size_t size);

/* {process, pid, exe, user, unit, container, started, match}; null where nobody is known. NULL: no memory. */
json_t *qpw_json_owner(const struct qpw_process *owner);

#endif
