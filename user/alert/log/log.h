/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.h - the alert log as a file: whole lines or none, even on write errors.
 *
 * Opened for appending, so that copytruncate works (lines written between its copy and its truncation are lost, by its
 * design); reopened if the name refers to another file, or on request.
 */
#ifndef QPW_ALERT_LOG_H
#define QPW_ALERT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/engine.h"
#include "alert/log/chain.h"
#include "util/error.h"

struct qpw_log {
    char *path;
    int fd;              /* -1: not open */
    uint64_t device;     /* of the open file */
    uint64_t inode;
    bool failing;        /* the last line was not written */
    struct qpw_error why; /* of the first failure since it last worked */
};

/* Initialize an unopened log of that path; the file is created with the first line. Return 0 or -ENOMEM. */
int qpw_log_init(struct qpw_log *log, const char *path);
void qpw_log_close(struct qpw_log *log);

/* Open the file if it is not open, or no longer the one with that name. Return 0, or a negative errno with log->why. */
int qpw_log_ready(struct qpw_log *log);

/*
 * Append one line, newline included, with one write(). Return 0; or a negative errno with no part of it in the file,
 * and log->failing and log->why set. The next call retries, starting with the opening.
 */
int qpw_log_write(struct qpw_log *log, const char *line, size_t length);

/*
 * Append the record as a line, the next of the chain, and advance the chain. Return 0; or a negative errno as above.
 * *ret_line: the line without its newline, written or not, freed by the caller; NULL: out of memory.
 */
int qpw_log_record(struct qpw_log *log, struct qpw_log_chain *chain, const struct qpw_record *record, char **ret_line);

/* After a rotation (SIGHUP): write the next line to the file that has the name then. */
void qpw_log_reopen(struct qpw_log *log);

/*
 * Read back the log: the newest `limit` bytes of PATH and of each rotated file beside it (PATH.1, PATH.2.gz,
 * PATH-20260301 …; of those some 64 MiB in all). Call visit for each record that has a flow_id or is about the
 * coverage, oldest first. *ret_chain: the chain after the last line. An incomplete last line, left by a killed process
 * or a crash, is removed. Return 0, also if there is no file; or a negative errno with err filled.
 */
int qpw_log_history(const struct qpw_log *log, uint64_t limit,
                    void (*visit)(void *data, const struct qpw_engine_past *past), void *data,
                    struct qpw_log_chain *ret_chain, struct qpw_error *err);

#endif
