/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * outbox.h - this node's events for its peers: the lines of the auditor's event files (alert/log/events.h), found by number.
 *
 * Only where each line lies is kept in memory. A file that is emptied while a peer is still being sent a part of it gives
 * that peer other bytes than were announced, which it notices by the chain of sums, and asks again.
 */
#ifndef QPW_SERVE_OUTBOX_H
#define QPW_SERVE_OUTBOX_H

#include "alert/log/chain.h"
#include "alert/log/events.h"
#include "util/error.h"

#define QPW_OUTBOX_BATCH (1u << 20) /* bytes of a batch */
#define QPW_OUTBOX_LIMIT 500u       /* lines of one */
#define QPW_OUTBOX_WAIT_S 30u       /* the longest wait for one */

struct qpw_outbox;

/* paths: of the two files, which may be missing: copied. The caller closes *ret. Return 0 or a negative errno with err filled. */
int qpw_outbox_open(const char *const paths[QPW_LOG_EVENTS_FILES], struct qpw_outbox **ret, struct qpw_error *err);
void qpw_outbox_close(struct qpw_outbox *f); /* NULL is fine */

/* Return a descriptor that is readable when qpw_outbox_step() has something to do. */
int qpw_outbox_fd(const struct qpw_outbox *f);

/* Read what was written meanwhile. Never blocks. Return whether there are other events than before. */
bool qpw_outbox_step(struct qpw_outbox *f);

/* Lines that follow one another in one file. */
struct qpw_outbox_batch {
    int fd;                     /* duplicate of the file's, the caller's to close; -1: there are none */
    uint64_t offset, length;    /* in bytes, newlines included */
    const char *epoch;          /* borrowed until the next step */
    struct qpw_log_chain chain; /* of the last line; without lines, of the newest there is (number 0: none yet) */
};

/*
 * Find at most `limit` lines after the record of that number; a number above the newest is of another chain, and begins
 * with the oldest. Return 0; -ENODATA: there are no events, because there is no auditor or no alert log; or a negative errno.
 */
int qpw_outbox_find(const struct qpw_outbox *f, uint64_t after, unsigned limit, struct qpw_outbox_batch *ret);

/* Get the number of the newest record. Return false if there is none. */
bool qpw_outbox_newest(const struct qpw_outbox *f, uint64_t *ret);

/* What a request asks for. */
struct qpw_outbox_query {
    uint64_t after;
    unsigned wait_s, limit;
};

/* Read the three parameters of a request, which anybody may have written; NULL: not given. Return 0 or -EINVAL. */
int qpw_outbox_query(const char *after, const char *wait, const char *limit, struct qpw_outbox_query *ret);

#endif
