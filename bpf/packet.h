/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet.h - a packet before and after parsing: plain structs, for the programs and for native tests.
 */
#ifndef QPW_BPF_PACKET_H
#define QPW_BPF_PACKET_H

#include <linux/types.h>

#include "qportwatch.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef barrier_var /* bpf_helpers.h */
#define barrier_var(var) asm volatile("" : "=r"(var) : "0"(var))
#endif

/*
 * Extension headers are followed so far behind the IPv6 header. With two tags in front of it no header starts beyond
 * QPW_REACH; QPW_COPIED_BYTES are copied when one is not in the linear part: the longest fixed header (IPv6, 40 bytes)
 * fits behind that. The buffer is a power of two for the mask that bounds the copy.
 */
#define QPW_EXTENSION_BYTES 1024u
#define QPW_REACH (14 + 8 + 40 + QPW_EXTENSION_BYTES)
#define QPW_COPIED_BYTES 1152u
#define QPW_HEADER_BYTES 2048u

/* Frames of a replay that one test run takes: a system call each would cost as much as the frame itself. */
#define QPW_REPLAY_FRAMES 128u
struct qpw_replay_frame {
    __u64 now_ns;  /* as control.replay_*, */
    __u32 bytes;
    __u32 wire;
    __u32 captured; /* up to QPW_COPIED_BYTES */
    __u8 tx;        /* the node sends it */
    __u8 is_last;   /* of those handed over */
    __u8 pad[2];
    __u8 data[QPW_HEADER_BYTES]; /* so many, because the verifier knows no other bound of `captured` */
};
/*
 * Verifier: the compiler may compare one copy of an offset and use another, which is then unbounded
 * (seen on 5.10 and 6.1). The mask is applied to the very register; it changes no value up to QPW_REACH.
 */
#ifdef __bpf__
#define QPW_BOUND_REACH(at) asm volatile("%0 &= 2047" : "+r"(at))
#else
#define QPW_BOUND_REACH(at) ((void)(at))
#endif
_Static_assert(QPW_REACH <= 2047, "within the mask");
_Static_assert(QPW_REACH + 40 <= QPW_COPIED_BYTES && QPW_COPIED_BYTES <= QPW_HEADER_BYTES, "every header is copied");
#define QPW_MAX_VLAN_TAGS 2
#define QPW_MAX_EXTENSIONS 16 /* IPv6 extension headers, the fragment header included */
#ifdef __bpf__
#define QPW_DIRECT_EXTENSIONS 2 /* how many are followed in the packet itself; with more the copy is parsed */
#else
#define QPW_DIRECT_EXTENSIONS QPW_MAX_EXTENSIONS
#endif

/* The frame as the hook presents it. */
struct qpw_frame {
    const __u8 *data; /* first byte: Ethernet header, or the IP header on a layer-3 device */
    const __u8 *end;  /* end of what can be read directly */
    __u32 length;     /* bytes of the whole packet, linear or not */
    __u32 wire;       /* its length on the wire; greater than length only where a capture cut it */
    __u16 ethertype;  /* layer-3 devices: the protocol as the device gives it */
    __u16 vlan_tci;   /* tag in the buffer's metadata */
    __u8 vlan_present;
    __u8 l3;          /* no Ethernet header */
    __u8 merged;      /* GRO or GSO buffer: its IP length may be that of the whole, or zero */
    __u8 offloaded;   /* replay: an IP length of zero was to be filled in by the card and means "to the end" */
};

/* A buffer's properties that come from the hook, not from its bytes. */
struct qpw_input {
    struct qpw_frame frame;
    __u32 ifindex;
    __u32 gso_segs; /* 0: unknown or not merged */
    __u32 gso_size;
    __u32 bytes;    /* 0: to be reckoned from gso (TC ingress) */
};

/* qpw_pkt.kind */
enum qpw_pkt_kind {
    QPW_PKT_NONE = 0,
    QPW_PKT_IP,          /* addresses, protocol and, where it has them, ports are valid */
    QPW_PKT_NON_IP,      /* ethertype is valid */
    QPW_PKT_UNDECODABLE, /* see reason; has_addresses if the IP header could be read */
};

enum qpw_fragment { QPW_WHOLE = 0, QPW_FIRST_FRAGMENT, QPW_LATER_FRAGMENT };

struct qpw_pkt {
    __u8 source[16];
    __u8 destination[16];
    __u8 macs[12]; /* destination, source; zero on layer-3 devices */
    __u16 source_port;      /* ICMP: the type, in both */
    __u16 destination_port;
    __u32 seq;
    __u32 ack;
    __u32 fragment_id;
    __u32 payload; /* transport payload in bytes, by the IP length; SCTP: with its header */
    __u16 l4_offset;
    __u16 ethertype;
    __u16 vlan; /* outermost VLAN id, 0: untagged */
    __u8 kind;
    __u8 reason;
    __u8 protocol;
    __u8 tcp_flags;
    __u8 icmp_code;
    __u8 fragment;
    __u8 has_addresses;
    __u8 v6;
    __u8 sctp_chunk; /* type of the first chunk + 1; 0: there is none, or it cannot be read */
    __u8 hops;       /* IPv4's time to live, IPv6's hop limit */
    __u8 unsplit;    /* no router may fragment it: IPv4 with DF, IPv6 */
    __u8 form;       /* non-IP: enum qpw_form */
    __u8 l4_header;  /* bytes of the TCP or UDP header */
};

/* Form of a non-IP frame: whether it has that of the protocol its EtherType names. */
enum qpw_form { QPW_FORM_UNKNOWN = 0, QPW_FORM_RIGHT, QPW_FORM_WRONG };

#define QPW_TCP_FIN 0x01
#define QPW_TCP_SYN 0x02
#define QPW_TCP_RST 0x04
#define QPW_TCP_ACK 0x10

/* Types of SCTP's chunks (RFC 9260, 3.2; RFC 8260). */
#define QPW_SCTP_DATA 0
#define QPW_SCTP_SACK 3
#define QPW_SCTP_ABORT 6
#define QPW_SCTP_SHUTDOWN_COMPLETE 14
#define QPW_SCTP_I_DATA 64

/* ICMP and ICMPv6 types (RFC 792, 4443, 4861, 8335). */
#define QPW_ICMP_UNREACHABLE 3
#define QPW_ICMP_REDIRECT 5
#define QPW_ICMP_ECHO 8
#define QPW_ICMP_EXTENDED_ECHO 42
#define QPW_ICMP6_UNREACHABLE 1
#define QPW_ICMP6_ECHO 128
#define QPW_ICMP6_ADVERTISEMENT 134 /* of a router */
#define QPW_ICMP6_REDIRECT 137
#define QPW_ICMP6_EXTENDED_ECHO 160

#define QPW_IPPROTO_ICMP 1
#define QPW_IPPROTO_TCP 6
#define QPW_IPPROTO_UDP 17
#define QPW_IPPROTO_ICMPV6 58
#define QPW_IPPROTO_SCTP 132
/* Extension headers of IPv6, RFC 8200, 4.1. */
#define QPW_EXT_HOP_BY_HOP 0
#define QPW_EXT_ROUTING 43
#define QPW_EXT_FRAGMENT 44
#define QPW_EXT_NO_NEXT 59
#define QPW_EXT_DESTINATION 60
#define QPW_EXTENSIONS (1ull << QPW_EXT_HOP_BY_HOP | 1ull << QPW_EXT_ROUTING | 1ull << QPW_EXT_FRAGMENT | \
                        1ull << QPW_EXT_DESTINATION)

/* Return whether it is a SYN, with or without ACK. */
static __always_inline int qpw_is_syn(const struct qpw_pkt *p)
{
    return p->protocol == QPW_IPPROTO_TCP && (p->tcp_flags & QPW_TCP_SYN);
}

/* Return whether it carries TCP payload. Of a first fragment the rest lies in the others: options, where it is a SYN. */
static __always_inline int qpw_carries(const struct qpw_pkt *p)
{
    return p->payload || (p->fragment == QPW_FIRST_FRAGMENT && !(p->tcp_flags & QPW_TCP_SYN));
}

/*
 * BPF: words, which kernels that run this load and store at any address but on the stack; a copy of bytes, which may
 * stand anywhere, is made byte by byte.
 */
static __always_inline __u16 qpw_get16(const __u8 *p)
{
#ifdef __bpf__
    return __builtin_bswap16(*(const __u16 __attribute__((may_alias)) *)p);
#else
    return (__u16)(p[0] << 8 | p[1]);
#endif
}

static __always_inline __u32 qpw_get32(const __u8 *p)
{
#ifdef __bpf__
    return __builtin_bswap32(*(const __u32 __attribute__((may_alias)) *)p);
#else
    return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
#endif
}

/* Copy an address. */
static __always_inline void qpw_copy16(void *to, const void *from)
{
#ifdef __bpf__
    __u64 __attribute__((may_alias)) *t = to;
    const __u64 __attribute__((may_alias)) *f = from;
    __u64 first = f[0];

    t[1] = f[1];
    t[0] = first;
#else
    __builtin_memcpy(to, from, 16);
#endif
}

/* Read four bytes as they stand. */
static __always_inline __u32 qpw_word(const __u8 *p)
{
#ifdef __bpf__
    return *(const __u32 __attribute__((may_alias)) *)p;
#else
    __u32 word;

    __builtin_memcpy(&word, p, 4);
    return word;
#endif
}

static __always_inline void qpw_set_word(__u8 *to, __u32 word)
{
#ifdef __bpf__
    *(__u32 __attribute__((may_alias)) *)to = word;
#else
    __builtin_memcpy(to, &word, 4);
#endif
}

static __always_inline int qpw_is_multicast(const __u8 *addr)
{
    if (addr[0] == 0xff)
        return 1;
    return addr[10] == 0xff && addr[11] == 0xff && addr[0] == 0 && (addr[12] >> 4) == 14;
}

static __always_inline __u8 qpw_kind(__u8 protocol)
{
    if (protocol == QPW_IPPROTO_TCP || protocol == QPW_IPPROTO_UDP || protocol == QPW_IPPROTO_SCTP)
        return QPW_KIND_PORT;
    if (protocol == QPW_IPPROTO_ICMP || protocol == QPW_IPPROTO_ICMPV6)
        return QPW_KIND_ICMP;
    return QPW_KIND_PROTOCOL;
}

#endif
