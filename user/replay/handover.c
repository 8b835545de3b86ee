/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/handover.h"

#include <signal.h>

bool qpw_handover_start(struct qpw_handover *h, unsigned slots, void *(*run)(void *data), void *data)
{
    sigset_t all, before;
    int r;

    *h = (struct qpw_handover){.slots = slots};
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->filled, NULL);
    pthread_cond_init(&h->emptied, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* leave signals to the caller's thread */
    r = pthread_create(&h->thread, NULL, run, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r == 0;
}

bool qpw_handover_room(struct qpw_handover *h)
{
    bool wanted;

    pthread_mutex_lock(&h->lock);
    while (h->waiting == h->slots && !h->stopped)
        pthread_cond_wait(&h->emptied, &h->lock);
    wanted = !h->stopped;
    pthread_mutex_unlock(&h->lock);
    return wanted;
}

void qpw_handover_put(struct qpw_handover *h)
{
    pthread_mutex_lock(&h->lock);
    if (!h->waiting++)
        pthread_cond_signal(&h->filled);
    pthread_mutex_unlock(&h->lock);
}

void qpw_handover_end(struct qpw_handover *h)
{
    pthread_mutex_lock(&h->lock);
    h->ended = true;
    pthread_cond_signal(&h->filled);
    pthread_mutex_unlock(&h->lock);
}

void qpw_handover_drain(struct qpw_handover *h)
{
    pthread_mutex_lock(&h->lock);
    while (h->waiting)
        pthread_cond_wait(&h->emptied, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

bool qpw_handover_item(struct qpw_handover *h)
{
    bool there;

    pthread_mutex_lock(&h->lock);
    while (!h->waiting && !h->ended)
        pthread_cond_wait(&h->filled, &h->lock);
    there = h->waiting;
    pthread_mutex_unlock(&h->lock);
    return there;
}

/* The other thread is let go on once half of the slots are empty, so that it is woken less often. */
void qpw_handover_take(struct qpw_handover *h)
{
    pthread_mutex_lock(&h->lock);
    h->waiting--;
    if (h->waiting == h->slots / 2 || !h->waiting)
        pthread_cond_signal(&h->emptied);
    pthread_mutex_unlock(&h->lock);
}

void qpw_handover_stop(struct qpw_handover *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopped = true;
    pthread_cond_signal(&h->emptied);
    pthread_mutex_unlock(&h->lock);
}

void qpw_handover_join(struct qpw_handover *h)
{
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->emptied);
    pthread_cond_destroy(&h->filled);
    pthread_mutex_destroy(&h->lock);
}
