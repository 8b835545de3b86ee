/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fast.h - the way of most packets: parse, tag, cache and count in registers, without the work area.
 *
 * It knows the common forms alone: Ethernet or none, at most two tags, IPv4 without options or IPv6 with at most one
 * extension header, TCP that neither opens nor closes, UDP, or a later fragment, all of it in the linear part. Whatever
 * else comes, or is not in the cache, is left to qpw_packet(): nothing is written before the packet is counted. What it
 * takes it takes as parse.h does; tests send the same frames through both.
 */
#ifndef QPW_BPF_FAST_H
#define QPW_BPF_FAST_H

#include <bpf/bpf_endian.h>

#include "cache.h"
#include "count.h"
#include "maps.h"
#include "parse.h"

/* A packet of that form. */
struct qpw_fast {
    struct qpw_tag tag;
    const __u8 *l4;
    __u32 headers; /* bytes from the frame's first one to the end of the transport header, or as far as was read */
    __u32 end;     /* where the IP packet ends, counted from there, too */
    __u32 fragment_id;
    __u16 vlan;
    __u8 protocol;
    __u8 fragment; /* a later one: there is no transport header */
};

#define QPW_FAST_EXTENSION 64u /* bytes: longer ones are rare */

/* Read two bytes as they stand in the packet. */
static __always_inline __u16 qpw_half(const __u8 *p)
{
    return *(const __u16 __attribute__((may_alias)) *)p;
}

/*
 * Return the length of the frame. XDP: the helper that knows costs as much as a third of this path. Where the IP packet ends
 * with the linear part nothing follows: a card fills its buffer before it takes another, and buffers have 512 bytes or
 * more and end at multiples of 64. Below 64 bytes the linear part may be a header that the card split off.
 */
static __always_inline __u32 qpw_fast_length(void *ctx, const struct qpw_input *in, const struct qpw_fast *f, const int xdp)
{
    __u32 linear = in->frame.length;

    if (!xdp || !config.has_xdp_buff_len || (f->end == linear && (linear - 64 < 448 || (linear > 512 && linear & 63))))
        return linear;
    return (__u32)bpf_xdp_get_buff_len(ctx);
}

static __always_inline int qpw_fast_is_tag(__u16 type)
{
    return type == bpf_htons(QPW_ETH_P_8021Q) || type == bpf_htons(QPW_ETH_P_8021AD);
}

/* Find the network header; NULL: the form is another. *type in network order. */
static __always_inline const __u8 *qpw_fast_link(const struct qpw_input *in, struct qpw_fast *f, const int l3,
                                                 __u16 *type)
{
    const __u8 *data = in->frame.data, *end = in->frame.end;

    f->vlan = in->frame.vlan_present ? in->frame.vlan_tci & 0xfff : 0;
    if (l3) {
        *type = bpf_htons(in->frame.ethertype);
        return data;
    }
    if (data + 14 > end)
        return 0;
    f->headers = 14;
    *type = qpw_half(data + 12);
    if (!qpw_fast_is_tag(*type))
        return data + 14;
    if (data + 18 > end)
        return 0;
    f->headers = 18;
    if (!in->frame.vlan_present)
        f->vlan = bpf_ntohs(qpw_half(data + 14)) & 0xfff;
    *type = qpw_half(data + 16);
    if (!qpw_fast_is_tag(*type))
        return data + 18;
    if (data + 22 > end)
        return 0;
    f->headers = 22;
    *type = qpw_half(data + 20);
    return data + 22;
}

/* Record that an IP header of `header` bytes was read, whose length field gives `bytes` in all. */
static __always_inline void qpw_fast_read(const struct qpw_input *in, struct qpw_fast *f, const __u8 *h, __u32 header,
                                          __u32 bytes)
{
    f->end = in->frame.merged ? in->frame.length : f->headers + bytes; /* a merged buffer's own length is not the wire's */
    f->headers += header;
    f->l4 = h + header;
}

/* Parse IPv4. Returns 0 if the form is another. */
static __always_inline int qpw_fast_v4(const struct qpw_input *in, struct qpw_fast *f, const __u8 *h, const int rx)
{
    __u16 fragment;

    if (h + 20 > in->frame.end || h[0] != 0x45)
        return 0;
    fragment = qpw_half(h + 6) & bpf_htons(0x3fff);
    if (fragment) {
        if (!(fragment & bpf_htons(0x1fff)) || in->frame.merged)
            return 0; /* the first one */
        f->fragment = 1;
        f->fragment_id = bpf_ntohs(qpw_half(h + 4));
    }
    f->protocol = h[9];
    /* It takes the word 12 bytes on. */
    f->tag = qpw_tag_pair(config.secret, rx ? h + 4 : h, rx ? h : h + 4, /* v6= */ 0);
    qpw_fast_read(in, f, h, 20, bpf_ntohs(qpw_half(h + 2)));
    return 1;
}

/*
 * Parse the extension header at h + 40, behind which the next one begins at f->l4. Returns 0 if the form is another.
 */
static __always_inline int qpw_fast_extension(const struct qpw_input *in, struct qpw_fast *f, const __u8 *h)
{
    __u32 bytes = 8;

    if (h + 48 > in->frame.end)
        return 0;
    if (f->protocol == QPW_EXT_FRAGMENT) {
        if (!(qpw_half(h + 42) & bpf_htons(0xfff8)) || in->frame.merged)
            return 0; /* the first one, or all of it */
        f->fragment = 1;
        f->fragment_id = bpf_ntohl(qpw_word(h + 44));
    } else {
        bytes = (h[41] + 1u) * 8;
        if (bytes > QPW_FAST_EXTENSION || qpw_is_extension(h[40]))
            return 0;
    }
    f->protocol = h[40];
    f->headers += bytes;
    f->l4 += bytes;
    return 1;
}

/* Parse IPv6. A length of zero is BIG TCP's or a jumbogram's. Returns 0 if the form is another. */
static __always_inline int qpw_fast_v6(const struct qpw_input *in, struct qpw_fast *f, const __u8 *h, const int rx)
{
    __u32 bytes;

    if (h + 40 > in->frame.end || h[0] >> 4 != 6 || qpw_is_mapped(h + 8) || qpw_is_mapped(h + 24))
        return 0;
    bytes = bpf_ntohs(qpw_half(h + 4));
    if (!bytes && !in->frame.merged)
        return 0;
    f->protocol = h[6];
    f->tag = qpw_tag_pair(config.secret, rx ? h + 24 : h + 8, rx ? h + 8 : h + 24, /* v6= */ 1);
    qpw_fast_read(in, f, h, 40, 40 + bytes);
    return !qpw_is_extension(f->protocol) || qpw_fast_extension(in, f, h);
}

/* Parse the transport header. Returns 0 if the form is another, or it opens or closes a connection. */
static __always_inline int qpw_fast_transport(const struct qpw_input *in, struct qpw_fast *f)
{
    const __u8 *h = f->l4, *end = in->frame.end;
    __u32 start = f->headers, n;

    if (f->fragment)
        return f->headers <= f->end;
    if (f->protocol == QPW_IPPROTO_TCP) {
        if (h + 20 > end || h[13] & (QPW_TCP_FIN | QPW_TCP_SYN | QPW_TCP_RST))
            return 0;
        n = (h[12] >> 4) * 4u;
        f->headers += n;
        return n >= 20 && f->headers <= f->end;
    }
    if (f->protocol != QPW_IPPROTO_UDP || h + 8 > end)
        return 0;
    n = bpf_ntohs(qpw_half(h + 4));
    f->headers += 8;
    return f->headers <= f->end && (!n || n >= 8) && (start + n <= f->end || in->frame.merged);
}

/* What the fast path has made of a packet. */
#define QPW_FAST_OTHER 0u  /* nothing: its form is another */
#define QPW_FAST_COUNTED 1u
#define QPW_FAST_MISSED 2u /* the cache does not know it: there is no need to ask again */

/* Return the slot that the cache knows the packet by; 0: it does not. As qpw_identify() and qpw_cache_find(). */
static __always_inline __u32 qpw_fast_slot(const struct qpw_input *in, struct qpw_fast *f, const int rx)
{
    __u32 ports, incarnation;

    if (f->fragment) {
        incarnation = qpw_pair_incarnation(qpw_tag_pair_number(&f->tag));
        qpw_tag_exchange(&f->tag, config.secret, 0, 0, f->protocol);
        qpw_tag_packet(&f->tag, config.secret, in->ifindex, f->vlan, f->fragment_id);
        f->tag.a += QPW_TAG_FRAGMENT;
    } else {
        ports = bpf_ntohl(qpw_word(f->l4));
        if (rx)
            ports = ports << 16 | ports >> 16; /* the local one first */
        qpw_tag_exchange(&f->tag, config.secret, ports >> 16, ports & 0xffff, f->protocol);
        incarnation = qpw_incarnation(qpw_tag_incarnation(&f->tag), /* is_syn= */ 0);
        qpw_tag_packet(&f->tag, config.secret, in->ifindex, f->vlan, /* special= */ 0);
    }
    return qpw_cache_find(&f->tag, incarnation, rx, f->end - f->headers, qpw_clock());
}

/* Return QPW_FAST_*. rx, l3, xdp: constants of the entry point. */
static __always_inline __u32 qpw_fast_path(void *ctx, const struct qpw_input *in, const int rx, const int l3,
                                         const int xdp)
{
    struct qpw_fast f = {};
    struct qpw_wire wire;
    const __u8 *network;
    __u32 slot, length;
    __u16 type = 0;

    if (!config.fast_path)
        return QPW_FAST_OTHER;
    network = qpw_fast_link(in, &f, l3, &type);
    if (!network || !(type == bpf_htons(QPW_ETH_P_IP)     ? qpw_fast_v4(in, &f, network, rx)
                      : type == bpf_htons(QPW_ETH_P_IPV6) ? qpw_fast_v6(in, &f, network, rx)
                                                          : 0))
        return QPW_FAST_OTHER;
    if (!qpw_fast_transport(in, &f))
        return QPW_FAST_OTHER;
    if (!l3)
        qpw_tag_group(&f.tag, in->frame.data);
    length = qpw_fast_length(ctx, in, &f, xdp);
    if (f.end > length)
        return QPW_FAST_OTHER; /* its length field exceeds the frame */
    slot = qpw_fast_slot(in, &f, rx);
    if (!slot)
        return QPW_FAST_MISSED;
    wire = qpw_wire_of(in, length, f.end - f.headers, /* is_ip= */ 1);
    qpw_count(slot, rx, wire.frames, wire.bytes);
    return QPW_FAST_COUNTED;
}

#endif
