/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * heard.h - the events of one peer as they come in: lines that anybody may have written, of which those are kept that
 * continue its chain.
 *
 * A peer can lie about itself only: its lines are kept in a file of its own, of bounded size.
 */
#ifndef QPW_SERVE_HEARD_H
#define QPW_SERVE_HEARD_H

#include "alert/log/chain.h"
#include "alert/log/events.h"
#include "util/error.h"

#define QPW_HEARD_LINE (16u << 10)  /* bytes of a line */
#define QPW_HEARD_TEXT 4096u        /* of a text in it */
#define QPW_HEARD_DEPTH 8u

/* The newest finding among a peer's events. */
struct qpw_heard_finding {
    uint64_t unix_ns;   /* as the peer's clock says; 0: none */
    unsigned severity;
    char text[200];
};

struct qpw_heard {
    struct qpw_log_chain chain; /* of the last line that was kept; number 0: none */
    char epoch[QPW_LOG_EVENTS_EPOCH];
    uint64_t missed;            /* records between those kept that never came */
    struct qpw_heard_finding newest;
};

enum qpw_heard_result {
    QPW_HEARD_KEEP,    /* write the lines down */
    QPW_HEARD_NOTHING, /* no lines */
    QPW_HEARD_AGAIN,   /* of another chain: it has to be asked for its events from the first on */
    QPW_HEARD_INVALID, /* not lines of an alert log; err says why */
};

/*
 * Take lines that came as an answer, with its epoch. KEEP: *ret_length bytes from the first on are valid and continue what
 * was heard. AGAIN: the chain is forgotten.
 */
enum qpw_heard_result qpw_heard_take(struct qpw_heard *h, const char *bytes, size_t length, const char *epoch, size_t *ret_length,
                                     struct qpw_error *err);

/* Continue from lines that were kept: the end of a file, which may begin within a line. */
void qpw_heard_recall(struct qpw_heard *h, const char *bytes, size_t length);

#endif
