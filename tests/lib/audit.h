/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * audit.h - a loaded kernel side for tests: set its policy and addresses, feed it single frames, read its counts.
 *
 * Nothing is attached: frames go in through BPF_PROG_TEST_RUN, as if on the loopback device (ifindex 1) of the test's
 * namespace. Each audit_open() creates a namespace, so that socket lookups of the programs find only what the test has
 * bound. audit_close() asserts what holds in every test: each packet fed is counted exactly once, in frames and in
 * bytes, by direction and by verdict; and the two sums agree.
 *
 * The node is 10.0.0.1 and fd00::1 with the MAC 02:00:00:00:00:02, unless a test sets others.
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
    bool loaded;            /* at least one program is loaded */
    bool pooled;            /* taken from the pool (pool.h) */
};

/*
 * Received at XDP, received at TC ingress, sent at TC egress; the last two again on a device without Ethernet header.
 */
enum audit_hook { AUDIT_XDP, AUDIT_TC, AUDIT_TX, AUDIT_TC_L3, AUDIT_TX_L3 };

/*
 * Create the maps in a new network namespace; skip the test without the privileges. Programs are loaded when they are
 * first fed, unless the options name some. NULL options: the defaults.
 */
void audit_open(struct audit *a, const struct qpw_load_options *options);

/* Return the descriptor of a hook's program, which is loaded if necessary; owned by a. Callable from any thread. */
int audit_program(struct audit *a, enum audit_hook hook);

/* Assert what holds in every test, and unload. */
void audit_close(struct audit *a);

/* Assert now what audit_close() asserts. */
void audit_check(struct audit *a);

/* ---- Policy ---- */

#define AUDIT_MAX_RULES 64
#define AUDIT_MAX_PEERS 16
#define AUDIT_ETHERTYPE 0x1000 /* as protocol: first and last are EtherTypes */
#define AUDIT_UNTAGGED (-1)

/* A rule. Directions and verdicts as in qportwatch.h; zero fields mean "any" or the default. */
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
    uint32_t speaks;              /* services, QPW_SPEAKS() */
};

/*
 * Put this policy in force. peers: addresses or prefixes, each a peer of that name, ending with NULL; or NULL.
 */
void audit_policy(struct audit *a, const struct audit_rule *rules, size_t n_rules, const char *const *peers);
#define AUDIT_POLICY(a, peers, ...) \
    audit_policy((a), (const struct audit_rule[]){__VA_ARGS__}, \
                 sizeof((const struct audit_rule[]){__VA_ARGS__}) / sizeof(struct audit_rule), (peers))

/* Do the same for a policy's text, with all built-in rules. */
void audit_policy_text(struct audit *a, const char *text);

/* Add or remove a local address. */
void audit_local(struct audit *a, const char *address, bool present);

/* ---- Feeding ---- */

/* Feed one frame through one hook. */
void audit_feed(struct audit *a, enum audit_hook hook, const struct packet *p);

/* Do the same on another interface of the namespace. */
void audit_feed_on(struct audit *a, enum audit_hook hook, uint32_t ifindex, const struct packet *p);

/* Do the same with only the first `linear` bytes in the linear part. False: this kernel cannot do that. */
bool audit_feed_linear(struct audit *a, enum audit_hook hook, const struct packet *p, size_t linear);

/* The fields of a merged buffer, and the expected counts. TC only. */
struct audit_merged {
    uint32_t gso_size, gso_segs, wire_len;
    uint64_t frames, bytes;
};
void audit_feed_merged(struct audit *a, enum audit_hook hook, const struct packet *p, const struct audit_merged *m);

/* Feed a segment or datagram. rx: from, tx: to the remote end; XDP for IPv4, TC ingress for IPv6, so that both are used. */
void audit_rx_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port, struct packet_segment segment);
void audit_tx_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port, struct packet_segment segment);
void audit_rx_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);
void audit_tx_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);

/* Feed a complete handshake: three packets. */
void audit_handshake_in(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);
void audit_handshake_out(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);

/* ---- Time ---- */

/* End the start window. */
void audit_window_over(struct audit *a);

/* Make the connection's last packet that much older. The connection must exist. */
void audit_age(struct audit *a, const struct qpw_conn_key *key, uint64_t ns);

/* Write a connection as it was read, changed, back to where it stands; no program runs meanwhile. */
void audit_change(struct audit *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

/* The number of established connections that stand in their sets; those, and no others, are held there. */
unsigned audit_held(struct audit *a);

/* Make remembered questions that much older. */
void audit_age_questions(struct audit *a, uint64_t ns);

/* ---- Reading ---- */

#define AUDIT_IS(value) ((uint32_t)(value) + 1) /* a filter's field; 0: any */

struct audit_filter {
    uint32_t protocol, port, direction, verdict, reason, scope, kind, iface; /* AUDIT_IS() */
    const char *rule, *peer;                                                 /* names */
};

/*
 * Sum the matching meters, with the packets and bytes of their findings. Overflow rows match by direction and verdict
 * only.
 */
struct qpw_counts audit_sum(struct audit *a, const struct audit_filter *filter);
#define AUDIT_SUM(a, ...) audit_sum((a), &(struct audit_filter){__VA_ARGS__})

/* Return the packets of that sum, both directions. */
uint64_t audit_packets(struct audit *a, const struct audit_filter *filter);
#define AUDIT_PACKETS(a, ...) audit_packets((a), &(struct audit_filter){__VA_ARGS__})

/* A meter's row, as audit_sum() counts it. */
struct audit_row {
    struct qpw_meter_key key;
    struct qpw_counts counts;
};

/* Get all rows, sorted by key. Returns how many, at most max. */
size_t audit_rows(struct audit *a, struct audit_row *rows, size_t max);

struct qpw_conn_key audit_key(uint8_t protocol, const char *local, uint16_t local_port, const char *remote,
                              uint16_t remote_port);

/* Get the entry of a connection from its table; at most one table may hold it. False: there is none. */
bool audit_conn(struct audit *a, const struct qpw_conn_key *key, struct qpw_conn *ret);

/* Return the connection of the node (10.0.0.1, fd00::1) on these ports; it must exist. */
struct qpw_conn audit_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);
struct qpw_conn audit_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port);

struct audit_sought {
    enum qpw_verdict verdict;
    enum qpw_direction direction;
    uint8_t protocol;
    uint16_t port;
    const char *initiator, *responder;
};
/* Get the finding between these two, answered ones first. False: there is none. */
bool audit_finding(struct audit *a, struct audit_sought sought, struct qpw_finding *ret);

/* Do the same by the complete key. */
bool audit_finding_by(struct audit *a, const struct qpw_finding_key *key, struct qpw_finding *ret);

/* Return the number of entries of a map. */
size_t audit_entries(struct audit *a, enum qpw_map map);
size_t audit_connections(struct audit *a, enum qpw_conn_class conn_class);

/* Return one of the `losses`: enum qpw_loss or QPW_STAT_*(). */
uint64_t audit_stat(struct audit *a, uint32_t index);

/* Empty the ring of events. Returns how many were of that kind. */
size_t audit_events(struct audit *a, enum qpw_event_kind kind);

/* Return the number of a rule by its name; fail the test if there is none. */
uint16_t audit_rule_id(struct audit *a, const char *name);

/*
 * Write user space's decision (enum qpw_vouch_word) about companions on that local TCP port for which the rule `parent`
 * would vouch. Sockets have no owner in a test run: its number is 0.
 */
void audit_vouch(struct audit *a, const char *parent, uint16_t local_port, bool outbound, uint32_t word);

/* Write what user space writes once the socket table gives the opener of a TCP tuple. */
void audit_seed(struct audit *a, const struct qpw_conn_key *key, enum qpw_direction direction);

/* Convert an address to the form in maps: IPv4 mapped. */
void audit_address(const char *text, uint8_t ret[16]);

#endif
