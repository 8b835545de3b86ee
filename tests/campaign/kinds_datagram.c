/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kinds_datagram.c - exchanges over UDP, and ICMP echo. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "campaign.h"
#include "host/clock.h"
#include "kinds.h"
#include "util/names.h"

static size_t amount(struct rng *r)
{
    return rng_below(r, 6) ? rng_between(r, 1, 1200) : rng_between(r, 2000, 9000); /* the second: in fragments */
}

static void ask(struct campaign *c, struct rng *r, struct talk *t, const char *kind, enum outcome planned)
{
    unsigned n = planned == DATA ? rng_between(r, 1, 3) : 1;
    struct exchange *e;

    if (kinds_unsettles(c, t, IPPROTO_UDP))
        return;
    e = kinds_enter(c, r, t, IPPROTO_UDP, kind, planned);
    for (unsigned i = 0; i < n; i++)
        talk_ask(&c->place, t, planned == DATA ? amount(r) : rng_between(r, 1, 1000), planned == DATA);
    if (planned == REFUSED)
        campaign_settle(c, 3);
    kinds_planned(c, e);
}

static void to_node(struct campaign *c, struct rng *r, enum host_id from, uint16_t port, const char *kind,
                    enum outcome planned)
{
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = from, .source = hosts[from].address[v6], .to = kinds_node_address(c, r, v6),
                     .to_port = port};

    ask(c, r, &t, kind, planned);
}

static void from_node(struct campaign *c, struct rng *r, enum host_id to, uint16_t port, const char *kind,
                      enum outcome planned)
{
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = NODE, .source = hosts[NODE].address[v6], .to = hosts[to].address[v6], .to_port = port};

    ask(c, r, &t, kind, planned);
}

static void asked(struct campaign *c, struct rng *r)
{
    to_node(c, r, kinds_client(r), rng_port(r, node_udp), "udp-asked", DATA);
}

static void asked_by_peer(struct campaign *c, struct rng *r)
{
    to_node(c, r, rng_below(r, 2) ? PEER1 : PEER2, rng_port(r, node_udp), "udp-peer-in", DATA);
}

static void silent(struct campaign *c, struct rng *r)
{
    to_node(c, r, kinds_client(r), rng_below(r, 2) ? NODE_DROPPED_UDP : NODE_SILENT_UDP, "udp-unanswered", ATTEMPTED);
}

static void refused(struct campaign *c, struct rng *r)
{
    to_node(c, r, kinds_client(r), (uint16_t)rng_between(r, 5061, 5070), "udp-refused", REFUSED);
}

static void peer_out(struct campaign *c, struct rng *r)
{
    from_node(c, r, rng_below(r, 2) ? PEER1 : PEER2, rng_port(r, peer_udp), "udp-peer-out", DATA);
}

static void dc(struct campaign *c, struct rng *r)
{
    from_node(c, r, DC, rng_port(r, dc_udp), "udp-dc", DATA);
}

static void out(struct campaign *c, struct rng *r)
{
    if (rng_below(r, 3))
        from_node(c, r, INTRUDER, rng_port(r, intruder_udp), "udp-out", DATA);
    else
        from_node(c, r, INTRUDER, (uint16_t)rng_between(r, 5061, 5070), "udp-out-refused", REFUSED);
}

/* ---- Frames made by hand ---- */

struct datagram {
    enum host_id from, to;
    const char *source, *destination;
    uint16_t source_port, destination_port;
    const char *mac; /* of the destination; NULL: the host's */
    size_t bytes;
    unsigned extensions; /* IPv6: number of destination options after one hop-by-hop */
    uint16_t vlan;
};

static void send_datagram(struct campaign *c, const struct datagram *d)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = hosts[d->from].mac,
                                                  .destination = d->mac ? d->mac : hosts[d->to].mac});
    if (d->vlan)
        packet_vlan(&p, 0x8100, d->vlan);
    if (strchr(d->source, ':'))
        packet_ipv6(&p, &(struct packet_ipv6){.source = d->source, .destination = d->destination});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = d->source, .destination = d->destination});
    for (unsigned i = 0; i < d->extensions; i++)
        packet_extension(&p, &(struct packet_extension){.type = i ? 60 : 0, .bytes = 8});
    packet_udp(&p, &(struct packet_udp){.source = d->source_port, .destination = d->destination_port,
                                        .payload_bytes = d->bytes});
    packet_finish(&p);
    place_send(&c->place, d->from, &p);
}

/* Each NTP server asks the other from its own port. */
static void ntp(struct campaign *c, struct rng *r)
{
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = NODE, .to = hosts[NODE].address[v6], .to_port = 123, .source_port = 123};
    struct datagram d = {.from = INTRUDER, .to = NODE, .source_port = 123, .destination_port = 123, .bytes = 48};
    struct exchange *e;
    char source[64];

    t.from = INTRUDER;
    t.source = d.source = kinds_forged(c, v6, source, sizeof(source));
    d.destination = t.to;
    if (rng_below(r, 2)) { /* the node asks: 123 is listed in that direction */
        t.from = NODE;
        t.source = hosts[NODE].address[v6];
        t.to = source;
        e = kinds_enter(c, r, &t, IPPROTO_UDP, "udp-ntp-out", DATA);
        send_datagram(c, &(struct datagram){.from = NODE, .to = INTRUDER, .source = t.source, .destination = source,
                                            .source_port = 123, .destination_port = 123, .bytes = 48});
        campaign_settle(c, 2);
        send_datagram(c, &d);
    } else {
        /*
         * From port 123 to a node whose own 123 is not listed: direction may only be inferred during the start window.
         */
        e = kinds_enter(c, r, &t, IPPROTO_UDP, "udp-ntp-in", DATA);
        send_datagram(c, &d);
    }
    campaign_await(c, e, DATA);
    kinds_planned(c, e);
}

/* The node's own answer, so late that the question is forgotten, from a listed port. */
static void late(struct campaign *c, struct rng *r)
{
    bool v6 = rng_below(r, 2);
    struct datagram d = {.from = NODE, .to = INTRUDER, .source = hosts[NODE].address[v6], .source_port = 2049,
                         .bytes = rng_between(r, 1, 1000)};
    struct talk t = {.from = INTRUDER, .to = d.source, .to_port = 2049};
    struct exchange *e;
    char source[64];

    if (!meanings.late_listed_inferred)
        return;
    t.source = d.destination = kinds_forged(c, v6, source, sizeof(source));
    e = kinds_enter(c, r, &t, IPPROTO_UDP, "udp-late", ATTEMPTED);
    e->fate = FATE_INFERRED;
    e->reason = "inferred";
    d.destination_port = t.source_port;
    send_datagram(c, &d);
    campaign_settle(c, 2);
    kinds_planned(c, e);
}

static void extensions(struct campaign *c, struct rng *r)
{
    struct datagram d = {.from = INTRUDER, .to = NODE, .destination = hosts[NODE].address[1],
                         .destination_port = rng_below(r, 2) ? 2049 : 4500, .bytes = rng_between(r, 1, 900),
                         .extensions = rng_between(r, 1, 6)};
    struct talk t = {.from = INTRUDER, .to = d.destination, .to_port = d.destination_port};
    struct exchange *e;
    char source[64];

    t.source = d.source = kinds_forged(c, true, source, sizeof(source));
    e = kinds_enter(c, r, &t, IPPROTO_UDP, "udp-extensions", DATA);
    d.source_port = t.source_port;
    send_datagram(c, &d);
    campaign_await(c, e, DATA);
    kinds_planned(c, e);
}

/* Questions to groups and broadcast addresses, and sometimes the node's answer. */
static void group(struct campaign *c, struct rng *r)
{
    static const struct {
        const char *address, *mac;
        uint16_t port;
    } groups[] = {{"239.255.255.250", "01:00:5e:7f:ff:fa", 1900}, {"224.0.0.251", "01:00:5e:00:00:fb", 5353},
                  {"ff02::fb", "33:33:00:00:00:fb", 5353},        {"255.255.255.255", "ff:ff:ff:ff:ff:ff", 137},
                  {"10.77.0.255", "ff:ff:ff:ff:ff:ff", 138},      {"ff02::c", "33:33:00:00:00:0c", 3702}};
    unsigned which = rng_below(r, 6);
    bool v6 = strchr(groups[which].address, ':');
    struct datagram d = {.from = INTRUDER, .destination = groups[which].address, .mac = groups[which].mac,
                         .destination_port = groups[which].port, .bytes = rng_between(r, 20, 300)};
    struct talk t = {.from = INTRUDER, .to = d.destination, .to_port = d.destination_port};
    struct exchange *answer;
    char source[64];

    t.source = d.source = kinds_forged(c, v6, source, sizeof(source));
    kinds_enter(c, r, &t, IPPROTO_UDP, "udp-group", ATTEMPTED);
    d.source_port = t.source_port;
    send_datagram(c, &d);
    campaign_settle(c, 2);
    if (qpw_clock_monotonic_ns() < c->window_end_ns || rng_below(r, 2))
        return;
    t = (struct talk){.from = NODE, .source = hosts[NODE].address[v6], .source_port = groups[which].port, .to = source,
                      .to_port = d.source_port};
    answer = kinds_enter(c, r, &t, IPPROTO_UDP, "udp-group-answer", ATTEMPTED);
    if (meanings.group_answer_inbound) {
        answer->opener = REMOTE_OPENS;
        answer->answers_group = true;
        cr_assert(qpw_address_parse(groups[which].address, answer->group) == 0);
    }
    send_datagram(c, &(struct datagram){.from = NODE, .to = INTRUDER, .source = t.source, .destination = source,
                                        .source_port = t.source_port, .destination_port = t.to_port, .bytes = 60});
    campaign_settle(c, 2);
}

static void tagged(struct campaign *c, struct rng *r)
{
    bool v6 = rng_below(r, 2);
    struct datagram d = {.from = INTRUDER, .to = NODE, .destination = hosts[NODE].address[v6], .vlan = 42,
                         .destination_port = rng_below(r, 2) ? 2049 : 4500, .bytes = rng_between(r, 1, 900)};
    struct talk t = {.from = INTRUDER, .to = d.destination, .to_port = d.destination_port};
    char source[64];

    t.source = d.source = kinds_forged(c, v6, source, sizeof(source));
    kinds_enter(c, r, &t, IPPROTO_UDP, "udp-tagged", ATTEMPTED);
    d.source_port = t.source_port;
    send_datagram(c, &d);
    campaign_settle(c, 2);
}

/* ---- ICMP: the hosts' own stacks answer ---- */

static void echo(struct campaign *c, struct rng *r)
{
    static struct packet p;
    bool v6 = rng_below(r, 2), out = rng_below(r, 2);
    enum host_id remote = rng_below(r, 3) ? kinds_client(r) : PEER1, from = out ? NODE : remote;
    enum host_id to = out ? remote : NODE;

    campaign_drain(c);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = hosts[from].mac, .destination = hosts[to].mac});
    if (v6)
        packet_ipv6(&p, &(struct packet_ipv6){.source = hosts[from].address[1], .destination = hosts[to].address[1]});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = hosts[from].address[0], .destination = hosts[to].address[0]});
    packet_icmp(&p, &(struct packet_icmp){.type = v6 ? 128 : 8, .rest = (uint32_t)rng_next(r),
                                          .payload_bytes = rng_between(r, 0, 100)});
    packet_finish(&p);
    place_send(&c->place, from, &p);
    campaign_settle(c, 2);
}

const struct kind datagram_kinds[] = {
    {"udp-asked", 10, asked, false},
    {"udp-peer-in", 2, asked_by_peer, false},
    {"udp-unanswered", 3, silent, false},
    {"udp-refused", 3, refused, false},
    {"udp-peer-out", 2, peer_out, true},
    {"udp-dc", 6, dc, true},
    {"udp-out", 3, out, true},
    {"udp-ntp", 3, ntp, true},
    {"udp-late", 2, late, true},
    {"udp-extensions", 2, extensions, false},
    {"udp-group", 3, group, false},
    {"udp-tagged", 1, tagged, false},
    {"icmp-echo", 4, echo, false},
    {NULL, 0, NULL, false},
};
