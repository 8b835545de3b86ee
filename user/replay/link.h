/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * link.h - any supported link type's frame as an Ethernet frame, for programs that read Ethernet.
 *
 * The header made up says no more than the link did: the sender's MAC where it had one (else zero), a
 * broadcast or multicast destination where it said so.
 */
#ifndef QPW_REPLAY_LINK_H
#define QPW_REPLAY_LINK_H

#include <stdbool.h>
#include <stdint.h>

/* Which way a record went, as the capture itself says. */
enum qpw_capture_direction { QPW_CAPTURE_UNSAID = 0, QPW_CAPTURE_RX, QPW_CAPTURE_TX };

/* One record. */
struct qpw_capture_frame {
    const uint8_t *data;   /* Ethernet frame; valid until the next record is read */
    uint32_t length;       /* bytes at data */
    uint32_t wire;         /* the Ethernet frame's length before the capture cut it */
    uint32_t counted;      /* the record's original length, whatever its link type */
    uint64_t time_ns;      /* Unix time */
    uint32_t ifindex;      /* cooked v2: the interface's index, else 0 */
    uint32_t iface;        /* pcapng: number of the interface in its section plus 1, else 0 */
    enum qpw_capture_direction direction;
};

/* How much of a record that has no Ethernet header is kept: more than any chain of headers takes. */
#define QPW_LINK_KEPT 2048u

struct qpw_link_buffer {
    uint8_t bytes[14 + QPW_LINK_KEPT];
};

/* Whether records of that link type (LINKTYPE_ value as in the file, or libpcap's DLT_) can be replayed. */
bool qpw_link_supported(uint32_t link_type);

/* "Ethernet, Linux cooked, raw IP, BSD loopback", for error messages. */
const char *qpw_link_supported_text(void);

/*
 * In: frame->data, length and counted as the record has them. Out: data, length, wire and, where the
 * link says so, direction and ifindex. Data may point into buf.
 */
void qpw_link_to_ethernet(uint32_t link_type, struct qpw_link_buffer *buf, struct qpw_capture_frame *frame);

#endif
