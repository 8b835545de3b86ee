/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/name_table.h"
#include "util/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qportwatch_user.h"

QPW_NAME_TABLE(qpw_direction_name, value, QPW_DIRECTIONS, QPW_DIR_COUNT, "invalid")
QPW_NAME_TABLE(qpw_verdict_name, value, QPW_VERDICTS, QPW_VERDICT_COUNT, "invalid")
QPW_NAME_TABLE(qpw_evidence_name, value, QPW_EVIDENCES, QPW_EVIDENCE_COUNT, "invalid")
QPW_NAME_TABLE(qpw_outcome_name, value, QPW_OUTCOMES, QPW_OUTCOME_COUNT, "invalid")
QPW_NAME_TABLE(qpw_scope_name, value, QPW_SCOPES, QPW_SCOPE_COUNT, "invalid")
QPW_NAME_TABLE(qpw_reason_name, value, QPW_REASONS, QPW_REASON_COUNT, "invalid")
QPW_NAME_TABLE(qpw_loss_name, value, QPW_LOSSES, QPW_LOSS_COUNT, "invalid")
QPW_NAME_TABLE(qpw_class_name, value, QPW_CONN_CLASSES, QPW_CLASS_COUNT, "invalid")
QPW_NAME_TABLE(qpw_coverage_name, value, QPW_COVERAGES, QPW_COVERAGE_COUNT, "invalid")
QPW_NAME_TABLE(qpw_speech_name, value, QPW_SPEECHES, QPW_SPEECH_COUNT, "invalid")
QPW_NAME_TABLE(qpw_spoken_name, value, QPW_SPOKEN, QPW_SPOKEN_COUNT, "invalid")
QPW_NAME_TABLE(qpw_judged_name, value, QPW_JUDGED, QPW_JUDGED_COUNT, "invalid")

const char *qpw_protocol_name(unsigned protocol)
{
    switch (protocol) {
    case IPPROTO_TCP: return "tcp";
    case IPPROTO_UDP: return "udp";
    case IPPROTO_SCTP: return "sctp";
    case IPPROTO_ICMP: return "icmp";
    case IPPROTO_ICMPV6: return "icmp6";
    default: return NULL;
    }
}

const char *qpw_protocol_text(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size)
{
    const char *name = qpw_protocol_name(protocol);

    if (kind == QPW_KIND_ETHERTYPE && port == QPW_ETHERTYPE_CDP)
        snprintf(buf, size, "cdp");
    else if (kind == QPW_KIND_ETHERTYPE)
        snprintf(buf, size, port < 0x600 ? "llc 0x%02x" : "0x%04x", port);
    else if (name)
        snprintf(buf, size, "%s", name);
    else
        snprintf(buf, size, "%u", protocol);
    return buf;
}

bool qpw_meter_has_icmp_type(const struct qpw_meter_key *key)
{
    return key->kind == QPW_KIND_ICMP && key->direction != QPW_DIR_TRANSIT && key->direction != QPW_DIR_UNDECODABLE;
}

const char *qpw_mac_text(const uint8_t mac[6], char *buf, size_t size)
{
    snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return buf;
}

bool qpw_address_is_link_local(const uint8_t addr[16])
{
    return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

const char *qpw_address_text(const uint8_t addr[16], char *buf, size_t size)
{
    if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr))
        return inet_ntop(AF_INET, addr + 12, buf, size);
    return inet_ntop(AF_INET6, addr, buf, size);
}

int qpw_address_parse(const char *text, uint8_t ret_addr[16])
{
    uint8_t addr[16] = {[10] = 0xff, [11] = 0xff};

    if (inet_pton(AF_INET, text, addr + 12) != 1 && inet_pton(AF_INET6, text, addr) != 1)
        return -EINVAL;
    memcpy(ret_addr, addr, 16);
    return 0;
}

int qpw_prefix_parse(const char *text, uint8_t ret_addr[16], unsigned *ret_prefix)
{
    char copy[64], *slash, *end;
    uint8_t addr[16];
    unsigned base;
    unsigned long length;

    if (strlen(text) >= sizeof(copy))
        return -EINVAL;
    strcpy(copy, text);
    slash = strchr(copy, '/');
    if (slash)
        *slash++ = '\0';
    if (qpw_address_parse(copy, addr) < 0)
        return -EINVAL;
    base = strchr(copy, ':') ? 0 : 96;
    length = 128 - base;
    if (slash) {
        length = strtoul(slash, &end, 10);
        if (*slash < '0' || *slash > '9' || *end || length > 128 - base)
            return -EINVAL;
    }
    for (unsigned bit = base + length; bit < 128; bit++)
        if (addr[bit / 8] & (0x80 >> bit % 8))
            return -EINVAL;
    memcpy(ret_addr, addr, 16);
    *ret_prefix = base + length;
    return 0;
}

const char *qpw_time_text(uint64_t unix_ns, char *buf, size_t size)
{
    time_t seconds = unix_ns / 1000000000u;
    struct tm tm;
    size_t used;

    gmtime_r(&seconds, &tm);
    used = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buf + used, size - used, ".%06uZ", (unsigned)(unix_ns % 1000000000u / 1000));
    return buf;
}
