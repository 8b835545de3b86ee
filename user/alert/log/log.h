/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.h - the alert log as a file: whole lines or none, whatever the disk does.
 *
 * Opened for appending, so that copytruncate works (what is written between its copy and its
 * truncation is lost, which is its nature); opened again when the name leads elsewhere or on request.
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

/* An unopened log of that path; the file is made with the first line. 0 or -ENOMEM. */
int qpw_log_init(struct qpw_log *log, const char *path);
void qpw_log_close(struct qpw_log *log);

/* Opens the file where it is not open, or not the one of that name. 0, or a negative errno with log->why. */
int qpw_log_ready(struct qpw_log *log);

/*
 * Appends one line, newline included, with one write(). Returns 0; or a negative errno with nothing of it in the file
 * and log->failing, log->why set. The next call tries again, from opening.
 */
int qpw_log_write(struct qpw_log *log, const char *line, size_t length);

/*
 * Appends the record as a line, the next of the chain, which goes on with it. 0; or a negative errno as above with the line
 * that is not in the file in *ret_line, to be freed, NULL where there was no memory for it.
 */
int qpw_log_record(struct qpw_log *log, struct qpw_log_chain *chain, const struct qpw_record *record, char **ret_line);

/* After a rotation (SIGHUP): the next line goes to the file that has the name then. */
void qpw_log_reopen(struct qpw_log *log);

/*
 * Reads what the log holds already, the newest `limit` bytes of PATH and of each rotated file beside it (PATH.1,
 * PATH.2.gz, PATH-20260301 …; of those some 64 MiB in all), and calls back for each record that has a flow_id or tells
 * of the coverage, oldest first. *ret_chain is the chain as the last line leaves it. A torn last line, of a killed process or
 * a crashed machine, is taken away. 0, also where there is no file; or a negative errno with err filled.
 */
int qpw_log_history(const struct qpw_log *log, uint64_t limit,
                    void (*visit)(void *data, const struct qpw_engine_past *past), void *data,
                    struct qpw_log_chain *ret_chain, struct qpw_error *err);

#endif
