/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dedup.h - frames that a capture holds more than once.
 *
 * `tcpdump -i any` sees a packet on the bond, on its slave and on the VLAN device; a mirror port sees
 * it on its way in and out. A copy has the same bytes from the network header on and comes within a
 * millisecond; a retransmission comes later, or with another IP identification.
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
    uint64_t seen;   /* IP frames looked at */
    uint64_t copies; /* of them, copies of an earlier one */
};

/*
 * Is it a copy of a frame shortly before? ip: from the network header on, length of it, `total` of its
 * length on the wire. Times may go back a little.
 */
bool qpw_dedup_is_copy(struct qpw_dedup *dedup, const uint8_t *ip, uint32_t length, uint32_t total, uint64_t time_ns);

/* Whether there are so many that they are how the capture was taken, and not chance. */
bool qpw_dedup_suspicious(const struct qpw_dedup *dedup);

#endif
