/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * link.h - convert a frame of any supported link type to an Ethernet frame, for programs that parse Ethernet.
 *
 * The synthetic header contains only what the link showed: the sender's MAC address if it had one (otherwise zero), and
 * a broadcast or multicast destination if it was marked as such.
 */
#ifndef QPW_REPLAY_LINK_H
#define QPW_REPLAY_LINK_H

#include <stdbool.h>
#include <stdint.h>

/* A record's direction according to the capture. */
enum qpw_capture_direction { QPW_CAPTURE_UNSAID = 0, QPW_CAPTURE_RX, QPW_CAPTURE_TX };

/* A record. */
struct qpw_capture_frame {
    const uint8_t *data;   /* Ethernet frame; valid until the next record is read */
    uint32_t length;       /* captured bytes at data */
    uint32_t wire;         /* length of the Ethernet frame before truncation by the capture */
    uint32_t counted;      /* the record's original length, in its own link type */
    uint64_t time_ns;      /* Unix time */
    uint32_t ifindex;      /* cooked v2: the interface's index; otherwise 0 */
    uint32_t iface;        /* pcapng: the interface's number in its section plus 1; otherwise 0 */
    enum qpw_capture_direction direction;
};

/* How much of a record without an Ethernet header is kept: more than any chain of headers. */
#define QPW_LINK_KEPT 2048u

struct qpw_link_buffer {
    uint8_t bytes[14 + QPW_LINK_KEPT];
};

/* Return whether records of a link type (LINKTYPE_ value as in the file, or libpcap's DLT_) can be replayed. */
bool qpw_link_supported(uint32_t link_type);

/* Return "Ethernet, Linux cooked, raw IP, BSD loopback", for error messages. */
const char *qpw_link_supported_text(void);

/*
 * Convert a frame. In: frame->data, length and counted as in the record. Out: data, length, wire and, if the link has
 * them, direction and ifindex. Data may point into buf.
 */
void qpw_link_to_ethernet(uint32_t link_type, struct qpw_link_buffer *buf, struct qpw_capture_frame *frame);

#endif
