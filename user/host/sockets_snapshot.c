/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets_snapshot.c - look-ups in one reading of all sockets (qpw_sockets_read()). */
#include <stdlib.h>
#include <string.h>

#include "host/sockets_diag.h"

int qpw_diag_by_key(const void *a, const void *b)
{
    const struct qpw_diag_socket *x = a, *y = b;

    return memcmp(&x->key, &y->key, sizeof(x->key));
}

void qpw_sockets_forget(struct qpw_sockets *s)
{
    free(s->snapshot);
    s->snapshot = NULL;
    s->n_snapshot = 0;
}

const struct qpw_diag_socket *qpw_diag_in_snapshot(const struct qpw_sockets *s, const struct qpw_conn_key *key)
{
    struct qpw_diag_socket wanted = {.key = *key};

    return s->n_snapshot ? bsearch(&wanted, s->snapshot, s->n_snapshot, sizeof(wanted), qpw_diag_by_key) : NULL;
}

bool qpw_diag_in_snapshot_on_device(const struct qpw_sockets *s, const struct qpw_conn_key *key)
{
    for (size_t i = 0; i < s->n_snapshot; i++)
        if (s->snapshot[i].ifindex && s->snapshot[i].key.local_port == key->local_port &&
            s->snapshot[i].key.protocol == key->protocol)
            return true;
    return false;
}
