/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * parse.h - from bytes to struct qpw_pkt. Pure: UAPI headers only, the same code natively and in BPF.
 *
 * Each header is fetched by qpw_at(), bounds-checked, at an offset. In the first pass (`direct`) it
 * reads the packet where it lies. When a header is in the packet but not in its linear part the
 * answer is QPW_PARSE_MORE: the caller copies the first QPW_COPIED_BYTES bytes and parses the copy.
 * Only beyond the packet's own length is a header truncated. Nothing is guessed: every header that
 * cannot be read ends with a named reason.
 *
 * Sources: RFC 791, 8200, 9293, 768, 9260 (SCTP), 792, 826 (ARP), 4443, 4291, 2675, IEEE 802.1Q, 802.1ad, 802.3,
 * 802.1AX (LACP), 802.1AB (LLDP).
 */
#ifndef QPW_BPF_PARSE_H
#define QPW_BPF_PARSE_H

#include "packet.h"

#define QPW_PARSE_OK 0
#define QPW_PARSE_MORE 0xff /* no reason has this number */
_Static_assert(QPW_REASON_COUNT < QPW_PARSE_MORE, "reasons fit beside QPW_PARSE_MORE");

#define QPW_ETH_P_IP 0x0800
#define QPW_ETH_P_IPV6 0x86dd
#define QPW_ETH_P_8021Q 0x8100
#define QPW_ETH_P_8021AD 0x88a8
#define QPW_ETH_P_ARP 0x0806
#define QPW_ETH_P_SLOW 0x8809 /* slow protocols, LACP among them */
#define QPW_ETH_P_LLDP 0x88cc
#define QPW_ETH_P_MIN 0x0600 /* below: 802.3 length */
#define QPW_LLC_STP 0x42

/* n bytes at off, or NULL. `direct` is a constant: packet pointers need a pointer check, the copy an offset check. */
static __always_inline const __u8 *qpw_at(const struct qpw_frame *f, __u32 off, __u32 n, const int direct)
{
    __u64 at = off;
    const __u8 *p;

    if (off > QPW_REACH || (!direct && off + n > f->length))
        return 0;
    QPW_BOUND_REACH(at);
    p = f->data + at;
    return direct && p + n > f->end ? 0 : p;
}

/* Return why qpw_at() gave nothing. */
static __always_inline int qpw_missing(const struct qpw_frame *f, __u32 off, __u32 n, int reason, const int direct)
{
    if (off + n > f->length)
        return reason;
    if (off > QPW_REACH)
        return QPW_REASON_HEADER_OFFSET;
    return direct ? QPW_PARSE_MORE : reason;
}

/*
 * Verifier: what is kept in a register is followed exactly, so each way through tags and extension headers would
 * have its own copy of all that comes after. Through memory, by a volatile access, it is just some number again.
 */
static __always_inline __u32 qpw_forget(__u16 *cell, __u32 value)
{
    *(volatile __u16 *)cell = (__u16)value;
    return *(volatile __u16 *)cell;
}

static __always_inline int qpw_parse_tcp(const struct qpw_frame *f, struct qpw_pkt *p, __u32 off, __u32 left,
                                         const int direct)
{
    const __u8 *h = qpw_at(f, off, 20, direct);
    __u32 header;

    if (left < 20)
        return p->fragment ? QPW_REASON_FRAGMENT_SHORT : QPW_REASON_L4_TRUNCATED;
    if (!h)
        return qpw_missing(f, off, 20, QPW_REASON_L4_TRUNCATED, direct);
    header = (h[12] >> 4) * 4u;
    if (header < 20 || (header > left && p->fragment != QPW_FIRST_FRAGMENT))
        return QPW_REASON_TCP_DOFF;
    p->source_port = qpw_get16(h);
    p->destination_port = qpw_get16(h + 2);
    p->seq = qpw_get32(h + 4);
    p->ack = qpw_get32(h + 8);
    p->tcp_flags = h[13];
    p->l4_header = (__u8)header;
    p->payload = header < left ? left - header : 0; /* a first fragment may end within the options */
    return QPW_PARSE_OK;
}

static __always_inline int qpw_parse_sctp(const struct qpw_frame *f, struct qpw_pkt *p, __u32 off, __u32 left,
                                          const int direct)
{
    const __u8 *h = qpw_at(f, off, 12, direct);

    if (left < 12)
        return p->fragment ? QPW_REASON_FRAGMENT_SHORT : QPW_REASON_L4_TRUNCATED;
    if (!h)
        return qpw_missing(f, off, 12, QPW_REASON_L4_TRUNCATED, direct);
    p->source_port = qpw_get16(h);
    p->destination_port = qpw_get16(h + 2);
    if (left == 12)
        return QPW_PARSE_OK;
    h = qpw_at(f, off + 12, 1, direct);
    if (h)
        p->sctp_chunk = (__u8)(h[0] + 1);
    else if (direct && off + 12 < f->length && off + 12 <= QPW_REACH)
        return QPW_PARSE_MORE;
    return QPW_PARSE_OK;
}

static __always_inline int qpw_parse_udp(const struct qpw_frame *f, struct qpw_pkt *p, __u32 off, __u32 left,
                                         const int direct)
{
    const __u8 *h = qpw_at(f, off, 8, direct);
    __u32 length;

    if (left < 8)
        return p->fragment ? QPW_REASON_FRAGMENT_SHORT : QPW_REASON_L4_TRUNCATED;
    if (!h)
        return qpw_missing(f, off, 8, QPW_REASON_L4_TRUNCATED, direct);
    length = qpw_get16(h + 4);
    /* Zero is a jumbogram's (RFC 2675) or a merged buffer's; a first fragment carries the whole datagram's length. */
    if ((length && length < 8) || (length > left && !p->fragment && !f->merged))
        return QPW_REASON_UDP_LENGTH;
    p->source_port = qpw_get16(h);
    p->destination_port = qpw_get16(h + 2);
    p->l4_header = 8;
    p->payload = left - 8;
    return QPW_PARSE_OK;
}

/* Parse the transport header at p->l4_offset, of p->payload bytes with all that follows. */
static __always_inline int qpw_parse_l4(const struct qpw_frame *f, struct qpw_pkt *p, const int direct)
{
    __u32 off = *(volatile __u16 *)&p->l4_offset, left = *(volatile __u32 *)&p->payload;
    const __u8 *h;

    if (*(volatile __u8 *)&p->fragment == QPW_LATER_FRAGMENT)
        return QPW_PARSE_OK;
    switch (p->protocol) {
    case QPW_IPPROTO_TCP:
        return qpw_parse_tcp(f, p, off, left, direct);
    case QPW_IPPROTO_UDP:
        return qpw_parse_udp(f, p, off, left, direct);
    case QPW_IPPROTO_SCTP:
        return qpw_parse_sctp(f, p, off, left, direct);
    case QPW_IPPROTO_ICMP:
    case QPW_IPPROTO_ICMPV6:
        if (left < 4)
            return QPW_REASON_L4_TRUNCATED;
        h = qpw_at(f, off, 4, direct);
        if (!h)
            return qpw_missing(f, off, 4, QPW_REASON_L4_TRUNCATED, direct);
        p->source_port = p->destination_port = h[0];
        p->icmp_code = h[1];
        return QPW_PARSE_OK;
    default:
        return QPW_PARSE_OK;
    }
}

/* Set position and length of the transport header, for qpw_parse_l4(). */
static __always_inline int qpw_parsed_network(struct qpw_pkt *p, __u32 off, __u32 left)
{
    if (off > QPW_REACH) {
        p->l4_offset = QPW_REACH + 1;
        p->payload = left;
        return p->fragment == QPW_LATER_FRAGMENT ? QPW_PARSE_OK : QPW_REASON_HEADER_OFFSET;
    }
    p->l4_offset = (__u16)off;
    p->payload = left;
    return QPW_PARSE_OK;
}

static __always_inline void qpw_set_v4(__u8 *to, const __u8 *from)
{
    qpw_set_word(to, 0);
    qpw_set_word(to + 4, 0);
    qpw_set_word(to + 8, __builtin_bswap32(0xffff));
    qpw_set_word(to + 12, qpw_word(from));
}

static __always_inline int qpw_parse_v4(const struct qpw_frame *f, struct qpw_pkt *p, __u32 off, const int direct)
{
    const __u8 *h = qpw_at(f, off, 20, direct);
    __u32 header, total, there;
    __u16 frag;

    if (!h)
        return qpw_missing(f, off, 20, QPW_REASON_IP_TRUNCATED, direct);
    if (h[0] >> 4 != 4)
        return QPW_REASON_IP_VERSION;
    qpw_set_v4(p->source, h + 12);
    qpw_set_v4(p->destination, h + 16);
    p->has_addresses = 1;
    p->hops = h[8];
    p->protocol = h[9];
    header = (h[0] & 15) * 4u;
    if (header < 20)
        return QPW_REASON_IP_IHL;
    total = qpw_get16(h + 2);
    there = f->wire - off;
    if (f->merged || (total == 0 && (f->offloaded || there > 65535)))
        total = there; /* BIG TCP (5.19) leaves it zero; a merged buffer's is not the wire's */
    if (total < header || total > there)
        return QPW_REASON_IP_LENGTH;
    if (off + header > f->length)
        return QPW_REASON_IP_TRUNCATED;
    frag = qpw_get16(h + 6);
    p->unsplit = frag >> 14 & 1;
    if (frag & 0x3fff) {
        p->fragment = frag & 0x1fff ? QPW_LATER_FRAGMENT : QPW_FIRST_FRAGMENT;
        p->fragment_id = qpw_get16(h + 4);
    }
    return qpw_parsed_network(p, off + header, total - header);
}

/* Move *off and *next over the extension header at *off. Returns QPW_PARSE_OK, a reason or QPW_PARSE_MORE. */
static __always_inline int qpw_parse_extension(const struct qpw_frame *f, struct qpw_pkt *p, __u32 *off, __u8 *next,
                                               const int direct)
{
    const __u8 *h = qpw_at(f, *off, 8, direct);
    __u16 frag;

    if (!h)
        return qpw_missing(f, *off, 8, QPW_REASON_EXT_TRUNCATED, direct);
    if (*next == QPW_EXT_FRAGMENT) {
        frag = qpw_get16(h + 2);
        if (frag & 0xfff8)
            p->fragment = QPW_LATER_FRAGMENT;
        else if (frag & 1)
            p->fragment = QPW_FIRST_FRAGMENT; /* neither: an atomic fragment, RFC 6946 */
        p->fragment_id = qpw_get32(h + 4);
        *off += 8;
    } else {
        *off += (h[1] + 1u) * 8;
    }
    *next = h[0];
    return QPW_PARSE_OK;
}

/*
 * Headers behind which a node looks for another one. Mobility, HIP and Shim6 (135, 139, 140) have their form, but are
 * what the packet is about: hosts that do not speak them look no further, so they stay the packet's protocol.
 */
static __always_inline int qpw_is_extension(__u8 next)
{
    return next < 64 && (QPW_EXTENSIONS >> next & 1); /* in one test, for the verifier's sake */
}

/*
 * ::ffff:a.b.c.d, which stands for IPv4 within a host and never belongs on the wire (RFC 4291, 2.5.5.2; RFC 4942, 2.2).
 */
static __always_inline int qpw_is_mapped(const __u8 *addr)
{
    return qpw_word(addr + 8) == __builtin_bswap32(0xffff) && !(qpw_word(addr) | qpw_word(addr + 4));
}

static __always_inline int qpw_parse_v6(const struct qpw_frame *f, struct qpw_pkt *p, __u32 off, const int direct)
{
    const __u8 *h = qpw_at(f, off, 40, direct);
    __u32 start = off + 40, total, there;
    __u8 next;
    int rc;

    if (!h)
        return qpw_missing(f, off, 40, QPW_REASON_IP_TRUNCATED, direct);
    if (h[0] >> 4 != 6)
        return QPW_REASON_IP_VERSION;
    qpw_copy16(p->source, h + 8);
    qpw_copy16(p->destination, h + 24);
    if (qpw_is_mapped(p->source) || qpw_is_mapped(p->destination))
        return QPW_REASON_MAPPED; /* its addresses would be taken for IPv4's, a peer's among them */
    p->has_addresses = 1;
    p->v6 = 1;
    p->unsplit = 1;
    p->hops = h[7];
    next = h[6];
    p->protocol = next;
    total = qpw_get16(h + 4);
    there = f->wire - start;
    /* A jumbogram (RFC 2675) has its length in the hop-by-hop header, BIG TCP nowhere. 59: nothing is to follow. */
    if (f->merged || (total == 0 && next != QPW_EXT_NO_NEXT && (f->offloaded || there > 65535)))
        total = there;
    if (total > there)
        return QPW_REASON_IP_LENGTH;

    off = start;
    for (int i = 0; i < QPW_MAX_EXTENSIONS; i++) {
        if (!qpw_is_extension(next))
            break;
        if (direct && i == QPW_DIRECT_EXTENSIONS)
            return QPW_PARSE_MORE;
        if (off + 8 > start + total)
            return QPW_REASON_EXT_TRUNCATED;
        if (off - start > QPW_EXTENSION_BYTES || off > QPW_REACH)
            return QPW_REASON_HEADER_OFFSET;
        off = qpw_forget(&p->l4_offset, off);
        rc = qpw_parse_extension(f, p, &off, &next, direct);
        if (rc)
            return rc;
        p->protocol = next;
        if (p->fragment == QPW_LATER_FRAGMENT)
            break; /* what follows is data of the datagram, not a header */
    }
    if (p->fragment != QPW_LATER_FRAGMENT && qpw_is_extension(next))
        return QPW_REASON_EXT_DEPTH;
    if (off > start + total)
        return QPW_REASON_EXT_TRUNCATED;
    if (off - start > QPW_EXTENSION_BYTES && p->fragment != QPW_LATER_FRAGMENT)
        return QPW_REASON_HEADER_OFFSET;
    return qpw_parsed_network(p, off, start + total - off);
}

/* 802.3 with an LLC header: what stands for the EtherType is the DSAP, or the SNAP protocol. */
static __always_inline int qpw_parse_llc(const struct qpw_frame *f, struct qpw_pkt *p, __u32 off, const int direct)
{
    const __u8 *h = qpw_at(f, off, 3, direct);

    if (!h)
        return qpw_missing(f, off, 3, QPW_REASON_SHORT_ETHERNET, direct);
    p->ethertype = h[0];
    if (h[0] != 0xaa || h[1] != 0xaa)
        return QPW_PARSE_OK;
    h = qpw_at(f, off, 8, direct);
    if (!h)
        return qpw_missing(f, off, 8, QPW_REASON_SHORT_ETHERNET, direct);
    if (h[3] == 0 && h[4] == 0 && h[5] == 0x0c && qpw_get16(h + 6) == 0x2000)
        p->ethertype = QPW_ETHERTYPE_CDP;
    return QPW_PARSE_OK;
}

/* Go from the Ethernet header to the network header: set *off and p->ethertype. */
static __always_inline int qpw_parse_l2(const struct qpw_frame *f, struct qpw_pkt *p, __u32 *off, const int direct)
{
    const __u8 *h = qpw_at(f, 0, 14, direct);
    __u32 at = 14;
    __u16 type;

    if (!h)
        return qpw_missing(f, 0, 14, QPW_REASON_SHORT_ETHERNET, direct);
    for (int i = 0; i < 12; i += 4)
        qpw_set_word(p->macs + i, qpw_word(h + i));
    type = qpw_get16(h + 12);
    for (int i = 0; i < QPW_MAX_VLAN_TAGS; i++) {
        if (type != QPW_ETH_P_8021Q && type != QPW_ETH_P_8021AD)
            break;
        h = qpw_at(f, at, 4, direct);
        if (!h)
            return qpw_missing(f, at, 4, QPW_REASON_VLAN_TRUNCATED, direct);
        if (i == 0 && !f->vlan_present)
            p->vlan = qpw_get16(h) & 0xfff;
        type = qpw_get16(h + 2);
        at += 4;
    }
    if (type == QPW_ETH_P_8021Q || type == QPW_ETH_P_8021AD)
        return QPW_REASON_VLAN_DEPTH;
    p->ethertype = type;
    *off = at;
    return type < QPW_ETH_P_MIN ? qpw_parse_llc(f, p, at, direct) : QPW_PARSE_OK;
}

/* Parse up to the network header, whose offset is left in p->l4_offset: the first stage. */
static __always_inline int qpw_parse_link(const struct qpw_frame *f, struct qpw_pkt *p, const int direct)
{
    __u32 off = 0;
    int rc;

    if (f->vlan_present)
        p->vlan = f->vlan_tci & 0xfff;
    if (f->l3) {
        p->ethertype = f->ethertype;
    } else {
        rc = qpw_parse_l2(f, p, &off, direct);
        if (rc)
            return rc;
    }
    p->l4_offset = (__u16)off;
    p->kind = p->ethertype == QPW_ETH_P_IP || p->ethertype == QPW_ETH_P_IPV6 ? QPW_PKT_IP : QPW_PKT_NON_IP;
    return QPW_PARSE_OK;
}

/* Parse the network header at p->l4_offset, and IPv6's extension headers: the second. */
static __always_inline int qpw_parse_network(const struct qpw_frame *f, struct qpw_pkt *p, const int direct)
{
    __u32 off = *(volatile __u16 *)&p->l4_offset;
    __u16 type = *(volatile __u16 *)&p->ethertype;

    if (type == QPW_ETH_P_IP)
        return qpw_parse_v4(f, p, off, direct);
    return type == QPW_ETH_P_IPV6 ? qpw_parse_v6(f, p, off, direct) : QPW_PARSE_OK;
}

#define QPW_ARP_BYTES 28u
#define QPW_ARP_MOST 50u  /* with the padding of a short frame, and a checksum that was captured with it */
#define QPW_LACP_MOST 128u /* LACP's and its marker's 110 bytes, and the same */

/* Return whether the frame is to 01-80-C2-00-00-0x, the groups that no bridge forwards (IEEE 802.1Q, table 8-1). */
static __always_inline int qpw_to_bridge_group(const struct qpw_pkt *p)
{
    return p->macs[0] == 0x01 && p->macs[1] == 0x80 && p->macs[2] == 0xc2 && !(p->macs[3] | p->macs[4]) &&
           p->macs[5] < 0x10;
}

static __always_inline int qpw_is_arp(const __u8 *h, __u32 bytes)
{
    return qpw_get16(h) == 1 && qpw_get16(h + 2) == QPW_ETH_P_IP && h[4] == 6 && h[5] == 4 &&
           (qpw_get16(h + 6) == 1 || qpw_get16(h + 6) == 2) && bytes <= QPW_ARP_MOST;
}

/* Recognize link control by its own group addresses and its first bytes. h: three bytes. */
static __always_inline int qpw_is_link_control(const struct qpw_pkt *p, const __u8 *h, __u32 bytes)
{
    if (p->ethertype == QPW_ETHERTYPE_CDP)
        return p->macs[0] == 0x01 && !p->macs[1] && p->macs[2] == 0x0c && p->macs[3] == 0xcc && p->macs[4] == 0xcc &&
               p->macs[5] == 0xcc;
    if (!qpw_to_bridge_group(p))
        return 0;
    if (p->ethertype == QPW_ETH_P_SLOW)
        return (h[0] == 1 || h[0] == 2) && bytes <= QPW_LACP_MOST; /* LACP, its marker */
    if (p->ethertype == QPW_ETH_P_LLDP)
        return h[0] >> 1 == 1; /* begins with the chassis */
    return h[1] == QPW_LLC_STP && h[2] == 3;
}

/* Set p->form: whether a non-IP frame has the form of the protocol its EtherType names. */
static __always_inline int qpw_parse_frame(const struct qpw_frame *f, struct qpw_pkt *p, const int direct)
{
    __u32 off = *(volatile __u16 *)&p->l4_offset, need = p->ethertype == QPW_ETH_P_ARP ? QPW_ARP_BYTES : 3, bytes;
    const __u8 *h;
    int right;

    if (p->ethertype != QPW_ETH_P_ARP && p->ethertype != QPW_ETH_P_SLOW && p->ethertype != QPW_ETH_P_LLDP &&
        p->ethertype != QPW_LLC_STP && p->ethertype != QPW_ETHERTYPE_CDP)
        return QPW_PARSE_OK;
    if (off + need > f->wire) {
        p->form = QPW_FORM_WRONG;
        return QPW_PARSE_OK;
    }
    bytes = f->wire - off;
    h = need == 3 ? qpw_at(f, off, 3, direct) : qpw_at(f, off, QPW_ARP_BYTES, direct);
    if (!h) /* a capture cut it, or it is not in the linear part */
        return qpw_missing(f, off, need, QPW_PARSE_OK, direct);
    if (need == 3) {
        right = qpw_is_link_control(p, h, bytes);
    } else {
        right = qpw_is_arp(h, bytes);
        qpw_set_word(p->source + 12, qpw_word(h + 14));
        qpw_set_word(p->destination + 12, qpw_word(h + 24));
    }
    p->form = right ? QPW_FORM_RIGHT : QPW_FORM_WRONG;
    return QPW_PARSE_OK;
}

/* Parse the transport header: the third and last. */
static __always_inline int qpw_parse_transport(const struct qpw_frame *f, struct qpw_pkt *p, const int direct)
{
    __u8 kind = *(volatile __u8 *)&p->kind;

    if (kind == QPW_PKT_NON_IP)
        return qpw_parse_frame(f, p, direct);
    return kind == QPW_PKT_IP ? qpw_parse_l4(f, p, direct) : QPW_PARSE_OK;
}

/* Conclude the stages. 0: p->kind is set. 1: more bytes are needed. */
static __always_inline int qpw_parse_end(struct qpw_pkt *p, int rc)
{
    *(volatile __u8 *)&p->reason = (__u8)rc; /* verifier: as in qpw_forget(), or each reason is followed by itself */
    rc = *(volatile __u8 *)&p->reason;
    if (rc == QPW_PARSE_MORE) {
        p->reason = 0;
        return 1;
    }
    if (rc)
        p->kind = QPW_PKT_UNDECODABLE;
    return 0;
}

/*
 * Parse f into p (zeroed by the caller). `direct`: constant 1 reads f->data…f->end, 0 reads a copy of
 * f->length bytes in a buffer of QPW_HEADER_BYTES. Returns 0 with p->kind set, or 1: more bytes are needed.
 */
static __always_inline int qpw_parse(const struct qpw_frame *f, struct qpw_pkt *p, const int direct)
{
    int rc = qpw_parse_link(f, p, direct);

    if (!rc)
        rc = qpw_parse_network(f, p, direct);
    if (!rc)
        rc = qpw_parse_transport(f, p, direct);
    return qpw_parse_end(p, rc);
}

#endif
