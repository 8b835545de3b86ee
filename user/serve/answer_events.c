/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "serve/listen_internal.h"

#define SECOND_NS 1000000000ull
#define MILLISECOND_NS 1000000ull

static enum MHD_Result send_batch(struct qpw_listen *l, struct MHD_Connection *c, const struct qpw_outbox_batch *batch)
{
    struct MHD_Response *response;
    char number[24], chain[QPW_LOG_CHAIN_TEXT + 8];

    if (batch->fd >= 0)
        response = MHD_create_response_from_fd_at_offset64(batch->length, batch->fd, batch->offset); /* it closes fd */
    else
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response && batch->fd >= 0)
        close(batch->fd);
    if (response) {
        snprintf(number, sizeof(number), "%" PRIu64, batch->chain.number);
        snprintf(chain, sizeof(chain), "%" PRIu64 ":%s", batch->chain.number, batch->chain.sum);
        MHD_add_response_header(response, "Qpw-Epoch", batch->epoch);
        MHD_add_response_header(response, "Qpw-Next", number);
        if (batch->chain.number)
            MHD_add_response_header(response, "Qpw-Chain", chain);
    }
    return qpw_listen_finish(l, c, QPW_ANSWER_OK, MHD_HTTP_OK, response, "application/x-ndjson");
}

/* ---- Waiting ---- */

void qpw_listen_forget(struct qpw_listen *l, struct connection *connection)
{
    for (struct connection **one = &l->waiting; connection && *one; one = &(*one)->next)
        if (*one == connection) {
            *one = connection->next;
            connection->waits = false;
            return;
        }
}

static void resume(struct qpw_listen *l, struct connection *connection)
{
    qpw_listen_forget(l, connection);
    connection->due = true;
    MHD_resume_connection(connection->handle);
}

/*
 * Answer the oldest request of a peer that has the most it may have waiting. A peer whose connection broke asks again while
 * its old request still seems to wait, so the newest is the one that counts.
 */
static void displace(struct qpw_listen *l, const char *peer)
{
    struct connection *oldest = NULL;
    unsigned n = 0;

    for (struct connection *one = l->waiting; one; one = one->next)
        if (!strcmp(one->peer, peer)) {
            oldest = oldest ? oldest : one;
            n++;
        }
    if (n < QPW_LISTEN_WAITING)
        return;
    l->counts[QPW_ANSWER_DISPLACED]++;
    resume(l, oldest);
}

static void suspend(struct qpw_listen *l, struct connection *connection, const struct qpw_outbox_query *query, const char *peer)
{
    struct connection **last = &l->waiting;

    displace(l, peer);
    while (*last)
        last = &(*last)->next;
    *last = connection;
    connection->next = NULL;
    connection->waits = true;
    connection->after = query->after;
    connection->until_ns = qpw_clock_monotonic_ns() + query->wait_s * SECOND_NS;
    snprintf(connection->peer, sizeof(connection->peer), "%s", peer);
    MHD_suspend_connection(connection->handle);
}

void qpw_listen_resume(struct qpw_listen *l)
{
    uint64_t now_ns = l->waiting ? qpw_clock_monotonic_ns() : 0, newest;
    bool any = l->waiting && qpw_outbox_newest(l->outbox, &newest);
    struct connection *next;

    for (struct connection *one = l->waiting; one; one = next) {
        next = one->next;
        if (now_ns >= one->until_ns || (any && newest != one->after))
            resume(l, one);
    }
}

void qpw_listen_resume_all(struct qpw_listen *l)
{
    while (l->waiting)
        resume(l, l->waiting);
}

unsigned long long qpw_listen_waiting_ms(const struct qpw_listen *l)
{
    uint64_t now_ns = l->waiting ? qpw_clock_monotonic_ns() : 0, least = INT_MAX;

    for (const struct connection *one = l->waiting; one; one = one->next) {
        uint64_t ms = one->until_ns > now_ns ? (one->until_ns - now_ns) / MILLISECOND_NS + 1 : 0;

        least = ms < least ? ms : least;
    }
    return least;
}

/* ---- The request ---- */

enum MHD_Result qpw_listen_events(struct qpw_listen *l, struct MHD_Connection *c, struct connection *connection, const char *peer)
{
    struct qpw_outbox_query query;
    struct qpw_outbox_batch batch;
    int r;

    if (qpw_outbox_query(MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "after"),
                       MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "wait"),
                       MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "limit"), &query) < 0)
        return qpw_listen_refuse(l, c, QPW_ANSWER_QUERY, MHD_HTTP_BAD_REQUEST);
    r = l->outbox ? qpw_outbox_find(l->outbox, query.after, query.limit, &batch) : -ENODATA;
    if (r < 0)
        return qpw_listen_refuse(l, c, QPW_ANSWER_NOT_READY, MHD_HTTP_SERVICE_UNAVAILABLE);
    if (batch.fd >= 0 || !query.wait_s || !connection || connection->due) {
        if (connection)
            connection->due = false;
        return send_batch(l, c, &batch);
    }
    suspend(l, connection, &query, peer);
    return MHD_YES;
}
