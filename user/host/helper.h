/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * helper.h - a process beside this one that keeps a few capabilities and answers fixed questions with them, so that
 * this process can give them up.
 *
 * The helper is two processes: a worker that answers, and its supervisor, which replaces a worker that has ended or
 * does not answer, and which ends with the process that started it, however that ends. Nothing else is inherited: no
 * descriptor, no terminal. One question is asked at a time, and its answer awaited for a few seconds at most; five
 * times as long while the helper is waiting for a processor.
 */
#ifndef QPW_HOST_HELPER_H
#define QPW_HOST_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define QPW_HELPER_BYTES 8192 /* maximum of a question, and of one part of an answer */

struct qpw_helper;

/* A question as the helper receives it, and its answer. */
struct qpw_helper_work {
    unsigned what;
    const void *question;
    size_t size;
    void *answer;       /* room for QPW_HELPER_BYTES */
    size_t answer_size; /* set by the callback; initially 0 */
    int answer_fd;      /* -1, or a descriptor to hand over; the helper closes its own copy */
    int socket;         /* for qpw_helper_part() */
    uint32_t sequence;
};

struct qpw_helper_kind {
    const char *name; /* process name, at most 15 characters */
    const unsigned *rights; /* the only capabilities that they keep */
    size_t n_rights;
    /*
     * Called in the supervisor while it still has all privileges, to open what needs them. May be NULL. A negative
     * errno ends it.
     */
    int (*prepare)(void);
    /* Called in the supervisor and then in each worker; cannot be undone. May be NULL. A negative errno ends it. */
    int (*confine)(bool supervisor);
    /* Its result is passed to the asker: a number of its own choice, or a negative errno. */
    int (*answer)(struct qpw_helper_work *work);
};

/*
 * Start both processes. Call it while this process has the capabilities, and before it opens anything that they must
 * not share. Returns 0, or a negative errno with err filled. The caller owns *ret; `kind` must outlive it.
 */
int qpw_helper_start(const struct qpw_helper_kind *kind, struct qpw_helper **ret, struct qpw_error *err);
void qpw_helper_stop(struct qpw_helper *h); /* h may be NULL */

/* Send a part of an answer ahead of the rest; only from within `answer`. */
void qpw_helper_part(struct qpw_helper_work *work, const void *bytes, size_t size);

typedef void qpw_helper_part_fn(void *arg, const void *bytes, size_t size);

struct qpw_helper_reply {
    int result;   /* what `answer` returned */
    void *bytes;  /* the asker's buffer of `room` bytes; may be NULL */
    size_t room;
    size_t size;  /* bytes written there, never more than `room` */
    int fd;       /* handed over, owned by the asker; -1: none */
    qpw_helper_part_fn *part; /* may be NULL: parts ahead of the rest are ignored */
    void *part_arg;
};

/*
 * Ask a question and wait for the answer. Fill in bytes, room, part and part_arg before. False: the helper does not
 * answer now; fd is -1 and the result unknown, although parts may have arrived.
 */
bool qpw_helper_ask(struct qpw_helper *h, unsigned what, const void *question, size_t size, struct qpw_helper_reply *reply);

/* What happened to the helper since the last call. */
enum qpw_helper_change {
    QPW_HELPER_SAME = 0,
    QPW_HELPER_SILENT, /* it timed out or ended, and is being replaced */
    QPW_HELPER_BACK, /* a new worker answers, after a time-out or an end */
    QPW_HELPER_GONE, /* the supervisor has ended too; nothing will answer any more */
};
enum qpw_helper_change qpw_helper_change(struct qpw_helper *h, unsigned *ret_restarts);

#endif
