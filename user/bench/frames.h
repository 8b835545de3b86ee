/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * frames.h - the frames that `bench` runs through the programs: an exchange between this node and a remote address, the
 * shortest that carry what each says.
 */
#ifndef QPW_BENCH_FRAMES_H
#define QPW_BENCH_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define QPW_BENCH_FRAME_MAX 192

struct qpw_bench_frame {
    uint8_t data[QPW_BENCH_FRAME_MAX];
    uint32_t length;
};

enum qpw_bench_shape {
    QPW_SHAPE_PLAIN = 0, /* IPv4 */
    QPW_SHAPE_VLAN,      /* one 802.1Q tag */
    QPW_SHAPE_QINQ,      /* 802.1ad and 802.1Q tags */
    QPW_SHAPE_IPV6,
    QPW_SHAPE_IPV6_EXT,  /* a hop-by-hop options header */
    QPW_SHAPE_FIRST,     /* first fragment */
    QPW_SHAPE_FRAGMENT,  /* later fragment of the same datagram */
};

#define QPW_BENCH_LOCAL4 0xc0000201u  /* 192.0.2.1 (RFC 5737) */
#define QPW_BENCH_REMOTE4 0xcb007109u /* 203.0.113.9 */
#define QPW_BENCH_PEER4 0xc6336407u   /* 198.51.100.7 */

struct qpw_bench_packet {
    uint8_t shape;
    uint8_t protocol;    /* TCP or UDP */
    bool from_local;
    uint8_t tcp_flags;
    uint32_t remote4;    /* host order; for IPv6, its last four bytes */
    uint16_t local_port;
    uint16_t remote_port;
    uint32_t seq;
    uint32_t ack;
    bool payload;        /* the beginning of what the port's service says; without it the frame is padded to 64 bytes */
};

/* The node's IPv6 address, 2001:db8::1 (RFC 3849); the remote one is 2001:db8:1::remote4. */
extern const uint8_t qpw_bench_local6[16];

void qpw_bench_build(const struct qpw_bench_packet *p, struct qpw_bench_frame *ret);

#endif
