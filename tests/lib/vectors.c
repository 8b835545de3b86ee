/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "vectors.h"

#include <string.h>

static const uint8_t nops[40] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

#define V4 .source = "10.0.0.9", .destination = "10.0.0.1"
#define V6 .source = "fd00::9", .destination = "fd00::1"
#define ETH(p, ...) packet_ethernet((p), &(struct packet_ethernet){__VA_ARGS__})
#define IP4(p, ...) packet_ipv4((p), &(struct packet_ipv4){V4, __VA_ARGS__})
#define IP6(p, ...) packet_ipv6((p), &(struct packet_ipv6){V6, __VA_ARGS__})
#define EXT(p, ...) packet_extension((p), &(struct packet_extension){__VA_ARGS__})
#define FRAG6(p, ...) packet_fragment6((p), &(struct packet_fragment6){__VA_ARGS__})
#define TCP(p, ...) packet_tcp((p), &(struct packet_tcp){.source = 40000, .destination = 445, .flags = 2, __VA_ARGS__})
#define UDP(p, ...) packet_udp((p), &(struct packet_udp){.source = 40000, .destination = 2049, __VA_ARGS__})
#define SCTP(p) packet_sctp((p), &(struct packet_sctp){.source = 40000, .destination = 3868, .chunk = 1})
#define ICMP(p, t, c) packet_icmp((p), &(struct packet_icmp){.type = (t), .code = (c), .payload_bytes = 16})
#define BYTES(p, n) packet_bytes((p), NULL, (n))
#define ARP(p) packet_arp((p), &(struct packet_arp){.sender = "10.0.0.9", .target = "10.0.0.1"})
#define VLAN(p, type, tag) packet_vlan((p), (type), (tag))
#define BUILD(name) static void name(struct packet *p)

BUILD(tcp4) { ETH(p); IP4(p); TCP(p, .payload_bytes = 9); }
BUILD(tcp4_options)
{
    ETH(p);
    IP4(p, .options = nops, .options_bytes = 40);
    TCP(p, .options = nops, .options_bytes = 40);
}
BUILD(tcp6) { ETH(p); IP6(p); TCP(p, .payload_bytes = 9); }
BUILD(udp4) { ETH(p); IP4(p); UDP(p, .payload_bytes = 9); }
BUILD(udp4_empty) { ETH(p); IP4(p); UDP(p); }
BUILD(udp6) { ETH(p); IP6(p); UDP(p, .payload_bytes = 9); }
BUILD(sctp4) { ETH(p); IP4(p); SCTP(p); }
BUILD(sctp6) { ETH(p); IP6(p); SCTP(p); }
BUILD(icmp4) { ETH(p); IP4(p); ICMP(p, 8, 0); }
BUILD(icmp6) { ETH(p); IP6(p); ICMP(p, 135, 0); }
BUILD(esp4) { ETH(p); IP4(p, .protocol = 50); BYTES(p, 24); }
BUILD(ah4) { ETH(p); IP4(p, .protocol = 51); BYTES(p, 24); }
BUILD(ah6) { ETH(p); IP6(p, .next = 51); BYTES(p, 24); }
BUILD(gre4) { ETH(p); IP4(p, .protocol = 47); BYTES(p, 24); }
BUILD(ipip)
{
    ETH(p);
    IP4(p);
    packet_ipv4(p, &(struct packet_ipv4){.source = "1.1.1.1", .destination = "2.2.2.2"});
    TCP(p);
}
BUILD(sixinfour) { ETH(p); IP4(p, .protocol = 41); BYTES(p, 40); }
BUILD(igmp) { ETH(p); IP4(p, .protocol = 2, .options = nops, .options_bytes = 4); BYTES(p, 8); }
BUILD(ospf) { ETH(p); IP4(p, .protocol = 89); BYTES(p, 44); }
BUILD(no_next_header) { ETH(p); IP6(p, .next = 59); BYTES(p, 4); }
BUILD(no_payload) { ETH(p); IP4(p, .protocol = 253); }

BUILD(vlan) { ETH(p); VLAN(p, 0x8100, 0x6000 | 200); IP4(p); TCP(p); }
BUILD(vlan_priority) { ETH(p); VLAN(p, 0x8100, 0x6000); IP4(p); TCP(p); }
BUILD(provider) { ETH(p); VLAN(p, 0x88a8, 100); IP6(p); UDP(p); }
BUILD(qinq) { ETH(p); VLAN(p, 0x88a8, 100); VLAN(p, 0x8100, 200); IP4(p); TCP(p); }
BUILD(double_q) { ETH(p); VLAN(p, 0x8100, 4094); VLAN(p, 0x8100, 1); IP6(p); TCP(p); }
BUILD(triple) { ETH(p); VLAN(p, 0x88a8, 1); VLAN(p, 0x8100, 2); VLAN(p, 0x8100, 3); IP4(p); TCP(p); }
BUILD(vlan_arp) { ETH(p); VLAN(p, 0x8100, 7); ARP(p); }

BUILD(hop_by_hop) { ETH(p); IP6(p); EXT(p, .type = 0); TCP(p); }
BUILD(chain)
{
    ETH(p);
    IP6(p);
    EXT(p, .type = 0, .bytes = 24);
    EXT(p, .type = 60);
    EXT(p, .type = 43, .bytes = 24);
    FRAG6(p, .id = 1);
    EXT(p, .type = 60, .bytes = 16);
    UDP(p);
}
BUILD(mobility) { ETH(p); IP6(p); EXT(p, .type = 135, .next = 59); }
BUILD(hip) { ETH(p); IP6(p); EXT(p, .type = 139, .next = 17); BYTES(p, 16); }
BUILD(shim6) { ETH(p); IP6(p); EXT(p, .type = 60); EXT(p, .type = 140, .next = 17); BYTES(p, 16); }
BUILD(nine) { ETH(p); IP6(p); for (int i = 0; i < 9; i++) EXT(p, .type = 60); UDP(p, .payload_bytes = 9); }
BUILD(sixteen) { ETH(p); IP6(p); for (int i = 0; i < 16; i++) EXT(p, .type = 60); TCP(p); }
BUILD(seventeen) { ETH(p); IP6(p); for (int i = 0; i < 17; i++) EXT(p, .type = 60); TCP(p); }
BUILD(ext_beyond) { ETH(p); IP6(p); EXT(p, .type = 0, .length = PACKET_LIE(200)); TCP(p); }
BUILD(ext_lies) { ETH(p); IP6(p); EXT(p, .type = 60, .length = PACKET_LIE(1)); TCP(p); }
BUILD(ext_448) { ETH(p); IP6(p); EXT(p, .type = 60, .bytes = 448); UDP(p, .payload_bytes = 9); }
BUILD(ext_within) { ETH(p); IP6(p); EXT(p, .type = 60, .bytes = 1024); TCP(p); }
BUILD(ext_within_tags)
{
    ETH(p);
    VLAN(p, 0x88a8, 100);
    VLAN(p, 0x8100, 200);
    IP6(p);
    for (int i = 0; i < 16; i++)
        EXT(p, .type = i ? 60 : 0, .bytes = 64);
    UDP(p);
}
BUILD(ext_far) { ETH(p); IP6(p); EXT(p, .type = 60, .bytes = 512); EXT(p, .type = 60, .bytes = 520); TCP(p); }
BUILD(ext_farther) { ETH(p); IP6(p); EXT(p, .type = 60, .bytes = 2048); EXT(p, .type = 60); TCP(p); }
BUILD(ext_only) { ETH(p); IP6(p); EXT(p, .type = 60, .next = 60); }

BUILD(first4)
{
    ETH(p);
    IP4(p, .more_fragments = true, .id = 7);
    UDP(p, .payload_bytes = 40, .length = PACKET_LIE(1480));
}
BUILD(later4) { ETH(p); IP4(p, .fragment_offset = 48, .id = 7, .protocol = 17); BYTES(p, 30); }
BUILD(later4_middle)
{
    ETH(p);
    IP4(p, .fragment_offset = 8, .more_fragments = true, .id = 9, .protocol = 6);
    BYTES(p, 3);
}
BUILD(options_cut4) { ETH(p); IP4(p, .more_fragments = true, .id = 8); TCP(p, .doff = PACKET_LIE(10)); }
BUILD(options_cut6)
{
    ETH(p);
    IP6(p);
    FRAG6(p, .more = true, .id = 3);
    TCP(p, .options = nops, .options_bytes = 4, .doff = PACKET_LIE(15));
}
BUILD(short_tcp4) { ETH(p); IP4(p, .more_fragments = true, .id = 8, .protocol = 6); BYTES(p, 8); }
BUILD(short_udp4) { ETH(p); IP4(p, .more_fragments = true, .id = 8, .protocol = 17); BYTES(p, 7); }
BUILD(first6) { ETH(p); IP6(p); FRAG6(p, .more = true, .id = 3); TCP(p, .payload_bytes = 40); }
BUILD(later6) { ETH(p); IP6(p); FRAG6(p, .offset = 64, .id = 3, .next = 6); BYTES(p, 10); }
BUILD(later6_ext) { ETH(p); IP6(p); FRAG6(p, .offset = 64, .more = true, .id = 4, .next = 60); BYTES(p, 16); }
BUILD(atomic6) { ETH(p); IP6(p); FRAG6(p, .id = 5); TCP(p); }
BUILD(short_tcp6) { ETH(p); IP6(p); FRAG6(p, .more = true, .id = 3, .next = 6); BYTES(p, 16); }

BUILD(ihl4) { ETH(p); IP4(p, .ihl = PACKET_LIE(4)); TCP(p); }
BUILD(ihl0) { ETH(p); IP4(p, .ihl = PACKET_LIE(0)); TCP(p); }
BUILD(ihl15) { ETH(p); IP4(p, .ihl = PACKET_LIE(15)); TCP(p); }
BUILD(version5) { ETH(p); IP4(p, .version = PACKET_LIE(5)); TCP(p); }
BUILD(six_as_four) { ETH(p, .type = PACKET_LIE(0x0800)); BYTES(p, 0); IP6(p); TCP(p); }
BUILD(version6_bad) { ETH(p); IP6(p, .version = PACKET_LIE(4)); TCP(p); }
BUILD(total_short) { ETH(p); IP4(p, .length = PACKET_LIE(19)); TCP(p); }
BUILD(total_zero) { ETH(p); IP4(p, .length = PACKET_LIE(0)); TCP(p); }
BUILD(total_long) { ETH(p); IP4(p, .length = PACKET_LIE(41)); TCP(p); }
BUILD(total_hides_tcp) { ETH(p); IP4(p, .length = PACKET_LIE(39)); TCP(p); }
BUILD(payload6_long) { ETH(p); IP6(p, .length = PACKET_LIE(21)); TCP(p); }
BUILD(payload6_hides_tcp) { ETH(p); IP6(p, .length = PACKET_LIE(19)); TCP(p); }
BUILD(payload6_zero) { ETH(p); IP6(p, .length = PACKET_LIE(0)); EXT(p, .type = 0); TCP(p); }
BUILD(doff4) { ETH(p); IP4(p); TCP(p, .doff = PACKET_LIE(4)); }
BUILD(doff0) { ETH(p); IP6(p); TCP(p, .doff = PACKET_LIE(0)); }
BUILD(doff15) { ETH(p); IP4(p); TCP(p, .doff = PACKET_LIE(15)); }
BUILD(udp_short) { ETH(p); IP4(p); UDP(p, .length = PACKET_LIE(7), .payload_bytes = 8); }
BUILD(udp_long) { ETH(p); IP4(p); UDP(p, .length = PACKET_LIE(17), .payload_bytes = 8); }
BUILD(udp_less) { ETH(p); IP4(p); UDP(p, .length = PACKET_LIE(9), .payload_bytes = 8); }
BUILD(padded) { tcp4(p); packet_finish(p); packet_pad(p, 200); }

BUILD(mapped_source)
{
    ETH(p);
    packet_ipv6(p, &(struct packet_ipv6){.source = "::ffff:10.0.0.9", .destination = "fd00::1"});
    UDP(p);
}
BUILD(mapped_destination)
{
    ETH(p);
    packet_ipv6(p, &(struct packet_ipv6){.source = "fd00::9", .destination = "::ffff:10.0.0.1"});
    EXT(p, .type = 60);
    TCP(p);
}

BUILD(arp) { ETH(p, .destination = "ff:ff:ff:ff:ff:ff"); ARP(p); }
BUILD(mpls) { ETH(p, .type = PACKET_LIE(0x8847)); BYTES(p, 46); }
BUILD(pppoe) { ETH(p, .type = PACKET_LIE(0x8864)); BYTES(p, 46); }
BUILD(roce) { ETH(p, .type = PACKET_LIE(0x8915)); BYTES(p, 46); }
BUILD(fcoe) { ETH(p, .type = PACKET_LIE(0x8906)); BYTES(p, 46); }
BUILD(lldp) { ETH(p, .destination = "01:80:c2:00:00:0e", .type = PACKET_LIE(0x88cc)); BYTES(p, 46); }
BUILD(lacp) { ETH(p, .destination = "01:80:c2:00:00:02", .type = PACKET_LIE(0x8809)); BYTES(p, 110); }
BUILD(stp) { ETH(p, .destination = "01:80:c2:00:00:00"); packet_llc(p, 0x42, 0x42, 3); BYTES(p, 43); }
BUILD(cdp) { ETH(p, .destination = "01:00:0c:cc:cc:cc"); packet_snap(p, 0x00000c, 0x2000); BYTES(p, 60); }
BUILD(snap) { ETH(p); packet_snap(p, 0x00000c, 0x2004); BYTES(p, 30); }
BUILD(ipx_raw) { ETH(p); packet_llc(p, 0xff, 0xff, 0); BYTES(p, 30); }

#define IS_IP(fn, protocol, port, ...) {#fn, fn, QPW_PKT_IP, QPW_REASON_NONE, (protocol), (port), __VA_ARGS__}
#define IS_BAD(fn, why) {#fn, fn, QPW_PKT_UNDECODABLE, QPW_REASON_##why}
#define IS_TYPE(fn, type, ...) {#fn, fn, QPW_PKT_NON_IP, QPW_REASON_NONE, (type), 0, __VA_ARGS__}

const struct vector vectors[] = {
    IS_IP(tcp4, 6, 445), IS_IP(tcp4_options, 6, 445), IS_IP(tcp6, 6, 445), IS_IP(udp4, 17, 2049),
    IS_IP(udp4_empty, 17, 2049), IS_IP(udp6, 17, 2049), IS_IP(sctp4, 132, 3868), IS_IP(sctp6, 132, 3868),
    IS_IP(icmp4, 1, 8), IS_IP(icmp6, 58, 135), IS_IP(esp4, 50, 0), IS_IP(ah4, 51, 0), IS_IP(ah6, 51, 0),
    IS_IP(gre4, 47, 0), IS_IP(ipip, 4, 0), IS_IP(sixinfour, 41, 0), IS_IP(igmp, 2, 0), IS_IP(ospf, 89, 0),
    IS_IP(no_next_header, 59, 0), IS_IP(no_payload, 253, 0),
    IS_IP(vlan, 6, 445, 200), IS_IP(vlan_priority, 6, 445, 0), IS_IP(provider, 17, 2049, 100),
    IS_IP(qinq, 6, 445, 100), IS_IP(double_q, 6, 445, 4094), IS_BAD(triple, VLAN_DEPTH), IS_TYPE(vlan_arp, 0x0806, 7),
    IS_IP(hop_by_hop, 6, 445), IS_IP(chain, 17, 2049), IS_IP(nine, 17, 2049), IS_IP(sixteen, 6, 445),
    IS_BAD(seventeen, EXT_DEPTH), IS_IP(mobility, 135, 0), IS_IP(hip, 139, 0), IS_IP(shim6, 140, 0), IS_BAD(ext_beyond, EXT_TRUNCATED), IS_BAD(ext_lies, L4_TRUNCATED),
    IS_IP(ext_448, 17, 2049), IS_IP(ext_within, 6, 445), IS_IP(ext_within_tags, 17, 2049, 100),
    IS_BAD(ext_far, HEADER_OFFSET), IS_BAD(ext_farther, HEADER_OFFSET),
    IS_BAD(mapped_source, MAPPED), IS_BAD(mapped_destination, MAPPED),
    IS_IP(options_cut4, 6, 445, 0, QPW_FIRST_FRAGMENT), IS_IP(options_cut6, 6, 445, 0, QPW_FIRST_FRAGMENT),
    IS_BAD(ext_only, EXT_TRUNCATED),
    IS_IP(first4, 17, 2049, 0, QPW_FIRST_FRAGMENT), IS_IP(later4, 17, 0, 0, QPW_LATER_FRAGMENT),
    IS_IP(later4_middle, 6, 0, 0, QPW_LATER_FRAGMENT), IS_BAD(short_tcp4, FRAGMENT_SHORT),
    IS_BAD(short_udp4, FRAGMENT_SHORT), IS_IP(first6, 6, 445, 0, QPW_FIRST_FRAGMENT),
    IS_IP(later6, 6, 0, 0, QPW_LATER_FRAGMENT), IS_IP(later6_ext, 60, 0, 0, QPW_LATER_FRAGMENT), IS_IP(atomic6, 6, 445),
    IS_BAD(short_tcp6, FRAGMENT_SHORT),
    IS_BAD(ihl4, IP_IHL), IS_BAD(ihl0, IP_IHL), IS_BAD(ihl15, IP_LENGTH), IS_BAD(version5, IP_VERSION),
    IS_BAD(six_as_four, IP_VERSION), IS_BAD(version6_bad, IP_VERSION), IS_BAD(total_short, IP_LENGTH),
    IS_BAD(total_zero, IP_LENGTH), IS_BAD(total_long, IP_LENGTH), IS_BAD(total_hides_tcp, L4_TRUNCATED),
    IS_BAD(payload6_long, IP_LENGTH), IS_BAD(payload6_hides_tcp, L4_TRUNCATED), IS_BAD(payload6_zero, EXT_TRUNCATED),
    IS_BAD(doff4, TCP_DOFF), IS_BAD(doff0, TCP_DOFF), IS_BAD(doff15, TCP_DOFF), IS_BAD(udp_short, UDP_LENGTH),
    IS_BAD(udp_long, UDP_LENGTH), IS_IP(udp_less, 17, 2049), IS_IP(padded, 6, 445),
    IS_TYPE(arp, 0x0806), IS_TYPE(mpls, 0x8847), IS_TYPE(pppoe, 0x8864), IS_TYPE(roce, 0x8915), IS_TYPE(fcoe, 0x8906),
    IS_TYPE(lldp, 0x88cc), IS_TYPE(lacp, 0x8809), IS_TYPE(stp, 0x42), IS_TYPE(cdp, QPW_ETHERTYPE_CDP),
    IS_TYPE(snap, 0xaa), IS_TYPE(ipx_raw, 0xff),
};
const size_t n_vectors = sizeof(vectors) / sizeof(*vectors);

void vector_build(size_t n, struct packet *p)
{
    packet_start(p);
    vectors[n].build(p);
    if (vectors[n].build != padded)
        packet_finish(p);
}
