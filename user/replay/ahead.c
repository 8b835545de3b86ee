/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (256u * 1024) /* read and hashed while in the CPU's cache */
#define BLOCKS 8u

struct block {
    size_t n;
    uint8_t bytes[BLOCK_BYTES];
};

struct qpw_ahead {
    qpw_ahead_fn read;
    void *data;
    pthread_t thread;
    pthread_mutex_t lock;   /* of waiting, ended, stop */
    pthread_cond_t filled, emptied;
    unsigned waiting;       /* blocks that the caller has not emptied */
    bool ended, stop;
    unsigned oldest;        /* the caller's: the next block to take from, */
    size_t used;            /* and how much of it has been taken */
    struct block blocks[BLOCKS];
};

/* Wait for an empty block. Returns false if the caller needs no more. */
static bool wait_for_room(struct qpw_ahead *a)
{
    bool go_on;

    pthread_mutex_lock(&a->lock);
    while (a->waiting == BLOCKS && !a->stop)
        pthread_cond_wait(&a->emptied, &a->lock);
    go_on = !a->stop;
    pthread_mutex_unlock(&a->lock);
    return go_on;
}

static void hand_over(struct qpw_ahead *a, size_t n)
{
    pthread_mutex_lock(&a->lock);
    a->waiting += n > 0;
    a->ended = n == 0;
    pthread_cond_signal(&a->filled);
    pthread_mutex_unlock(&a->lock);
}

static void *run(void *argument)
{
    struct qpw_ahead *a = argument;
    struct block *block;
    unsigned next = 0;

    while (wait_for_room(a)) {
        block = &a->blocks[next];
        next = (next + 1) % BLOCKS;
        block->n = a->read(a->data, block->bytes, BLOCK_BYTES);
        hand_over(a, block->n);
        if (!block->n)
            break;
    }
    return NULL;
}

struct qpw_ahead *qpw_ahead_start(qpw_ahead_fn read, void *data)
{
    struct qpw_ahead *a = malloc(sizeof(*a));
    sigset_t all, before;
    int r;

    if (!a)
        return NULL;
    memset(a, 0, offsetof(struct qpw_ahead, blocks)); /* a short file's other blocks stay untouched */
    a->read = read;
    a->data = data;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->filled, NULL);
    pthread_cond_init(&a->emptied, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* leave signals to the caller's thread */
    r = pthread_create(&a->thread, NULL, run, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        return a;
    free(a);
    return NULL;
}

/* Let the thread go on once half of the blocks are empty, so that it is woken less often. */
static void give_back(struct qpw_ahead *a)
{
    a->oldest = (a->oldest + 1) % BLOCKS;
    a->used = 0;
    pthread_mutex_lock(&a->lock);
    if (--a->waiting == BLOCKS / 2)
        pthread_cond_signal(&a->emptied);
    pthread_mutex_unlock(&a->lock);
}

/* Return whether there is a block to take from; wait for it, or for the end. */
static bool wait_for_block(struct qpw_ahead *a)
{
    bool is_there;

    pthread_mutex_lock(&a->lock);
    while (!a->waiting && !a->ended)
        pthread_cond_wait(&a->filled, &a->lock);
    is_there = a->waiting;
    pthread_mutex_unlock(&a->lock);
    return is_there;
}

size_t qpw_ahead_take(struct qpw_ahead *a, uint8_t *to, size_t size)
{
    const struct block *block;
    size_t n;

    if (!a->used && !wait_for_block(a))
        return 0;
    block = &a->blocks[a->oldest];
    n = block->n - a->used < size ? block->n - a->used : size;
    memcpy(to, block->bytes + a->used, n);
    a->used += n;
    if (a->used == block->n)
        give_back(a);
    return n;
}

void qpw_ahead_stop(struct qpw_ahead *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->emptied);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->emptied);
    pthread_cond_destroy(&a->filled);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
