/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/pressure.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/conns.h"
#include "replay/connections.h"
#include "util/array.h"

#define ADDED_BY_FRAME 2u /* one, and as many for safety */

struct entry {
    struct qpw_conn_key key;
    struct qpw_conn conn;
};

static int by_last(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->conn.last_ns != b->conn.last_ns)
        return a->conn.last_ns < b->conn.last_ns ? -1 : 1;
    return memcmp(&a->key, &b->key, sizeof(a->key));
}

struct table {
    struct entry *entries;
    size_t n;
    bool failed; /* an allocation failed */
};

static void keep(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct table *t = data;
    struct entry *slot;

    slot = QPW_ADD(t->entries, t->n);
    t->failed = t->failed || !slot;
    if (!slot)
        return;
    *slot = (struct entry){*key, *conn};
    t->n++;
}

static int relieve(struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t capacity, struct qpw_expire *expire,
                   uint64_t *count, struct qpw_error *err)
{
    struct table t = {0};
    int r = qpw_conns_walk(k, conn_class, keep, &t);

    r = r == 0 && t.failed ? -ENOMEM : r;
    if (t.n)
        qsort(t.entries, t.n, sizeof(*t.entries), by_last);
    for (size_t i = 0; r == 0 && i < t.n && i < capacity / 4; i++) {
        if (qpw_conns_remove(k, conn_class, &t.entries[i].key) < 0)
            continue;
        expire->expired[conn_class]++;
        (*count)++;
        if (expire->ended)
            expire->ended(&t.entries[i].key, &t.entries[i].conn, expire->data);
    }
    free(t.entries);
    if (r < 0)
        return qpw_fail(err, r, "reading the table '%s': %s", qpw_map_name(qpw_conns_map(conn_class)), strerror(-r));
    return 0;
}

/*
 * Return how many entries count as full. Each CPU reserves some free entries, so that the kernel's tables evict
 * somewhat before they are full; and some sets of the half-open table are full when half of all its entries are used,
 * hardly any at three eighths.
 */
static uint64_t full_at(enum qpw_conn_class conn_class, uint64_t capacity)
{
    if (conn_class == QPW_CLASS_HALF)
        return capacity / 8 * 3;
    return capacity > 2048 ? capacity / 4 * 3 : capacity / 2;
}

int qpw_pressure_relieve(struct qpw_kernel *k, struct qpw_expire *expire, uint64_t *count, uint64_t *ret_frames,
                         struct qpw_error *err)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_HALF, QPW_CLASS_OUT, QPW_CLASS_DGRAM};
    uint64_t opened, closed, capacity, used, full;
    int r;

    *ret_frames = UINT64_MAX;
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
        enum qpw_conn_class c = classes[i];

        capacity = qpw_conns_capacity(k, c);
        if (!capacity)
            return qpw_fail(err, -EIO, "the table '%s' does not say how large it is", qpw_map_name(qpw_conns_map(c)));
        r = qpw_connections_made(k, c, &opened, &closed, err);
        if (r < 0)
            return r;
        used = opened - closed - expire->expired[c];
        full = full_at(c, capacity);
        if (used < full) {
            *ret_frames = (full - used) / ADDED_BY_FRAME < *ret_frames ? (full - used) / ADDED_BY_FRAME : *ret_frames;
            continue;
        }
        *ret_frames = 0;
        r = relieve(k, c, capacity, expire, count, err);
        if (r < 0)
            return r;
        r = qpw_expire_save(k, c, expire->expired[c]);
        if (r < 0)
            return r;
    }
    return 0;
}
