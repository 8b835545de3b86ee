/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets_held.c - all sockets of the table: as one reading for many queries, or with the processes that hold them. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/sockets_diag.h"
#include "util/array.h"

#define QPW_TCP_TIME_WAIT 6
#define QPW_TCP_NEW_SYN_RECV 12
#define STATES (0xfffu & ~(1u << QPW_TCP_TIME_WAIT | 1u << QPW_TCP_NEW_SYN_RECV)) /* these states have no file */

struct reading {
    struct qpw_diag_socket *sockets;
    size_t n;
    bool all; /* include sockets without a file */
};

static int take(void *arg, const struct qpw_diag_socket *socket)
{
    struct reading *reading = arg;
    struct qpw_diag_socket *more;

    if (!socket->inode && !reading->all)
        return 0;
    more = QPW_ADD(reading->sockets, reading->n);
    if (!more)
        return -ENOMEM;
    *more = *socket;
    reading->n++;
    return 0;
}

static int read_all(struct qpw_sockets *s, struct reading *reading)
{
    static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP}, families[] = {AF_INET, AF_INET6};
    int r = 0;

    for (size_t p = 0; p < 2; p++)
        for (size_t f = 0; r == 0 && f < 2; f++) {
            r = qpw_diag_dump(s, protocols[p], families[f], STATES, take, reading);
            r = r == -ENOENT ? 0 : r;
        }
    return r;
}

static bool listens(const struct qpw_diag_socket *socket)
{
    return socket->key.protocol == IPPROTO_TCP && socket->state == QPW_TCP_LISTEN;
}

/* Sort listeners first, those of one local end together. */
static int by_end(const void *a, const void *b)
{
    const struct qpw_diag_socket *x = a, *y = b;

    if (listens(x) != listens(y))
        return listens(x) ? -1 : 1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* Return whether the n listeners of one local end are held by more than one process. */
static bool is_shared(struct qpw_sockets *s, const struct qpw_diag_socket *sockets, size_t n, uint64_t asked_ns)
{
    int first = qpw_process_holder(s, sockets[0].inode, asked_ns, /* sparing= */ true);

    for (size_t i = 1; i < n; i++)
        if (qpw_process_holder(s, sockets[i].inode, asked_ns, /* sparing= */ true) != first)
            return true;
    return false;
}

static void report(struct qpw_sockets *s, const struct reading *reading, qpw_held_fn *fn, void *arg)
{
    uint64_t asked_ns = qpw_clock_monotonic_ns();
    struct qpw_held_socket held = {0};
    size_t end = 0;

    for (size_t i = 0; i < reading->n; i++) {
        const struct qpw_diag_socket *socket = &reading->sockets[i];

        held.listens = listens(socket);
        if (held.listens && i >= end) {
            for (end = i + 1;
                 end < reading->n && listens(&reading->sockets[end]) && !by_end(socket, &reading->sockets[end]); end++)
                ;
            held.shared = end - i > 1 && is_shared(s, socket, end - i, asked_ns);
        }
        held.shared = held.listens && held.shared;
        held.key = socket->key;
        held.cookie = socket->cookie;
        held.pid = qpw_process_holder(s, socket->inode, asked_ns, /* sparing= */ true);
        if (held.pid > 0)
            fn(arg, &held);
    }
}

/* ---- One reading for many queries ---- */

int qpw_sockets_read(struct qpw_sockets *s, struct qpw_error *err)
{
    struct reading reading = {.all = true};
    int r;

    qpw_sockets_forget(s);
    r = read_all(s, &reading);
    if (r < 0) {
        free(reading.sockets);
        return qpw_fail(err, r, "sockets: they cannot be read: %s", strerror(-r));
    }
    if (reading.n)
        qsort(reading.sockets, reading.n, sizeof(*reading.sockets), qpw_diag_by_key);
    s->snapshot = reading.sockets;
    s->n_snapshot = reading.n;
    return 0;
}

/* ---- Sockets of processes ---- */

int qpw_sockets_held(struct qpw_sockets *s, qpw_held_fn *fn, void *arg, struct qpw_error *err)
{
    struct reading reading = {0};
    int r = read_all(s, &reading);

    if (r == 0 && reading.n)
        qsort(reading.sockets, reading.n, sizeof(*reading.sockets), by_end);
    if (r == 0)
        report(s, &reading, fn, arg);
    free(reading.sockets);
    return r < 0 ? qpw_fail(err, r, "sockets: those of processes cannot be read: %s", strerror(-r)) : 0;
}
