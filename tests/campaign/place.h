/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * place.h - the site of a campaign: a node, two peers, clients, a domain controller, an intruder and a scanner, each in
 * a network namespace of its own on one bridge; and the servers on them.
 *
 * The node's only interface is "node0", until it is renamed. Its other end, "to-node" on the bridge, is where every
 * frame of the node is witnessed independently of the program under test. Offloads are off everywhere, so that a buffer
 * is a frame.
 */
#ifndef TESTS_CAMPAIGN_PLACE_H
#define TESTS_CAMPAIGN_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "netns.h"
#include "packet.h"

enum host_id { NODE, PEER1, PEER2, CLIENT1, CLIENT2, DC, INTRUDER, SCANNER, HOSTS };

/* Addresses that move between the node and the first peer. */
#define FLOATS 2

/* Forged sources: routed to the intruder, which silently drops what returns. */
#define FORGED_V4 "10.99."
#define FORGED_V6 "fd99::"

struct host {
    const char *name;
    const char *address[2]; /* [0] IPv4, [1] IPv6 */
    const char *mac;
};
extern const struct host hosts[HOSTS];
extern const char *const floats[FLOATS][2]; /* with prefix length in float_prefix[] */

struct place {
    struct netns ns[HOSTS];
    struct netns bridge;
    int raw[HOSTS];        /* AF_PACKET socket on the host's eth0 */
    pid_t servers[HOSTS];  /* 0: none */
    pid_t shell;           /* the node's unlisted services */
    bool floating[FLOATS]; /* true: the address is on the node, else on the first peer */
    char node_if[16];      /* the current name of the node's interface */
};

void place_make(struct place *p);
void place_end(struct place *p);

/* Return a socket of that host; the caller closes it. Close-on-exec, non-blocking. */
int place_socket(const struct place *p, enum host_id host, int family, int type);

/* Send a built frame out of the host's interface, unchanged. */
void place_send(const struct place *p, enum host_id host, const struct packet *frame);

/* Move a floating address: to the node, or to the first peer. */
void place_move(struct place *p, unsigned which, bool to_node);

/* Bring the node's interface up again after it was away or down, with its addresses, routes and neighbours. */
void place_dress_node(struct place *p);

/* Delete the node's interface with its link; create both again, down, with the same names and MACs. */
void place_delete_link(struct place *p);
void place_make_link(struct place *p);

/* Move the node's interface into the other namespace, or back; it is down afterwards. */
void place_move_link(struct place *p, const struct netns *from, const struct netns *to);

/* Hold back at the bridge everything for the node, or let it pass again. */
void place_hold(struct place *p, bool hold);

/*
 * Let nothing reach the node nor leave its stack, before its link goes down: of a frame on its way at that moment
 * nobody can say whether the program has counted it and whether it arrives.
 */
void place_silence(struct place *p);

/* Let the node's stack speak again. To the node, the bridge forwards from when the link is up. */
void place_end_silence(struct place *p);

/* Open the node's packet socket again, on the current interface. */
void place_reopen_raw(struct place *p);

/* Served ports for the generator to choose from. Ended by 0. */
extern const uint16_t node_listed_tcp[], node_unlisted_tcp[], node_weak_tcp[], node_companion_tcp[], node_udp[],
    dc_tcp[], dc_dynamic_tcp[], dc_udp[], peer_tcp[], peer_udp[], intruder_tcp[], intruder_udp[];

#define NODE_DROPPED_TCP 6666  /* the node's own firewall drops it */
#define NODE_DROPPED_UDP 6667
#define NODE_SILENT_UDP 6668   /* bound, never answers */
#define REMOTE_DROPPED_TCP 6669 /* dropped by the intruder's firewall */

#endif
