/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wire.h - the witness: takes every frame to and from the node with a packet socket on the far end of its only link,
 * and reads it with a parser of its own. It shares no code with the program under test.
 */
#ifndef TESTS_CAMPAIGN_WIRE_H
#define TESTS_CAMPAIGN_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "place.h"

/* The ends of a packet. For ICMP both ports are the type. */
struct ends {
    uint8_t source[16], destination[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t source_port, destination_port;
    uint8_t protocol;
};

struct frame {
    uint64_t at_ns;     /* Unix time */
    uint32_t bytes;     /* with Ethernet header and tags */
    uint16_t ethertype; /* after the tags; below 0x600: the LLC DSAP */
    uint16_t vlan;
    bool rx;            /* to the node */
    bool ip;            /* the next are valid */
    bool headless;      /* a later fragment whose first was not seen: no ports */
    bool fragment;      /* a later one, with the ports of its first */
    bool group;         /* to a group MAC */
    uint8_t macs[12];   /* destination, source */
    const uint8_t *data; /* all its bytes, valid during the call */
    struct ends ends;
    uint8_t tcp_flags;
    uint32_t seq, ack, payload;
    bool quotes;        /* an ICMP unreachable that quotes a packet with these ends */
    struct ends quoted;
};

#define WIRE_FRAGMENTS 256
struct wire {
    int fd;
    uint64_t frames;   /* witnessed in total */
    uint64_t last_ns;  /* CLOCK_MONOTONIC of the newest read */
    struct {
        uint8_t source[16], destination[16];
        uint32_t id;
        struct ends ends;
    } fragments[WIRE_FRAGMENTS];
    unsigned n_fragments;
};

void wire_open(struct wire *w, const struct place *p);
void wire_close(struct wire *w);

/* Open the socket again after the link was created again; earlier frames must have been drained. */
void wire_reopen(struct wire *w, const struct place *p);

/*
 * Pass every frame witnessed since the last call to each(). Fails the test if the socket lost one. Returns their
 * number.
 */
unsigned wire_drain(struct wire *w, void (*each)(void *data, const struct frame *frame), void *data);

#endif
