/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * handover.h - a ring of slots between two threads: one fills the next empty slot, the other empties the oldest. This
 * counts the slots and waits; the slots themselves are the caller's, who numbers them from 0 round and round.
 */
#ifndef QPW_REPLAY_HANDOVER_H
#define QPW_REPLAY_HANDOVER_H

#include <pthread.h>
#include <stdbool.h>

struct qpw_handover {
    pthread_t thread;     /* the second one */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t filled, emptied;
    unsigned slots, waiting; /* waiting: filled, not emptied yet */
    bool ended;              /* no more will be filled */
    bool stopped;            /* no more are wanted */
};

/* Start the second thread, run(data), which takes no signals. Returns false if that fails; then join nothing. */
bool qpw_handover_start(struct qpw_handover *h, unsigned slots, void *(*run)(void *data), void *data);

/* For the thread that fills: wait for an empty slot. Returns false if no more are wanted. */
bool qpw_handover_room(struct qpw_handover *h);
/* The next slot has been filled. */
void qpw_handover_put(struct qpw_handover *h);
/* Nothing more will come. */
void qpw_handover_end(struct qpw_handover *h);
/* Wait until all slots have been emptied. */
void qpw_handover_drain(struct qpw_handover *h);

/* For the thread that empties: wait for a filled slot. Returns false if all are empty and nothing more will come. */
bool qpw_handover_item(struct qpw_handover *h);
/* The oldest slot has been emptied. */
void qpw_handover_take(struct qpw_handover *h);
/* No more are wanted, not even those that are filled. */
void qpw_handover_stop(struct qpw_handover *h);

/* Wait for the second thread to return, after qpw_handover_end() or _stop(), and release the rest. */
void qpw_handover_join(struct qpw_handover *h);

#endif
