/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * events.h - the newest lines of the alert log once more, in two bounded files in memory, for the process that serves peers.
 *
 * That process may read neither the log, which belongs to root and may be anywhere, nor ask for each line: of the readers'
 * commands only a few may run, each in a process of its own. These files cost the auditor one write to memory for each line;
 * it never waits, and never knows whether anybody reads. One file is written until it is full, then the other is emptied.
 *
 *   {"schema":"qportwatch.events/1","epoch":"…","after":N}   first line of a file, and of each auditor's part
 *   the lines of the log, byte by byte
 */
#ifndef QPW_ALERT_LOG_EVENTS_H
#define QPW_ALERT_LOG_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QPW_LOG_EVENTS_FILES 2u           /* opened by control/event_files.h */
#define QPW_LOG_EVENTS_BYTES (1u << 20)   /* of each file */
#define QPW_LOG_EVENTS_SCHEMA "qportwatch.events/1"
#define QPW_LOG_EVENTS_EPOCH 80u          /* as qpw_statement.epoch */

struct qpw_log_events {
    int fd[QPW_LOG_EVENTS_FILES]; /* -1: none; closed by qpw_log_events_close() */
    unsigned current;         /* the one being written */
    size_t size;              /* of that one */
    bool begun;               /* this auditor's first line is in it */
};

/* Continue in the file written last. The descriptors are for reading and appending; -1 in both: nothing is written. */
void qpw_log_events_init(struct qpw_log_events *e, const int fd[QPW_LOG_EVENTS_FILES]);
void qpw_log_events_close(struct qpw_log_events *e);

/* Write the first line of this auditor's part, unless it is there: from then on it is known that there are no events yet. */
void qpw_log_events_begin(struct qpw_log_events *e, const char *epoch, uint64_t after);

/*
 * Fill files that are empty with the newest records of the log up to that number, some 64 KiB of them: what was written
 * while no auditor was running, such as by `detach`, is for peers, too. Without effect if there are lines already.
 */
void qpw_log_events_recall(struct qpw_log_events *e, const char *epoch, const char *path, uint64_t last);

/*
 * Append a line of the log, without its newline. after: the number of the record before it. Lines that do not fit or
 * cannot be written are left out: the numbers of the others show the gap.
 */
void qpw_log_events_append(struct qpw_log_events *e, const char *epoch, uint64_t after, const char *line, size_t length);

/* Read a first line. Return whether it is one, with its epoch and its number. */
bool qpw_log_events_head(const char *line, size_t length, char ret_epoch[QPW_LOG_EVENTS_EPOCH], uint64_t *ret_after);

#endif
