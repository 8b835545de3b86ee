/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each peer and each rule carried: sums over the meters that name them. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util/names.h"
#include "view/model.h"

static void add_counts(struct qpw_counts *sum, const struct qpw_counts *more)
{
    sum->connections += more->connections;
    sum->rx_packets += more->rx_packets;
    sum->rx_bytes += more->rx_bytes;
    sum->tx_packets += more->tx_packets;
    sum->tx_bytes += more->tx_bytes;
}

static void add_rate(struct qpw_rate *sum, const struct qpw_rate *more)
{
    sum->connections += more->connections;
    sum->rx_packets += more->rx_packets;
    sum->rx_bytes += more->rx_bytes;
    sum->tx_packets += more->tx_packets;
    sum->tx_bytes += more->tx_bytes;
}

static void add_times(uint64_t *first, uint64_t *last, const struct qpw_meter_row *meter, const struct qpw_track *track)
{
    if (meter->first_unix_ns && (!*first || meter->first_unix_ns < *first))
        *first = meter->first_unix_ns;
    if (track && track->changed_unix_ns > *last)
        *last = track->changed_unix_ns;
}

/* ---- Ports that the policy lists ---- */

static int protocol_place(unsigned protocol)
{
    return protocol == IPPROTO_TCP ? 0 : protocol == IPPROTO_UDP ? 1 : protocol == IPPROTO_SCTP ? 2 : -1;
}

static void list_ports(struct qpw_listed *l, unsigned direction, unsigned protocols, const char *ports)
{
    bool any = !strncmp(ports, "any", 3);

    while (any || (*ports >= '0' && *ports <= '9')) {
        char *end = NULL;
        unsigned long first = any ? 0 : strtoul(ports, &end, 10);
        unsigned long last = any ? 65535 : *end == '-' ? strtoul(end + 1, &end, 10) : first;

        for (unsigned long port = first; port <= last && port < 65536; port++)
            for (unsigned p = 0; p < 3; p++)
                if (protocols & 1u << p)
                    l->bits[direction][p][port / 64] |= 1ull << port % 64;
        if (any || *end != ',')
            return;
        ports = end + 1;
    }
}

void qpw_listed_make(const struct qpw_snapshot *s, struct qpw_listed *ret)
{
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 1; i < s->n_rules; i++) {
        const struct qpw_rule_info *rule = &s->rules[i];
        const char *text = rule->text + strspn(rule->text, " \t");
        unsigned protocols = 0;
        size_t word;

        if (!rule->in_force || (strncmp(text, "inbound", 7) && strncmp(text, "outbound", 8)))
            continue;
        text += strcspn(text, " \t");
        text += strspn(text, " \t");
        word = strcspn(text, " \t");
        protocols |= memmem(text, word, "tcp", 3) || memmem(text, word, "any", 3) ? 1 : 0;
        protocols |= memmem(text, word, "udp", 3) || memmem(text, word, "any", 3) ? 2 : 0;
        protocols |= memmem(text, word, "sctp", 4) || memmem(text, word, "any", 3) ? 4 : 0;
        text += word;
        list_ports(ret, rule->direction == QPW_DIR_OUTBOUND, protocols, text + strspn(text, " \t"));
    }
}

bool qpw_listed_has(const struct qpw_listed *l, unsigned direction, unsigned protocol, unsigned port)
{
    int place = protocol_place(protocol);

    return place >= 0 && port < 65536 && l->bits[direction == QPW_DIR_OUTBOUND][place][port / 64] >> port % 64 & 1;
}

static int refresh_listed(struct qpw_model *m)
{
    if (m->listed && m->listed_generation == m->now->control.generation)
        return 0;
    if (!m->listed)
        m->listed = malloc(sizeof(*m->listed));
    if (!m->listed)
        return -ENOMEM;
    qpw_listed_make(m->now, m->listed);
    m->listed_generation = m->now->control.generation;
    return 0;
}

/* ---- Peers ---- */

/* Keeps the ports of the most bytes, descending; the same port over several meters is one. */
static bool add_port(struct qpw_peer_port *ports, const struct qpw_meter_row *meter)
{
    struct qpw_peer_port add = {.bytes = meter->counts.rx_bytes + meter->counts.tx_bytes, .port = meter->key.port,
                                .protocol = meter->key.protocol, .direction = meter->key.direction};
    bool fresh = true;
    int at;

    for (at = 0; at < QPW_PEER_PORTS - 1 && ports[at].bytes; at++) {
        if (ports[at].port == add.port && ports[at].protocol == add.protocol && ports[at].direction == add.direction) {
            add.bytes += ports[at].bytes;
            fresh = false;
            break;
        }
    }
    if (ports[at].bytes < add.bytes)
        ports[at] = add;
    for (; at > 0 && ports[at - 1].bytes < ports[at].bytes; at--) {
        struct qpw_peer_port swap = ports[at];

        ports[at] = ports[at - 1];
        ports[at - 1] = swap;
    }
    return fresh;
}

static void add_families(struct qpw_model *m)
{
    for (size_t i = 0; i < m->now->n_findings; i++) {
        const struct qpw_finding_row *f = &m->now->findings[i];

        if (!f->value.peer || f->value.peer >= m->n_peers || f->key.kind == QPW_KIND_ETHERTYPE)
            continue;
        if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)f->key.initiator))
            m->peers[f->value.peer].v4 = true;
        else
            m->peers[f->value.peer].v6 = true;
    }
}

int qpw_model_peers(struct qpw_model *m)
{
    const struct qpw_snapshot *s = m->now;
    int r = refresh_listed(m);

    if (r < 0)
        return r;
    free(m->peers);
    m->n_peers = 0;
    m->peers = calloc(s->n_peers + 1, sizeof(*m->peers));
    if (!m->peers)
        return -ENOMEM;
    m->n_peers = s->n_peers;
    for (size_t i = 0; i < s->n_peers; i++) {
        m->peers[i].info = &s->peers[i];
        m->peers[i].number = (uint16_t)i;
        if (i < m->n_peer_seen) {
            m->peers[i].last_unix_ns = m->peer_seen[i].last_unix_ns;
            m->peers[i].v4 = m->peer_seen[i].v4;
            m->peers[i].v6 = m->peer_seen[i].v6;
        }
    }
    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_row *meter = &s->meters[i];
        const struct qpw_track *track;
        struct qpw_peer_view *peer;

        if (!meter->key.peer || meter->key.peer >= s->n_peers)
            continue;
        peer = &m->peers[meter->key.peer];
        track = qpw_track_find(&m->tracks, qpw_track_id(&m->tracks, QPW_TRACK_METER, &meter->key, sizeof(meter->key)));
        add_counts(&peer->counts, &meter->counts);
        if (track)
            add_rate(&peer->rate, &track->rate);
        add_times(&peer->first_unix_ns, &peer->last_unix_ns, meter, track);
        if (meter->key.kind != QPW_KIND_PORT || !meter->key.port)
            continue;
        add_port(peer->busiest, meter);
        if (!qpw_listed_has(m->listed, meter->key.direction, meter->key.protocol, meter->key.port))
            peer->n_outside += add_port(peer->outside, meter);
    }
    add_families(m);
    return 0;
}

/* ---- Rules ---- */

int qpw_model_rules(struct qpw_model *m)
{
    const struct qpw_snapshot *s = m->now;

    free(m->rules);
    m->n_rules = 0;
    m->rules = calloc(s->n_rules + 1, sizeof(*m->rules));
    if (!m->rules)
        return -ENOMEM;
    m->n_rules = s->n_rules;
    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_row *meter = &s->meters[i];
        const struct qpw_track *track;
        struct qpw_rule_view *rule;

        if (!meter->key.rule || meter->key.rule >= s->n_rules)
            continue;
        rule = &m->rules[meter->key.rule];
        track = qpw_track_find(&m->tracks, qpw_track_id(&m->tracks, QPW_TRACK_METER, &meter->key, sizeof(meter->key)));
        add_counts(&rule->counts, &meter->counts);
        if (track)
            add_rate(&rule->rate, &track->rate);
        add_times(&rule->first_unix_ns, &rule->last_unix_ns, meter, track);
    }
    return 0;
}
