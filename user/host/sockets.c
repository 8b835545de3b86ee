/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "host/sockets_diag.h"
#include "util/array.h"

#define STATES_LIVE (1u << QPW_TCP_ESTABLISHED | 1u << QPW_TCP_CLOSE_WAIT)
#define READINGS 6

int qpw_sockets_open(struct qpw_sockets **ret, struct qpw_error *err)
{
    struct qpw_sockets *s = calloc(1, sizeof(*s));
    int r = 0;

    if (!s)
        return qpw_fail(err, -ENOMEM, "sockets: out of memory");
    s->socket = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    if (!s->socket || mnl_socket_bind(s->socket, 0, MNL_SOCKET_AUTOPID) < 0)
        r = -errno;
    if (r) {
        qpw_sockets_close(s);
        return qpw_fail(err, r, "sockets: the socket table (sock_diag) cannot be asked: %s", strerror(-r));
    }
    *ret = s;
    return 0;
}

void qpw_sockets_close(struct qpw_sockets *s)
{
    if (!s)
        return;
    if (s->socket)
        mnl_socket_close(s->socket);
    qpw_process_index_free(s->index);
    qpw_process_index_free(s->family);
    qpw_sockets_forget(s);
    free(s);
}

void qpw_sockets_executables(struct qpw_sockets *s, qpw_executable_fn *fn, const void *arg)
{
    s->executable = fn;
    s->executable_arg = arg;
}

void qpw_sockets_executable(const struct qpw_sockets *s, uint64_t exe, char *buf, size_t size)
{
    if (!s->executable || !s->executable(s->executable_arg, exe, buf, size))
        *buf = '\0';
}

static enum qpw_direction opener_direction(const struct qpw_diag_socket *socket)
{
    if (!(STATES_LIVE & 1u << socket->state) || !socket->has_opener)
        return QPW_DIR_UNKNOWN;
    return socket->opener == -1 ? QPW_DIR_OUTBOUND : socket->opener == 0 ? QPW_DIR_INBOUND : QPW_DIR_UNKNOWN;
}

int qpw_sockets_traffic(struct qpw_sockets *s, const struct qpw_conn_key *key, uint64_t *ret_sent,
                        uint64_t *ret_received)
{
    struct qpw_diag_socket socket;
    int r = key->protocol == IPPROTO_TCP ? qpw_diag_find(s, key, &socket) : -ENOENT;

    if (r < 0)
        return r;
    if (!qpw_diag_is_exact(key, &socket) || !socket.has_opener)
        return -ENOENT;
    *ret_sent = socket.sent;
    *ret_received = socket.received;
    return 0;
}

int qpw_sockets_direction(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction *ret)
{
    enum qpw_direction last = QPW_DIR_UNKNOWN, now;
    struct qpw_diag_socket socket;
    int r;

    if (key->protocol != IPPROTO_TCP) {
        *ret = QPW_DIR_UNKNOWN;
        return 0;
    }
    for (int i = 0; i < READINGS; i++) {
        r = qpw_diag_find(s, key, &socket);
        if (r < 0 && r != -ENOENT)
            return r;
        if (r == -ENOENT || !qpw_diag_is_exact(key, &socket) || !(STATES_LIVE & 1u << socket.state))
            break;
        now = opener_direction(&socket);
        if (now != QPW_DIR_UNKNOWN && now == last) {
            *ret = now;
            return 0;
        }
        last = now;
    }
    *ret = QPW_DIR_UNKNOWN;
    return 0;
}

/* ---- All connections ---- */

struct opened {
    struct qpw_conn_key key;
    uint8_t direction;
};

struct table {
    struct opened *items;
    size_t count;
};

static bool over_loopback(const struct qpw_conn_key *key)
{
    return (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->remote) && key->remote[12] == 127) ||
           IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)key->remote);
}

static int take_opened(void *data, const struct qpw_diag_socket *socket)
{
    struct table *table = data;
    struct opened *more;

    if (over_loopback(&socket->key))
        return 0;
    more = QPW_ADD(table->items, table->count);
    if (!more)
        return -ENOMEM;
    table->count++;
    more->key = socket->key;
    more->direction = opener_direction(socket);
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return memcmp(&((const struct opened *)a)->key, &((const struct opened *)b)->key, sizeof(struct qpw_conn_key));
}

static int dump_sorted(struct qpw_sockets *s, struct table *table)
{
    int r = qpw_diag_dump(s, IPPROTO_TCP, AF_INET, STATES_LIVE, take_opened, table);

    if (r == 0)
        r = qpw_diag_dump(s, IPPROTO_TCP, AF_INET6, STATES_LIVE, take_opened, table);
    if (r == -ENOENT) /* no IPv6 */
        r = 0;
    if (r == 0 && table->count)
        qsort(table->items, table->count, sizeof(*table->items), by_key);
    return r;
}

/* Report sockets on which both readings agree; look up the others one by one. */
static int report_agreed(struct qpw_sockets *s, const struct table *first, const struct table *second, qpw_socket_fn fn,
                         void *arg, size_t *ret_unknown)
{
    enum qpw_direction direction;
    const struct opened *other;
    size_t unknown = 0;
    int r;

    for (size_t i = 0; i < second->count; i++) {
        const struct opened *o = &second->items[i];

        if (i && !by_key(o, o - 1))
            continue; /* moved within the kernel's table during the dump */
        other = first->count ? bsearch(o, first->items, first->count, sizeof(*o), by_key) : NULL;
        direction = o->direction;
        if (direction == QPW_DIR_UNKNOWN || !other || other->direction != direction) {
            r = qpw_sockets_direction(s, &o->key, &direction);
            if (r < 0)
                return r;
        }
        if (direction == QPW_DIR_UNKNOWN)
            unknown++;
        else
            fn(arg, &o->key, direction);
    }
    if (ret_unknown)
        *ret_unknown = unknown;
    return 0;
}

int qpw_sockets_dump_tcp(struct qpw_sockets *s, qpw_socket_fn fn, void *arg, size_t *ret_unknown,
                         struct qpw_error *err)
{
    struct table first = {0}, second = {0};
    int r = dump_sorted(s, &first);

    if (r == 0)
        r = dump_sorted(s, &second);
    if (r == 0)
        r = report_agreed(s, &first, &second, fn, arg, ret_unknown);
    free(first.items);
    free(second.items);
    if (r < 0)
        return qpw_fail(err, r, "sockets: the TCP sockets cannot be read: %s", strerror(-r));
    return 0;
}

void qpw_finding_tuple(const struct qpw_finding_key *key, const struct qpw_finding *value, struct qpw_conn_key *ret)
{
    struct qpw_conn_key tuple = {.protocol = key->protocol};
    bool ports = key->kind == QPW_KIND_PORT, out = key->direction == QPW_DIR_OUTBOUND;

    memcpy(tuple.local, out ? key->initiator : key->responder, 16);
    memcpy(tuple.remote, out ? key->responder : key->initiator, 16);
    if (ports) {
        tuple.local_port = out ? value->initiator_port : key->port;
        tuple.remote_port = out ? key->port : value->initiator_port;
    }
    *ret = tuple;
}
