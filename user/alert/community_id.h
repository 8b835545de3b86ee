/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * community_id.h - Community ID version 1: one text for both directions of a flow, the same in every tool that supports
 * it.
 */
#ifndef QPW_ALERT_COMMUNITY_ID_H
#define QPW_ALERT_COMMUNITY_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QPW_COMMUNITY_ID_LEN 48 /* with terminator */

struct qpw_community_flow {
    uint8_t source[16]; /* network order, IPv4 mapped */
    uint8_t destination[16];
    uint16_t source_port; /* host order; ICMP and ICMPv6: the type */
    uint16_t destination_port; /* ICMP and ICMPv6: the code */
    uint8_t protocol;
    bool has_ports;
};

/* Write "1:" and the SHA-1 as base64, or as hexadecimal digits if `hex`. Returns buf (of QPW_COMMUNITY_ID_LEN). */
const char *qpw_community_id(const struct qpw_community_flow *flow, uint16_t seed, bool hex, char *buf);

#endif
