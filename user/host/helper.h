/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * helper.h - a process beside this one that keeps a few capabilities and answers fixed questions with them, so that this
 * process can give them up.
 *
 * The helper is two processes: one that answers, and its supervisor, which puts another in its place when it has ended or
 * was found not to answer, and ends with the process that started it, however that ends. Nothing else is inherited: no
 * descriptor, no terminal. One question is asked at a time and waited for during a few seconds at most;
 * on a machine where the helper waits for a processor, five times as long.
 */
#ifndef QPW_HOST_HELPER_H
#define QPW_HOST_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define QPW_HELPER_BYTES 8192 /* of a question, and of one part of an answer */

struct qpw_helper;

/* One question as the helper sees it, and what it answers. */
struct qpw_helper_work {
    unsigned what;
    const void *question;
    size_t size;
    void *answer;       /* room for QPW_HELPER_BYTES */
    size_t answer_size; /* to be set; at first 0 */
    int answer_fd;      /* -1, or a descriptor to hand over; it is closed here afterwards */
    int socket;         /* of qpw_helper_part() */
    uint32_t sequence;
};

struct qpw_helper_kind {
    const char *name; /* of the processes, at most 15 characters */
    const unsigned *rights; /* capabilities that they keep, and no others */
    size_t n_rights;
    /* Called in the supervisor while all rights are there, to open what takes them. May be NULL. A negative errno ends it. */
    int (*prepare)(void);
    /* Called in the supervisor, then in each process that answers, for good. May be NULL. A negative errno ends it. */
    int (*confine)(bool supervisor);
    /* Its result goes to the asker: a number of its own choice, or a negative errno. */
    int (*answer)(struct qpw_helper_work *work);
};

/*
 * Start both processes. To be called while this process has the capabilities, and before it opens what they need not
 * share. 0, or a negative errno with err filled. *ret is the caller's; `kind` must outlive it.
 */
int qpw_helper_start(const struct qpw_helper_kind *kind, struct qpw_helper **ret, struct qpw_error *err);
void qpw_helper_stop(struct qpw_helper *h); /* NULL is fine */

/* Sends a part of an answer ahead of the rest. Only within `answer`. */
void qpw_helper_part(struct qpw_helper_work *work, const void *bytes, size_t size);

typedef void qpw_helper_part_fn(void *arg, const void *bytes, size_t size);

struct qpw_helper_reply {
    int result;   /* what `answer` returned */
    void *bytes;  /* room of the asker's for `room` bytes; may be NULL */
    size_t room;
    size_t size;  /* that were written there: never more than `room` */
    int fd;       /* handed over, the asker's; -1: none */
    qpw_helper_part_fn *part; /* NULL: parts ahead of the rest are passed over */
    void *part_arg;
};

/*
 * Ask. Fill in bytes, room, part and part_arg before. True: answered. False: the helper does not answer just now (fd is
 * -1, and nothing is known; parts may have come).
 */
bool qpw_helper_ask(struct qpw_helper *h, unsigned what, const void *question, size_t size, struct qpw_helper_reply *reply);

/* What became of it since the last call. */
enum qpw_helper_news {
    QPW_HELPER_SAME = 0,
    QPW_HELPER_SILENT, /* it did not answer in time, or ended: another takes its place */
    QPW_HELPER_BACK,   /* another answers, after one that did not in time or ended */
    QPW_HELPER_GONE,   /* the supervisor has ended, too: nobody will answer any more */
};
enum qpw_helper_news qpw_helper_news(struct qpw_helper *h, unsigned *ret_restarts);

#endif
