/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/community_id.h"

#include <netinet/in.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>

/* Types with a different answer type: the pair replaces the two ports. */
static const struct pair {
    uint8_t protocol;
    uint8_t type;
    uint8_t answer;
} pairs[] = {
    {IPPROTO_ICMP, 0, 8},        {IPPROTO_ICMP, 8, 0},        {IPPROTO_ICMP, 9, 10},       {IPPROTO_ICMP, 10, 9},
    {IPPROTO_ICMP, 13, 14},      {IPPROTO_ICMP, 14, 13},      {IPPROTO_ICMP, 15, 16},      {IPPROTO_ICMP, 16, 15},
    {IPPROTO_ICMP, 17, 18},      {IPPROTO_ICMP, 18, 17},      {IPPROTO_ICMPV6, 128, 129},  {IPPROTO_ICMPV6, 129, 128},
    {IPPROTO_ICMPV6, 130, 131},  {IPPROTO_ICMPV6, 131, 130},  {IPPROTO_ICMPV6, 133, 134},  {IPPROTO_ICMPV6, 134, 133},
    {IPPROTO_ICMPV6, 135, 136},  {IPPROTO_ICMPV6, 136, 135},  {IPPROTO_ICMPV6, 139, 140},  {IPPROTO_ICMPV6, 140, 139},
    {IPPROTO_ICMPV6, 144, 145},  {IPPROTO_ICMPV6, 145, 144},
};

/* Set the second port of an ICMP flow; false: it is one-way and keeps its order. */
static bool icmp_answer(struct qpw_community_flow *flow)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        if (pairs[i].protocol == flow->protocol && pairs[i].type == flow->source_port) {
            flow->destination_port = pairs[i].answer;
            return true;
        }
    return false;
}

static void put16(uint8_t **at, uint16_t value)
{
    *(*at)++ = value >> 8;
    *(*at)++ = value & 0xff;
}

/* Lay out the input of the hash: seed, smaller end, greater end, protocol, zero, ports. Return its length. */
static size_t lay_out(const struct qpw_community_flow *flow, uint16_t seed, uint8_t *buf)
{
    bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)flow->source) &&
              IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)flow->destination);
    size_t skip = v4 ? 12 : 0, length = 16 - skip;
    uint8_t *at = buf;

    put16(&at, seed);
    memcpy(at, flow->source + skip, length);
    memcpy(at + length, flow->destination + skip, length);
    at += 2 * length;
    *at++ = flow->protocol;
    *at++ = 0;
    if (flow->has_ports) {
        put16(&at, flow->source_port);
        put16(&at, flow->destination_port);
    }
    return at - buf;
}

const char *qpw_community_id(const struct qpw_community_flow *flow, uint16_t seed, bool hex, char *buf)
{
    struct qpw_community_flow f = *flow;
    uint8_t data[2 + 32 + 2 + 4], digest[SHA1_DIGEST_SIZE];
    bool one_way = false;
    struct sha1_ctx sha1;
    int order;

    if (f.protocol == IPPROTO_ICMP || f.protocol == IPPROTO_ICMPV6)
        one_way = !icmp_answer(&f);
    order = memcmp(f.source, f.destination, 16);
    if (!one_way && (order > 0 || (order == 0 && f.has_ports && f.source_port > f.destination_port))) {
        memcpy(f.source, flow->destination, 16);
        memcpy(f.destination, flow->source, 16);
        uint16_t port = f.source_port;
        f.source_port = f.destination_port;
        f.destination_port = port;
    }
    sha1_init(&sha1);
    sha1_update(&sha1, lay_out(&f, seed, data), data);
    sha1_digest(&sha1, sizeof(digest), digest);

    strcpy(buf, "1:");
    if (hex) {
        for (size_t i = 0; i < sizeof(digest); i++)
            sprintf(buf + 2 + 2 * i, "%02x", digest[i]);
    } else {
        base64_encode_raw(buf + 2, sizeof(digest), digest);
        buf[2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE)] = '\0';
    }
    return buf;
}
