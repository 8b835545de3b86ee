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
#include "facts/connections.h"
#include "util/names.h"

/* One statistic over all CPUs. */
static int read_statistic(const struct qpw_kernel *k, uint32_t index, uint64_t *ret, struct qpw_error *err)
{
    int cpus = libbpf_num_possible_cpus(), rc = 0;
    uint64_t *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values)), sum = 0;

    if (cpus <= 0 || !values)
        rc = -ENOMEM;
    else if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_losses], &index, values) < 0)
        rc = -errno;
    for (int cpu = 0; rc == 0 && cpu < cpus; cpu++)
        sum += values[cpu];
    free(values);
    if (rc < 0)
        return qpw_fail(err, rc, "the statistics of the tables: %s", strerror(-rc));
    *ret = sum;
    return 0;
}

int qpw_connections_made(const struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t *ret_opened,
                         uint64_t *ret_closed, struct qpw_error *err)
{
    int rc = read_statistic(k, QPW_STAT_OPENED(conn_class), ret_opened, err);

    return rc ? rc : read_statistic(k, QPW_STAT_CLOSED(conn_class), ret_closed, err);
}

int qpw_connections_evicted(const struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t *ret,
                            struct qpw_error *err)
{
    uint64_t opened, closed, expired;
    int rc = qpw_connections_made(k, conn_class, &opened, &closed, err);

    rc = rc ? rc : read_statistic(k, QPW_STAT_EXPIRED(conn_class), &expired, err);
    if (rc == 0)
        *ret = opened > closed + expired ? opened - closed - expired : 0;
    return rc;
}

static json_t *port_json(unsigned protocol, unsigned port)
{
    return qpw_protocol_has_ports(protocol) ? json_integer(port) : json_null();
}

/* The same whichever way round, but for ICMP, where type and code are the first packet's. */
static json_t *community_id(const struct qpw_ended *ended)
{
    const struct qpw_conn_key *key = &ended->key;
    bool remote_first = ended->conn.flags & QPW_CONN_REMOTE_FIRST;
    bool icmp = key->protocol == IPPROTO_ICMP || key->protocol == IPPROTO_ICMPV6;
    struct qpw_community_flow flow = {.protocol = key->protocol, .has_ports = icmp || qpw_protocol_has_ports(key->protocol)};
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
    struct qpw_connection_ends ends = qpw_connection_ends(key, conn);
    const char *rule = conn->rule && conn->rule < names->n_rules ? names->rules[conn->rule].name : NULL;
    char initiator[INET6_ADDRSTRLEN], responder[INET6_ADDRSTRLEN], first[32], last[32];

    qpw_address_text(ends.from, initiator, sizeof(initiator));
    qpw_address_text(ends.to, responder, sizeof(responder));
    return json_pack(
        "{so ss so ss so ss ss ss ss ss? ss? ss ss ss so so sI sI sI sI}",
        "protocol", protocol_json(key->protocol),
        "initiator", initiator,
        "initiator_port", port_json(key->protocol, ends.from_port),
        "responder", responder,
        "responder_port", port_json(key->protocol, ends.to_port),
        "direction", qpw_direction_name(conn->direction),
        "scope", qpw_scope_name(qpw_conn_scope(conn)),
        "evidence", qpw_evidence_name(conn->evidence),
        "verdict", qpw_verdict_name(conn->verdict),
        "rule", rule,
        "reason", conn->reason ? qpw_reason_name(conn->reason) : NULL,
        "outcome", qpw_outcome_name(conn->outcome),
        "first", qpw_time_text(conn->first_ns, first, sizeof(first)),
        "last", qpw_time_text(conn->last_ns, last, sizeof(last)),
        "vlan", conn->vlan & QPW_VLAN_ID ? json_integer(conn->vlan & QPW_VLAN_ID) : json_null(),
        "community_id", community_id(ended),
        "rx_packets", (json_int_t)ended->counts.rx_packets, "rx_bytes", (json_int_t)ended->counts.rx_bytes,
        "tx_packets", (json_int_t)ended->counts.tx_packets, "tx_bytes", (json_int_t)ended->counts.tx_bytes);
}
