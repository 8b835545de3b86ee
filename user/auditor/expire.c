/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/expire.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/expiry.h"
#include "instance/cpus.h"
#include "snapshot/conns.h"

/* Write into the first CPU's entry; the others stay zero. */
int qpw_expire_save(struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t value)
{
    int cpus = qpw_possible_cpus();
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
    int cpus = qpw_possible_cpus();
    struct qpw_expire expire = {0};
    uint64_t *values = calloc(cpus, sizeof(*values));
    __u32 key;

    if (!values)
        return qpw_fail(err, -ENOMEM, "out of memory");
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

/* Extend the parent entry of a live connection, if the programs created one. */
static void renew_parent(struct qpw_kernel *k, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                         uint64_t now)
{
    struct qpw_parent_key of = {.rule = conn->rule};
    struct qpw_parent parent;

    memcpy(of.remote, key->remote, sizeof(of.remote));
    if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_parents], &of, &parent) < 0 ||
        (int64_t)(now - parent.last_ns) < (int64_t)k->control->parent_ns / 8)
        return;
    parent.last_ns = now;
    bpf_map_update_elem(k->map_fd[QPW_MAP_parents], &of, &parent, BPF_EXIST);
}

static void note_family(struct qpw_expire *expire, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    if (qpw_conn_peer(conn) && qpw_conn_peer(conn) < QPW_MAX_PEERS)
        expire->families[qpw_conn_peer(conn)] |=
            IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->remote) ? QPW_EXPIRE_V4 : QPW_EXPIRE_V6;
}

struct walk {
    struct qpw_kernel *k;
    struct qpw_expire *expire;
    enum qpw_conn_class conn_class;
};

static void one_connection(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    const struct walk *walk = data;
    struct qpw_expire *expire = walk->expire;
    struct qpw_kernel *k = walk->k;
    uint64_t now = qpw_kernel_now_ns(k);
    struct qpw_conn again;

    if (!qpw_conn_over(k->control, conn, key->protocol, now)) {
        note_family(expire, key, conn);
        if (expire->live)
            expire->live(key, conn, expire->live_data);
        if (!expire->all && (conn->vlan & QPW_CONN_PARENT) && conn->rule && conn->outcome >= QPW_OUTCOME_ANSWERED &&
            conn->state != QPW_STATE_CLOSED && (int64_t)(now - conn->last_ns) < (int64_t)k->control->tcp_ns)
            renew_parent(k, key, conn, now);
        if (!expire->all)
            return;
    }
    if (walk->conn_class == QPW_CLASS_HALF && !k->config.replay)
        return; /* only programs remove these: skip the look-up, because all of them may have expired */
    /* Check again: this was a copy, and a packet may have come meanwhile. */
    if (qpw_conns_find(k, walk->conn_class, key, &again) < 0 ||
        (!expire->all && !qpw_conn_over(k->control, &again, key->protocol, now)))
        return;
    if (qpw_conns_remove(k, walk->conn_class, key) == 0) {
        expire->expired[walk->conn_class]++;
        if (expire->ended)
            expire->ended(key, &again, expire->data);
    }
}

int qpw_expire_run(struct qpw_kernel *k, struct qpw_expire *expire, struct qpw_error *err)
{
    for (int c = QPW_CLASS_NONE + 1; c < QPW_CLASS_COUNT; c++) {
        struct walk walk = {k, expire, c};
        uint64_t before = expire->expired[c];
        int r = qpw_conns_walk(k, c, one_connection, &walk);

        if (r < 0)
            return qpw_fail(err, r, "walking the table '%s': %s", qpw_map_name(qpw_conns_map(c)), strerror(-r));
        if (expire->expired[c] != before)
            qpw_expire_save(k, c, expire->expired[c]);
    }
    return 0;
}
