/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "packet.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ETHERNET = 1, VLAN, LLC, ARP, IPV4, IPV6, EXTENSION, TCP, UDP, SCTP, ICMP, ICMP6, BYTES };

static void give_up(const char *what, const char *object)
{
    fprintf(stderr, "packet: %s: %s\n", what, object);
    abort();
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t reported(struct packet_lie lie, uint32_t truth)
{
    return lie.reported ? lie.value : truth;
}

static struct packet_layer *last_layer(struct packet *p)
{
    return p->n_layers ? &p->layers[p->n_layers - 1] : NULL;
}

static uint8_t *grow(struct packet *p, size_t bytes)
{
    uint8_t *at = p->data + p->length;

    if (bytes > PACKET_MAX - p->length)
        give_up("too long", "frame");
    memset(at, 0, bytes);
    p->length += bytes;
    return at;
}

static uint8_t *add(struct packet *p, uint8_t kind, size_t bytes, struct packet_lie length, struct packet_lie checksum)
{
    if (p->n_layers == PACKET_MAX_LAYERS)
        give_up("too many layers", "frame");
    p->layers[p->n_layers++] = (struct packet_layer){kind, p->length, length, checksum};
    return grow(p, bytes);
}

/* Set the next-protocol field of the previous layer, if it has one. */
static void announce(struct packet *p, uint16_t ethertype, int protocol)
{
    struct packet_layer *before = last_layer(p);

    if (!before)
        return;
    uint8_t *at = p->data + before->offset;
    switch (before->kind) {
    case ETHERNET: put16(at + 12, ethertype); break;
    case VLAN: put16(at + 2, ethertype); break;
    case LLC: put16(at + 6, ethertype); break; /* SNAP */
    case IPV4: at[9] = (uint8_t)protocol; break;
    case IPV6: at[6] = (uint8_t)protocol; break;
    case EXTENSION: at[0] = (uint8_t)protocol; break;
    }
}

static void fill(uint8_t *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)('a' + i % 26);
}

static void put_mac(uint8_t *at, const char *text)
{
    unsigned b[6];

    if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
        give_up("not a MAC address", text);
    for (int i = 0; i < 6; i++)
        at[i] = (uint8_t)b[i];
}

static void put_address(uint8_t *at, int family, const char *text)
{
    if (!text || inet_pton(family, text, at) != 1)
        give_up(family == AF_INET ? "not an IPv4 address" : "not an IPv6 address", text ? text : "(none)");
}

void packet_start(struct packet *p)
{
    p->length = 0;
    p->n_layers = 0;
}

void packet_ethernet(struct packet *p, const struct packet_ethernet *o)
{
    uint8_t *at = add(p, ETHERNET, 14, (struct packet_lie){0}, (struct packet_lie){0});

    put_mac(at, o->destination ? o->destination : "02:00:00:00:00:02");
    put_mac(at + 6, o->source ? o->source : "02:00:00:00:00:01");
    put16(at + 12, reported(o->type, 0));
}

void packet_vlan(struct packet *p, uint16_t tpid, uint16_t tci)
{
    announce(p, tpid, 0);
    put16(add(p, VLAN, 4, (struct packet_lie){0}, (struct packet_lie){0}), tci);
}

void packet_llc(struct packet *p, uint8_t dsap, uint8_t ssap, uint8_t control)
{
    uint8_t *at = add(p, LLC, 3, (struct packet_lie){0}, (struct packet_lie){0});

    at[0] = dsap;
    at[1] = ssap;
    at[2] = control;
}

void packet_snap(struct packet *p, uint32_t oui, uint16_t protocol)
{
    uint8_t *at;

    packet_llc(p, 0xaa, 0xaa, 3);
    at = grow(p, 5);
    at[0] = (uint8_t)(oui >> 16);
    put16(at + 1, oui);
    put16(at + 3, protocol);
}

void packet_arp(struct packet *p, const struct packet_arp *o)
{
    announce(p, ETHERTYPE_ARP, 0);
    uint8_t *at = add(p, ARP, 28, (struct packet_lie){0}, (struct packet_lie){0});

    put16(at, 1);
    put16(at + 2, ETHERTYPE_IP);
    at[4] = 6;
    at[5] = 4;
    put16(at + 6, o->operation ? o->operation : 1);
    put_mac(at + 8, "02:00:00:00:00:01");
    put_address(at + 14, AF_INET, o->sender);
    put_address(at + 24, AF_INET, o->target);
}

void packet_ipv4(struct packet *p, const struct packet_ipv4 *o)
{
    announce(p, ETHERTYPE_IP, IPPROTO_IPIP);
    uint8_t *at = add(p, IPV4, 20 + o->options_bytes, o->length, o->checksum);
    uint32_t flags = (o->dont_fragment ? 0x4000 : 0) | (o->more_fragments ? 0x2000 : 0);

    at[0] = (uint8_t)(reported(o->version, 4) << 4 | (reported(o->ihl, (uint32_t)(20 + o->options_bytes) / 4) & 15));
    at[1] = o->tos;
    put16(at + 4, o->id);
    put16(at + 6, flags | o->fragment_offset / 8);
    at[8] = o->ttl ? o->ttl : 64;
    at[9] = o->protocol;
    put_address(at + 12, AF_INET, o->source);
    put_address(at + 16, AF_INET, o->destination);
    if (o->options_bytes)
        memcpy(at + 20, o->options, o->options_bytes);
}

void packet_ipv6(struct packet *p, const struct packet_ipv6 *o)
{
    announce(p, ETHERTYPE_IPV6, IPPROTO_IPV6);
    uint8_t *at = add(p, IPV6, 40, o->length, (struct packet_lie){0});

    at[0] = (uint8_t)(reported(o->version, 6) << 4);
    at[6] = o->next ? o->next : IPPROTO_NONE;
    at[7] = o->hop_limit ? o->hop_limit : 64;
    put_address(at + 8, AF_INET6, o->source);
    put_address(at + 24, AF_INET6, o->destination);
}

void packet_extension(struct packet *p, const struct packet_extension *o)
{
    size_t bytes = o->bytes ? o->bytes : 8;

    announce(p, 0, o->type);
    uint8_t *at = add(p, EXTENSION, bytes, (struct packet_lie){0}, (struct packet_lie){0});
    uint32_t units = o->type == IPPROTO_AH ? (uint32_t)bytes / 4 - 2 : (uint32_t)bytes / 8 - 1;

    at[0] = o->next ? o->next : IPPROTO_NONE;
    at[1] = (uint8_t)reported(o->length, units);
    if (bytes > 2 && o->type != IPPROTO_ROUTING && o->type != IPPROTO_AH) {
        at[2] = 1; /* PadN over the rest */
        at[3] = (uint8_t)(bytes - 4 > 255 ? 255 : bytes - 4);
    }
}

void packet_fragment6(struct packet *p, const struct packet_fragment6 *o)
{
    announce(p, 0, IPPROTO_FRAGMENT);
    uint8_t *at = add(p, EXTENSION, 8, (struct packet_lie){0}, (struct packet_lie){0});

    at[0] = o->next ? o->next : IPPROTO_NONE;
    put16(at + 2, (uint32_t)(o->offset & ~7) | o->more);
    put32(at + 4, o->id);
}

void packet_tcp(struct packet *p, const struct packet_tcp *o)
{
    announce(p, 0, IPPROTO_TCP);
    uint8_t *at = add(p, TCP, 20 + o->options_bytes + o->payload_bytes, (struct packet_lie){0}, o->checksum);

    put16(at, o->source);
    put16(at + 2, o->destination);
    put32(at + 4, o->seq);
    put32(at + 8, o->ack);
    at[12] = (uint8_t)(reported(o->doff, (uint32_t)(20 + o->options_bytes) / 4) << 4);
    at[13] = o->flags;
    put16(at + 14, o->window ? o->window : 64240);
    if (o->options_bytes)
        memcpy(at + 20, o->options, o->options_bytes);
    fill(at + 20 + o->options_bytes, o->payload_bytes);
    if (o->payload)
        memcpy(at + 20 + o->options_bytes, o->payload, o->payload_bytes);
}

void packet_udp(struct packet *p, const struct packet_udp *o)
{
    announce(p, 0, IPPROTO_UDP);
    uint8_t *at = add(p, UDP, 8 + o->payload_bytes, o->length, o->checksum);

    put16(at, o->source);
    put16(at + 2, o->destination);
    fill(at + 8, o->payload_bytes);
    if (o->payload)
        memcpy(at + 8, o->payload, o->payload_bytes);
}

void packet_sctp(struct packet *p, const struct packet_sctp *o)
{
    size_t chunk = o->chunk_bytes ? o->chunk_bytes : 4;

    announce(p, 0, IPPROTO_SCTP);
    uint8_t *at = add(p, SCTP, 12 + (chunk + 3) / 4 * 4, (struct packet_lie){0}, (struct packet_lie){0});
    put16(at, o->source);
    put16(at + 2, o->destination);
    put32(at + 4, o->tag);
    at[12] = o->chunk;
    put16(at + 14, (uint32_t)chunk);
}

/* Return the innermost IP layer before `index`. */
static struct packet_layer *ip_before(struct packet *p, size_t index)
{
    while (index-- > 0)
        if (p->layers[index].kind == IPV4 || p->layers[index].kind == IPV6)
            return &p->layers[index];
    return NULL;
}

void packet_icmp(struct packet *p, const struct packet_icmp *o)
{
    struct packet_layer *ip = ip_before(p, p->n_layers);
    bool v6 = ip && ip->kind == IPV6;

    announce(p, 0, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    uint8_t *at = add(p, v6 ? ICMP6 : ICMP, 8 + o->payload_bytes, (struct packet_lie){0}, o->checksum);
    at[0] = o->type;
    at[1] = o->code;
    put32(at + 4, o->rest);
    fill(at + 8, o->payload_bytes);
}

void packet_bytes(struct packet *p, const void *bytes, size_t length)
{
    uint8_t *at = add(p, BYTES, length, (struct packet_lie){0}, (struct packet_lie){0});

    if (bytes)
        memcpy(at, bytes, length);
    else
        fill(at, length);
}

static uint32_t sum(const uint8_t *at, size_t bytes, uint32_t start)
{
    for (size_t i = 0; i < bytes; i++)
        start += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    return start;
}

static uint16_t fold(uint32_t value)
{
    while (value >> 16)
        value = (value & 0xffff) + (value >> 16);
    return (uint16_t)~value;
}

static uint32_t pseudo(struct packet *p, size_t index, size_t bytes, uint8_t protocol)
{
    struct packet_layer *ip = ip_before(p, index);

    if (!ip)
        return 0;
    bool v6 = ip->kind == IPV6;
    return sum(p->data + ip->offset + (v6 ? 8 : 12), v6 ? 32 : 8, protocol + (uint32_t)bytes);
}

static uint32_t crc32c(const uint8_t *at, size_t bytes)
{
    uint32_t crc = ~0u;

    for (size_t i = 0; i < bytes; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void finish_layer(struct packet *p, size_t index)
{
    const struct packet_layer *layer = &p->layers[index];
    uint8_t *at = p->data + layer->offset;
    size_t bytes = p->length - layer->offset;
    uint32_t check;

    switch (layer->kind) {
    case LLC:
        if (index && p->layers[index - 1].kind == ETHERNET)
            put16(p->data + p->layers[index - 1].offset + 12, (uint32_t)bytes);
        break;
    case IPV4:
        put16(at + 2, reported(layer->length, (uint32_t)bytes));
        /* Over the header as built, regardless of its length field. */
        check = fold(sum(at, index + 1 < p->n_layers ? p->layers[index + 1].offset - layer->offset : bytes, 0));
        put16(at + 10, reported(layer->checksum, check));
        break;
    case IPV6:
        put16(at + 4, reported(layer->length, (uint32_t)bytes - 40));
        break;
    case TCP:
        put16(at + 16, reported(layer->checksum, fold(sum(at, bytes, pseudo(p, index, bytes, IPPROTO_TCP)))));
        break;
    case UDP:
        put16(at + 4, reported(layer->length, (uint32_t)bytes));
        check = fold(sum(at, bytes, pseudo(p, index, bytes, IPPROTO_UDP)));
        put16(at + 6, reported(layer->checksum, check ? check : 0xffff));
        break;
    case SCTP:
        check = crc32c(at, bytes);
        memcpy(at + 8, &(uint32_t){htole32(check)}, 4);
        break;
    case ICMP:
        put16(at + 2, reported(layer->checksum, fold(sum(at, bytes, 0))));
        break;
    case ICMP6:
        put16(at + 2, reported(layer->checksum, fold(sum(at, bytes, pseudo(p, index, bytes, IPPROTO_ICMPV6)))));
        break;
    }
}

void packet_finish(struct packet *p)
{
    for (size_t i = p->n_layers; i-- > 0;)
        finish_layer(p, i);
}

void packet_cut(struct packet *p, size_t length)
{
    if (length > p->length)
        give_up("cannot cut to more than there is", "frame");
    p->length = length;
}

void packet_pad(struct packet *p, size_t length)
{
    if (length > p->length)
        grow(p, length - p->length);
}

uint8_t *packet_at(struct packet *p, size_t layer)
{
    if (layer >= p->n_layers)
        give_up("no such layer", "frame");
    return p->data + p->layers[layer].offset;
}

static void make_ip(struct packet *p, const char *source, const char *destination)
{
    packet_start(p);
    packet_ethernet(p, &(struct packet_ethernet){0});
    if (strchr(source, ':'))
        packet_ipv6(p, &(struct packet_ipv6){.source = source, .destination = destination});
    else
        packet_ipv4(p, &(struct packet_ipv4){.source = source, .destination = destination});
}

void packet_make_tcp(struct packet *p, const char *source, uint16_t source_port, const char *destination,
                     uint16_t destination_port, struct packet_segment segment)
{
    make_ip(p, source, destination);
    packet_tcp(p, &(struct packet_tcp){.source = source_port, .destination = destination_port, .flags = segment.flags,
                                       .seq = segment.seq, .ack = segment.ack, .payload_bytes = segment.payload});
    packet_finish(p);
}

void packet_make_udp(struct packet *p, const char *source, uint16_t source_port, const char *destination,
                     uint16_t destination_port, size_t payload_bytes)
{
    make_ip(p, source, destination);
    packet_udp(p, &(struct packet_udp){.source = source_port, .destination = destination_port,
                                       .payload_bytes = payload_bytes});
    packet_finish(p);
}

void packet_opaque(struct packet *p, const char *source, const char *destination, uint16_t type, size_t filling)
{
    packet_start(p);
    packet_ethernet(p, &(struct packet_ethernet){.source = source, .destination = destination, .type = PACKET_LIE(type)});
    packet_bytes(p, NULL, filling);
    packet_finish(p);
}
