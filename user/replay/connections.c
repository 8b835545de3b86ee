/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/connections.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "alert/community_id.h"
#include "facts/connections.h"
#include "instance/cpus.h"
#include "report/connections.h"
#include "util/document.h"
#include "words/json.h"

/* Read one statistic, summed over all CPUs. */
static int read_statistic(const struct qpw_kernel *k, uint32_t index, uint64_t *ret, struct qpw_error *err)
{
    int cpus = qpw_possible_cpus(), r = 0;
    uint64_t *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values)), sum = 0;

    if (cpus <= 0 || !values)
        r = -ENOMEM;
    else if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_losses], &index, values) < 0)
        r = -errno;
    for (int cpu = 0; r == 0 && cpu < cpus; cpu++)
        sum += values[cpu];
    free(values);
    if (r < 0)
        return qpw_fail(err, r, "the statistics of the tables: %s", strerror(-r));
    *ret = sum;
    return 0;
}

int qpw_connections_made(const struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t *ret_opened,
                         uint64_t *ret_closed, struct qpw_error *err)
{
    int r = read_statistic(k, QPW_STAT_OPENED(conn_class), ret_opened, err);

    return r ? r : read_statistic(k, QPW_STAT_CLOSED(conn_class), ret_closed, err);
}

int qpw_connections_evicted(const struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t *ret,
                            struct qpw_error *err)
{
    uint64_t opened = 0, closed = 0, expired = 0;
    int r = qpw_connections_made(k, conn_class, &opened, &closed, err);

    if (r < 0)
        return r;
    r = read_statistic(k, QPW_STAT_EXPIRED(conn_class), &expired, err);
    if (r < 0)
        return r;
    *ret = opened > closed + expired ? opened - closed - expired : 0;
    return r;
}

/*
 * Return the Community ID, the same for both directions except for ICMP, which uses type and code of the first packet.
 */
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
    return json_string(qpw_community_id(&flow, 0, /* hex= */ false, text));
}

json_t *qpw_connection_json(const struct qpw_ended *ended, const struct qpw_registry *names)
{
    const struct qpw_conn *conn = &ended->conn;
    const char *rule = conn->rule && conn->rule < names->n_rules ? names->rules[conn->rule].name : "";
    json_t *o = qpw_connection_core_json(&ended->key, conn, rule);

    json_object_set_new(o, "first", qpw_json_time(conn->first_ns));
    json_object_set_new(o, "last", qpw_json_time(conn->last_ns));
    json_object_set_new(o, "community_id", community_id(ended));
    json_object_set_new(o, "rx_packets", qpw_json_number(ended->counts.rx_packets));
    json_object_set_new(o, "rx_bytes", qpw_json_number(ended->counts.rx_bytes));
    json_object_set_new(o, "tx_packets", qpw_json_number(ended->counts.tx_packets));
    json_object_set_new(o, "tx_bytes", qpw_json_number(ended->counts.tx_bytes));
    return o;
}
