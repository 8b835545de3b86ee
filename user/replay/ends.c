/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/ends.h"

#include <errno.h>
#include <string.h>

#include "bpf/parse.h"
#include "util/names.h"

int qpw_ends_add(struct qpw_ends *ends, const char *text, struct qpw_error *err)
{
    struct qpw_ends_local local;

    if (ends->n_locals == QPW_ENDS_MAX_LOCALS)
        return qpw_fail(err, -E2BIG, "--local %s: more than %u of them; use prefixes", text, QPW_ENDS_MAX_LOCALS);
    if (qpw_prefix_parse(text, local.addr, &local.prefix) < 0)
        return qpw_fail(err, -EINVAL, "--local %s: not an address or prefix (ADDR or ADDR/LEN with no bits set behind "
                        "LEN; names are not looked up)", text);
    ends->several |= local.prefix < 128;
    ends->locals[ends->n_locals++] = local;
    return 0;
}

static bool in_prefix(const struct qpw_ends_local *local, const uint8_t addr[16])
{
    unsigned bytes = local->prefix / 8, bits = local->prefix % 8;

    if (memcmp(local->addr, addr, bytes))
        return false;
    return !bits || !((local->addr[bytes] ^ addr[bytes]) & (0xff00 >> bits & 0xff));
}

static bool is_local(const struct qpw_ends *ends, const uint8_t addr[16])
{
    for (size_t i = 0; i < ends->n_locals; i++)
        if (in_prefix(&ends->locals[i], addr))
            return true;
    return false;
}

void qpw_ends_parse(const uint8_t *frame, uint32_t length, uint32_t wire, struct qpw_ends_packet *ret)
{
    struct qpw_frame f = {.data = frame, .end = frame + length, .length = length, .wire = wire,
                          .offloaded = 1};
    struct qpw_pkt p = {0};

    qpw_parse(&f, &p, 1);
    memcpy(ret->source, p.source, 16);
    memcpy(ret->destination, p.destination, 16);
    memcpy(ret->source_mac, p.macs + 6, 6);
    ret->has_addresses = p.has_addresses;
    ret->protocol = p.protocol;
    ret->source_port = ret->destination_port = 0;
    if (p.kind == QPW_PKT_IP && (p.protocol == QPW_IPPROTO_TCP || p.protocol == QPW_IPPROTO_UDP)) {
        ret->source_port = p.source_port;
        ret->destination_port = p.destination_port;
    }
    ret->network_offset = 0;
    if (p.has_addresses) {
        uint32_t at = 14;

        while (at + 4 <= length && (qpw_get16(frame + at - 2) == QPW_ETH_P_8021Q ||
                                    qpw_get16(frame + at - 2) == QPW_ETH_P_8021AD))
            at += 4;
        ret->network_offset = at;
    }
}

bool qpw_ends_has_mac(const uint8_t mac[6])
{
    return mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5];
}

static bool knows_mac(const struct qpw_ends *ends, const uint8_t mac[6], size_t *ret_index)
{
    for (size_t i = 0; i < ends->n_macs; i++)
        if (!memcmp(ends->macs[i], mac, 6)) {
            *ret_index = i;
            return true;
        }
    return false;
}

static void note_talker(struct qpw_ends *ends, const uint8_t addr[16])
{
    for (size_t i = 0; i < ends->n_talkers; i++)
        if (!memcmp(ends->talkers[i], addr, 16))
            return;
    if (ends->n_talkers < QPW_ENDS_TALKERS)
        memcpy(ends->talkers[ends->n_talkers++], addr, 16);
}

static bool is_unspecified(const uint8_t addr[16])
{
    static const uint8_t none4[16] = {[10] = 0xff, [11] = 0xff}, none6[16] = {0};

    return !memcmp(addr, none4, 16) || !memcmp(addr, none6, 16);
}

bool qpw_ends_is_tx(struct qpw_ends *ends, const struct qpw_ends_packet *packet, enum qpw_capture_direction recorded)
{
    bool source = packet->has_addresses && is_local(ends, packet->source);
    bool addressed = packet->has_addresses && (source || !is_unspecified(packet->source));
    size_t index;

    if (source) {
        if (qpw_ends_has_mac(packet->source_mac) && !knows_mac(ends, packet->source_mac, &index) &&
            ends->n_macs < QPW_ENDS_MACS)
            memcpy(ends->macs[ends->n_macs++], packet->source_mac, 6);
        if (ends->several)
            note_talker(ends, packet->source);
        return true;
    }
    if (addressed && is_local(ends, packet->destination))
        return false;
    if (recorded != QPW_CAPTURE_UNSAID)
        return recorded == QPW_CAPTURE_TX;
    if (!knows_mac(ends, packet->source_mac, &index))
        return false;
    if (!addressed)
        return true;
    /* It also sends for others, so it belongs to a router in between rather than to the node. */
    memmove(ends->macs[index], ends->macs[index + 1], (ends->n_macs - index - 1) * 6);
    ends->n_macs--;
    return false;
}
