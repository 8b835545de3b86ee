/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "place.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo.h"

const struct host hosts[HOSTS] = {
    [NODE] = {"node", {"10.77.0.1", "fd77::1"}, "02:77:00:00:00:01"},
    [PEER1] = {"peer1", {"10.77.0.2", "fd77::2"}, "02:77:00:00:00:02"},
    [PEER2] = {"peer2", {"10.77.0.3", "fd77::3"}, "02:77:00:00:00:03"},
    [CLIENT1] = {"client1", {"10.77.0.11", "fd77::11"}, "02:77:00:00:00:11"},
    [CLIENT2] = {"client2", {"10.77.0.12", "fd77::12"}, "02:77:00:00:00:12"},
    [DC] = {"dc", {"10.77.0.20", "fd77::20"}, "02:77:00:00:00:20"},
    [INTRUDER] = {"intruder", {"10.77.0.66", "fd77::66"}, "02:77:00:00:00:66"},
    [SCANNER] = {"scanner", {"10.77.0.67", "fd77::67"}, "02:77:00:00:00:67"},
};
const char *const floats[FLOATS][2] = {{"10.77.0.101", "fd77::101"}, {"10.77.0.102", "fd77::102"}};

const uint16_t node_listed_tcp[] = {21, 22, 80, 111, 443, 445, 2049, 3712, 8000, 9000, 0};
const uint16_t node_unlisted_tcp[] = {4444, 8081, 10000, 1024, 31337, 0};
const uint16_t node_weak_tcp[] = {32900, 40000, 40001, 60999, 0};
const uint16_t node_companion_tcp[] = {20048, 4045, 700, 61500, 0}; /* companions of port 111 */
const uint16_t node_udp[] = {111, 123, 161, 2049, 4500, 20048, 4046, 0};
const uint16_t dc_tcp[] = {53, 88, 111, 135, 389, 443, 445, 464, 514, 636, 3268, 3712, 0};
const uint16_t dc_dynamic_tcp[] = {49152, 49200, 55000, 65535, 0};
const uint16_t dc_udp[] = {53, 88, 123, 389, 464, 0};
const uint16_t peer_tcp[] = {7000, 2049, 445, 55555, 0};
const uint16_t peer_udp[] = {7000, 123, 2049, 0};
const uint16_t intruder_tcp[] = {8443, 443, 3389, 0};
const uint16_t intruder_udp[] = {9999, 1194, 0};

/* ---- The network ---- */

static void quiet_interface(const struct netns *ns, const char *name)
{
    netns_run(ns, "ethtool -K %s tso off gso off gro off tx off txvlan off >/dev/null 2>&1; "
                  "sysctl -qw net.ipv6.conf.%s.accept_ra=0 net.ipv6.conf.%s.router_solicitations=0 "
                  "net.ipv6.conf.%s.accept_dad=0", name, name, name, name);
}

/* Create both ends of a host's link with their settings, still down. */
static void make_link(struct place *p, enum host_id id)
{
    const char *name = id == NODE ? "node0" : "eth0";
    char far[16];

    snprintf(far, sizeof(far), "to-%s", hosts[id].name);
    /* ip(8) takes a namespace by path; this process's descriptor is such a path. */
    netns_run(&p->bridge, "ip link add %s address 02:78%s type veth peer name %s address %s netns /proc/%d/fd/%d", far,
              hosts[id].mac + 5, name, hosts[id].mac, getpid(), p->ns[id].fd);
    netns_run(&p->bridge, "ip link set %s addrgenmode none master br0", far);
    netns_run(&p->ns[id], "ip link set %s addrgenmode none", name);
    quiet_interface(&p->bridge, far);
    quiet_interface(&p->ns[id], name);
    netns_run(&p->bridge, "ip link set %s up", far);
}

static void make_host(struct place *p, enum host_id id)
{
    const char *name = id == NODE ? "node0" : "eth0";

    p->ns[id] = netns_new();
    make_link(p, id);
    netns_run(&p->ns[id], "ip link set %s up", name);
    netns_run(&p->ns[id], "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 "
                          "net.ipv4.tcp_synack_retries=3");
    netns_run(&p->ns[id], "ip addr add %s/24 dev %s && ip addr add %s/64 dev %s nodad", hosts[id].address[0], name,
              hosts[id].address[1], name);
}

/* Route forged sources to the intruder, which does not forward. */
static void route_forged(struct place *p)
{
    const struct host *to = &hosts[INTRUDER];

    for (int v6 = 0; v6 < 2; v6++)
        netns_run(&p->ns[NODE], "ip neigh replace %s lladdr %s dev %s nud permanent && ip %s route replace %s via %s",
                  to->address[v6], to->mac, p->node_if, v6 ? "-6" : "", v6 ? FORGED_V6 "/64" : FORGED_V4 "0.0/16",
                  to->address[v6]);
}

static void make_firewalls(struct place *p)
{
    netns_run(&p->ns[NODE],
              "nft 'add table inet t; add chain inet t i { type filter hook input priority 0; }; "
              "add rule inet t i tcp dport %d drop; add rule inet t i udp dport %d drop; "
              "add rule inet t i meta l4proto { 47, 50, 132 } drop'", NODE_DROPPED_TCP, NODE_DROPPED_UDP);
    netns_run(&p->ns[INTRUDER],
              "nft 'add table inet t; add chain inet t i { type filter hook input priority 0; }; "
              "add rule inet t i tcp dport %d drop; add rule inet t i meta l4proto { 47, 50, 132 } drop'", REMOTE_DROPPED_TCP);
}

static int open_raw(const struct place *p, enum host_id id)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_ifindex = (int)netns_ifindex(&p->ns[id], id == NODE ? p->node_if : "eth0")};
    int fd = place_socket(p, id, AF_PACKET, SOCK_RAW);

    cr_assert(bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "a raw socket on %s: %s", hosts[id].name,
              strerror(errno));
    return fd;
}

/* ---- Servers ---- */

static void serve(struct place *p, enum host_id id, pid_t *ret, const char *name, const uint16_t *const tcp[],
                  const uint16_t *const udp[])
{
    struct echo_server server = {.name = name};

    for (unsigned i = 0; tcp && tcp[i]; i++)
        for (const uint16_t *port = tcp[i]; *port; port++)
            server.tcp[server.n_tcp++] = *port;
    for (unsigned i = 0; udp && udp[i]; i++)
        for (const uint16_t *port = udp[i]; *port; port++)
            server.udp[server.n_udp++] = *port;
    *ret = netns_fork(&p->ns[id], echo_serve, &server);
    for (unsigned i = 0; i < server.n_tcp; i++)
        netns_until_port(&p->ns[id], "tcp", server.tcp[i]);
    for (unsigned i = 0; i < server.n_udp; i++)
        netns_until_port(&p->ns[id], "udp", server.udp[i]);
}

static void start_servers(struct place *p)
{
    static const uint16_t sinks[] = {NODE_SILENT_UDP, 0};

    echo_silent_port = NODE_SILENT_UDP;
    serve(p, NODE, &p->servers[NODE], "camp-node",
          (const uint16_t *const[]){node_listed_tcp, node_weak_tcp, node_companion_tcp, NULL},
          (const uint16_t *const[]){node_udp, sinks, NULL});
    serve(p, NODE, &p->shell, "camp-shell", (const uint16_t *const[]){node_unlisted_tcp, NULL}, NULL);
    serve(p, DC, &p->servers[DC], "camp-dc", (const uint16_t *const[]){dc_tcp, dc_dynamic_tcp, NULL},
          (const uint16_t *const[]){dc_udp, NULL});
    for (enum host_id id = PEER1; id <= PEER2; id++)
        serve(p, id, &p->servers[id], "camp-peer", (const uint16_t *const[]){peer_tcp, NULL},
              (const uint16_t *const[]){peer_udp, NULL});
    serve(p, INTRUDER, &p->servers[INTRUDER], "camp-intruder", (const uint16_t *const[]){intruder_tcp, NULL},
          (const uint16_t *const[]){intruder_udp, NULL});
}

void place_make(struct place *p)
{
    netns_need_root();
    *p = (struct place){.node_if = "node0"};
    p->bridge = netns_new();
    netns_run(&p->bridge, "ip link add br0 type bridge mcast_snooping 0 && ip link set br0 addrgenmode none && "
                          "ip link set br0 up");
    for (enum host_id id = 0; id < HOSTS; id++)
        make_host(p, id);
    for (enum host_id id = 0; id < HOSTS; id++)
        p->raw[id] = open_raw(p, id);
    for (unsigned i = 0; i < FLOATS; i++)
        place_move(p, i, false);
    route_forged(p);
    make_firewalls(p);
    start_servers(p);
}

void place_end(struct place *p)
{
    for (enum host_id id = 0; id < HOSTS; id++)
        if (p->servers[id])
            netns_stop(p->servers[id], SIGKILL);
    netns_stop(p->shell, SIGKILL);
    for (enum host_id id = 0; id < HOSTS; id++) {
        close(p->raw[id]);
        netns_close(&p->ns[id]);
    }
    netns_close(&p->bridge);
}

int place_socket(const struct place *p, enum host_id host, int family, int type)
{
    struct netns before = netns_here();
    int fd;

    netns_enter(&p->ns[host]);
    fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert(fd >= 0, "a socket on %s: %s", hosts[host].name, strerror(errno));
    netns_enter(&before);
    netns_close(&before);
    return fd;
}

void place_send(const struct place *p, enum host_id host, const struct packet *frame)
{
    ssize_t sent = send(p->raw[host], frame->data, frame->length, 0);

    cr_assert(sent == (ssize_t)frame->length, "a frame of %zu bytes from %s: %s", frame->length, hosts[host].name,
              strerror(errno));
}

/* Announce a move as the cluster does, so that neighbours drop their cached entries. */
static void announce(struct place *p, unsigned which, enum host_id id)
{
    enum host_id to = p->floating[which] ? NODE : PEER1;
    const char *name = id == NODE ? p->node_if : "eth0";

    if (id != to)
        netns_run(&p->ns[id], "ip neigh replace %s lladdr %s dev %s nud permanent; "
                              "ip neigh replace %s lladdr %s dev %s nud permanent", floats[which][0], hosts[to].mac,
                  name, floats[which][1], hosts[to].mac, name);
}

void place_move(struct place *p, unsigned which, bool to_node)
{
    enum host_id from = to_node ? PEER1 : NODE, to = to_node ? NODE : PEER1;
    const char *from_name = to_node ? "eth0" : p->node_if, *to_name = to_node ? p->node_if : "eth0";

    for (int v6 = 0; v6 < 2; v6++) {
        netns_output(&p->ns[from], NULL, 0, "ip addr del %s/%d dev %s", floats[which][v6], v6 ? 64 : 24, from_name);
        netns_run(&p->ns[to], "ip addr replace %s/%d dev %s %s", floats[which][v6], v6 ? 64 : 24, to_name,
                  v6 ? "nodad" : "");
    }
    p->floating[which] = to_node;
    for (enum host_id id = 0; id < HOSTS; id++)
        announce(p, which, id);
}

/* ---- Changes of the node's link ---- */

void place_dress_node(struct place *p)
{
    netns_run(&p->ns[NODE], "ip link set %s up && ip addr replace %s/24 dev %s && ip addr replace %s/64 dev %s nodad",
              p->node_if, hosts[NODE].address[0], p->node_if, hosts[NODE].address[1], p->node_if);
    for (unsigned i = 0; i < FLOATS; i++) {
        if (p->floating[i])
            netns_run(&p->ns[NODE], "ip addr replace %s/24 dev %s && ip addr replace %s/64 dev %s nodad", floats[i][0],
                      p->node_if, floats[i][1], p->node_if);
        announce(p, i, NODE);
    }
    route_forged(p);
}

void place_hold(struct place *p, bool hold)
{
    netns_run(&p->bridge, "bridge link set dev to-node state %d", hold ? 0 : 3); /* disabled, forwarding */
}

void place_silence(struct place *p)
{
    netns_run(&p->ns[NODE], "nft 'add chain inet t o { type filter hook output priority 0; policy drop; }; "
                            "add table arp t; add chain arp t o { type filter hook output priority 0; policy drop; }'");
    place_hold(p, true);
}

void place_end_silence(struct place *p)
{
    netns_run(&p->ns[NODE], "nft 'delete chain inet t o; delete table arp t'");
}

void place_reopen_raw(struct place *p)
{
    close(p->raw[NODE]);
    p->raw[NODE] = open_raw(p, NODE);
}

void place_delete_link(struct place *p)
{
    netns_run(&p->ns[NODE], "ip link del %s", p->node_if);
}

void place_make_link(struct place *p)
{
    make_link(p, NODE);
}

void place_move_link(struct place *p, const struct netns *from, const struct netns *to)
{
    netns_run(from, "ip link set %s netns /proc/%d/fd/%d", p->node_if, getpid(), to->fd);
    if (to->fd != p->ns[NODE].fd)
        return;
    netns_run(to, "ip link set %s addrgenmode none", p->node_if);
    quiet_interface(to, p->node_if);
}
