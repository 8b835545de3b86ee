/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet.h - build frames layer by layer, from the outside in, with correct lengths and checksums,
 * or with wrong ones where a test needs them.
 *
 *     struct packet p;
 *
 *     packet_start(&p);
 *     packet_ethernet(&p, &(struct packet_ethernet){0});
 *     packet_vlan(&p, 0x8100, 42);
 *     packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.1", .destination = "10.0.0.2"});
 *     packet_tcp(&p, &(struct packet_tcp){.source = 40000, .destination = 445, .flags = PACKET_SYN});
 *     packet_finish(&p);      now p.data[0 .. p.length) is the frame
 *
 * A layer fills the next-protocol field of the layer before it, so EtherType, protocol and next header
 * need not be given. Anything that does not fit, or an invalid address, ends the program, because a test
 * that builds nonsense by accident must not pass. Fields not named are zero, which everywhere means the
 * usual value. Numbers are in host order.
 */
#ifndef TESTS_LIB_PACKET_H
#define TESTS_LIB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 70000
#define PACKET_MAX_LAYERS 24

#define PACKET_FIN 0x01
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_PSH 0x08
#define PACKET_ACK 0x10

/* A value given explicitly instead of the correct one: .ihl = PACKET_LIE(4) */
struct packet_lie {
    bool reported;
    uint32_t value;
};
#define PACKET_LIE(v) ((struct packet_lie){true, (v)})

struct packet_layer {
    uint8_t kind;
    size_t offset;
    struct packet_lie length;   /* of the header's own length field */
    struct packet_lie checksum;
};

struct packet {
    uint8_t data[PACKET_MAX];
    size_t length;
    struct packet_layer layers[PACKET_MAX_LAYERS];
    size_t n_layers;
};

struct packet_ethernet {
    const char *source;      /* "02:00:00:00:00:01"; NULL: that */
    const char *destination; /* NULL: "02:00:00:00:00:02" */
    struct packet_lie type;  /* EtherType, unless the next layer sets it */
};

struct packet_ipv4 {
    const char *source;
    const char *destination;
    uint8_t protocol;         /* only needed if no transport layer follows */
    uint8_t ttl;              /* 0: 64 */
    uint8_t tos;
    uint16_t id;
    uint16_t fragment_offset; /* in bytes, a multiple of 8 */
    bool more_fragments;
    bool dont_fragment;
    const void *options;      /* a multiple of 4 bytes */
    size_t options_bytes;
    struct packet_lie version;
    struct packet_lie ihl;      /* in 32-bit words */
    struct packet_lie length;   /* total length */
    struct packet_lie checksum;
};

struct packet_ipv6 {
    const char *source;
    const char *destination;
    uint8_t next;             /* only needed if no layer follows that sets it */
    uint8_t hop_limit;        /* 0: 64 */
    struct packet_lie version;
    struct packet_lie length; /* payload length */
};

/* IPv6 extension header of the usual form (hop-by-hop 0, routing 43, destination 60, AH 51, mobility 135 …). */
struct packet_extension {
    uint8_t type;             /* its protocol number in the previous header */
    uint8_t next;
    size_t bytes;             /* whole header; 0: 8. A multiple of 8 (AH: of 4) */
    struct packet_lie length; /* the length field */
};

struct packet_fragment6 {
    uint8_t next;
    uint16_t offset;          /* in bytes, a multiple of 8 */
    bool more;
    uint32_t id;
};

struct packet_tcp {
    uint16_t source;
    uint16_t destination;
    uint32_t seq;
    uint32_t ack;
    uint8_t flags;           /* PACKET_SYN | … */
    uint16_t window;         /* 0: 64240 */
    const void *options;     /* a multiple of 4 bytes */
    size_t options_bytes;
    size_t payload_bytes;    /* length of filler payload */
    const void *payload;     /* payload_bytes of payload; NULL: filler */
    struct packet_lie doff;  /* in 32-bit words */
    struct packet_lie checksum;
};

struct packet_udp {
    uint16_t source;
    uint16_t destination;
    size_t payload_bytes;
    const void *payload; /* NULL: filler */
    struct packet_lie length;
    struct packet_lie checksum;
};

struct packet_sctp {
    uint16_t source;
    uint16_t destination;
    uint32_t tag;
    uint8_t chunk;           /* type of the first chunk: 1 INIT, 0 DATA … */
    size_t chunk_bytes;      /* 0: 4, the chunk's header alone */
};

struct packet_icmp {         /* ICMP after IPv4, ICMPv6 after IPv6 */
    uint8_t type;
    uint8_t code;
    uint32_t rest;           /* bytes 4 to 7 of the header: id and sequence, MTU … */
    size_t payload_bytes;
    struct packet_lie checksum;
};

struct packet_arp {
    uint16_t operation;      /* 0: 1, request */
    const char *sender;      /* IPv4 address */
    const char *target;
};

/* Begin an empty packet. */
void packet_start(struct packet *p);

void packet_ethernet(struct packet *p, const struct packet_ethernet *o);
/* Add a VLAN tag: tpid 0x8100 or 0x88a8 (or another); tci is priority and VLAN id. */
void packet_vlan(struct packet *p, uint16_t tpid, uint16_t tci);
/* Add 802.2 after an Ethernet header, whose type field becomes the length. */
void packet_llc(struct packet *p, uint8_t dsap, uint8_t ssap, uint8_t control);
/* Add 802.2 with SNAP: OUI and protocol. */
void packet_snap(struct packet *p, uint32_t oui, uint16_t protocol);
void packet_arp(struct packet *p, const struct packet_arp *o);
void packet_ipv4(struct packet *p, const struct packet_ipv4 *o);
void packet_ipv6(struct packet *p, const struct packet_ipv6 *o);
void packet_extension(struct packet *p, const struct packet_extension *o);
void packet_fragment6(struct packet *p, const struct packet_fragment6 *o);
void packet_tcp(struct packet *p, const struct packet_tcp *o);
void packet_udp(struct packet *p, const struct packet_udp *o);
void packet_sctp(struct packet *p, const struct packet_sctp *o);
/* Add ICMP. Layers added after it (packet_ipv4, packet_tcp …) are the packet that it quotes. */
void packet_icmp(struct packet *p, const struct packet_icmp *o);

/* Add these bytes; NULL: filler of that length. */
void packet_bytes(struct packet *p, const void *bytes, size_t length);

/* Fill in lengths and checksums, innermost first. Afterwards only the next two may follow. */
void packet_finish(struct packet *p);
/* Truncate the frame, as a snaplen does. */
void packet_cut(struct packet *p, size_t length);
/* Append zero bytes up to that length, as a card pads frames to 60 bytes; a longer frame is unchanged. */
void packet_pad(struct packet *p, size_t length);

/* Return the start of the n-th layer (from 0), for changes that no option provides. */
uint8_t *packet_at(struct packet *p, size_t layer);

/* ---- Whole frames in one call, for tests that only need traffic. Addresses of either family. ---- */

/* What else a TCP segment carries; what is left out is zero. */
struct packet_segment {
    uint8_t flags;
    uint32_t seq, ack;
    size_t payload; /* bytes of filler */
};
#define SEGMENT(...) ((struct packet_segment){__VA_ARGS__})

void packet_make_tcp(struct packet *p, const char *source, uint16_t source_port, const char *destination,
                     uint16_t destination_port, struct packet_segment segment);
void packet_make_udp(struct packet *p, const char *source, uint16_t source_port, const char *destination,
                     uint16_t destination_port, size_t payload_bytes);

/* Build a frame of an EtherType that the parser does not know, with filler; MAC addresses as text. */
void packet_opaque(struct packet *p, const char *source, const char *destination, uint16_t type, size_t filling);

#endif
