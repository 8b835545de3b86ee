/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults_flood.c - very many forged addresses, mostly of one kind, so that the run knows their effect. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"

static void one(struct campaign *c, struct rng *r, uint8_t protocol, uint16_t port)
{
    struct exchange e = {.kind = "flood", .step = c->step, .planned = ATTEMPTED};
    static struct packet p;
    char source[64];

    c->forged++;
    snprintf(source, sizeof(source), FORGED_V4 "%u.%u", c->forged >> 8 & 255, c->forged & 255);
    book_tuple(&e.tuple, protocol, hosts[NODE].address[0], port, source, (uint16_t)rng_between(r, 2000, 32767));
    if (book_knows(c->book, &e.tuple))
        return;
    book_enter(c->book, &e);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = hosts[INTRUDER].mac, .destination = hosts[NODE].mac});
    packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = hosts[NODE].address[0]});
    if (protocol == IPPROTO_TCP)
        packet_tcp(&p, &(struct packet_tcp){.source = e.tuple.remote_port, .destination = port,
                                            .seq = (uint32_t)rng_next(r), .flags = PACKET_SYN});
    else
        packet_udp(&p, &(struct packet_udp){.source = e.tuple.remote_port, .destination = port, .payload_bytes = 20});
    packet_finish(&p);
    place_send(&c->place, INTRUDER, &p);
}

static void flood(struct campaign *c, struct rng *r, uint8_t protocol, uint16_t port)
{
    unsigned n = rng_between(r, 200, 1500);

    c->flooded = true;
    campaign_drain(c);
    for (unsigned i = 0; i < n; i++) {
        one(c, r, protocol, port);
        if (i % 64 == 63)
            campaign_drain(c);
    }
    campaign_settle(c, 20);
}

void fault_flood_tcp(struct campaign *c, struct rng *r)
{
    flood(c, r, IPPROTO_TCP, NODE_DROPPED_TCP);
}

/* So few that the memory of questions holds all of them. */
void fault_flood_udp(struct campaign *c, struct rng *r)
{
    flood(c, r, IPPROTO_UDP, NODE_DROPPED_UDP);
}
