/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/connections.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "alert/community_id.h"
#include "util/names.h"

#define BATCH 1024u

/* As the programs reckon it (bpf/conn.h). */
static uint64_t timeout_of(const struct qpw_control *control, unsigned protocol, const struct qpw_conn *conn)
{
    switch (conn->state) {
    case QPW_STATE_SYN:
    case QPW_STATE_SYN_ACK: return control->half_open_ns;
    case QPW_STATE_ESTABLISHED:
    case QPW_STATE_MIDSTREAM: return control->tcp_ns;
    case QPW_STATE_CLOSED: return control->tail_ns;
    default: return protocol == IPPROTO_UDP ? control->udp_ns : control->other_ns;
    }
}

struct walk {
    struct qpw_kernel *kernel;
    bool all;
    qpw_ended_fn call;
    void *data;
    struct qpw_conn_key keys[BATCH];
    struct qpw_conn values[BATCH];
};

static bool is_over(const struct walk *walk, const struct qpw_conn_key *key, const struct qpw_conn *conn, uint64_t now)
{
    return walk->all ||
           (int64_t)(now - conn->last_ns) > 2 * (int64_t)timeout_of(walk->kernel->control, key->protocol, conn);
}

static int end_one(struct walk *walk, int fd, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    int counts_fd = walk->kernel->map_fd[QPW_MAP_conn_counts];
    struct qpw_ended ended = {.key = *key, .conn = *conn};

    if (bpf_map_lookup_elem(counts_fd, key, &ended.counts) == 0)
        bpf_map_delete_elem(counts_fd, key);
    bpf_map_delete_elem(fd, key);
    return walk->call ? walk->call(&ended, walk->data) : 0;
}

static int end_in_table(struct walk *walk, enum qpw_map map, struct qpw_error *err)
{
    int fd = walk->kernel->map_fd[map], rc = 0, called;
    uint64_t now = qpw_kernel_now_ns(walk->kernel);
    uint32_t token, count;
    bool first = true;

    while (rc == 0) {
        count = BATCH;
        rc = bpf_map_lookup_batch(fd, first ? NULL : &token, &token, walk->keys, walk->values, &count, NULL);
        if (rc < 0 && rc != -ENOENT)
            break;
        first = false;
        for (uint32_t i = 0; i < count; i++) {
            if (!is_over(walk, &walk->keys[i], &walk->values[i], now))
                continue;
            called = end_one(walk, fd, &walk->keys[i], &walk->values[i]);
            if (called < 0)
                return called;
        }
    }
    if (rc != -ENOENT)
        return qpw_fail(err, rc, "walking the table '%s': %s", qpw_map_name(map), strerror(-rc));
    return 0;
}

int qpw_connections_end(struct qpw_kernel *k, bool all, qpw_ended_fn call, void *data, struct qpw_error *err)
{
    static const enum qpw_map maps[] = {QPW_MAP_conns_half, QPW_MAP_conns_out, QPW_MAP_conns_est, QPW_MAP_conns_dgram};
    struct walk *walk = malloc(sizeof(*walk));
    int rc = 0;

    if (!walk)
        return qpw_fail(err, -ENOMEM, "out of memory");
    *walk = (struct walk){.kernel = k, .all = all, .call = call, .data = data};
    for (size_t i = 0; rc == 0 && i < sizeof(maps) / sizeof(*maps); i++)
        rc = end_in_table(walk, maps[i], err);
    free(walk);
    return rc;
}

/* One statistic over all CPUs. */
static int read_statistic(int fd, uint32_t index, uint64_t *values, int cpus, uint64_t *ret)
{
    uint64_t sum = 0;

    if (bpf_map_lookup_elem(fd, &index, values) < 0)
        return -errno;
    for (int cpu = 0; cpu < cpus; cpu++)
        sum += values[cpu];
    *ret = sum;
    return 0;
}

int qpw_connections_account(struct qpw_kernel *k, const uint64_t ended[QPW_CLASS_COUNT], uint64_t *ret_evicted,
                            struct qpw_error *err)
{
    int cpus = libbpf_num_possible_cpus(), fd = k->map_fd[QPW_MAP_losses], rc = 0;
    uint64_t *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values));
    uint64_t opened = 0, closed = 0, expired = 0, evicted = 0;

    if (cpus <= 0 || !values) {
        free(values);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    for (uint32_t c = QPW_CLASS_NONE + 1; rc == 0 && c < QPW_CLASS_COUNT; c++) {
        uint32_t index = QPW_STAT_EXPIRED(c);

        rc = read_statistic(fd, QPW_STAT_OPENED(c), values, cpus, &opened);
        rc = rc ? rc : read_statistic(fd, QPW_STAT_CLOSED(c), values, cpus, &closed);
        rc = rc ? rc : read_statistic(fd, index, values, cpus, &expired);
        expired += ended[c];
        if (rc == 0 && opened > closed + expired)
            evicted += opened - closed - expired;
        memset(values, 0, (size_t)cpus * sizeof(*values));
        values[0] = expired; /* user space's own: in the first CPU's place */
        if (rc == 0 && bpf_map_update_elem(fd, &index, values, BPF_ANY) < 0)
            rc = -errno;
    }
    free(values);
    if (rc < 0)
        return qpw_fail(err, rc, "the statistics of the tables: %s", strerror(-rc));
    *ret_evicted = evicted;
    return 0;
}

/* Who opened it; where that is not known, who sent the first packet. */
static bool remote_opened(const struct qpw_conn *conn)
{
    if (conn->direction == QPW_DIR_UNKNOWN)
        return conn->flags & QPW_CONN_REMOTE_FIRST;
    return conn->direction == QPW_DIR_INBOUND;
}

static bool has_ports(unsigned protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static json_t *port_json(unsigned protocol, unsigned port)
{
    return has_ports(protocol) ? json_integer(port) : json_null();
}

/* The same whichever way round, but for ICMP, where type and code are the first packet's. */
static json_t *community_id(const struct qpw_ended *ended)
{
    const struct qpw_conn_key *key = &ended->key;
    bool remote_first = ended->conn.flags & QPW_CONN_REMOTE_FIRST;
    bool icmp = key->protocol == IPPROTO_ICMP || key->protocol == IPPROTO_ICMPV6;
    struct qpw_community_flow flow = {.protocol = key->protocol, .has_ports = icmp || has_ports(key->protocol)};
    char text[QPW_COMMUNITY_ID_LEN];

    memcpy(flow.source, remote_first ? key->remote : key->local, 16);
    memcpy(flow.destination, remote_first ? key->local : key->remote, 16);
    flow.source_port = remote_first ? key->remote_port : key->local_port;
    flow.destination_port = remote_first ? key->local_port : key->remote_port;
    if (icmp) {
        flow.source_port = (uint16_t)((ended->counts.connections - 1) >> 8);
        flow.destination_port = (ended->counts.connections - 1) & 0xff;
    }
    return json_string(qpw_community_id(&flow, 0, false, text));
}

/* "tcp", or the number of a protocol that has no name here. */
static json_t *protocol_json(unsigned protocol)
{
    const char *name = qpw_protocol_name(protocol);

    return name ? json_string(name) : json_integer(protocol);
}

json_t *qpw_connection_json(const struct qpw_ended *ended, const struct qpw_registry *names)
{
    const struct qpw_conn *conn = &ended->conn;
    const struct qpw_conn_key *key = &ended->key;
    bool remote = remote_opened(conn);
    const char *rule = conn->rule && conn->rule < names->n_rules ? names->rules[conn->rule].name : NULL;
    char initiator[INET6_ADDRSTRLEN], responder[INET6_ADDRSTRLEN], first[32], last[32];

    qpw_address_text(remote ? key->remote : key->local, initiator, sizeof(initiator));
    qpw_address_text(remote ? key->local : key->remote, responder, sizeof(responder));
    return json_pack(
        "{so ss so ss so ss ss ss ss ss? ss? ss ss ss so so sI sI sI sI}",
        "protocol", protocol_json(key->protocol),
        "initiator", initiator,
        "initiator_port", port_json(key->protocol, remote ? key->remote_port : key->local_port),
        "responder", responder,
        "responder_port", port_json(key->protocol, remote ? key->local_port : key->remote_port),
        "direction", qpw_direction_name(conn->direction),
        "scope", qpw_scope_name(conn->scope),
        "evidence", qpw_evidence_name(conn->evidence),
        "verdict", qpw_verdict_name(conn->verdict),
        "rule", rule,
        "reason", conn->reason ? qpw_reason_name(conn->reason) : NULL,
        "outcome", qpw_outcome_name(conn->outcome),
        "first", qpw_time_text(conn->first_ns, first, sizeof(first)),
        "last", qpw_time_text(conn->last_ns, last, sizeof(last)),
        "vlan", conn->vlan ? json_integer(conn->vlan) : json_null(),
        "community_id", community_id(ended),
        "rx_packets", (json_int_t)ended->counts.rx_packets, "rx_bytes", (json_int_t)ended->counts.rx_bytes,
        "tx_packets", (json_int_t)ended->counts.tx_packets, "tx_bytes", (json_int_t)ended->counts.tx_bytes);
}
