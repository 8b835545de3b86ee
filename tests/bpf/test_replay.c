/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Public captures, replayed with each address of their two busiest conversations as the node, in both modes, and
 * compared exactly with an oracle from an independent dissector: who opened every connection, its packets and bytes in
 * each direction, its first and last packet, the sums by service port and direction, and every packet of the file in
 * exactly one row.
 *
 * REPLAY_TABLE=1 in the environment prints one line per capture.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/collect.h"
#include "instance/object.h"
#include "netns.h"
#include "oracle.h"
#include "replay/feed.h"
#include "replay/replay.h"
#include "util/names.h"

/* Justified differences from the oracle. The packets of such a row are looked up where the reason indicates. */
struct explained {
    const char *capture;
    const char *how;     /* of the oracle's row */
    int protocol;
    enum { AS_FRAGMENT_UNDECIDED, AS_CONNECTION, AS_ANSWER } counted;
    const char *reason;
    int initiator_port;  /* 0: any */
};
static const struct explained explanations[] = {
    {"ndpi-ip-frag-garbage.pcap", "midstream", IPPROTO_TCP, AS_FRAGMENT_UNDECIDED,
     "the first fragment holds 16 bytes, less than a TCP header: undecided, first-fragment-too-short (RFC 1858)"},
    {"ndpi-ip-frag-garbage.pcap", "synack", IPPROTO_TCP, AS_FRAGMENT_UNDECIDED,
     "the same; its SYN and ACK bits are random bytes"},
    {"ndpi-ip-frag-garbage.pcap", "frag", IPPROTO_TCP, AS_FRAGMENT_UNDECIDED,
     "later fragments of these: undecided, fragment-without-first"},
    {"sv-tcp-malformed4.pcap", "undecoded", IPPROTO_TCP, AS_CONNECTION,
     "an IP option of impossible length stops the dissector; the header length leads past it to a sound TCP header"},
    {"tcpdump-dhcpv6.pcap", "first", IPPROTO_UDP, AS_ANSWER,
     "the server answers by itself what a group was asked: to the oracle another conversation, which it opens; here "
     "whoever asked the group is its initiator, seen from the server (first) as from the client (inferred)", 547},
};

/* The tool's lines of one directed tuple, summed. */
struct seen {
    uint8_t initiator[16], responder[16];
    int initiator_port, responder_port, protocol;
    uint64_t packets[2], bytes[2]; /* [0] from the initiator */
    uint64_t first_us, last_us;
    uint64_t inbound_packets, inbound_bytes; /* of all: those of lines whose direction is inbound */
    uint8_t direction, evidence, verdict;
    bool matched;
};

/* Sums by (protocol, service port, direction). */
struct service {
    int protocol, port;
    unsigned direction;
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
};

static struct seen seen[ORACLE_MAX_ROWS];
static size_t n_seen;
static struct oracle_row rows[ORACLE_MAX_ROWS];
static size_t n_rows;
static struct service expected[2 * ORACLE_MAX_ROWS], counted[2 * ORACLE_MAX_ROWS];
static size_t n_expected, n_counted;
static unsigned n_compared, n_exact, n_explained;

/* The current case's name in messages. */
static char where[160];

static bool has_ports(int protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

/* ---- The tool's results ---- */

static struct seen *find_seen(const uint8_t *initiator, int initiator_port, const uint8_t *responder,
                              int responder_port, int protocol)
{
    for (size_t i = 0; i < n_seen; i++)
        if (seen[i].protocol == protocol && seen[i].initiator_port == initiator_port &&
            seen[i].responder_port == responder_port && !memcmp(seen[i].initiator, initiator, 16) &&
            !memcmp(seen[i].responder, responder, 16))
            return &seen[i];
    return NULL;
}

/* Of everything that ended connections are reported with, in their order. */
static uint64_t ended_hash;

static void hash_ended(const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ended_hash = (ended_hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ull;
}

static int note_ended(const struct qpw_ended *e, void *data)
{
    bool remote = e->conn.direction == QPW_DIR_UNKNOWN ? (e->conn.flags & QPW_CONN_REMOTE_FIRST) != 0
                                                       : e->conn.direction == QPW_DIR_INBOUND;
    int protocol = e->key.protocol, local_port = has_ports(protocol) ? e->key.local_port : -1;
    int remote_port = has_ports(protocol) ? e->key.remote_port : -1;
    const uint8_t *initiator = remote ? e->key.remote : e->key.local;
    const uint8_t *responder = remote ? e->key.local : e->key.remote;
    struct seen *s = find_seen(initiator, remote ? remote_port : local_port, responder,
                               remote ? local_port : remote_port, protocol);

    hash_ended(&e->key, sizeof(e->key));
    hash_ended(&e->conn, sizeof(e->conn));
    hash_ended(&e->counts, sizeof(e->counts));
    if (!s) {
        cr_assert_lt(n_seen, ORACLE_MAX_ROWS);
        s = &seen[n_seen++];
        *s = (struct seen){.initiator_port = remote ? remote_port : local_port, .protocol = protocol,
                           .responder_port = remote ? local_port : remote_port, .first_us = e->conn.first_ns / 1000};
        memcpy(s->initiator, initiator, 16);
        memcpy(s->responder, responder, 16);
    }
    s->direction = e->conn.direction;
    s->evidence = e->conn.evidence;
    s->verdict = e->conn.verdict;
    s->packets[!remote] += e->counts.rx_packets;
    s->bytes[!remote] += e->counts.rx_bytes;
    s->packets[remote] += e->counts.tx_packets;
    s->bytes[remote] += e->counts.tx_bytes;
    if (e->conn.direction == QPW_DIR_INBOUND) {
        s->inbound_packets += e->counts.rx_packets + e->counts.tx_packets;
        s->inbound_bytes += e->counts.rx_bytes + e->counts.tx_bytes;
    }
    s->first_us = e->conn.first_ns / 1000 < s->first_us ? e->conn.first_ns / 1000 : s->first_us;
    s->last_us = e->conn.last_ns / 1000 > s->last_us ? e->conn.last_ns / 1000 : s->last_us;
    return 0;
}

static struct service *service_of(struct service *list, size_t *n, int protocol, int port, unsigned direction)
{
    /* The oracle does not distinguish ICMP types. */
    port = has_ports(protocol) && direction != QPW_DIR_UNKNOWN ? port : 0;
    for (size_t i = 0; i < *n; i++)
        if (list[i].protocol == protocol && list[i].port == port && list[i].direction == direction)
            return &list[i];
    cr_assert_lt(*n, 2 * ORACLE_MAX_ROWS);
    list[*n] = (struct service){.protocol = protocol, .port = port, .direction = direction};
    return &list[(*n)++];
}

/* Packets by reason, and totals, according to the meters. */
static uint64_t by_reason[QPW_REASON_COUNT], total_packets, total_bytes, non_ip;

/* Add (sign 1) or subtract (sign -1, modulo 2^64) the content of the meters. */
static void add_meters(const struct qpw_kernel *k, uint64_t sign)
{
    struct qpw_snapshot s;
    struct qpw_error err;

    cr_assert_eq(qpw_collect(k, NULL, &s, &err), 0, "%s", err.text);
    for (size_t i = 0; i < s.n_meters; i++) {
        const struct qpw_meter_key *key = &s.meters[i].key;
        const struct qpw_counts *c = &s.meters[i].counts;
        struct service *service;

        total_packets += sign * (c->rx_packets + c->tx_packets);
        total_bytes += sign * (c->rx_bytes + c->tx_bytes);
        if (key->verdict == QPW_VERDICT_UNDECIDED)
            by_reason[key->reason] += sign * (c->rx_packets + c->tx_packets);
        if (key->direction == QPW_DIR_NON_IP)
            non_ip += sign * (c->rx_packets + c->tx_packets);
        if (key->direction != QPW_DIR_INBOUND && key->direction != QPW_DIR_OUTBOUND)
            continue;
        service = service_of(counted, &n_counted, key->protocol, key->port, key->direction);
        service->rx_packets += sign * c->rx_packets;
        service->rx_bytes += sign * c->rx_bytes;
        service->tx_packets += sign * c->tx_packets;
        service->tx_bytes += sign * c->tx_bytes;
    }
    qpw_snapshot_clear(&s);
}

/* Use no rules: the direction must result from the packets alone. */
static void set_empty_policy(struct qpw_kernel *k)
{
    struct qpw_chain none = {0};
    struct qpw_compiled policy = {
        .slots = calloc(2 * QPW_CHUNKS_PER_DIR, sizeof(struct qpw_slots)), .chains = &none, .n_chains = 1};
    struct qpw_registry names = {0};
    struct qpw_error err;

    cr_assert_eq(qpw_kernel_set_policy(k, &policy, &names, &err), 0, "%s", err.text);
    free(policy.slots);
}

static void empty_map(const struct qpw_kernel *k, enum qpw_map map)
{
    uint8_t key[64];

    while (bpf_map_get_next_key(k->map_fd[map], NULL, key) == 0)
        bpf_map_delete_elem(k->map_fd[map], key);
}

/* Zero an array, which cannot be emptied. */
static void zero_array(const struct qpw_kernel *k, enum qpw_map map, uint32_t entries, size_t size)
{
    static uint32_t keys[16384];
    static uint8_t zeroes[16384 * 64];
    uint32_t count = entries;

    cr_assert(entries <= 16384 && size <= 64);
    for (uint32_t i = 0; i < entries; i++)
        keys[i] = i;
    cr_assert_eq(bpf_map_update_batch(k->map_fd[map], keys, zeroes, &count, NULL), 0, "%s", strerror(errno));
}

static void replay_capture(struct qpw_kernel *k, const char *capture, const uint8_t node[16], bool mode_tc)
{
    struct qpw_replay_options options = {.mode_tc = mode_tc, .ended = note_ended};
    struct qpw_ends *ends = calloc(1, sizeof(*ends));
    struct qpw_replay *r;
    struct qpw_error err = {""};
    char path[256], text[INET6_ADDRSTRLEN];

    cr_assert_not_null(ends);
    n_seen = n_counted = 0;
    ended_hash = 0xcbf29ce484222325ull;
    total_packets = total_bytes = non_ip = 0;
    memset(by_reason, 0, sizeof(by_reason));
    snprintf(path, sizeof(path), ORACLE_CAPTURES "%s", capture);
    add_meters(k, (uint64_t)-1);
    cr_assert_eq(qpw_ends_add(ends, qpw_address_text(node, text, sizeof(text)), &err), 0, "%s", err.text);
    cr_assert_eq(qpw_replay_open(k, ends, &options, &r, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_replay_file(r, path, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_replay_finish(r, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_replay_totals(r)->evicted, 0);
    qpw_replay_close(r);
    add_meters(k, 1);
    /* The next replay begins with empty tables. */
    cr_assert_eq(qpw_kernel_set_local(k, node, 128, QPW_LOCAL_ADDRESS, false), 0);
    empty_map(k, QPW_MAP_frags);
    empty_map(k, QPW_MAP_parents);
    zero_array(k, QPW_MAP_questions, 16384, 64);
    zero_array(k, QPW_MAP_asked, 64, 16);
    zero_array(k, QPW_MAP_grace, 1024, 8);
    free(ends);
}

/* ---- Comparison with the oracle ---- */

static const char *row_text(const struct oracle_row *row)
{
    static char buf[256];
    char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];

    snprintf(buf, sizeof(buf), "%s: protocol %d, %s port %d to %s port %d (%s)", where, row->protocol,
             qpw_address_text(row->initiator, a, sizeof(a)), row->initiator_port,
             qpw_address_text(row->responder, b, sizeof(b)), row->responder_port, row->how);
    return buf;
}

/* By EtherType: PPPoE and MPLS are unexpected by that, whatever they carry. */
static bool is_non_ip(const struct oracle_row *row)
{
    return row->protocol < 0 || row->wrapped;
}

static bool touches(const struct oracle_row *row, const uint8_t node[16])
{
    return !is_non_ip(row) && (!memcmp(row->initiator, node, 16) || !memcmp(row->responder, node, 16));
}

static const struct explained *explanation_of(const char *capture, const struct oracle_row *row)
{
    for (size_t i = 0; i < sizeof(explanations) / sizeof(*explanations); i++)
        if (!strcmp(explanations[i].capture, capture) && !strcmp(explanations[i].how, row->how) &&
            explanations[i].protocol == row->protocol &&
            (!explanations[i].initiator_port || explanations[i].initiator_port == row->initiator_port))
            return &explanations[i];
    return NULL;
}

static bool same_pair(const struct oracle_row *a, const struct oracle_row *b)
{
    return a->protocol == b->protocol && ((!memcmp(a->initiator, b->initiator, 16) &&
                                           !memcmp(a->responder, b->responder, 16)) ||
                                          (!memcmp(a->initiator, b->responder, 16) &&
                                           !memcmp(a->responder, b->initiator, 16)));
}

/* Make the other end the initiator. */
static void turn(struct oracle_row *row)
{
    struct oracle_row was = *row;

    memcpy(row->initiator, was.responder, 16);
    memcpy(row->responder, was.initiator, 16);
    row->initiator_port = was.responder_port;
    row->responder_port = was.initiator_port;
    for (int i = 0; i < 2; i++) {
        row->packets[i] = was.packets[!i];
        row->bytes[i] = was.bytes[!i];
    }
    snprintf(row->how, sizeof(row->how), "answer");
    n_explained++;
}

/*
 * Add rows without ports that belong to connections (later fragments, and justified ones) to the only connection of the
 * same addresses and protocol.
 */
static void fold(const char *capture)
{
    for (size_t i = 0; i < n_rows; i++) {
        const struct explained *e = explanation_of(capture, &rows[i]);
        struct oracle_row *into = NULL;

        if (e && e->counted == AS_ANSWER) {
            turn(&rows[i]);
            continue;
        }
        if (e ? e->counted != AS_CONNECTION : strcmp(rows[i].how, "frag") != 0)
            continue;
        for (size_t j = 0; j < n_rows; j++)
            if (rows[j].initiator_port >= 0 && same_pair(&rows[i], &rows[j])) {
                cr_assert_null(into, "%s: several connections to add a row without ports to", capture);
                into = &rows[j];
            }
        cr_assert_not_null(into, "%s: no connection to add a row without ports to", capture);
        bool turned = memcmp(rows[i].initiator, into->initiator, 16) != 0;
        for (int way = 0; way < 2; way++) {
            into->packets[way ^ turned] += rows[i].packets[way];
            into->bytes[way ^ turned] += rows[i].bytes[way];
        }
        into->first_us = rows[i].first_us < into->first_us ? rows[i].first_us : into->first_us;
        into->last_us = rows[i].last_us > into->last_us ? rows[i].last_us : into->last_us;
        n_explained += e != NULL;
        rows[i] = rows[--n_rows];
        i--;
    }
}

static void expect_service(const struct oracle_row *row, bool outbound)
{
    struct service *s = service_of(expected, &n_expected, row->protocol, row->responder_port,
                                   outbound ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND);

    s->tx_packets += row->packets[!outbound];
    s->tx_bytes += row->bytes[!outbound];
    s->rx_packets += row->packets[outbound];
    s->rx_bytes += row->bytes[outbound];
}

static bool is_unspecified(const uint8_t addr[16])
{
    static const uint8_t no_address4[16] = {[10] = 0xff, [11] = 0xff}, no_address6[16];

    return !memcmp(addr, no_address4, 16) || !memcmp(addr, no_address6, 16);
}

/*
 * A sender without an address yet is the node if the frame comes from a card that the node was seen using before. The
 * oracle does not record that, so either direction is accepted for each packet.
 */
static void expect_without_address(const struct oracle_row *row, const struct seen *s)
{
    struct oracle_row in = *row, out = *row;

    in.packets[0] = s->inbound_packets;
    in.bytes[0] = s->inbound_bytes;
    out.packets[0] -= s->inbound_packets;
    out.bytes[0] -= s->inbound_bytes;
    expect_service(&in, false);
    expect_service(&out, true);
}

static void compare_row(const struct oracle_row *row, const uint8_t node[16])
{
    struct seen *s = find_seen(row->initiator, row->initiator_port, row->responder, row->responder_port, row->protocol);
    bool midstream = !strcmp(row->how, "midstream");
    /* With the node at both ends the responder is the local end. */
    bool outbound = !memcmp(row->initiator, node, 16) && memcmp(row->responder, node, 16);

    n_compared++;
    cr_assert_not_null(s, "%s: no such connection", row_text(row));
    s->matched = true;
    cr_assert_eq(s->packets[0], row->packets[0], "%s: %lu packets", row_text(row), (unsigned long)s->packets[0]);
    cr_assert_eq(s->packets[1], row->packets[1], "%s: %lu packets back", row_text(row), (unsigned long)s->packets[1]);
    cr_assert_eq(s->bytes[0], row->bytes[0], "%s: %lu bytes", row_text(row), (unsigned long)s->bytes[0]);
    cr_assert_eq(s->bytes[1], row->bytes[1], "%s: %lu bytes back", row_text(row), (unsigned long)s->bytes[1]);
    cr_assert_eq(s->first_us, row->first_us, "%s: first at %lu", row_text(row), (unsigned long)s->first_us);
    cr_assert_eq(s->last_us, row->last_us, "%s: last at %lu", row_text(row), (unsigned long)s->last_us);
    n_exact++;
    if (midstream) {
        cr_assert_eq(s->verdict, QPW_VERDICT_UNDECIDED, "%s", row_text(row));
        cr_assert_eq(s->direction, QPW_DIR_UNKNOWN, "%s", row_text(row));
        return;
    }
    if (is_unspecified(row->initiator)) {
        expect_without_address(row, s);
        return;
    }
    cr_assert_eq(s->direction, outbound ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND, "%s", row_text(row));
    if (!strcmp(row->how, "answer"))
        cr_assert_eq(s->evidence, outbound ? QPW_EVIDENCE_INFERRED : QPW_EVIDENCE_FIRST, "%s", row_text(row));
    else
        cr_assert_eq(s->evidence, row->protocol == IPPROTO_TCP ? QPW_EVIDENCE_HANDSHAKE : QPW_EVIDENCE_FIRST, "%s",
                     row_text(row));
    expect_service(row, outbound);
}

/* Connections without the node as an end, which multicast and broadcast reach. The oracle must have them, too. */
static void compare_rest(const uint8_t node[16])
{
    for (size_t i = 0; i < n_rows; i++) {
        struct seen *s = is_non_ip(&rows[i]) || touches(&rows[i], node)
                             ? NULL
                             : find_seen(rows[i].initiator, rows[i].initiator_port, rows[i].responder,
                                         rows[i].responder_port, rows[i].protocol);
        if (s)
            compare_row(&rows[i], node);
    }
    for (size_t i = 0; i < n_seen; i++) {
        char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
        cr_assert(seen[i].matched, "%s: not in the oracle: protocol %d, %s port %d to %s port %d", where,
                  seen[i].protocol, qpw_address_text(seen[i].initiator, a, sizeof(a)), seen[i].initiator_port,
                  qpw_address_text(seen[i].responder, b, sizeof(b)), seen[i].responder_port);
    }
}

static void compare_services(void)
{
    for (size_t i = 0; i < n_expected; i++) {
        struct service *e = &expected[i];
        struct service *c = service_of(counted, &n_counted, e->protocol, e->port, e->direction);

        cr_assert(c->rx_packets == e->rx_packets && c->rx_bytes == e->rx_bytes && c->tx_packets == e->tx_packets &&
                  c->tx_bytes == e->tx_bytes, "%s: meters of %s protocol %d port %d: rx %lu packets %lu bytes, tx %lu "
                  "packets %lu bytes; should be %lu %lu, %lu %lu", where, qpw_direction_name(e->direction),
                  e->protocol, e->port, (unsigned long)c->rx_packets, (unsigned long)c->rx_bytes,
                  (unsigned long)c->tx_packets, (unsigned long)c->tx_bytes, (unsigned long)e->rx_packets,
                  (unsigned long)e->rx_bytes, (unsigned long)e->tx_packets, (unsigned long)e->tx_bytes);
    }
    for (size_t i = 0; i < n_counted; i++) { /* and none without a counterpart */
        struct service *c = &counted[i];
        struct service *e = service_of(expected, &n_expected, c->protocol, c->port, c->direction);
        cr_assert_eq(c->rx_packets + c->tx_packets, e->rx_packets + e->tx_packets, "%s: protocol %d port %d", where,
                     c->protocol, c->port);
    }
}

static void compare(const char *capture, const uint8_t node[16])
{
    uint64_t packets = 0, bytes = 0, fragments = 0, not_ip = 0;

    n_expected = 0;
    for (size_t i = 0; i < n_rows; i++) {
        const struct explained *e = explanation_of(capture, &rows[i]);
        uint64_t of_row = rows[i].packets[0] + rows[i].packets[1];

        packets += of_row;
        bytes += rows[i].bytes[0] + rows[i].bytes[1];
        not_ip += is_non_ip(&rows[i]) ? of_row : 0;
        if (!touches(&rows[i], node))
            continue;
        if (e && e->counted == AS_FRAGMENT_UNDECIDED) {
            fragments += of_row;
            n_explained++;
        } else {
            compare_row(&rows[i], node);
        }
    }
    compare_rest(node);
    compare_services();
    cr_assert_eq(by_reason[QPW_REASON_FRAGMENT] + by_reason[QPW_REASON_FRAGMENT_SHORT], fragments,
                 "%s: %lu and %lu fragments undecided, not %lu", where, (unsigned long)by_reason[QPW_REASON_FRAGMENT],
                 (unsigned long)by_reason[QPW_REASON_FRAGMENT_SHORT], (unsigned long)fragments);
    cr_assert_eq(total_packets, packets, "%s: %lu packets of %lu", where, (unsigned long)total_packets,
                 (unsigned long)packets);
    cr_assert_eq(total_bytes, bytes, "%s: %lu bytes of %lu", where, (unsigned long)total_bytes, (unsigned long)bytes);
    cr_assert_leq(non_ip, not_ip, "%s", where); /* the oracle counts undecodable frames with them */
}

/* Without counts for each packet, the per-CPU cache answers for most packets of a known connection. */
static void compare_cached(struct qpw_kernel *cached, const char *capture, const uint8_t node[16], bool mode_tc)
{
    static struct service plain[2 * ORACLE_MAX_ROWS];
    size_t n_plain = n_counted;
    uint64_t plain_total = total_packets, plain_bytes = total_bytes, reasons[QPW_REASON_COUNT];

    memcpy(plain, counted, sizeof(plain));
    memcpy(reasons, by_reason, sizeof(reasons));
    replay_capture(cached, capture, node, mode_tc);
    for (size_t i = 0; i < n_counted; i++) {
        struct service *c = &counted[i], *s = service_of(plain, &n_plain, c->protocol, c->port, c->direction);

        cr_assert(c->rx_packets == s->rx_packets && c->rx_bytes == s->rx_bytes && c->tx_packets == s->tx_packets &&
                  c->tx_bytes == s->tx_bytes, "%s: protocol %d port %d: with the cache %lu and %lu packets, without "
                  "%lu and %lu", where, c->protocol, c->port, (unsigned long)c->rx_packets,
                  (unsigned long)c->tx_packets, (unsigned long)s->rx_packets, (unsigned long)s->tx_packets);
    }
    cr_assert_eq(total_packets, plain_total, "%s", where);
    cr_assert_eq(total_bytes, plain_bytes, "%s", where);
    cr_assert_arr_eq(by_reason, reasons, sizeof(reasons), "%s", where);
}

struct kernels {
    struct qpw_kernel many;   /* takes many frames a run, */
    struct qpw_kernel single; /* one, */
    struct qpw_kernel cached; /* one, and counts no single connections */
};

/* What one frame a run has left behind is what many have. */
static void compare_single(struct kernels *k, const char *capture, const uint8_t node[16], bool mode_tc)
{
    static struct service of_many[2 * ORACLE_MAX_ROWS];
    size_t n = n_counted, n_ended = n_seen;
    uint64_t hash = ended_hash, reasons[QPW_REASON_COUNT], packets = total_packets, bytes = total_bytes;

    memcpy(of_many, counted, sizeof(of_many));
    memcpy(reasons, by_reason, sizeof(reasons));
    replay_capture(&k->single, capture, node, mode_tc);
    cr_assert_eq(n_seen, n_ended, "%s: %zu connections by single frames, %zu by many", where, n_seen, n_ended);
    cr_assert_eq(ended_hash, hash, "%s", where);
    for (size_t i = 0; i < n_counted; i++)
        cr_assert(!memcmp(&counted[i].rx_packets, &service_of(of_many, &n, counted[i].protocol, counted[i].port,
                                                              counted[i].direction)->rx_packets, 4 * sizeof(uint64_t)),
                  "%s: protocol %d port %d", where, counted[i].protocol, counted[i].port);
    cr_assert_arr_eq(by_reason, reasons, sizeof(reasons), "%s", where);
    cr_assert(total_packets == packets && total_bytes == bytes, "%s", where);
}

static void one_capture(struct kernels *k, const char *capture)
{
    uint8_t nodes[ORACLE_MAX_NODES][16];
    size_t n_nodes;

    n_compared = n_exact = n_explained = 0;
    n_rows = oracle_read(capture, rows);
    n_nodes = oracle_nodes(rows, n_rows, nodes);
    if (!n_nodes) /* non-IP only: nothing except the sums can be compared */
        n_nodes = qpw_address_parse("192.0.2.1", nodes[0]) == 0;
    fold(capture);
    for (size_t i = 0; i < n_nodes; i++)
        for (int tc = 0; tc < 2; tc++) {
            char text[INET6_ADDRSTRLEN];

            snprintf(where, sizeof(where), "%s, node %s, %s", capture,
                     qpw_address_text(nodes[i], text, sizeof(text)), tc ? "tc" : "xdp");
            replay_capture(&k->many, capture, nodes[i], tc);
            compare(capture, nodes[i]);
            compare_single(k, capture, nodes[i], tc);
            compare_cached(&k->cached, capture, nodes[i], tc);
        }
    if (getenv("REPLAY_TABLE"))
        fprintf(stderr, "%-32s %zu nodes, both modes: %u rows compared, %u exact, %u explained, 0 wrong\n", capture,
                n_nodes, n_compared, n_exact, n_explained);
}

/* Loading the programs takes longer than a capture: a test takes every GROUPS-th. */
#define GROUPS 4

ParameterizedTestParameters(replay, captures)
{
    unsigned *groups = cr_malloc(GROUPS * sizeof(*groups));

    for (unsigned i = 0; i < GROUPS; i++)
        groups[i] = i;
    return cr_make_param_array(unsigned, groups, GROUPS);
}

static void load_for_replay(struct qpw_kernel *k, uint32_t programs, bool no_counts)
{
    struct qpw_load_options load = {.max_connections = 8192, .replay = true, .cache_lines = 1024, .programs = programs,
                                    .no_counts = no_counts, .fixed_secret = true};
    struct qpw_error err = {""};

    cr_assert_eq(qpw_kernel_load(&load, k, &err), 0, "%s", err.text);
    set_empty_policy(k);
}

ParameterizedTest(unsigned *group, replay, captures, .timeout = NETNS_TIMEOUT_S)
{
    const uint32_t single = 1u << QPW_PROG_qpw_xdp_rx | 1u << QPW_PROG_qpw_tc_rx | 1u << QPW_PROG_qpw_tc_tx;
    uint32_t many = qpw_feed_programs(false) | qpw_feed_programs(true);
    static struct oracle_name names[ORACLE_MAX_CAPTURES];
    struct kernels k;
    size_t n;

    netns_need_root();
    if (!oracle_present())
        cr_skip_test("no " ORACLE_CAPTURES "expected.tsv: nothing to compare with");
    n = oracle_captures(names);
    cr_assert_gt(n, 40);
    load_for_replay(&k.many, many, false);
    load_for_replay(&k.single, single, false);
    load_for_replay(&k.cached, single, true);
    for (size_t i = *group; i < n; i += GROUPS)
        one_capture(&k, names[i].capture);
    qpw_kernel_close(&k.many);
    qpw_kernel_close(&k.single);
    qpw_kernel_close(&k.cached);
}
