/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/batches.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "replay/handover.h"

#define BATCHES 4u

struct qpw_batches {
    qpw_batch_fn run;
    void *data;
    bool threaded;
    struct qpw_handover handover;
    unsigned filling;     /* the caller's: the batch that it fills, in an empty slot */
    _Atomic int r;        /* of the first batch that failed; */
    struct qpw_error err; /* written before it */
    struct qpw_batch batches[BATCHES];
};

static void run_one(struct qpw_batches *b, const struct qpw_batch *batch)
{
    if (!b->r)
        b->r = b->run(b->data, batch, &b->err);
}

static void *run_all(void *argument)
{
    struct qpw_batches *b = argument;

    for (unsigned next = 0; qpw_handover_item(&b->handover); next = (next + 1) % BATCHES) {
        run_one(b, &b->batches[next]);
        qpw_handover_take(&b->handover);
    }
    return NULL;
}

struct qpw_batches *qpw_batches_open(qpw_batch_fn run, void *data)
{
    struct qpw_batches *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->run = run;
    b->data = data;
    b->threaded = qpw_handover_start(&b->handover, BATCHES, run_all, b);
    return b;
}

struct qpw_replay_frame *qpw_batches_frame(struct qpw_batches *b)
{
    return &b->batches[b->filling].frames[b->batches[b->filling].n];
}

static int failure(struct qpw_batches *b, struct qpw_error *err)
{
    if (b->r && err)
        *err = b->err;
    return b->r;
}

/* Hand the batch over, and wait for an empty one. */
static int hand_over(struct qpw_batches *b, struct qpw_error *err)
{
    if (b->threaded) {
        qpw_handover_put(&b->handover);
        qpw_handover_room(&b->handover);
        b->filling = (b->filling + 1) % BATCHES;
    } else {
        run_one(b, &b->batches[b->filling]);
    }
    b->batches[b->filling].n = 0;
    return failure(b, err);
}

int qpw_batches_filled(struct qpw_batches *b, struct qpw_error *err)
{
    return ++b->batches[b->filling].n == QPW_REPLAY_FRAMES ? hand_over(b, err) : 0;
}

int qpw_batches_flush(struct qpw_batches *b, struct qpw_error *err)
{
    if (b->batches[b->filling].n)
        hand_over(b, NULL);
    if (b->threaded)
        qpw_handover_drain(&b->handover);
    return failure(b, err);
}

void qpw_batches_close(struct qpw_batches *b)
{
    if (!b)
        return;
    if (b->threaded) {
        qpw_handover_end(&b->handover);
        qpw_handover_join(&b->handover);
    }
    free(b);
}
