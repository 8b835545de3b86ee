/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kinds_tcp.c - exchanges over TCP. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "host/clock.h"
#include "kinds.h"
#include "talk.h"
#include "util/names.h"

static const enum host_id clients[] = {CLIENT1, CLIENT2, DC, INTRUDER};

enum host_id kinds_client(struct rng *r)
{
    return clients[rng_below(r, sizeof(clients) / sizeof(*clients))];
}

const char *kinds_node_address(const struct campaign *c, struct rng *r, bool v6)
{
    unsigned n = rng_below(r, 6);

    return n < FLOATS && c->place.floating[n] ? floats[n][v6] : hosts[NODE].address[v6];
}

/* Return whether a server of any host owns the port. */
static bool is_served(uint16_t port)
{
    static const uint16_t *const lists[] = {node_listed_tcp, node_unlisted_tcp, node_weak_tcp, node_companion_tcp,
                                            node_udp, dc_tcp, dc_dynamic_tcp, dc_udp, peer_tcp, peer_udp, intruder_tcp,
                                            intruder_udp};

    for (unsigned i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        for (const uint16_t *p = lists[i]; *p; p++)
            if (*p == port)
                return true;
    return port == NODE_SILENT_UDP;
}

uint16_t kinds_client_port(struct rng *r)
{
    unsigned port;

    do {
        switch (rng_below(r, 5)) { /* from all ranges that clients use, including reserved ones */
        case 0: port = rng_between(r, 600, 1023); break;
        case 1: port = rng_between(r, 1025, 20000); break;
        case 2: port = rng_between(r, 61000, 65535); break;
        default: port = rng_between(r, 32768, 60999);
        }
    } while (is_served((uint16_t)port));
    return (uint16_t)port;
}

void kinds_address_text(const uint8_t address[16], char buf[INET6_ADDRSTRLEN])
{
    qpw_address_text(address, buf, INET6_ADDRSTRLEN);
}

struct exchange *kinds_enter(struct campaign *c, struct rng *r, struct talk *t, uint8_t protocol, const char *kind,
                             enum outcome planned)
{
    struct exchange e = {.kind = kind, .step = c->step, .planned = planned,
                         .opener = t->from == NODE ? NODE_OPENS : REMOTE_OPENS};
    bool drawn = t->source_port == 0;

    do {
        if (drawn)
            t->source_port = kinds_client_port(r);
        if (e.opener == NODE_OPENS)
            book_tuple(&e.tuple, protocol, t->source, t->source_port, t->to, t->to_port);
        else
            book_tuple(&e.tuple, protocol, t->to, t->to_port, t->source, t->source_port);
    } while (drawn && (book_knows(c->book, &e.tuple) ||
                       (protocol == IPPROTO_UDP && policy_lists(c->policy, e.opener == REMOTE_OPENS, protocol,
                                                                t->source_port))));
    campaign_drain(c);
    return book_enter(c->book, &e);
}

bool kinds_unsettles(const struct campaign *c, const struct talk *t, uint8_t protocol)
{
    struct exchange e = {.opener = t->from == NODE ? NODE_OPENS : REMOTE_OPENS};

    if (e.opener == NODE_OPENS)
        book_tuple(&e.tuple, protocol, t->source, t->source_port, t->to, t->to_port);
    else
        book_tuple(&e.tuple, protocol, t->to, t->to_port, t->source, t->source_port);
    return book_unsettles(c->book, &e, qpw_clock_unix_ns());
}

void kinds_planned(struct campaign *c, struct exchange *e)
{
    campaign_drain(c);
    if (e->outcome >= e->planned || !c->book->attached) /* a refusal is as good if nobody was to answer */
        return;
    c->trouble++;
    fprintf(stderr, "step %u: %s: did not go as planned\n", c->step, book_words(e));
}

static size_t amount(struct rng *r)
{
    switch (rng_below(r, 8)) {
    case 0: return 0;
    case 1: return rng_between(r, 20000, 400000);
    default: return rng_between(r, 1, 3000);
    }
}

static void converse(struct campaign *c, struct rng *r, struct talk *t, const char *kind)
{
    size_t bytes = amount(r);
    struct exchange *e;
    int fd;

    if (kinds_unsettles(c, t, IPPROTO_TCP))
        return;
    e = kinds_enter(c, r, t, IPPROTO_TCP, kind, bytes ? DATA : ANSWERED);
    fd = talk_connect(&c->place, t, TALK_DEADLINE_MS);
    if (fd >= 0) {
        if (bytes)
            talk_echo(fd, bytes);
        talk_close(fd, rng_below(r, 5) == 0);
    }
    kinds_planned(c, e);
}

static void to_node(struct campaign *c, struct rng *r, enum host_id from, uint16_t port, const char *kind)
{
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = from, .source = hosts[from].address[v6], .to = kinds_node_address(c, r, v6),
                     .to_port = port};

    converse(c, r, &t, kind);
}

static void from_node(struct campaign *c, struct rng *r, enum host_id to, uint16_t port, const char *kind)
{
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = NODE, .source = hosts[NODE].address[v6], .to = hosts[to].address[v6], .to_port = port};

    converse(c, r, &t, kind);
}

static void listed(struct campaign *c, struct rng *r)
{
    to_node(c, r, kinds_client(r), rng_port(r, node_listed_tcp), "tcp-listed");
}

static void unlisted(struct campaign *c, struct rng *r)
{
    to_node(c, r, kinds_client(r), rng_port(r, node_unlisted_tcp), "tcp-unlisted");
}

static void weak(struct campaign *c, struct rng *r)
{
    to_node(c, r, kinds_client(r), rng_port(r, node_weak_tcp), "tcp-weak");
}

static void companion(struct campaign *c, struct rng *r)
{
    to_node(c, r, kinds_client(r), rng_port(r, node_companion_tcp), "tcp-companion");
}

static void peer_in(struct campaign *c, struct rng *r)
{
    static const uint16_t any[] = {445, 2049, 4444, 8081, 40000, 20048, 0};

    to_node(c, r, rng_below(r, 2) ? PEER1 : PEER2, rng_port(r, any), "tcp-peer-in");
}

static void peer_out(struct campaign *c, struct rng *r)
{
    from_node(c, r, rng_below(r, 2) ? PEER1 : PEER2, rng_port(r, peer_tcp), "tcp-peer-out");
}

static void dc_out(struct campaign *c, struct rng *r)
{
    from_node(c, r, DC, rng_port(r, rng_below(r, 3) ? dc_tcp : dc_dynamic_tcp), "tcp-dc");
}

static void intruder_out(struct campaign *c, struct rng *r)
{
    from_node(c, r, INTRUDER, rng_port(r, intruder_tcp), "tcp-out");
}

/* Data connections of active FTP: from the node's port 20 to the port that the client announced. */
static void ftp_active(struct campaign *c, struct rng *r)
{
    struct talk t = {.from = NODE, .source = hosts[NODE].address[0], .source_port = 20, .to = hosts[INTRUDER].address[0],
                     .to_port = 8443};
    struct tuple tuple;

    book_tuple(&tuple, IPPROTO_TCP, t.source, t.source_port, t.to, t.to_port);
    if (book_knows(c->book, &tuple))
        return; /* only once: its TIME_WAIT keeps the tuple */
    converse(c, r, &t, "tcp-ftp-active");
}

static void floating_elsewhere(struct campaign *c, struct rng *r)
{
    unsigned which = rng_below(r, FLOATS);
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = NODE, .source = hosts[NODE].address[v6], .to = floats[which][v6], .to_port = 7000};

    if (!c->place.floating[which])
        converse(c, r, &t, "tcp-floating-elsewhere");
}

static void fail_to_connect(struct campaign *c, struct rng *r, struct talk *t, const char *kind, enum outcome planned)
{
    struct exchange *e = kinds_enter(c, r, t, IPPROTO_TCP, kind, planned);
    int fd = talk_connect(&c->place, t, planned == REFUSED ? TALK_DEADLINE_MS : 20);

    if (fd >= 0)
        talk_close(fd, true);
    kinds_planned(c, e);
}

static void refused(struct campaign *c, struct rng *r)
{
    enum host_id from = kinds_client(r);
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = from, .source = hosts[from].address[v6], .to = kinds_node_address(c, r, v6)};

    t.to_port = (uint16_t)(rng_below(r, 4) ? rng_between(r, 5001, 5020) : rng_between(r, 45000, 45010));
    fail_to_connect(c, r, &t, "tcp-refused", REFUSED);
}

static void unanswered(struct campaign *c, struct rng *r)
{
    enum host_id from = kinds_client(r);
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = from, .source = hosts[from].address[v6], .to = kinds_node_address(c, r, v6),
                     .to_port = NODE_DROPPED_TCP};

    fail_to_connect(c, r, &t, "tcp-unanswered", ATTEMPTED);
}

static void out_failed(struct campaign *c, struct rng *r)
{
    bool v6 = rng_below(r, 2), dropped = rng_below(r, 2);
    struct talk t = {.from = NODE, .source = hosts[NODE].address[v6], .to = hosts[INTRUDER].address[v6]};

    t.to_port = dropped ? REMOTE_DROPPED_TCP : (uint16_t)rng_between(r, 5001, 5010);
    fail_to_connect(c, r, &t, "tcp-out-failed", dropped ? ATTEMPTED : REFUSED);
}

static void scan(struct campaign *c, struct rng *r)
{
    unsigned n = rng_between(r, 12, 40), first = rng_between(r, 9000, 30000);
    bool v6 = rng_below(r, 2);

    for (unsigned i = 0; i < n; i++) {
        struct talk t = {.from = SCANNER, .source = hosts[SCANNER].address[v6], .to = hosts[NODE].address[v6],
                         .to_port = (uint16_t)(first + i)};

        if (t.to_port != 9000 && t.to_port != 10000 && t.to_port != 20048)
            fail_to_connect(c, r, &t, "tcp-scan", REFUSED);
    }
}

/* The same tuple twice: the first ended by a RST. */
static void reused(struct campaign *c, struct rng *r)
{
    enum host_id from = kinds_client(r);
    struct talk t = {.from = from, .source = hosts[from].address[0], .to = hosts[NODE].address[0]};
    struct exchange *e;
    int fd;

    t.to_port = rng_below(r, 2) ? 445 : 8081;
    for (int i = 0; i < 2; i++) {
        e = kinds_enter(c, r, &t, IPPROTO_TCP, "tcp-reused", DATA);
        fd = talk_connect(&c->place, &t, TALK_DEADLINE_MS);
        if (fd >= 0) {
            talk_echo(fd, 100);
            talk_close(fd, true);
        }
        campaign_settle(c, 5); /* the RST must arrive before the next SYN */
        kinds_planned(c, e);
    }
}

/* ---- Forged: by hand, from an address where nobody answers ---- */

static void raw_tcp(struct campaign *c, const struct exchange *e, const char *source, const char *to, struct packet_segment segment)
{
    static struct packet p;
    bool v6 = strchr(source, ':');

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = hosts[INTRUDER].mac, .destination = hosts[NODE].mac});
    if (v6)
        packet_ipv6(&p, &(struct packet_ipv6){.source = source, .destination = to});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = to});
    packet_tcp(&p, &(struct packet_tcp){.source = e->tuple.remote_port, .destination = e->tuple.local_port, .seq = segment.seq,
                                        .ack = segment.ack, .flags = segment.flags, .payload_bytes = segment.payload});
    packet_finish(&p);
    place_send(&c->place, INTRUDER, &p);
}

const char *kinds_forged(struct campaign *c, bool v6, char *buf, size_t size)
{
    unsigned n = ++c->forged;

    if (v6)
        snprintf(buf, size, FORGED_V6 "%x:%x", n >> 16, (n & 0xffff) + 1);
    else
        snprintf(buf, size, FORGED_V4 "%u.%u", n >> 8 & 255, n & 255);
    return buf;
}

/* A SYN, then up to a random stage: nothing, handshake or data, all without a socket at the other end. */
static void forged(struct campaign *c, struct rng *r)
{
    bool v6 = rng_below(r, 2), data = rng_below(r, 3) == 0;
    uint16_t port = rng_below(r, 2) ? rng_port(r, node_listed_tcp) : rng_below(r, 2) ? 8081 : 5030;
    uint32_t isn = (uint32_t)rng_next(r);
    struct talk t = {.from = INTRUDER, .to = hosts[NODE].address[v6], .to_port = port};
    struct exchange *e;
    char source[64];

    t.source = kinds_forged(c, v6, source, sizeof(source));
    e = kinds_enter(c, r, &t, IPPROTO_TCP, "tcp-forged", port == 5030 ? REFUSED : data ? DATA : ANSWERED);
    raw_tcp(c, e, source, t.to, SEGMENT(PACKET_SYN, isn));
    campaign_settle(c, 3);
    if (data && e->syn_ack) {
        raw_tcp(c, e, source, t.to, SEGMENT(PACKET_ACK, isn + 1, e->syn_ack_seq + 1));
        raw_tcp(c, e, source, t.to, SEGMENT(PACKET_ACK | PACKET_PSH, isn + 1, e->syn_ack_seq + 1, 40));
        campaign_settle(c, 3);
        raw_tcp(c, e, source, t.to, SEGMENT(PACKET_RST, isn + 41)); /* otherwise the node repeats its answer for minutes */
    } else if (e->syn_ack && rng_below(r, 2)) {
        raw_tcp(c, e, source, t.to, SEGMENT(PACKET_RST, isn + 1));
    }
    campaign_settle(c, 3);
    kinds_planned(c, e);
}

/* Segments without a connection: a tail, an unsolicited SYN+ACK, data mid-stream. */
static void stray(struct campaign *c, struct rng *r)
{
    static const struct {
        uint8_t flags;
        const char *reason;
    } strays[] = {{PACKET_FIN | PACKET_ACK, "tail"}, {PACKET_RST, "tail"}, {PACKET_SYN | PACKET_ACK, "unsolicited"},
                  {PACKET_ACK | PACKET_PSH, "midstream"}};
    unsigned which = rng_below(r, 4);
    bool v6 = rng_below(r, 2);
    struct talk t = {.from = INTRUDER, .to = hosts[NODE].address[v6], .to_port = (uint16_t)rng_between(r, 5040, 5060)};
    struct exchange *e;
    char source[64];

    t.source = kinds_forged(c, v6, source, sizeof(source));
    t.source_port = (uint16_t)rng_between(r, 10000, 20000);
    e = kinds_enter(c, r, &t, IPPROTO_TCP, "tcp-stray", ATTEMPTED);
    e->fate = FATE_UNKNOWN;
    e->reason = strays[which].reason;
    raw_tcp(c, e, source, t.to,
            SEGMENT(strays[which].flags, (uint32_t)rng_next(r), (uint32_t)rng_next(r),
                    which == 3 ? rng_between(r, 1, 500) : 0));
    campaign_settle(c, 3);
}

/* ---- Long-lived connections ---- */

static struct open_connection *slot(struct campaign *c, bool used, struct rng *r)
{
    unsigned from = rng_below(r, LONG_CONNECTIONS);

    for (unsigned i = 0; i < LONG_CONNECTIONS; i++) {
        struct open_connection *o = &c->open[(from + i) % LONG_CONNECTIONS];

        if ((o->fd >= 0) == used)
            return o;
    }
    return NULL;
}

static void open_long(struct campaign *c, struct rng *r, bool data)
{
    struct open_connection *o = slot(c, false, r);
    bool v6 = rng_below(r, 2), out = rng_below(r, 3) == 0;
    struct talk t = {.from = out ? NODE : kinds_client(r)};

    if (!o)
        return;
    t.source = hosts[t.from].address[v6];
    t.to = hosts[out ? DC : NODE].address[v6];
    t.to_port = out ? (rng_below(r, 2) ? 389 : 49200) : rng_below(r, 3) ? rng_port(r, node_listed_tcp) : 8081;
    if (kinds_unsettles(c, &t, IPPROTO_TCP))
        return;
    o->exchange = kinds_enter(c, r, &t, IPPROTO_TCP, "tcp-long", data ? DATA : ANSWERED);
    o->fd = talk_connect(&c->place, &t, TALK_DEADLINE_MS);
    if (o->fd >= 0 && data)
        talk_echo(o->fd, rng_between(r, 1, 2000));
    else if (o->fd < 0)
        o->fd = -1;
    campaign_drain(c);
}

static void long_open(struct campaign *c, struct rng *r)
{
    open_long(c, r, rng_below(r, 2));
}

static void long_more(struct campaign *c, struct rng *r)
{
    struct open_connection *o = slot(c, true, r);

    if (o && !talk_echo(o->fd, rng_between(r, 1, 20000))) {
        c->trouble++;
        fprintf(stderr, "step %u: %s: does not go on\n", c->step, book_words(o->exchange));
    }
}

static void long_close(struct campaign *c, struct rng *r)
{
    struct open_connection *o = slot(c, true, r);

    if (!o)
        return;
    talk_close(o->fd, rng_below(r, 3) == 0);
    o->fd = -1;
}

/* A forged SYN on an open connection, which must stay unchanged. */
static void long_forged_syn(struct campaign *c, struct rng *r)
{
    struct open_connection *o = slot(c, true, r);
    char source[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

    if (!o || o->exchange->opener == NODE_OPENS)
        return;
    kinds_address_text(o->exchange->tuple.remote, source);
    kinds_address_text(o->exchange->tuple.local, to);
    raw_tcp(c, o->exchange, source, to, SEGMENT(PACKET_SYN, (uint32_t)rng_next(r)));
    campaign_settle(c, 3);
}

void kinds_open_early(struct campaign *c, struct rng *r)
{
    for (unsigned i = 0; i < LONG_CONNECTIONS; i++)
        c->open[i].fd = -1;
    for (unsigned i = 0; i < LONG_CONNECTIONS / 2; i++)
        open_long(c, r, rng_below(r, 2));
}

void kinds_close_all(struct campaign *c)
{
    for (unsigned i = 0; i < LONG_CONNECTIONS; i++)
        if (c->open[i].fd >= 0) {
            talk_close(c->open[i].fd, false);
            c->open[i].fd = -1;
        }
}

const struct kind tcp_kinds[] = {
    {"tcp-listed", 12, listed, false},
    {"tcp-unlisted", 8, unlisted, false},
    {"tcp-weak", 4, weak, false},
    {"tcp-companion", 4, companion, false},
    {"tcp-refused", 4, refused, false},
    {"tcp-unanswered", 2, unanswered, false},
    {"tcp-scan", 1, scan, false},
    {"tcp-reused", 2, reused, false},
    {"tcp-forged", 6, forged, false},
    {"tcp-stray", 3, stray, false},
    {"tcp-peer-in", 4, peer_in, false},
    {"tcp-peer-out", 3, peer_out, false},
    {"tcp-dc", 8, dc_out, false},
    {"tcp-out", 3, intruder_out, false},
    {"tcp-out-failed", 2, out_failed, false},
    {"tcp-ftp-active", 1, ftp_active, false},
    {"tcp-floating-elsewhere", 1, floating_elsewhere, false},
    {"tcp-long", 4, long_open, false},
    {"tcp-long-more", 10, long_more, false},
    {"tcp-long-close", 3, long_close, false},
    {"tcp-long-forged-syn", 2, long_forged_syn, false},
    {NULL, 0, NULL, false},
};
