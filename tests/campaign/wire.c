/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "wire.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/clock.h"

#define FRAME_MAX 70000

/* ---- Parsing ---- */

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void map_v4(uint8_t to[16], const uint8_t *from)
{
    memset(to, 0, 10);
    to[10] = to[11] = 0xff;
    memcpy(to + 12, from, 4);
}

static bool has_ports(uint8_t protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static bool is_icmp(uint8_t protocol)
{
    return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Read an IP header and its extensions. Returns the transport header, NULL if unreadable; *left: bytes from there. */
struct ip_read {
    struct ends *ends;
    const uint8_t *l4;
    size_t left;
    uint32_t id;
    bool first, later; /* of a fragmented datagram */
};

static bool read_v4(const uint8_t *p, size_t n, struct ip_read *r)
{
    size_t header = n ? (p[0] & 15) * 4u : 0, total;

    if (n < 20 || header < 20 || n < header)
        return false;
    total = get16(p + 2);
    map_v4(r->ends->source, p + 12);
    map_v4(r->ends->destination, p + 16);
    r->ends->protocol = p[9];
    r->id = get16(p + 4);
    r->later = get16(p + 6) & 0x1fff;
    r->first = !r->later && (p[6] & 0x20);
    r->l4 = p + header;
    r->left = (total < n ? total : n) - header;
    return true;
}

static bool read_v6(const uint8_t *p, size_t n, struct ip_read *r)
{
    size_t at = 40, step;
    uint8_t next;

    if (n < 40)
        return false;
    if (n > 40u + get16(p + 4))
        n = 40u + get16(p + 4);
    memcpy(r->ends->source, p + 8, 16);
    memcpy(r->ends->destination, p + 24, 16);
    for (next = p[6]; next == 0 || next == 43 || next == 60 || next == 44; at += step) {
        if (n < at + 8)
            return false;
        step = next == 44 ? 8 : 8u + 8u * p[at + 1];
        if (next == 44) {
            r->id = get32(p + at + 4);
            r->later = get16(p + at + 2) & 0xfff8;
            r->first = !r->later && (p[at + 3] & 1);
        }
        next = p[at];
        if (r->later) {
            at += step;
            break;
        }
    }
    if (n < at)
        return false;
    r->ends->protocol = next;
    r->l4 = p + at;
    r->left = n - at;
    return true;
}

static void read_ports(struct ends *e, const uint8_t *l4, size_t n)
{
    if (has_ports(e->protocol) && n >= 4) {
        e->source_port = get16(l4);
        e->destination_port = get16(l4 + 2);
    } else if (is_icmp(e->protocol) && n >= 1) {
        e->source_port = e->destination_port = l4[0];
    }
}

static void read_quote(struct frame *f, const uint8_t *l4, size_t n)
{
    struct ip_read r = {.ends = &f->quoted};
    bool v6 = f->ends.protocol == IPPROTO_ICMPV6;

    if (n < 8 || l4[0] != (v6 ? 1 : 3) || !(v6 ? read_v6(l4 + 8, n - 8, &r) : read_v4(l4 + 8, n - 8, &r)))
        return;
    f->quotes = true;
    read_ports(&f->quoted, r.l4, r.left);
}

/* The ports of a fragmented datagram are in its first fragment. */
static void read_fragment(struct wire *w, struct frame *f, const struct ip_read *r)
{
    unsigned i;

    if (r->first) {
        i = w->n_fragments++ % WIRE_FRAGMENTS;
        memcpy(w->fragments[i].source, f->ends.source, 16);
        memcpy(w->fragments[i].destination, f->ends.destination, 16);
        w->fragments[i].id = r->id;
        w->fragments[i].ends = f->ends;
        return;
    }
    f->fragment = true;
    for (i = 0; i < WIRE_FRAGMENTS && i < w->n_fragments; i++)
        if (w->fragments[i].id == r->id && !memcmp(w->fragments[i].source, f->ends.source, 16) &&
            !memcmp(w->fragments[i].destination, f->ends.destination, 16)) {
            f->ends = w->fragments[i].ends;
            return;
        }
    f->headless = has_ports(f->ends.protocol) || is_icmp(f->ends.protocol);
}

static void read_ip(struct wire *w, struct frame *f, const uint8_t *p, size_t n)
{
    struct ip_read r = {.ends = &f->ends};

    f->ip = f->ethertype == ETHERTYPE_IP ? read_v4(p, n, &r) : read_v6(p, n, &r);
    if (!f->ip)
        return;
    if (!r.later) {
        read_ports(&f->ends, r.l4, r.left);
        f->payload = (uint32_t)r.left;
    }
    if (r.first || r.later)
        read_fragment(w, f, &r);
    if (r.later)
        return;
    if (f->ends.protocol == IPPROTO_TCP && r.left >= 20) {
        f->seq = get32(r.l4 + 4);
        f->ack = get32(r.l4 + 8);
        f->tcp_flags = r.l4[13];
        f->payload = (uint32_t)(r.left - (r.l4[12] >> 4) * 4u);
    } else if (is_icmp(f->ends.protocol)) {
        read_quote(f, r.l4, r.left);
    }
}

static void parse(struct wire *w, struct frame *f, const uint8_t *p, size_t n)
{
    size_t at = 12;

    if (n < 14)
        return;
    memcpy(f->macs, p, 12);
    f->group = p[0] & 1;
    while (n >= at + 4 && (get16(p + at) == ETHERTYPE_VLAN || get16(p + at) == 0x88a8)) {
        if (!f->vlan)
            f->vlan = get16(p + at + 2) & 0xfff;
        at += 4;
    }
    if (n < at + 2)
        return;
    f->ethertype = get16(p + at);
    if (f->ethertype < 0x600)
        f->ethertype = n > at + 2 ? p[at + 2] : 0;
    else if (f->ethertype == ETHERTYPE_IP || f->ethertype == ETHERTYPE_IPV6)
        read_ip(w, f, p + at + 2, n - at - 2);
}

/* ---- Reading ---- */

static void open_socket(struct wire *w, const struct place *p)
{
    int many = 256 << 20, one = 1;
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct netns before = netns_here();

    netns_enter(&p->bridge);
    to.sll_ifindex = (int)netns_ifindex(&p->bridge, "to-node");
    w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    netns_enter(&before);
    netns_close(&before);
    cr_assert(w->fd >= 0 && setsockopt(w->fd, SOL_SOCKET, SO_RCVBUFFORCE, &many, sizeof(many)) == 0 &&
                  setsockopt(w->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) == 0 &&
                  setsockopt(w->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) == 0 &&
                  bind(w->fd, (struct sockaddr *)&to, sizeof(to)) == 0, "the witness: %s", strerror(errno));
}

void wire_open(struct wire *w, const struct place *p)
{
    *w = (struct wire){0};
    open_socket(w, p);
}

void wire_reopen(struct wire *w, const struct place *p)
{
    close(w->fd);
    open_socket(w, p);
}

void wire_close(struct wire *w)
{
    close(w->fd);
    w->fd = -1;
}

/* Get the time of a frame, and put back a VLAN tag that the kernel passed separately. */
static size_t put_together(struct msghdr *message, struct frame *f, uint8_t *data, size_t n)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;

            memcpy(&ts, CMSG_DATA(c), sizeof(ts));
            f->at_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
        } else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata aux;
            uint16_t tag[2];

            memcpy(&aux, CMSG_DATA(c), sizeof(aux));
            if (!(aux.tp_status & TP_STATUS_VLAN_VALID) || n < 12)
                continue;
            memmove(data + 16, data + 12, n - 12);
            tag[0] = htons(aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETHERTYPE_VLAN);
            tag[1] = htons(aux.tp_vlan_tci);
            memcpy(data + 12, tag, 4);
            n += 4;
        }
    }
    return n;
}

unsigned wire_drain(struct wire *w, void (*each)(void *data, const struct frame *frame), void *data)
{
    static uint8_t bytes[FRAME_MAX];
    char control[256];
    struct sockaddr_ll from;
    struct iovec iov = {bytes, sizeof(bytes) - 4};
    struct tpacket_stats lost;
    socklen_t size = sizeof(lost);
    unsigned count = 0;

    for (;; count++) {
        struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
                                 .msg_control = control, .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(w->fd, &message, 0);
        struct frame f = {0};

        if (n < 0 && (errno == ENETDOWN || errno == EINTR))
            continue;
        if (n < 0)
            break;
        f.rx = from.sll_pkttype == PACKET_OUTGOING;
        f.bytes = (uint32_t)put_together(&message, &f, bytes, (size_t)n);
        f.data = bytes;
        parse(w, &f, bytes, f.bytes);
        each(data, &f);
    }
    if (count) {
        w->frames += count;
        w->last_ns = qpw_clock_monotonic_ns();
    }
    cr_assert(getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &lost, &size) == 0);
    cr_assert(lost.tp_drops == 0, "the witness itself lost %u frames: nothing can be said", lost.tp_drops);
    return count;
}
