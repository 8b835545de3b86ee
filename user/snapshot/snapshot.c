/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/snapshot.h"

#include "snapshot/lives.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/hash.h"

int qpw_snapshot_note(struct qpw_snapshot *s, const struct qpw_note *note)
{
    struct qpw_note *more = QPW_ADD(s->notes, s->n_notes);

    if (!more)
        return -ENOMEM;
    *more = *note;
    s->n_notes++;
    return 0;
}

void qpw_snapshot_clear(struct qpw_snapshot *s)
{
    free(s->notes);
    for (size_t i = 0; i < s->n_captures; i++)
        free(s->captures[i].name);
    free(s->captures);
    free(s->locals);
    free(s->ifaces);
    free(s->unwatched);
    free(s->inventory);
    free(s->meters);
    free(s->findings);
    free(s->details);
    qpw_lives_free(s->lives);
    free(s->rules);
    free(s->peers);
    free(s->listed);
    free(s->exceptions);
    free(s->peer_seen);
    free(s->port_seen);
    free(s->coverage);
    memset(s, 0, sizeof(*s));
}

const char *qpw_snapshot_rule(const struct qpw_snapshot *s, unsigned rule)
{
    return rule && rule < s->n_rules ? s->rules[rule].name : "";
}

const char *qpw_snapshot_peer(const struct qpw_snapshot *s, unsigned peer)
{
    return peer && peer < s->n_peers ? s->peers[peer].name : "";
}

const char *qpw_snapshot_iface(const struct qpw_snapshot *s, unsigned number)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].iface.number == number)
            return s->ifaces[i].name;
    return number && number < QPW_MAX_IFACES ? s->meta.ifname[number] : "";
}

const uint8_t *qpw_finding_remote(const struct qpw_finding_key *key)
{
    return key->direction == QPW_DIR_OUTBOUND ? key->responder : key->initiator;
}

/* FNV-1a, folded to 53 bits, because JSON readers store numbers as doubles. */
uint64_t qpw_finding_flow_id(const struct qpw_finding_key *key)
{
    uint64_t hash = qpw_hash(QPW_HASH_BEGIN, key, sizeof(*key));

    hash = (hash ^ hash >> 53) & ((1ull << 53) - 1);
    return hash ? hash : 1;
}

uint32_t qpw_port_index(uint8_t protocol, uint16_t port)
{
    switch (protocol) {
    case IPPROTO_TCP: return port;
    case IPPROTO_UDP: return 65536u + port;
    case IPPROTO_SCTP: return 2 * 65536u + port;
    default: return QPW_PORT_INDEXES;
    }
}
