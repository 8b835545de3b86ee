/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Find the holders and the maker of a companion's socket, and what the node's port mapper and NFS port report. */
#include "auditor/vouching_internal.h"

#include <string.h>

#include "host/clock.h"
#include "snapshot/conns.h"

#define RPCBIND_MS 100u           /* maximum wait for its answer */

size_t qpw_ask_describe(const struct qpw_socket_holders *from, struct qpw_process *ret, size_t room)
{
    enum qpw_match match = from->exact && !from->listener ? QPW_MATCH_EXACT : QPW_MATCH_LISTENER;
    size_t n = 0;

    for (size_t i = 0; i < from->n && n < room; i++) {
        ret[n] = (struct qpw_process){.match = match};
        if (qpw_process_describe(from->pid[i], &ret[n]))
            n++;
    }
    return n;
}

/* Look up the maker first, because it may end within milliseconds. */
void qpw_ask_companion(struct qpw_ask *ask)
{
    struct qpw_vouching *v = ask->a->vouching;
    struct qpw_vouch_companion *c = &ask->companion;
    struct qpw_socket_holders holders;

    if (ask->has_companion)
        return;
    ask->has_companion = true;
    if (qpw_conn_owner(&ask->a->kernel, ask->conn->owner, &ask->note) < 0)
        ask->note = (struct qpw_owner){0};
    if (ask->note.tgid) {
        qpw_owner_describe(ask->a->sockets, &ask->note, &v->maker);
        qpw_owner_made(ask->a->sockets, &ask->note, &v->made);
        c->maker = &v->maker;
        c->made = &v->made;
        c->made_ns = ask->note.when_ns;
        c->hands_over = qpw_owner_hands_over(ask->a->sockets, &ask->note);
    }
    if (qpw_sockets_holders(ask->a->sockets, ask->key, (enum qpw_direction)ask->conn->direction, /* sparing= */ false,
                            &holders) < 0)
        return;
    c->all = holders.all;
    c->open = holders.open;
    c->exact = holders.exact;
    c->holders = v->holders;
    c->n_holders = qpw_ask_describe(&holders, v->holders, QPW_SOCKET_HOLDERS);
    if (holders.n && !c->n_holders)
        c->open = false; /* the holders have ended, and the socket with them */
}

size_t qpw_ask_servers(struct qpw_ask *ask)
{
    struct qpw_vouching *v = ask->a->vouching;
    struct qpw_conn_key key = {.local_port = QPW_NFS_PORT, .protocol = ask->key->protocol};
    struct qpw_socket_holders holders;

    memcpy(key.local, ask->key->local, 16);
    if (qpw_sockets_holders(ask->a->sockets, &key, QPW_DIR_INBOUND, /* sparing= */ false, &holders) < 0)
        return 0;
    return qpw_ask_describe(&holders, v->servers, QPW_SOCKET_HOLDERS);
}

const struct qpw_rpcbind *qpw_ask_rpcbind(struct qpw_vouching *v)
{
    uint64_t now = qpw_clock_monotonic_ns();

    if (!v->rpcbind_ns || now - v->rpcbind_ns > QPW_RPCBIND_AGE_NS) {
        qpw_rpcbind_clear(&v->rpcbind);
        v->has_rpcbind = qpw_rpcbind_read(RPCBIND_MS, &v->rpcbind) == 0;
        v->rpcbind_ns = qpw_clock_monotonic_ns();
    }
    return v->has_rpcbind ? &v->rpcbind : NULL;
}
