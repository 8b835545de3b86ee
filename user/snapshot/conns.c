/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/conns.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/tag.h"
#include "snapshot/collect_maps.h"

#define BATCH 1024u
#define HALF_BATCH 64u /* sets */

enum qpw_map qpw_conns_map(enum qpw_conn_class conn_class)
{
    switch (conn_class) {
    case QPW_CLASS_OUT: return QPW_MAP_conns_out;
    case QPW_CLASS_EST: return QPW_MAP_conns_est;
    case QPW_CLASS_DGRAM: return QPW_MAP_conns_dgram;
    default: return QPW_MAP_conns_half;
    }
}

static int table_fd(const struct qpw_kernel *k, enum qpw_conn_class conn_class)
{
    return k->map_fd[qpw_conns_map(conn_class)];
}

uint64_t qpw_conns_capacity(const struct qpw_kernel *k, enum qpw_conn_class conn_class)
{
    return qpw_map_capacity(table_fd(k, conn_class)) * (conn_class == QPW_CLASS_HALF ? QPW_HALF_WAYS : 1);
}

/* ---- Walking ---- */

/* An established connection stays in its set at first: readers see it as any other of its class. */
static enum qpw_conn_class class_in_set(const struct qpw_half *set, unsigned way)
{
    return set->entry[way].conn.conn_class & QPW_CLASS_HELD ? QPW_CLASS_EST : QPW_CLASS_HALF;
}

static struct qpw_conn conn_in_set(const struct qpw_half *set, unsigned way)
{
    struct qpw_conn conn = set->entry[way].conn;

    conn.conn_class &= ~QPW_CLASS_HELD;
    return conn;
}

/* Copy each set under its lock, so that entry and key always belong together. */
static int walk_sets(int fd, enum qpw_conn_class conn_class, qpw_conns_each *each, void *data)
{
    LIBBPF_OPTS(bpf_map_batch_opts, locked, .elem_flags = BPF_F_LOCK);
    struct qpw_half *sets = calloc(HALF_BATCH, sizeof(*sets));
    uint32_t *keys = calloc(HALF_BATCH, sizeof(*keys));
    __u32 token, count;
    bool first = true;
    struct qpw_conn conn;
    int r = sets && keys ? 0 : -ENOMEM;

    while (r == 0) {
        count = HALF_BATCH;
        r = bpf_map_lookup_batch(fd, first ? NULL : &token, &token, keys, sets, &count, &locked) < 0 ? -errno : 0;
        first = false;
        if (r < 0 && r != -ENOENT)
            break;
        for (__u32 i = 0; i < count; i++)
            for (unsigned way = 0; way < QPW_HALF_WAYS; way++)
                if (sets[i].mark[way] && class_in_set(&sets[i], way) == conn_class) {
                    conn = conn_in_set(&sets[i], way);
                    each(&sets[i].entry[way].key, &conn, data);
                }
    }
    free(sets);
    free(keys);
    return r == -ENOENT ? 0 : r; /* -ENOENT: this was the last batch */
}

static int walk_hash(int fd, qpw_conns_each *each, void *data)
{
    __u32 token, count, room = BATCH;
    struct qpw_conn_key *keys = NULL;
    struct qpw_conn *values = NULL;
    bool first = true;
    int r = 0;

    while (r == 0) {
        if (!keys) {
            keys = calloc(room, sizeof(*keys));
            values = calloc(room, sizeof(*values));
        }
        r = keys && values ? 0 : -ENOMEM;
        count = room;
        if (r == 0 && bpf_map_lookup_batch(fd, first ? NULL : &token, &token, keys, values, &count, NULL) < 0)
            r = -errno;
        if (r < 0 && r != -ENOENT && r != -ENOSPC)
            break;
        for (__u32 i = 0; i < count; i++)
            each(&keys[i], &values[i], data);
        first = first && !count;
        if (r != -ENOSPC)
            continue;
        r = 0;
        if (count)
            continue;
        free(keys); /* one bucket has more entries than a batch */
        free(values);
        keys = NULL;
        values = NULL;
        room *= 2;
    }
    free(keys);
    free(values);
    return r == -ENOENT ? 0 : r;
}

int qpw_conns_walk(const struct qpw_kernel *k, enum qpw_conn_class conn_class, qpw_conns_each *each, void *data)
{
    bool in_sets = conn_class == QPW_CLASS_HALF || (conn_class == QPW_CLASS_EST && !k->config.replay);
    int r = in_sets ? walk_sets(k->map_fd[QPW_MAP_conns_half], conn_class, each, data) : 0;

    /* The sets first: what leaves them in between is met again, and nothing is missed. */
    return r < 0 || conn_class == QPW_CLASS_HALF ? r : walk_hash(table_fd(k, conn_class), each, data);
}

/* ---- Single entries ---- */

static struct qpw_tag tag_of(const struct qpw_kernel *k, const struct qpw_conn_key *key, uint32_t *ret_pair)
{
    int v6 = !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->local) ||
             !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->remote);
    struct qpw_tag t = qpw_tag_pair(k->config.secret, key->local, key->remote, v6);

    if (ret_pair)
        *ret_pair = qpw_tag_pair_number(&t);
    qpw_tag_exchange(&t, k->config.secret, key->local_port, key->remote_port, key->protocol);
    return t;
}

/* Find the key's set, its number, and its way there if it is of that class. Return 0, -ENOENT or another negative errno. */
static int find_way(const struct qpw_kernel *k, enum qpw_conn_class conn_class, const struct qpw_conn_key *key,
                    uint32_t *ret_number, struct qpw_half *ret_set, unsigned *ret_way)
{
    struct qpw_tag t = tag_of(k, key, NULL);

    *ret_number = qpw_tag_half_set(&t, k->config.secret, k->config.half_sets);
    if (bpf_map_lookup_elem_flags(k->map_fd[QPW_MAP_conns_half], ret_number, ret_set, BPF_F_LOCK) < 0)
        return -errno;
    for (*ret_way = 0; *ret_way < QPW_HALF_WAYS; ++*ret_way)
        if (ret_set->mark[*ret_way] && !memcmp(&ret_set->entry[*ret_way].key, key, sizeof(*key)))
            return class_in_set(ret_set, *ret_way) == conn_class ? 0 : -ENOENT;
    return -ENOENT;
}

static int write_set(const struct qpw_kernel *k, uint32_t number, const struct qpw_half *set)
{
    return bpf_map_update_elem(k->map_fd[QPW_MAP_conns_half], &number, set, BPF_EXIST) < 0 ? -errno : 0;
}

int qpw_conns_find(const struct qpw_kernel *k, enum qpw_conn_class conn_class, const struct qpw_conn_key *key,
                   struct qpw_conn *ret)
{
    struct qpw_half set;
    uint32_t number;
    unsigned way;
    int r = -ENOENT;

    if (conn_class != QPW_CLASS_HALF)
        r = bpf_map_lookup_elem(table_fd(k, conn_class), key, ret) < 0 ? -errno : 0;
    if (r != -ENOENT || (conn_class != QPW_CLASS_HALF && conn_class != QPW_CLASS_EST))
        return r;
    r = find_way(k, conn_class, key, &number, &set, &way);
    if (r == 0)
        *ret = conn_in_set(&set, way);
    return r;
}

int qpw_conns_find_any(const struct qpw_kernel *k, const struct qpw_conn_key *key, struct qpw_conn *ret)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_EST, QPW_CLASS_OUT, QPW_CLASS_DGRAM, QPW_CLASS_HALF};
    int r = -ENOENT;

    for (size_t i = 0; r < 0 && i < sizeof(classes) / sizeof(*classes); i++)
        r = qpw_conns_find(k, classes[i], key, ret);
    return r;
}

int qpw_conns_remove(struct qpw_kernel *k, enum qpw_conn_class conn_class, const struct qpw_conn_key *key)
{
    uint32_t number = 0, bucket, pair, *live, *of_pair;
    struct qpw_half set;
    struct qpw_tag t;
    unsigned way = 0;
    int r;

    if (conn_class == QPW_CLASS_HALF) {
        r = k->config.replay ? find_way(k, conn_class, key, &number, &set, &way) : -EBUSY;
        if (r < 0)
            return r;
        set.mark[way] = 0;
        r = write_set(k, number, &set);
    } else {
        r = bpf_map_delete_elem(table_fd(k, conn_class), key) < 0 ? -errno : 0;
        if (r == -ENOENT && conn_class == QPW_CLASS_EST && find_way(k, conn_class, key, &number, &set, &way) == 0)
            return -EBUSY;
        t = tag_of(k, key, &pair);
        bucket = qpw_tag_bucket(&t);
        live = &k->incarnations->open[qpw_tag_incarnation(&t)].live;
        of_pair = &k->incarnations->pair_live[qpw_pair_live(pair)];
        if (r == 0) {
            __atomic_fetch_add(live, qpw_live_step(__atomic_load_n(live, __ATOMIC_RELAXED), bucket, 0), __ATOMIC_RELEASE);
            __atomic_fetch_add(of_pair, qpw_pair_live_step(__atomic_load_n(of_pair, __ATOMIC_RELAXED), 0), __ATOMIC_RELEASE);
        }
    }
    if (r == 0)
        qpw_kernel_touch(k, key);
    return r;
}

int qpw_conn_owner(const struct qpw_kernel *k, uint32_t number, struct qpw_owner *ret)
{
    uint32_t index = QPW_OWNER_SET(number);
    struct qpw_owner_set set;

    if (!number)
        return -ENOENT;
    if (bpf_map_lookup_elem_flags(k->map_fd[QPW_MAP_owner_table], &index, &set, BPF_F_LOCK) < 0)
        return -errno;
    if (set.entry[QPW_OWNER_WAY(number)].owner.number != number)
        return -ENOENT;
    *ret = set.entry[QPW_OWNER_WAY(number)].owner;
    return 0;
}

void qpw_kernel_touch(struct qpw_kernel *k, const struct qpw_conn_key *key)
{
    uint32_t pair, bucket;
    struct qpw_tag t = tag_of(k, key, &pair);

    bucket = qpw_tag_incarnation(&t);
    __atomic_fetch_add(&k->incarnations->other[bucket], 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(&k->incarnations->open[bucket].syn, QPW_SYN_STEP, __ATOMIC_RELEASE);
    __atomic_fetch_add(&k->incarnations->pair[qpw_pair_fragments(pair)], 1, __ATOMIC_RELEASE);
}
