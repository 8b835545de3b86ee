/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ends.h - decide which end of a frame is the node: whether the frame left it (tx) or arrived (rx).
 *
 * Decided by addresses first, then by the direction in the capture, then by MAC addresses that the node has been seen
 * sending from. This only picks the hook; the programs judge for themselves.
 */
#ifndef QPW_REPLAY_ENDS_H
#define QPW_REPLAY_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replay/link.h"
#include "util/error.h"

#define QPW_ENDS_MAX_LOCALS 256u
#define QPW_ENDS_MACS 16u
#define QPW_ENDS_TALKERS 64u

/* An address or a prefix of the node. */
struct qpw_ends_local {
    uint8_t addr[16]; /* network order, IPv4-mapped */
    unsigned prefix;  /* in bits of 128 */
};

/* The headers of a frame, as far as they were readable. */
struct qpw_ends_packet {
    uint8_t source[16];
    uint8_t destination[16];
    uint8_t source_mac[6];   /* all zero: the link has none */
    uint32_t network_offset; /* of the IP header; 0: not IP, or unreadable */
    uint16_t source_port;    /* TCP and UDP, otherwise 0 */
    uint16_t destination_port;
    uint8_t protocol;
    bool has_addresses;
};

struct qpw_ends {
    struct qpw_ends_local locals[QPW_ENDS_MAX_LOCALS];
    size_t n_locals;
    uint8_t macs[QPW_ENDS_MACS][6]; /* the node has been seen sending from them */
    size_t n_macs;
    bool several;                   /* some --local is a prefix, so talkers are counted */
    uint8_t talkers[QPW_ENDS_TALKERS][16];
    size_t n_talkers;               /* addresses within prefixes that sent something, up to the table's size */
};

/* Add "ADDR" or "ADDR/LEN". Returns 0, or -EINVAL or -E2BIG with err filled. */
int qpw_ends_add(struct qpw_ends *ends, const char *text, struct qpw_error *err);

/* Parse an Ethernet frame's headers; `length` bytes were captured of `wire` bytes. */
void qpw_ends_parse(const uint8_t *frame, uint32_t length, uint32_t wire, struct qpw_ends_packet *ret);

/* Return whether the MAC address is set. */
bool qpw_ends_has_mac(const uint8_t mac[6]);

/* Return whether the frame left the node, and learn the node's MAC addresses from it. */
bool qpw_ends_is_tx(struct qpw_ends *ends, const struct qpw_ends_packet *packet, enum qpw_capture_direction recorded);

#endif
