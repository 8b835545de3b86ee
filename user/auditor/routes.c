/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/routes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/enter.h"
#include "facts/connections.h"
#include "host/route.h"
#include "instance/map_walk.h"

#define SERVED 256u /* prefixes that rules deliver to the node */

/* A prefix that the node serves by a rule: one of its addresses, and another host's that communicated with it. */
struct served {
    uint8_t address[16], other[16];
    unsigned ifindex;
};

struct qpw_routes {
    struct served served[SERVED];
    size_t n_served;
    bool changed;
};

static unsigned prefix_of(const uint8_t address[16])
{
    return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address) ? 120 : 64;
}

static struct qpw_route_key key_of(const uint8_t address[16], unsigned ifindex)
{
    struct qpw_route_key key = {.ifindex = ifindex};

    memcpy(key.source, address, prefix_of(address) / 8);
    return key;
}

/*
 * Find where `address` is, as seen by `other` through that interface. First ask for the route of such a packet, with
 * all rules that match source and interface; if the kernel would drop it (rp_filter, a group), ask for the route of the
 * node itself.
 */
static bool where_is(const uint8_t address[16], const uint8_t other[16], unsigned ifindex, struct qpw_route_answer *ret)
{
    return qpw_route_ask(other, address, ifindex, ret) == 0 || qpw_route_ask(NULL, address, 0, ret) == 0;
}

/* ---- Prefixes that the node serves ---- */

static void set_local(struct qpw_auditor *a, const uint8_t address[16], uint32_t flags)
{
    struct qpw_route_key key = key_of(address, 0);

    qpw_kernel_set_local(&a->kernel, key.source, prefix_of(address), flags, flags != 0);
    a->addresses_changed = true;
}

static void serve(struct qpw_auditor *a, const uint8_t address[16], const uint8_t other[16], unsigned ifindex)
{
    struct qpw_routes *routes = a->routes;
    struct qpw_route_key key = key_of(address, ifindex);
    struct served *one;

    bpf_map_delete_elem(a->kernel.map_fd[QPW_MAP_routes], &key);
    if (routes->n_served == SERVED)
        return; /* asked again with its next packet */
    one = &routes->served[routes->n_served++];
    memcpy(one->address, address, 16);
    memcpy(one->other, other, 16);
    one->ifindex = ifindex;
    set_local(a, address, QPW_LOCAL_ADDRESS);
}

static void check_served(struct qpw_auditor *a)
{
    struct qpw_routes *routes = a->routes;
    struct qpw_route_answer answer;

    for (size_t i = 0; i < routes->n_served; i++) {
        struct served *one = &routes->served[i];

        if (where_is(one->address, one->other, one->ifindex, &answer) && answer.local)
            continue;
        set_local(a, one->address, 0);
        *one = routes->served[--routes->n_served];
        i--;
    }
}

/* ---- Answers ---- */

static void write_word(struct qpw_auditor *a, const struct qpw_route_key *key, enum qpw_route_word word)
{
    int fd = a->kernel.map_fd[QPW_MAP_routes];
    struct qpw_route route;

    if (bpf_map_lookup_elem(fd, key, &route) < 0)
        return; /* evicted: asked again with its next packet */
    route.word = word;
    bpf_map_update_elem(fd, key, &route, BPF_EXIST);
}

static enum qpw_route_word word_of(const struct qpw_route_answer *answer, unsigned ifindex)
{
    if (!answer->unicast || !answer->ifindex)
        return QPW_ROUTE_NOWHERE;
    return answer->ifindex == ifindex ? QPW_ROUTE_SAME : QPW_ROUTE_ELSEWHERE;
}

/* Report traffic that passed as transit while the question was pending. */
static void report_source(struct qpw_auditor *a, const struct qpw_route_asked *asked, unsigned reason)
{
    const struct qpw_watched *w = qpw_watch_by_index(a, asked->ifindex);
    const struct qpw_conn_key *ends = asked->ends;
    struct qpw_finding_key key = {.kind = (uint8_t)qpw_protocol_kind(ends->protocol), .protocol = ends->protocol,
                                  .direction = QPW_DIR_OUTBOUND, .verdict = QPW_VERDICT_UNEXPECTED};
    struct qpw_finding value = {
        .first_ns = asked->when_ns, .last_ns = asked->when_ns, .iface = w ? w->number : 0, .evidence = QPW_EVIDENCE_FIRST,
        .outcome = QPW_OUTCOME_ATTEMPTED, .reason = (uint8_t)reason, .scope = QPW_SCOPE_OTHER,
        .flags = QPW_FINDING_NODE, .changes = 1};

    key.port = key.kind == QPW_KIND_PORT ? ends->remote_port : key.kind == QPW_KIND_ICMP ? ends->local_port : 0;
    value.initiator_port = key.kind == QPW_KIND_PORT ? ends->local_port : 0;
    memcpy(key.initiator, ends->local, 16);
    memcpy(key.responder, ends->remote, 16);
    qpw_finding_enter(a, &key, &value);
    qpw_events_finding(a, &key, &value);
}

/* Return whether the interface has received traffic to be forwarded from that prefix. */
static bool is_received(const struct qpw_auditor *a, const struct qpw_route_key *key)
{
    struct qpw_route route;

    return bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_routes], key, &route) == 0 && route.received_ns;
}

void qpw_routes_ask(struct qpw_auditor *a, const struct qpw_route_asked *asked)
{
    const uint8_t *source = asked->ends->local, *destination = asked->ends->remote;
    struct qpw_route_key key = key_of(source, asked->ifindex);
    enum qpw_route_word word = QPW_ROUTE_NOWHERE;
    struct qpw_route_answer answer;

    if (asked->received && qpw_route_ask(source, destination, asked->ifindex, &answer) == 0 && answer.local)
        serve(a, destination, source, asked->ifindex);
    if (where_is(source, destination, asked->ifindex, &answer)) {
        if (answer.local && !asked->received)
            serve(a, source, destination, asked->ifindex);
        if (answer.local)
            return;
        word = word_of(&answer, asked->ifindex);
    }
    write_word(a, &key, word);
    if (asked->received)
        return;
    if (word == QPW_ROUTE_NOWHERE)
        report_source(a, asked, QPW_REASON_ROUTE_UNKNOWN);
    else if (word == QPW_ROUTE_SAME && !is_received(a, &key))
        report_source(a, asked, QPW_REASON_FOREIGN_SOURCE);
}

/*
 * Mark answers as outdated, but keep them until replaced; otherwise each change of routes would leave a moment without
 * any.
 */
static void age_words(struct qpw_auditor *a)
{
    uint64_t now = qpw_kernel_now_ns(&a->kernel);
    int fd = a->kernel.map_fd[QPW_MAP_routes];
    struct qpw_route_key key;
    struct qpw_map_walk walk = qpw_map_walk(fd, &key);
    struct qpw_route route;

    while (qpw_map_next(&walk)) {
        if (bpf_map_lookup_elem(fd, &key, &route) < 0)
            continue;
        route.asked_ns = now - QPW_ROUTE_NS - 1;
        if (route.word == QPW_ROUTE_ASKED)
            route.since_ns = now;
        bpf_map_update_elem(fd, &key, &route, BPF_EXIST);
    }
}

void qpw_routes_changed(struct qpw_auditor *a)
{
    a->routes->changed = true;
}

void qpw_routes_tick(struct qpw_auditor *a)
{
    if (!a->routes->changed)
        return;
    a->routes->changed = false;
    check_served(a);
    age_words(a);
}

/* ---- Start and end ---- */

int qpw_routes_open(struct qpw_auditor *a, struct qpw_error *err)
{
    a->routes = calloc(1, sizeof(*a->routes));
    if (!a->routes)
        return qpw_fail(err, -ENOMEM, "out of memory");
    age_words(a);
    return 0;
}

void qpw_routes_close(struct qpw_auditor *a)
{
    free(a->routes);
    a->routes = NULL;
}
