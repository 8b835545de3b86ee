/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench/frames.h"

#include <netinet/in.h>
#include <string.h>

#define FRAME_BYTES 64
#define DATAGRAM_ID 0x4242
#define FIRST_UNITS ((8 + sizeof(rpc)) / 8) /* of 8 bytes, in front of a later fragment */

/* What the services of the ports say first, so that the programs recognize it at once. */
static const uint8_t smb[16] = {0, 0, 0, 0x40, 0xfe, 'S', 'M', 'B', 0x40}; /* MS-SMB2, 2.1 and 2.2.1.2 */
static const uint8_t rpc[40] = {[3] = 1, [11] = 2, [12] = 0, 1, 0x86, 0xa3, [19] = 3}; /* a call of NFS (RFC 5531, 9) */

const uint8_t qpw_bench_local6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

static uint8_t *put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return to + 2;
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
    return put16(put16(to, value >> 16), value);
}

static uint8_t *put_ethernet(uint8_t *to, const struct qpw_bench_packet *p)
{
    static const uint8_t local[6] = {2, 0, 0, 0, 0, 1}, remote[6] = {2, 0, 0, 0, 0, 2};

    memcpy(to, p->from_local ? remote : local, 6);
    memcpy(to + 6, p->from_local ? local : remote, 6);
    to += 12;
    if (p->shape == QPW_SHAPE_QINQ)
        to = put16(put16(to, 0x88a8), 7);
    if (p->shape == QPW_SHAPE_QINQ || p->shape == QPW_SHAPE_VLAN)
        to = put16(put16(to, 0x8100), 42);
    return put16(to, p->shape == QPW_SHAPE_IPV6 || p->shape == QPW_SHAPE_IPV6_EXT ? 0x86dd : 0x0800);
}

static uint8_t *put_ipv4(uint8_t *to, const struct qpw_bench_packet *p, uint32_t bytes)
{
    uint32_t fragment = p->shape == QPW_SHAPE_FIRST ? 0x2000 : p->shape == QPW_SHAPE_FRAGMENT ? FIRST_UNITS : 0x4000;

    to[0] = 0x45;
    to[1] = 0;
    put16(to + 2, 20 + bytes);
    put16(to + 4, DATAGRAM_ID);
    put16(to + 6, fragment);
    to[8] = 64;
    to[9] = p->protocol;
    put16(to + 10, 0);
    put32(to + 12, p->from_local ? QPW_BENCH_LOCAL4 : p->remote4);
    put32(to + 16, p->from_local ? p->remote4 : QPW_BENCH_LOCAL4);
    return to + 20;
}

static uint8_t *put_ipv6(uint8_t *to, const struct qpw_bench_packet *p, uint32_t bytes)
{
    uint8_t remote[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1};
    bool extension = p->shape == QPW_SHAPE_IPV6_EXT;

    put32(remote + 12, p->remote4);
    put32(to, 0x60000000);
    put16(to + 4, bytes + (extension ? 8 : 0));
    to[6] = extension ? 0 : p->protocol;
    to[7] = 64;
    memcpy(to + 8, p->from_local ? qpw_bench_local6 : remote, 16);
    memcpy(to + 24, p->from_local ? remote : qpw_bench_local6, 16);
    to += 40;
    if (extension) { /* hop-by-hop: PadN of four bytes (RFC 8200, 4.2) */
        memcpy(to, (const uint8_t[8]){p->protocol, 0, 1, 4}, 8);
        to += 8;
    }
    return to;
}

static void put_l4(uint8_t *to, const struct qpw_bench_packet *p, uint32_t bytes)
{
    put16(to, p->from_local ? p->local_port : p->remote_port);
    put16(to + 2, p->from_local ? p->remote_port : p->local_port);
    if (p->protocol == IPPROTO_UDP) {
        put16(to + 4, p->shape == QPW_SHAPE_FIRST ? 8 + 64 : bytes);
        return;
    }
    put32(to + 4, p->seq);
    put32(to + 8, p->ack);
    to[12] = 5 << 4;
    to[13] = p->tcp_flags;
    put16(to + 14, 64240);
}

void qpw_bench_build(const struct qpw_bench_packet *p, struct qpw_bench_frame *ret)
{
    bool udp = p->protocol == IPPROTO_UDP;
    uint32_t headers = udp ? 8 : 20, ip, payload = 0;
    bool v6 = p->shape == QPW_SHAPE_IPV6 || p->shape == QPW_SHAPE_IPV6_EXT;
    uint8_t *at;

    memset(ret, 0, sizeof(*ret));
    at = put_ethernet(ret->data, p);
    ip = (uint32_t)(at - ret->data) + (v6 ? 40 : 20) + (p->shape == QPW_SHAPE_IPV6_EXT ? 8 : 0);
    if (p->payload)
        payload = udp ? sizeof(rpc) : sizeof(smb);
    at = v6 ? put_ipv6(at, p, headers + payload) : put_ipv4(at, p, headers + payload);
    if (p->shape != QPW_SHAPE_FRAGMENT)
        put_l4(at, p, headers + payload);
    if (p->payload && p->shape != QPW_SHAPE_FRAGMENT)
        memcpy(at + headers, udp ? rpc : smb, payload);
    if (p->payload && udp && p->from_local && p->shape != QPW_SHAPE_FRAGMENT)
        put32(put32(at + headers + 4, 1), 0); /* it is the reply */
    ret->length = ip + headers + payload;
    if (ret->length < FRAME_BYTES)
        ret->length = FRAME_BYTES;
}
