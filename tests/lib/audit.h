/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * audit.h - a loaded kernel side for tests: given a policy and addresses, fed single frames, asked what it counted.
 *
 * Nothing is attached anywhere: frames go in through BPF_PROG_TEST_RUN, which pretends to be the loopback
 * device (ifindex 1) of the namespace that the test is in. Each audit_open() makes a namespace of its own, so
 * the socket look-ups of the programs see only what the test itself has bound. audit_close() asserts what
 * has to hold in every test: each packet fed is counted exactly once, in frames and in bytes, by direction
 * and by verdict; and the two sums agree.
 *
 * The node is 10.0.0.1 and fd00::1 with the MAC 02:00:00:00:00:02, unless a test says otherwise.
 */
#ifndef TESTS_LIB_AUDIT_H
#define TESTS_LIB_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot/conns.h"
#include "instance/object.h"
#include "packet.h"
#include "qportwatch_user.h"

#define AUDIT_NODE "10.0.0.1"
#define AUDIT_NODE6 "fd00::1"

struct audit {
    struct qpw_kernel kernel;
    struct qpw_registry names;
    uint64_t frames, bytes; /* fed so far */
    bool loaded;            /* some program is */
    bool pooled;            /* taken over from another test (pool.h) */
};

/* Received at XDP, received at TC ingress, sent (TC egress); and the last two on a device without Ethernet header. */
enum audit_hook { AUDIT_XDP, AUDIT_TC, AUDIT_TX, AUDIT_TC_L3, AUDIT_TX_L3 };

/*
 * Makes the maps, in a new network namespace; skips the test where it may not. Programs are loaded when they are first
 * fed, unless the options name some. NULL options: the defaults.
 */
void audit_open(struct audit *a, const struct qpw_load_options *options);

/* Descriptor of the program of a hook, loaded now if it was not yet; owned by a. From any thread. */
int audit_program(struct audit *a, enum audit_hook hook);

/* Asserts what has to hold in every test, and unloads. */
void audit_close(struct audit *a);

/* What audit_close() asserts, now. */
void audit_check(struct audit *a);

/* ---- Policy ---- */

#define AUDIT_MAX_RULES 64
#define AUDIT_MAX_PEERS 16
#define AUDIT_ETHERTYPE 0x1000 /* as protocol: first and last are EtherTypes */
#define AUDIT_UNTAGGED (-1)

/* A row. Directions and verdicts as in qportwatch.h; zero fields mean "any" or "the usual". */
struct audit_rule {
    const char *name;
    enum qpw_direction direction; /* inbound or outbound; unknown: both */
    unsigned protocol;            /* IP protocol number, or AUDIT_ETHERTYPE */
    uint16_t first, last;         /* service ports, ICMP types; last 0: first. Other protocols: none */
    enum qpw_verdict verdict;     /* 0: allowed */
    const char *from, *to;        /* initiator and responder: address or prefix */
    int vlan;                     /* 0: any, AUDIT_UNTAGGED, or the id */
    uint32_t ifindex;
    uint16_t initiator_port;
    const char *parent;           /* name of the rule that must be live */
    bool rx_multicast;
    bool any_answer;              /* answers=any-port */
};

/* Makes this policy the one in force. peers: addresses or prefixes, each a peer of that name, and NULL; or NULL. */
void audit_policy(struct audit *a, const struct audit_rule *rules, size_t n_rules, const char *const *peers);
#define AUDIT_POLICY(a, peers, ...) \
    audit_policy((a), (const struct audit_rule[]){__VA_ARGS__}, \
                 sizeof((const struct audit_rule[]){__VA_ARGS__}) / sizeof(struct audit_rule), (peers))

/* The same of a policy as it is written, with all of the tool's own rules. */
void audit_policy_text(struct audit *a, const char *text);

/* Adds or takes away a local address. */
void audit_local(struct audit *a, const char *address, bool present);

/* ---- Feeding ---- */

/* One frame through one hook. */
void audit_feed(struct audit *a, enum audit_hook hook, const struct packet *p);

/* The same, on another interface of the namespace. */
void audit_feed_on(struct audit *a, enum audit_hook hook, uint32_t ifindex, const struct packet *p);

/* The same, only the first `linear` bytes in the linear part. false: this kernel cannot make such a test run. */
bool audit_feed_linear(struct audit *a, enum audit_hook hook, const struct packet *p, size_t linear);

/* What a merged buffer says of itself, and what it has to be counted as. TC only. */
struct audit_merged {
    uint32_t gso_size, gso_segs, wire_len;
    uint64_t frames, bytes;
};
void audit_feed_merged(struct audit *a, enum audit_hook hook, const struct packet *p, const struct audit_merged *m);

/* Shorthands. rx from, tx to the remote end; XDP for IPv4, TC ingress for IPv6, so that both are used. */
void audit_rx_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port, uint8_t flags,
                  uint32_t seq, uint32_t ack, size_t payload);
void audit_tx_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port, uint8_t flags,
                  uint32_t seq, uint32_t ack, size_t payload);
void audit_rx_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);
void audit_tx_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);

/* A whole handshake: three packets. */
void audit_handshake_in(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);
void audit_handshake_out(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);

/* ---- Time ---- */

/* The start window is over. */
void audit_window_over(struct audit *a);

/* The connection's last packet is so much longer ago. It must exist. */
void audit_age(struct audit *a, const struct qpw_conn_key *key, uint64_t ns);

/* What is remembered of questions is so much longer ago. */
void audit_age_questions(struct audit *a, uint64_t ns);

/* ---- Reading ---- */

#define AUDIT_IS(value) ((uint32_t)(value) + 1) /* a filter's field; 0: any */

struct audit_filter {
    uint32_t protocol, port, direction, verdict, reason, scope, kind, iface; /* AUDIT_IS() */
    const char *rule, *peer;                                                 /* names */
};

/* Sum of the meters that fit, with their findings' packets and bytes. Overflow rows: by direction and verdict alone. */
struct qpw_counts audit_sum(struct audit *a, const struct audit_filter *filter);
#define AUDIT_SUM(a, ...) audit_sum((a), &(struct audit_filter){__VA_ARGS__})

/* Packets, both ways, of the same. */
uint64_t audit_packets(struct audit *a, const struct audit_filter *filter);
#define AUDIT_PACKETS(a, ...) audit_packets((a), &(struct audit_filter){__VA_ARGS__})

/* A meter's row, as audit_sum() counts it. */
struct audit_row {
    struct qpw_meter_key key;
    struct qpw_counts counts;
};

/* All rows, ordered by key. Returns how many, at most max. */
size_t audit_rows(struct audit *a, struct audit_row *rows, size_t max);

struct qpw_conn_key audit_key(uint8_t protocol, const char *local, uint16_t local_port, const char *remote,
                              uint16_t remote_port);

/* The entry of a connection, from whichever table. false: there is none. Exactly one table may hold it. */
bool audit_conn(struct audit *a, const struct qpw_conn_key *key, struct qpw_conn *ret);

/* The connection of the node (10.0.0.1, fd00::1) on these ports; must exist. */
struct qpw_conn audit_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);
struct qpw_conn audit_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);

/* The finding between these two, from the answered ones first. false: there is none. */
bool audit_finding(struct audit *a, enum qpw_verdict verdict, enum qpw_direction direction, uint8_t protocol,
                   uint16_t port, const char *initiator, const char *responder, struct qpw_finding *ret);

/* The same by its whole key. */
bool audit_finding_by(struct audit *a, const struct qpw_finding_key *key, struct qpw_finding *ret);

/* Number of entries of a map. */
size_t audit_entries(struct audit *a, enum qpw_map map);
size_t audit_connections(struct audit *a, enum qpw_conn_class conn_class);

/* One of the `losses`: enum qpw_loss or QPW_STAT_*(). */
uint64_t audit_stat(struct audit *a, uint32_t index);

/* Reads the ring of events empty. How many were of that kind. */
size_t audit_events(struct audit *a, enum qpw_event_kind kind);

/* Number of a rule by its name; fails the test if there is none. */
uint16_t audit_rule_id(struct audit *a, const char *name);

/*
 * Writes what user space decides of companions on that local TCP port which the rule `parent` would vouch for: an
 * enum qpw_vouch_word. Sockets have no owner in a test run: its number is 0.
 */
void audit_vouch(struct audit *a, const char *parent, uint16_t local_port, bool outbound, uint32_t word);

/* Writes what user space writes when the socket table names the opener of a TCP tuple. */
void audit_seed(struct audit *a, const struct qpw_conn_key *key, enum qpw_direction direction);

/* An address as maps hold it: IPv4 mapped. */
void audit_address(const char *text, uint8_t ret[16]);

#endif
