/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kinds_odd.c - protocols without a policy, frames that are not IP, packets for others, undecidable packets. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "host/clock.h"
#include "kinds.h"

#define NOBODY_MAC "02:77:00:00:00:99"   /* flooded by the bridge */
#define STRANGER_MAC "02:77:00:00:00:98"

struct raw {
    enum host_id from;
    const char *source_mac, *destination_mac;
    const char *source, *destination;
    uint8_t protocol;
};

static void begin(struct packet *p, const struct raw *o)
{
    packet_start(p);
    packet_ethernet(p, &(struct packet_ethernet){.source = o->source_mac, .destination = o->destination_mac});
    if (strchr(o->source, ':'))
        packet_ipv6(p, &(struct packet_ipv6){.source = o->source, .destination = o->destination, .next = o->protocol});
    else
        packet_ipv4(p, &(struct packet_ipv4){.source = o->source, .destination = o->destination,
                                             .protocol = o->protocol});
}

/* An exchange between the node and a forged address, opened by either. */
struct pair {
    struct raw out, in;
    struct exchange *exchange;
    char forged[64];
};

struct plan {
    uint8_t protocol;
    uint16_t port; /* 0: it has none */
    const char *kind;
    enum outcome outcome;
};

static void make_pair(struct campaign *c, struct rng *r, struct pair *p, struct plan plan)
{
    bool v6 = rng_below(r, 2), node_opens = qpw_clock_monotonic_ns() > c->window_end_ns && rng_below(r, 2);
    const char *node = hosts[NODE].address[v6];
    struct talk t = {.from = node_opens ? NODE : INTRUDER, .to_port = plan.port};

    kinds_forged(c, v6, p->forged, sizeof(p->forged));
    p->out = (struct raw){NODE, hosts[NODE].mac, hosts[INTRUDER].mac, node, p->forged, plan.protocol};
    p->in = (struct raw){INTRUDER, hosts[INTRUDER].mac, hosts[NODE].mac, p->forged, node, plan.protocol};
    t.source = node_opens ? node : p->forged;
    t.to = node_opens ? p->forged : node;
    if (plan.port) {
        p->exchange = kinds_enter(c, r, &t, plan.protocol, plan.kind, plan.outcome);
    } else {
        struct exchange e = {.kind = plan.kind, .step = c->step, .planned = plan.outcome,
                             .opener = node_opens ? NODE_OPENS : REMOTE_OPENS};

        book_tuple(&e.tuple, plan.protocol, node, 0, p->forged, 0);
        campaign_drain(c);
        p->exchange = book_enter(c->book, &e);
    }
}

/* The n-th frame of the exchange comes from its opener if n is even. */
static const struct raw *way(const struct pair *p, unsigned n)
{
    return (p->exchange->opener == NODE_OPENS) == (n % 2 == 0) ? &p->out : &p->in;
}

static void sctp(struct campaign *c, struct rng *r)
{
    static const uint8_t chunks[] = {1, 2, 10, 11, 0, 3}; /* INIT, INIT ACK, COOKIE ECHO, COOKIE ACK, DATA, SACK */
    unsigned n = rng_below(r, 2) ? 1 : 6;
    static struct packet frame;
    struct pair p;

    make_pair(c, r, &p, (struct plan){IPPROTO_SCTP, (uint16_t)rng_between(r, 2900, 2910), "sctp", n > 1 ? DATA : ATTEMPTED});
    for (unsigned i = 0; i < n; i++) {
        const struct raw *o = way(&p, i);
        bool by_node = o->from == NODE;

        begin(&frame, o);
        packet_sctp(&frame, &(struct packet_sctp){.source = by_node ? p.exchange->tuple.local_port
                                                                    : p.exchange->tuple.remote_port,
                                                  .destination = by_node ? p.exchange->tuple.remote_port
                                                                         : p.exchange->tuple.local_port,
                                                  .chunk = chunks[i], .chunk_bytes = i == 4 ? 60 : 20});
        packet_finish(&frame);
        place_send(&c->place, o->from, &frame);
        campaign_settle(c, 1);
    }
    kinds_planned(c, p.exchange);
}

/* GRE and ESP: no ports. */
static void portless(struct campaign *c, struct rng *r)
{
    uint8_t protocol = rng_below(r, 2) ? 47 : 50;
    unsigned n = rng_between(r, 1, 3);
    static struct packet frame;
    struct pair p;

    make_pair(c, r, &p, (struct plan){protocol, 0, protocol == 47 ? "gre" : "esp", n > 1 ? DATA : ATTEMPTED});
    for (unsigned i = 0; i < n; i++) {
        const struct raw *o = way(&p, i);

        begin(&frame, o);
        packet_bytes(&frame, NULL, rng_between(r, 8, 400));
        packet_finish(&frame);
        place_send(&c->place, o->from, &frame);
        campaign_settle(c, 1);
    }
    kinds_planned(c, p.exchange);
}

static void ethertype(struct campaign *c, struct rng *r)
{
    static const uint16_t types[] = {0x8915, 0x8906, 0x88cc, 0x9999, 0x8809, 0};
    uint16_t type = rng_port(r, types);
    static struct packet frame;
    bool by_node = rng_below(r, 3) == 0;

    packet_opaque(&frame, hosts[by_node ? NODE : INTRUDER].mac, hosts[by_node ? INTRUDER : NODE].mac, type,
                  rng_between(r, 46, 300));
    place_send(&c->place, by_node ? NODE : INTRUDER, &frame);
    campaign_settle(c, 1);
}

/* Frames that the bridge floods, between two foreign addresses; and the node's own source returning. */
static void transit(struct campaign *c, struct rng *r)
{
    bool v6 = rng_below(r, 2), come_back = rng_below(r, 3) == 0;
    struct raw o = {INTRUDER, STRANGER_MAC, come_back ? hosts[NODE].mac : NOBODY_MAC,
                    come_back ? hosts[NODE].address[v6] : v6 ? "fd77::98" : "10.77.0.98",
                    v6 ? "fd77::99" : "10.77.0.99", IPPROTO_UDP};
    struct exchange e = {.kind = "transit", .step = c->step, .fate = FATE_TRANSIT};
    static struct packet frame;
    uint16_t port = kinds_client_port(r);

    book_tuple(&e.tuple, IPPROTO_UDP, o.destination, 2049, o.source, port);
    campaign_drain(c);
    book_enter(c->book, &e);
    begin(&frame, &o);
    packet_udp(&frame, &(struct packet_udp){.source = port, .destination = 2049, .payload_bytes = rng_between(r, 1, 900)});
    packet_finish(&frame);
    place_send(&c->place, INTRUDER, &frame);
    campaign_settle(c, 1);
}

/* A later fragment whose first fragment never came. */
static void headless(struct campaign *c, struct rng *r)
{
    struct exchange e = {.kind = "headless-fragment", .step = c->step, .fate = FATE_UNKNOWN,
                         .reason = "fragment-without-first"};
    static struct packet frame;
    bool v6 = rng_below(r, 2);
    char source[64];

    kinds_forged(c, v6, source, sizeof(source));
    book_tuple(&e.tuple, IPPROTO_UDP, hosts[NODE].address[v6], 0, source, 0);
    campaign_drain(c);
    book_enter(c->book, &e);
    packet_start(&frame);
    packet_ethernet(&frame, &(struct packet_ethernet){.source = hosts[INTRUDER].mac, .destination = hosts[NODE].mac});
    if (v6) {
        packet_ipv6(&frame, &(struct packet_ipv6){.source = source, .destination = hosts[NODE].address[1]});
        packet_fragment6(&frame, &(struct packet_fragment6){.next = IPPROTO_UDP, .offset = 1480,
                                                            .id = (uint32_t)rng_next(r)});
    } else {
        packet_ipv4(&frame, &(struct packet_ipv4){.source = source, .destination = hosts[NODE].address[0],
                                                  .protocol = IPPROTO_UDP, .id = (uint16_t)rng_next(r),
                                                  .fragment_offset = 1480});
    }
    packet_bytes(&frame, NULL, rng_between(r, 8, 800));
    packet_finish(&frame);
    place_send(&c->place, INTRUDER, &frame);
    campaign_settle(c, 1);
}

/* Packets that no host sends: one or two wrong bytes in a datagram or segment. */
static void junk(struct campaign *c, struct rng *r)
{
    static const struct {
        const char *protocol, *reason;
        bool v6, tcp;
        unsigned at, bytes, value;
    } lies[] = {
        {"-", "ip-bad-version", false, false, 14, 1, 0x55},  {"-", "ip-bad-version", true, false, 14, 1, 0x40},
        {"udp", "ip-bad-ihl", false, false, 14, 1, 0x41},    {"udp", "ip-bad-length", false, false, 16, 2, 10},
        {"udp", "ip-bad-length", false, false, 16, 2, 9000}, {"udp", "ip-bad-length", true, false, 18, 2, 9000},
        {"udp", "l4-truncated", false, false, 16, 2, 24},    {"udp", "udp-bad-length", false, false, 38, 2, 3},
        {"tcp", "tcp-bad-doff", false, true, 46, 1, 0x20},
    };
    unsigned which = rng_below(r, sizeof(lies) / sizeof(*lies)), at = lies[which].at;
    struct raw o = {INTRUDER, hosts[INTRUDER].mac, hosts[NODE].mac, NULL, hosts[NODE].address[lies[which].v6],
                    lies[which].tcp ? IPPROTO_TCP : IPPROTO_UDP};
    static struct packet frame;
    char source[64];

    campaign_drain(c);
    o.source = kinds_forged(c, lies[which].v6, source, sizeof(source));
    begin(&frame, &o);
    if (lies[which].tcp)
        packet_tcp(&frame, &(struct packet_tcp){.source = kinds_client_port(r), .destination = 445, .flags = PACKET_SYN,
                                                .seq = (uint32_t)rng_next(r)});
    else
        packet_udp(&frame, &(struct packet_udp){.source = kinds_client_port(r), .destination = 2049,
                                                .payload_bytes = rng_between(r, 20, 900)});
    packet_finish(&frame);
    if (lies[which].bytes == 2)
        frame.data[at++] = (uint8_t)(lies[which].value >> 8);
    frame.data[at] = (uint8_t)lies[which].value;
    book_junk(c->book, frame.data, frame.length, lies[which].protocol, lies[which].reason);
    place_send(&c->place, INTRUDER, &frame);
    campaign_settle(c, 1);
}

/* Run a read-only command. */
static void command(struct campaign *c, struct rng *r)
{
    faults_any_command(c, r);
}

const struct kind odd_kinds[] = {
    {"command", 2, command, false},
    {"junk", 4, junk, false},
    {"sctp", 2, sctp, false},
    {"portless", 2, portless, false},
    {"ethertype", 3, ethertype, false},
    {"transit", 3, transit, false},
    {"headless-fragment", 2, headless, false},
    {NULL, 0, NULL, false},
};
