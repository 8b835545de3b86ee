/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hear.h - ask one peer for its events, again and again: each request waits at the peer until there is one (long poll), so
 * that a finding is known here within the time of one answer.
 */
#ifndef QPW_SERVE_HEAR_H
#define QPW_SERVE_HEAR_H

#include "serve/heard.h"
#include "serve/poll.h"

#define QPW_HEAR_KIND 1u     /* qpw_poll_ask.kind of its requests; 0 are the gatherer's */
#define QPW_HEAR_WAIT_S 25u  /* below the 30 s that a server waits at most */
#define QPW_HEAR_BYTES (1u << 20)
#define QPW_HEAR_AT_ONCE 100u /* requests between two ticks, */
#define QPW_HEAR_TICK_BYTES (512u << 10) /* and bytes after which none follows: a peer that always has an event costs no more */

struct qpw_hear {
    const char *state; /* the state directory, borrowed */
    struct qpw_heard heard;
    bool asking;
    enum qpw_poll_result result; /* of the last request */
    bool has_result;
    char trouble[160];           /* why it brought nothing; else empty */
    unsigned asked;              /* requests since the last tick */
    size_t took;                 /* bytes of events since then */
    unsigned pause;              /* ticks before the next one, after an answer that was not valid */
};

/* Continue after the peer's events that were kept. */
void qpw_hear_open(struct qpw_hear *h, const char *state, const char *peer);

/* Every few seconds: ask, unless a request waits. wait_s: QPW_HEAR_WAIT_S, or 0 where there are too many peers to wait at. */
void qpw_hear_tick(struct qpw_hear *h, struct qpw_poll *poll, const struct qpw_poll_target *target, size_t index, unsigned wait_s);

/* Take the answer, write down what is new, and ask for what follows. Return whether something is new. */
bool qpw_hear_polled(struct qpw_hear *h, struct qpw_poll *poll, const struct qpw_poll_target *target, const struct qpw_polled *polled);

#endif
