/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ends.h - which end of a frame is the node: whether it left it (tx) or arrived (rx).
 *
 * By addresses first, then by what the capture says, then by the MAC addresses that the node was seen
 * sending from. The programs judge again, by themselves; this only picks the hook.
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

/* An address or a prefix that is the node's. */
struct qpw_ends_local {
    uint8_t addr[16]; /* network order, IPv4 mapped */
    unsigned prefix;  /* of 128 */
};

/* What a frame's headers say, as far as they could be read. */
struct qpw_ends_packet {
    uint8_t source[16];
    uint8_t destination[16];
    uint8_t source_mac[6];   /* zero: the link has none */
    uint32_t network_offset; /* of the IP header; 0: not IP, or not readable */
    uint16_t source_port;    /* TCP and UDP, else 0 */
    uint16_t destination_port;
    uint8_t protocol;
    bool has_addresses;
};

struct qpw_ends {
    struct qpw_ends_local locals[QPW_ENDS_MAX_LOCALS];
    size_t n_locals;
    uint8_t macs[QPW_ENDS_MACS][6]; /* the node was seen sending from them */
    size_t n_macs;
    bool several;                   /* some --local is a prefix: talkers are counted */
    uint8_t talkers[QPW_ENDS_TALKERS][16];
    size_t n_talkers;               /* addresses of prefixes that sent something, up to the table's size */
};

/* Adds "ADDR" or "ADDR/LEN". 0, or -EINVAL, -E2BIG with err. */
int qpw_ends_add(struct qpw_ends *ends, const char *text, struct qpw_error *err);

/* Reads the headers of an Ethernet frame of `length` bytes that was `wire` bytes long. */
void qpw_ends_parse(const uint8_t *frame, uint32_t length, uint32_t wire, struct qpw_ends_packet *ret);

/* Whether that is a MAC address at all. */
bool qpw_ends_has_mac(const uint8_t mac[6]);

/* Whether the frame left the node; learns the node's MAC addresses from it. */
bool qpw_ends_is_tx(struct qpw_ends *ends, const struct qpw_ends_packet *packet, enum qpw_capture_direction said);

#endif
