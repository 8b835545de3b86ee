/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/link.h"

#include <net/ethernet.h>
#include <string.h>

/* https://www.tcpdump.org/linktypes.html; the two additional values of raw IP are DLT_RAW of different systems. */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_DLT = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276,
};

/* For a protocol that has no EtherType; "reserved" in IEEE's list, so nothing else uses it. */
#define ETHERTYPE_UNNAMED 0xffff
/* Linux's ETH_P_802_2 in a cooked header: an LLC header follows. */
#define COOKED_LLC 0x0004
#define COOKED_OUTGOING 4
#define COOKED_BROADCAST 1
#define COOKED_MULTICAST 2

bool qpw_link_supported(uint32_t link_type)
{
    switch (link_type) {
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_RAW_DLT:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_LOOP:
    case LINK_SLL:
    case LINK_IPV4:
    case LINK_IPV6:
    case LINK_SLL2:
        return true;
    default:
        return false;
    }
}

const char *qpw_link_supported_text(void)
{
    return "Ethernet, Linux cooked v1 and v2, raw IP, BSD null and loop";
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* Replace the link header of `header` bytes by an Ethernet header. */
static void put_header(struct qpw_link_buffer *buf, struct qpw_capture_frame *frame, uint32_t header,
                       const uint8_t macs[12], uint16_t type)
{
    uint32_t kept = frame->length > header ? frame->length - header : 0;

    if (kept > QPW_LINK_KEPT)
        kept = QPW_LINK_KEPT;
    memcpy(buf->bytes, macs, 12);
    buf->bytes[12] = (uint8_t)(type >> 8);
    buf->bytes[13] = (uint8_t)type;
    if (kept)
        memcpy(buf->bytes + 14, frame->data + header, kept);
    frame->wire = 14 + (frame->counted > header ? frame->counted - header : 0);
    frame->length = 14 + kept;
    frame->data = buf->bytes;
}

/* Return the EtherType by the first nibble; anything but 6 is left to the parser as IPv4. */
static uint16_t raw_type(const struct qpw_capture_frame *frame)
{
    return frame->length && frame->data[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP;
}

/*
 * Return the EtherType by BSD's address family in either byte order: 2 is IPv4 everywhere, IPv6 differs between
 * systems.
 */
static uint16_t null_type(const struct qpw_capture_frame *frame)
{
    uint32_t family = frame->length >= 4 ? get32(frame->data) : 0;

    if (family > 0xffff)
        family = __builtin_bswap32(family);
    switch (family) {
    case 2: return ETHERTYPE_IP;
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        return ETHERTYPE_IPV6;
    default: return ETHERTYPE_UNNAMED;
    }
}

static void cooked(struct qpw_link_buffer *buf, struct qpw_capture_frame *frame, bool v2)
{
    static const uint8_t multicast[6] = {0x01, 0x00, 0x5e, 0, 0, 0};
    uint8_t macs[12] = {0x02};
    const uint8_t *h = frame->data;
    uint32_t header = v2 ? 20 : 16;
    unsigned type, address_bytes, protocol;

    if (frame->length < header) { /* truncated within the link header, so nothing is known */
        put_header(buf, frame, frame->length, macs, ETHERTYPE_UNNAMED);
        frame->length = 0;
        return;
    }
    type = v2 ? h[10] : get16(h);
    address_bytes = v2 ? h[11] : get16(h + 4);
    protocol = v2 ? get16(h) : get16(h + 14);
    frame->ifindex = v2 ? get32(h + 4) : 0;
    frame->direction = type == COOKED_OUTGOING ? QPW_CAPTURE_TX : QPW_CAPTURE_RX;
    if (type == COOKED_BROADCAST)
        memset(macs, 0xff, 6);
    else if (type == COOKED_MULTICAST)
        memcpy(macs, multicast, 6);
    if (address_bytes == 6)
        memcpy(macs + 6, h + (v2 ? 12 : 6), 6);
    if (protocol == COOKED_LLC) { /* 802.3 has a length in the place of the EtherType */
        uint32_t body = frame->counted - header;
        protocol = body <= 1500 ? body : 1500;
    } else if (protocol < 0x600) {
        protocol = ETHERTYPE_UNNAMED;
    }
    put_header(buf, frame, header, macs, (uint16_t)protocol);
}

void qpw_link_to_ethernet(uint32_t link_type, struct qpw_link_buffer *buf, struct qpw_capture_frame *frame)
{
    static const uint8_t macs[12] = {0x02}; /* a unicast destination; the sender is unknown, hence zero */

    switch (link_type) {
    case LINK_ETHERNET:
        frame->wire = frame->counted > frame->length ? frame->counted : frame->length;
        break;
    case LINK_NULL:
    case LINK_LOOP:
        put_header(buf, frame, 4, macs, null_type(frame));
        break;
    case LINK_SLL: cooked(buf, frame, /* v2= */ false); break;
    case LINK_SLL2: cooked(buf, frame, /* v2= */ true); break;
    case LINK_IPV4:
        put_header(buf, frame, 0, macs, ETHERTYPE_IP);
        break;
    case LINK_IPV6:
        put_header(buf, frame, 0, macs, ETHERTYPE_IPV6);
        break;
    default:
        put_header(buf, frame, 0, macs, raw_type(frame));
        break;
    }
    if (frame->wire < frame->length)
        frame->wire = frame->length;
}
