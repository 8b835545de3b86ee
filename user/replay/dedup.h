/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dedup.h - recognise frames that a capture contains more than once.
 *
 * `tcpdump -i any` captures a packet on the bond, on its slave and on the VLAN device; a mirror port captures it on
 * ingress and egress. A copy has the same bytes from the network header on, within a millisecond; a retransmission
 * comes later, or has another IP identification.
 */
#ifndef QPW_REPLAY_DEDUP_H
#define QPW_REPLAY_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#define QPW_DEDUP_RECENT 64u

struct qpw_dedup {
    struct {
        uint64_t hash;
        uint64_t time_ns;
        uint32_t bytes;
    } recent[QPW_DEDUP_RECENT];
    uint64_t seen;   /* IP frames examined */
    uint64_t copies; /* of these, copies of an earlier one */
};

/*
 * Return whether a frame is a copy of one shortly before. ip: its `length` captured bytes from the network header on;
 * total: their length on the wire. Times may go back a little.
 */
bool qpw_dedup_is_copy(struct qpw_dedup *dedup, const uint8_t *ip, uint32_t length, uint32_t total, uint64_t time_ns);

/* Return whether there are too many copies for chance, so that the way of capturing must be the cause. */
bool qpw_dedup_suspicious(const struct qpw_dedup *dedup);

#endif
