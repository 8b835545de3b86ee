/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "audit/expire.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1024u

static const struct {
    enum qpw_map map;
    enum qpw_conn_class conn_class;
} tables[] = {
    {QPW_MAP_conns_half, QPW_CLASS_HALF},
    {QPW_MAP_conns_out, QPW_CLASS_OUT},
    {QPW_MAP_conns_est, QPW_CLASS_EST},
    {QPW_MAP_conns_dgram, QPW_CLASS_DGRAM},
};

uint64_t qpw_timeout_of(const struct qpw_control *control, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    switch (conn->state) {
    case QPW_STATE_SYN:
    case QPW_STATE_SYN_ACK: return control->half_open_ns;
    case QPW_STATE_ESTABLISHED:
    case QPW_STATE_MIDSTREAM: return control->tcp_ns;
    case QPW_STATE_CLOSED: return control->tail_ns;
    default: return key->protocol == IPPROTO_UDP ? control->udp_ns : control->other_ns;
    }
}

/*
 * The programs themselves look at an entry that has just expired (a late answer to the node's own
 * question is told from a stranger's packet by it), so it stays for as long again.
 */
static bool is_over(const struct qpw_control *control, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                    uint64_t now)
{
    return (int64_t)(now - conn->last_ns) > 2 * (int64_t)qpw_timeout_of(control, key, conn);
}

/* In the first CPU's place, the others stay zero. */
int qpw_expire_save(struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t value)
{
    int cpus = libbpf_num_possible_cpus();
    uint64_t *values = calloc(cpus, sizeof(*values));
    __u32 key = QPW_STAT_EXPIRED(conn_class);
    int r;

    if (!values)
        return -ENOMEM;
    values[0] = value;
    r = bpf_map_update_elem(k->map_fd[QPW_MAP_losses], &key, values, BPF_ANY) < 0 ? -errno : 0;
    free(values);
    return r;
}

int qpw_expire_open(struct qpw_kernel *k, struct qpw_expire *ret, struct qpw_error *err)
{
    int cpus = libbpf_num_possible_cpus();
    struct qpw_expire expire = {
        .keys = calloc(BATCH, sizeof(struct qpw_conn_key)),
        .values = calloc(BATCH, sizeof(struct qpw_conn)),
    };
    uint64_t *values = calloc(cpus, sizeof(*values));
    __u32 key;

    if (!expire.keys || !expire.values || !values) {
        free(values);
        qpw_expire_close(&expire);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    for (int c = 0; c < QPW_CLASS_COUNT; c++) {
        key = QPW_STAT_EXPIRED(c);
        if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_losses], &key, values) < 0)
            continue;
        for (int cpu = 0; cpu < cpus; cpu++)
            expire.expired[c] += values[cpu];
    }
    free(values);
    *ret = expire;
    return 0;
}

void qpw_expire_close(struct qpw_expire *expire)
{
    free(expire->keys);
    free(expire->values);
    *expire = (struct qpw_expire){0};
}

/* What the live connection vouches for goes on being vouched for; only what the programs entered themselves. */
static void renew_parent(struct qpw_kernel *k, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                         uint64_t now)
{
    struct qpw_parent_key parent = {.rule = conn->rule};
    __u64 last;

    memcpy(parent.remote, key->remote, sizeof(parent.remote));
    if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_parents], &parent, &last) < 0 ||
        (int64_t)(now - last) < (int64_t)k->control->parent_ns / 8)
        return;
    last = now;
    bpf_map_update_elem(k->map_fd[QPW_MAP_parents], &parent, &last, BPF_EXIST);
}

static void one_connection(struct qpw_kernel *k, struct qpw_expire *expire, unsigned table,
                           const struct qpw_conn_key *key, const struct qpw_conn *conn, uint64_t now)
{
    int fd = k->map_fd[tables[table].map];
    struct qpw_conn again;

    if (conn->peer < QPW_MAX_PEERS && conn->peer)
        expire->families[conn->peer] |=
            IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->remote) ? QPW_EXPIRE_V4 : QPW_EXPIRE_V6;
    if (!expire->all && !is_over(k->control, key, conn, now)) {
        if (conn->is_parent && conn->rule && conn->outcome >= QPW_OUTCOME_ANSWERED &&
            conn->state != QPW_STATE_CLOSED && (int64_t)(now - conn->last_ns) < (int64_t)k->control->tcp_ns)
            renew_parent(k, key, conn, now);
        return;
    }
    /* The batch is a copy: a packet may have come in the meantime. */
    if (bpf_map_lookup_elem(fd, key, &again) < 0 || (!expire->all && !is_over(k->control, key, &again, now)))
        return;
    if (bpf_map_delete_elem(fd, key) == 0) {
        qpw_kernel_touch(k, key);
        expire->expired[tables[table].conn_class]++;
        if (expire->ended)
            expire->ended(key, &again, expire->data);
    }
}

static int walk(struct qpw_kernel *k, struct qpw_expire *expire, unsigned table, struct qpw_error *err)
{
    const struct qpw_conn_key *keys = expire->keys;
    const struct qpw_conn *values = expire->values;
    int fd = k->map_fd[tables[table].map], r = 0;
    uint64_t before = expire->expired[tables[table].conn_class];
    __u32 token = 0, count;
    bool first = true;

    while (r == 0) {
        count = BATCH;
        r = bpf_map_lookup_batch(fd, first ? NULL : &token, &token, expire->keys, expire->values, &count, NULL);
        first = false;
        if (r < 0 && r != -ENOENT)
            break;
        for (__u32 i = 0; i < count; i++)
            one_connection(k, expire, table, &keys[i], &values[i], qpw_kernel_now_ns(k));
    }
    /* -ENOSPC: more in one bucket than a batch holds; the rest comes with the next walk. */
    if (r < 0 && r != -ENOENT && r != -ENOSPC)
        return qpw_fail(err, r, "walking the table '%s': %s", qpw_map_name(tables[table].map), strerror(-r));
    if (expire->expired[tables[table].conn_class] != before)
        qpw_expire_save(k, tables[table].conn_class, expire->expired[tables[table].conn_class]);
    return 0;
}

int qpw_expire_run(struct qpw_kernel *k, struct qpw_expire *expire, struct qpw_error *err)
{
    int r = 0;

    for (unsigned table = 0; r == 0 && table < sizeof(tables) / sizeof(*tables); table++)
        r = walk(k, expire, table, err);
    return r;
}
