/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alerts_context.c - what the engine asks about the node: its links, policy and names, processes, the way of an answer. */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "auditor/alerts.h"
#include "auditor/alerts_int.h"
#include "host/clock.h"
#include "host/owner.h"
#include "host/route.h"
#include "snapshot/conns.h"
#include "words/known.h"

static unsigned ones(const uint8_t *bytes, size_t n)
{
    unsigned count = 0;

    for (size_t i = 0; i < n; i++)
        count += __builtin_popcount(bytes[i]);
    return count;
}

/* Collect the on-link prefixes of this node: an address in them may be a cluster node not named yet. */
static size_t read_links(struct qpw_prefix *links)
{
    struct ifaddrs *all, *one;
    const struct sockaddr_in *v4;
    const struct sockaddr_in6 *v6;
    size_t n = 0;

    if (getifaddrs(&all) < 0)
        return 0;
    for (one = all; one && n < QPW_ALERTS_LINKS; one = one->ifa_next) {
        if (!one->ifa_addr || !one->ifa_netmask || (one->ifa_flags & IFF_LOOPBACK))
            continue;
        links[n] = (struct qpw_prefix){0};
        if (one->ifa_addr->sa_family == AF_INET) {
            v4 = (const struct sockaddr_in *)one->ifa_addr;
            links[n].addr[10] = links[n].addr[11] = 0xff;
            memcpy(links[n].addr + 12, &v4->sin_addr, 4);
            v4 = (const struct sockaddr_in *)one->ifa_netmask;
            links[n++].length = 96 + ones((const uint8_t *)&v4->sin_addr, 4);
        } else if (one->ifa_addr->sa_family == AF_INET6) {
            v6 = (const struct sockaddr_in6 *)one->ifa_addr;
            memcpy(links[n].addr, &v6->sin6_addr, 16);
            v6 = (const struct sockaddr_in6 *)one->ifa_netmask;
            links[n++].length = ones((const uint8_t *)&v6->sin6_addr, 16);
        }
    }
    freeifaddrs(all);
    return n;
}

/* Add the socket's recorded owner, which is missing if a packet from outside created the finding. */
static struct qpw_finding with_note(const struct qpw_auditor *a, const struct qpw_finding_row *row)
{
    struct qpw_finding value = row->value;
    struct qpw_conn_key key;
    struct qpw_conn conn;

    if (value.owner.how || row->key.kind != QPW_KIND_PORT || row->key.aggregated)
        return value;
    qpw_finding_tuple(&row->key, &value, &key);
    if (qpw_conns_find_any(&a->kernel, &key, &conn) == 0 && qpw_conn_owner(&a->kernel, conn.owner, &value.owner) < 0)
        value.owner = (struct qpw_owner){0};
    return value;
}

void qpw_alerts_process(struct qpw_auditor *a, const struct qpw_finding_row *row, struct qpw_process *ret)
{
    struct qpw_finding value;
    const struct qpw_alerts *alerts = a->alerts;
    /* Compare as numbers, because most rows are from a snapshot and not in the queue. */
    uintptr_t slot = alerts ? ((uintptr_t)row - (uintptr_t)alerts->queue) / sizeof(*row) : QPW_ALERTS_QUEUE;

    if (alerts && slot < alerts->queued && alerts->process[slot].match != QPW_MATCH_NONE) {
        *ret = alerts->process[slot];
        return;
    }
    value = with_note(a, row);
    qpw_owner_find(a->sockets, &row->key, &value, ret);
}

static void find_process(void *data, const struct qpw_finding_row *row, struct qpw_process *ret)
{
    const struct qpw_alerts *alerts = data;

    qpw_alerts_process(alerts->auditor, row, ret);
}

static void find_way(const struct qpw_finding_row *row, char ret[16])
{
    if (qpw_route_interface(row->key.responder, row->key.initiator, ret) < 0)
        *ret = '\0';
}

void qpw_alerts_context(struct qpw_auditor *a)
{
    struct qpw_engine_context context;

    if (!a->alerts)
        return;
    context = (struct qpw_engine_context){
        .host = a->alerts->host,
        .policy_name = a->meta.policy_name,
        .policy_path = a->meta.policy_path,
        .policy_digest = a->meta.policy_digest,
        .rules = a->names.rules,
        .n_rules = a->names.n_rules,
        .peers = a->names.peers,
        .n_peers = a->names.n_peers,
        .ifname = (const char(*)[16])a->meta.ifname,
        .policy = &a->policy,
        .links = a->alerts->links,
        .n_links = read_links(a->alerts->links),
        .process = find_process,
        .process_data = a->alerts,
        .leaves_by = find_way,
    };
    qpw_known_policy(&a->policy); /* if out of memory, addresses have no names */
    qpw_engine_context(a->alerts->engine, &context, qpw_clock_unix_ns());
}
