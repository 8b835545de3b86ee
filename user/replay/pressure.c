/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/pressure.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/connections.h"

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

/* All entries of a table with `capacity` places, in one go; *ret is how many. 0, or a negative errno. */
static int read_table(int fd, uint32_t capacity, struct entry *entries, uint32_t *ret)
{
    struct qpw_conn_key *keys = calloc(capacity, sizeof(*keys));
    struct qpw_conn *values = calloc(capacity, sizeof(*values));
    uint32_t token, count = capacity;
    int rc = keys && values ? bpf_map_lookup_batch(fd, NULL, &token, keys, values, &count, NULL) : -ENOMEM;

    if (rc == -ENOENT)
        rc = 0; /* the end of the table was reached, as it should be */
    for (uint32_t i = 0; rc == 0 && i < count; i++)
        entries[i] = (struct entry){keys[i], values[i]};
    free(keys);
    free(values);
    *ret = count;
    return rc;
}

static int relieve(struct qpw_kernel *k, enum qpw_map map, uint32_t capacity, struct qpw_expire *expire,
                   uint64_t *expired, uint64_t *count, struct qpw_error *err)
{
    struct entry *entries = calloc(capacity, sizeof(*entries));
    uint32_t n = 0;
    int rc = entries ? read_table(k->map_fd[map], capacity, entries, &n) : -ENOMEM;

    if (rc < 0) {
        free(entries);
        return qpw_fail(err, rc, "reading the table '%s': %s", qpw_map_name(map), strerror(-rc));
    }
    qsort(entries, n, sizeof(*entries), by_last);
    for (uint32_t i = 0; i < n && i < capacity / 4; i++) {
        if (bpf_map_delete_elem(k->map_fd[map], &entries[i].key) < 0)
            continue;
        qpw_kernel_touch(k, &entries[i].key);
        (*expired)++;
        (*count)++;
        expire->ended(&entries[i].key, &entries[i].conn, expire->data);
    }
    free(entries);
    return 0;
}

/* Each CPU keeps some free places to itself, so that the kernel's tables push out somewhat before they are full. */
static uint64_t full_at(uint32_t capacity)
{
    return capacity > 2048 ? capacity / 4 * 3 : capacity / 2;
}

int qpw_pressure_relieve(struct qpw_kernel *k, struct qpw_expire *expire, uint64_t *count, struct qpw_error *err)
{
    static const struct {
        enum qpw_map map;
        enum qpw_conn_class conn_class;
    } tables[] = {
        {QPW_MAP_conns_half, QPW_CLASS_HALF}, {QPW_MAP_conns_out, QPW_CLASS_OUT}, {QPW_MAP_conns_dgram, QPW_CLASS_DGRAM}};
    struct bpf_map_info info = {0};
    uint64_t opened, closed;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(*tables); i++) {
        uint64_t *expired = &expire->expired[tables[i].conn_class];
        uint32_t size = sizeof(info);

        if (bpf_obj_get_info_by_fd(k->map_fd[tables[i].map], &info, &size) < 0)
            return qpw_fail(err, -errno, "the table '%s': %s", qpw_map_name(tables[i].map), strerror(errno));
        rc = qpw_connections_made(k, tables[i].conn_class, &opened, &closed, err);
        if (rc || opened - closed - *expired < full_at(info.max_entries))
            continue;
        rc = relieve(k, tables[i].map, info.max_entries, expire, expired, count, err);
        rc = rc ? rc : qpw_expire_save(k, tables[i].conn_class, *expired);
    }
    return rc;
}
