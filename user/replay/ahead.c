/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/ahead.h"

#include <stdlib.h>
#include <string.h>

#include "replay/handover.h"

#define BLOCK_BYTES (256u * 1024) /* read and hashed while in the CPU's cache */
#define BLOCKS 8u

struct block {
    size_t n;
    uint8_t bytes[BLOCK_BYTES];
};

struct qpw_ahead {
    qpw_ahead_fn read;
    void *data;
    struct qpw_handover handover;
    unsigned oldest; /* the caller's: the next block to take from, */
    size_t used;     /* and how much of it has been taken */
    struct block blocks[BLOCKS];
};

static void *run(void *argument)
{
    struct qpw_ahead *a = argument;
    unsigned next = 0;

    while (qpw_handover_room(&a->handover)) {
        struct block *block = &a->blocks[next];

        block->n = a->read(a->data, block->bytes, BLOCK_BYTES);
        if (!block->n)
            break;
        qpw_handover_put(&a->handover);
        next = (next + 1) % BLOCKS;
    }
    qpw_handover_end(&a->handover);
    return NULL;
}

struct qpw_ahead *qpw_ahead_start(qpw_ahead_fn read, void *data)
{
    struct qpw_ahead *a = malloc(sizeof(*a));

    if (!a)
        return NULL;
    memset(a, 0, offsetof(struct qpw_ahead, blocks)); /* a short file's other blocks stay untouched */
    a->read = read;
    a->data = data;
    if (qpw_handover_start(&a->handover, BLOCKS, run, a))
        return a;
    free(a);
    return NULL;
}

size_t qpw_ahead_take(struct qpw_ahead *a, uint8_t *to, size_t size)
{
    const struct block *block = &a->blocks[a->oldest];
    size_t n;

    if (!a->used && !qpw_handover_item(&a->handover))
        return 0;
    n = block->n - a->used < size ? block->n - a->used : size;
    memcpy(to, block->bytes + a->used, n);
    a->used += n;
    if (a->used < block->n)
        return n;
    a->oldest = (a->oldest + 1) % BLOCKS;
    a->used = 0;
    qpw_handover_take(&a->handover);
    return n;
}

void qpw_ahead_stop(struct qpw_ahead *a)
{
    if (!a)
        return;
    qpw_handover_stop(&a->handover);
    qpw_handover_join(&a->handover);
    free(a);
}
