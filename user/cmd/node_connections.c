/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/node_connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/expiry.h"
#include "host/owner.h"
#include "policy/lang/parse.h"
#include "snapshot/conns.h"
#include "snapshot/decisions.h"
#include "util/array.h"
#include "words/owner.h"

struct reading {
    const struct qpw_kernel *kernel;
    const struct qpw_control *control;
    uint64_t now_ns;
    const struct qpw_connections_wanted *wanted;
    struct qpw_connections *c;
    bool no_memory;
};

static void take_connection(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct reading *r = data;
    struct qpw_connection one = {.key = *key, .conn = *conn}, *row;

    if (r->no_memory || qpw_conn_expired(r->control, conn, key->protocol, r->now_ns))
        return;
    qpw_decision_apply(r->kernel, key, &one.conn);
    r->c->live++;
    if (r->wanted->wanted && !r->wanted->wanted(r->wanted->data, &one))
        return;
    if (r->wanted->limit && r->c->n == r->wanted->limit) {
        r->c->left_out++;
        return;
    }
    row = QPW_ADD(r->c->rows, r->c->n);
    r->no_memory = !row;
    if (!row)
        return;
    r->c->n++;
    *row = one;
}

int qpw_node_connections_read(const struct qpw_kernel *kernel, uint64_t now_ns,
                              const struct qpw_connections_wanted *wanted, struct qpw_connections *ret,
                              struct qpw_error *err)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_EST, QPW_CLASS_OUT, QPW_CLASS_DGRAM, QPW_CLASS_HALF};
    struct qpw_connections c = {0};
    struct reading reading = {.kernel = kernel, .control = kernel->control, .now_ns = now_ns, .wanted = wanted, .c = &c};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(classes) / sizeof(*classes); i++)
        r = qpw_conns_walk(kernel, classes[i], take_connection, &reading);
    if (r == 0 && reading.no_memory)
        r = -ENOMEM;
    if (r < 0) {
        free(c.rows);
        return qpw_fail(err, r, "cannot read the tables of connections: %s", strerror(-r));
    }
    qpw_connections_sort(c.rows, c.n);
    *ret = c;
    return 0;
}

/*
 * Half-open connections, which a flood multiplies, are not looked up in the socket table, because a look-up costs more
 * the more devices there are; once the node has answered, the entry carries its owner's number. Ended connections are
 * in the same table.
 */
void qpw_node_connection_owner(const struct qpw_kernel *kernel, struct qpw_sockets *sockets, bool owners_noted,
                               const struct qpw_connection *c, struct qpw_process *ret)
{
    bool multiplied = c->conn.conn_class == QPW_CLASS_HALF && c->conn.outcome < QPW_OUTCOME_DATA;
    struct qpw_owner note;
    int r = qpw_conn_owner(kernel, c->conn.owner, &note);

    *ret = (struct qpw_process){.match = QPW_MATCH_NONE};
    if (!multiplied)
        qpw_owner_of_connection(sockets, &c->key, (enum qpw_direction)c->conn.direction, r == 0 ? &note : NULL, ret);
    else if (r == 0 && qpw_owner_kind_why(&note))
        ret->why = qpw_owner_kind_why(&note);
    else if (r == 0)
        qpw_owner_describe(sockets, &note, ret);
    if (qpw_owner_known(ret) || ret->why)
        return;
    if (c->conn.owner)
        ret->why = "pushed out of the table of owners";
    else if (!qpw_protocol_has_ports(c->key.protocol))
        ret->why = "protocol without sockets that are noted";
    else if (multiplied)
        ret->why = c->conn.outcome < QPW_OUTCOME_ANSWERED ? "the node has not answered" : "no payload was seen";
    else
        ret->why = owners_noted ? "older than the audit, or the kernel's" : "owners of sockets are not noted";
}
