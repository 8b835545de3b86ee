/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* owner.h - the owner of the node's end of an exchange, or of a listening port: for a cell, for a sentence, as JSON. */
#ifndef QPW_WORDS_OWNER_H
#define QPW_WORDS_OWNER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/process.h"

/* Return whether an owner is known: a process, or the kernel itself. */
static inline bool qpw_owner_known(const struct qpw_process *owner)
{
    return owner->pid || owner->match == QPW_MATCH_KERNEL;
}

/* For a cell: "ncat[11331]", "kernel"; "" if unknown. Returns buf. */
const char *qpw_words_owner(const struct qpw_process *owner, char *buf, size_t size);

/*
 * For a sentence, noting an inexact match: "python3, pid 2671, root, web.service", "listener python3, …", "opened by
 * python3, …", "kernel, no process"; "" if unknown. Returns buf.
 */
const char *qpw_words_owner_said(const struct qpw_process *owner, char *buf, size_t size);

/* Build {process, pid, exe, user, unit, container, started, match}; null if unknown. NULL: out of memory. */
json_t *qpw_json_owner(const struct qpw_process *owner);

#endif
