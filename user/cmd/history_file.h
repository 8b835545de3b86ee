/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* history_file.h - which history a command reads, and of which time. */
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

/* The times as they were given; since_default seconds before the end where none was (0: from the beginning). -EINVAL with err. */
int qpw_history_times(const struct qpw_history_args *args, int64_t since_default, struct qpw_history_window *ret, struct qpw_error *err);

/* A document about what the history has of that time: host and policy are those of then, on whichever machine it is read. Borrows nothing. */
json_t *qpw_history_document(struct qpw_history_reader *r, const char *schema, const struct qpw_history_observed *seen, int64_t until);

/*
 * Opens the file given, else that of what is attached in this network namespace, else the one of the configuration, else the
 * standard one. 0 or a negative number with err.
 */
int qpw_history_open_file(const struct qpw_history_args *args, struct qpw_history_reader **ret, struct qpw_error *err);

#endif
