/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * batches.h - frames on their way to the program that takes many: the caller fills a batch while a thread of its own
 * has the one before it run.
 */
#ifndef QPW_REPLAY_BATCHES_H
#define QPW_REPLAY_BATCHES_H

#include <stdint.h>

#include "bpf/packet.h"
#include "util/error.h"

struct qpw_batch {
    uint32_t n;
    struct qpw_replay_frame frames[QPW_REPLAY_FRAMES];
};

struct qpw_batches;

/* Run a batch. Returns 0, or a negative errno with err filled; it is not called again then. */
typedef int (*qpw_batch_fn)(void *data, const struct qpw_batch *batch, struct qpw_error *err);

/*
 * Start the thread that calls `run`; where there can be none, the functions below call it. Returns an object that the
 * caller closes, NULL: out of memory.
 */
struct qpw_batches *qpw_batches_open(qpw_batch_fn run, void *data);

/* Return the next frame to fill, which is the batch's last so far. */
struct qpw_replay_frame *qpw_batches_frame(struct qpw_batches *b);

/* The frame has been filled: run the batch if it was its last. Returns 0, or the error of a batch before. */
int qpw_batches_filled(struct qpw_batches *b, struct qpw_error *err);

/* Run what is there and wait until all batches have run. Returns 0, or the error of one of them. */
int qpw_batches_flush(struct qpw_batches *b, struct qpw_error *err);

/* Wait for the batches that have been handed over, and free the object; b may be NULL. */
void qpw_batches_close(struct qpw_batches *b);

#endif
