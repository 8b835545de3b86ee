/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/lines.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

#include "util/names.h"

/* An address with its port, IPv6 in brackets then; without ports the bare address. */
static const char *endpoint(const uint8_t addr[16], unsigned port, char *buf, size_t size)
{
    char text[INET6_ADDRSTRLEN];

    qpw_address_text(addr, text, sizeof(text));
    if (!port)
        snprintf(buf, size, "%s", text);
    else
        snprintf(buf, size, IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr) ? "%s:%u" : "[%s]:%u", text, port);
    return buf;
}

const char *qpw_finding_line(const struct qpw_finding_key *key, const struct qpw_finding *value, const char *ifname,
                             char *buf, size_t size)
{
    char protocol[16], from[64], to[64], what[48];
    bool ports = key->kind == QPW_KIND_PORT;

    qpw_protocol_text(key->kind, key->protocol, key->port, protocol, sizeof(protocol));
    if (key->kind == QPW_KIND_ETHERTYPE) {
        snprintf(what, sizeof(what), "EtherType %s", protocol);
    } else if (ports && key->port) {
        snprintf(what, sizeof(what), "%s %u", protocol, key->port);
    } else if (key->kind == QPW_KIND_ICMP) {
        snprintf(what, sizeof(what), "%s type %u", protocol, key->port);
    } else {
        snprintf(what, sizeof(what), qpw_protocol_name(key->protocol) ? "%s" : "IP protocol %s", protocol);
    }
    if (key->kind == QPW_KIND_ETHERTYPE) {
        snprintf(buf, size, "%s %s %s%s%s", qpw_verdict_name(key->verdict), qpw_direction_name(key->direction), what,
                 *ifname ? " on " : "", ifname);
        return buf;
    }
    endpoint(key->initiator, ports ? value->initiator_port : 0, from, sizeof(from));
    endpoint(key->responder, ports ? key->port : 0, to, sizeof(to));
    snprintf(buf, size, "%s %s %s from %s to %s, %s (evidence %s%s%s)", qpw_verdict_name(key->verdict),
             qpw_direction_name(key->direction), what, from, to, qpw_outcome_name(value->outcome),
             qpw_evidence_name(value->evidence), *ifname ? ", " : "", ifname);
    return buf;
}
