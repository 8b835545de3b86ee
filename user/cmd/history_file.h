/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* history_file.h - choose the history that a command reads, and the period. */
#ifndef QPW_CMD_HISTORY_FILE_H
#define QPW_CMD_HISTORY_FILE_H

#include <argp.h>
#include <jansson.h>

#include "history/read.h"

struct qpw_history_args {
    const char *file;  /* --history */
    const char *since; /* --since */
    const char *until; /* --until */
};

/* --history, --since, --until. Child input: struct qpw_history_args *. */
extern const struct argp qpw_history_argp;

/*
 * Parse the times; without --since, the period starts since_default seconds before its end (0: at the beginning).
 * Returns 0, or -EINVAL with err filled.
 */
int qpw_history_times(const struct qpw_history_args *args, int64_t since_default, struct qpw_history_window *ret, struct qpw_error *err);

/*
 * Start a document on the history's data of a period; host and policy are those of that time, on whichever machine it
 * is read. Borrows nothing.
 */
json_t *qpw_history_document(struct qpw_history_reader *r, const char *schema, const struct qpw_history_observed *seen, int64_t until);

/*
 * Open the given file, otherwise the history of the instance attached in this network namespace, the configured one, or
 * the default. Returns 0, or a negative number with err filled.
 */
int qpw_history_open_file(const struct qpw_history_args *args, struct qpw_history_reader **ret, struct qpw_error *err);

#endif
