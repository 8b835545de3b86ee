/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * peers.c - peers that fall silent or return, use the wrong address family, or a port new among peers.
 *
 * Peers are judged as a whole, never by address, because floating addresses move between nodes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/internal.h"
#include "alert/text.h"
#include "util/names.h"
#include "words/words.h"

static bool is_peer(const struct qpw_engine *e, unsigned number)
{
    return number && number < e->context.n_peers && number < QPW_MAX_PEERS && e->context.peers[number].in_force &&
           !e->context.peers[number].own;
}

static uint64_t peer_id(const struct qpw_engine *e, enum qpw_aggregate_kind kind_of, unsigned number)
{
    const char *name = e->context.peers[number].name;

    return qpw_aggregate_id(kind_of, name, strlen(name));
}

struct peer_news {
    enum qpw_aggregate_kind kind_of;
    enum qpw_signature_name signature;
    const char *detail;
    uint64_t seen_ns;
};

/* Write one record about that peer. Return 0 or a negative errno. */
static int report_peer(struct qpw_engine *e, unsigned number, const struct peer_news *news, uint64_t now_ns)
{
    struct qpw_alert_state *state = qpw_engine_state(e, peer_id(e, news->kind_of, number));
    struct qpw_record *r = qpw_engine_begin(e, news->signature, state && state->sequence ? QPW_RECORD_AGAIN : QPW_RECORD_FIRST,
                                            news->seen_ns, now_ns);
    const char *name = e->context.peers[number].name;
    struct qpw_text_about about = {.context = &e->context, .words = {.peer = name, .detail = news->detail}};

    qpw_text_record(r, &about);
    qpw_record_fact(r, "peer", "%s", name);
    qpw_record_fact(r, "verdict", "%s", qpw_verdict_name(QPW_VERDICT_PEER));
    return qpw_engine_write(e, state, now_ns);
}

/* Report "peer back" once for a silent peer. The log's state restores what an earlier auditor reported. */
static void look_at(struct qpw_engine *e, unsigned number, uint64_t packets, uint64_t now_ns)
{
    struct qpw_peer_state *p = &e->peers[number];
    const struct qpw_alert_state *past = qpw_engine_find(e, peer_id(e, QPW_AGGREGATE_PEER, number));
    char detail[64], silent[32];

    if (!p->looked) {
        p->looked = true;
        p->silent = past && past->signature == QPW_SIG_PEER_SILENT;
        p->packets = packets;
        p->active_ns = packets ? now_ns : 0;
        if (p->silent)
            p->active_ns = past->written_ns;
        return;
    }
    if (packets != p->packets) {
        p->packets = packets;
        if (p->silent) {
            snprintf(detail, sizeof(detail), " after %s",
                     qpw_words_duration(now_ns - p->active_ns, silent, sizeof(silent)));
            if (report_peer(e, number, &(struct peer_news){QPW_AGGREGATE_PEER, QPW_SIG_PEER_BACK, detail, now_ns}, now_ns) < 0)
                return;
            p->silent = false;
        }
        p->active_ns = now_ns;
    }
}

/* Record a port used between peers, and report it if it is new. */
static void look_at_port(struct qpw_engine *e, const struct qpw_snapshot *s, const struct qpw_meter_row *m,
                         uint64_t now_ns)
{
    struct qpw_finding_row row = {.key = {.port = m->key.port, .kind = m->key.kind, .protocol = m->key.protocol,
                                          .direction = m->key.direction, .verdict = m->key.verdict},
                                  .first_unix_ns = m->first_unix_ns, .last_unix_ns = now_ns};
    uint64_t id = qpw_aggregate_id(QPW_AGGREGATE_PEER_PORT, &row.key, sizeof(row.key));
    struct qpw_text_about about = {.context = &e->context, .row = &row};
    const struct qpw_alert_state *past = qpw_engine_find(e, id);
    char since[32], service[48];
    struct qpw_record *r;
    struct qpw_alert_state *state;
    uint32_t known;

    if (qpw_idmap_get(&e->peer_ports, id, &known))
        return;
    if (m->first_unix_ns > s->from_unix_ns + e->settings.peer_learn_s * SECOND && !(past && past->sequence)) {
        state = qpw_engine_state(e, id);
        r = qpw_engine_begin(e, QPW_SIG_PEER_PORT, QPW_RECORD_FIRST, m->first_unix_ns, now_ns);
        about.words.peer = qpw_text_peer(&e->context, m->key.peer);
        about.words.detail = qpw_words_time(s->from_unix_ns, since, sizeof(since));
        qpw_text_record(r, &about);
        r->iface = qpw_engine_iface(e, m->key.iface);
        qpw_record_fact(r, "peer", "%s", about.words.peer);
        qpw_record_fact(r, "service", "%s", qpw_text_service(&row.key, service, sizeof(service)));
        qpw_record_fact(r, "verdict", "%s", qpw_verdict_name(m->key.verdict));
        qpw_record_fact(r, "direction", "%s", qpw_direction_name(m->key.direction));
        if (!qpw_engine_take(e, now_ns) || qpw_engine_write(e, state, now_ns) < 0)
            return;
    }
    qpw_idmap_set(&e->peer_ports, id, 1);
}

void qpw_peers_look(struct qpw_engine *e, const struct qpw_snapshot *s, uint64_t now_ns)
{
    uint64_t *packets = calloc(QPW_MAX_PEERS, sizeof(*packets));

    if (!packets)
        return; /* retried with the next snapshot */
    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_row *m = &s->meters[i];

        /* Count only packets from the peer: what the node sends to a dead peer is no sign of life. */
        if (is_peer(e, m->key.peer))
            packets[m->key.peer] += m->counts.rx_packets;
        if (m->key.scope == QPW_SCOPE_PEER && m->key.kind == QPW_KIND_PORT && m->key.port && is_peer(e, m->key.peer) &&
            (m->key.direction == QPW_DIR_INBOUND || m->key.direction == QPW_DIR_OUTBOUND))
            look_at_port(e, s, m, now_ns);
    }
    for (unsigned i = 1; i < e->context.n_peers && i < QPW_MAX_PEERS; i++)
        if (is_peer(e, i))
            look_at(e, i, packets[i], now_ns);
    free(packets);
    qpw_peers_write(e, now_ns);
}

void qpw_peers_write(struct qpw_engine *e, uint64_t now_ns)
{
    char detail[64];

    for (unsigned i = 1; i < e->context.n_peers && i < QPW_MAX_PEERS; i++) {
        struct qpw_peer_state *p = &e->peers[i];

        if (!is_peer(e, i) || !p->active_ns || p->silent || now_ns < p->active_ns + e->settings.peer_silent_s * SECOND)
            continue;
        qpw_words_duration(now_ns - p->active_ns, detail, sizeof(detail));
        if (report_peer(e, i, &(struct peer_news){QPW_AGGREGATE_PEER, QPW_SIG_PEER_SILENT, detail, p->active_ns}, now_ns) == 0)
            p->silent = true;
    }
}

void qpw_engine_families(struct qpw_engine *e, const struct qpw_engine_family *families, size_t n, uint64_t now_ns)
{
    unsigned required = e->context.policy ? e->context.policy->peer_family.family : 0;

    e->blocked = false;
    for (size_t i = 0; i < n && required; i++) {
        const struct qpw_engine_family *f = &families[i];
        const struct qpw_alert_state *past;

        if (!is_peer(e, f->peer) || f->peer >= QPW_MAX_PEERS)
            continue;
        if ((required == 6 ? f->v6 : f->v4) || (!f->v4 && !f->v6)) {
            e->peers[f->peer].lacking_ns = 0;
            continue;
        }
        if (!e->peers[f->peer].lacking_ns)
            e->peers[f->peer].lacking_ns = now_ns;
        if (now_ns < e->peers[f->peer].lacking_ns + e->settings.peer_silent_s * SECOND)
            continue; /* it may not have used the other family yet */
        past = qpw_engine_find(e, peer_id(e, QPW_AGGREGATE_PEER_FAMILY, f->peer));
        if (!past || !past->sequence || now_ns >= past->written_ns + DAY_S * SECOND)
            report_peer(e, f->peer, &(struct peer_news){.kind_of = QPW_AGGREGATE_PEER_FAMILY, .signature = QPW_SIG_PEER_FAMILY,
                                                        .detail = required == 6 ? "IPv6" : "IPv4", .seen_ns = now_ns},
                        now_ns);
    }
}
