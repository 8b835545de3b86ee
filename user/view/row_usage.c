/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* row_usage.c - peers and rules as facts/ adds them up, with the changes observed while the view ran. */
#include <errno.h>
#include <stdlib.h>

#include "view/model.h"

static void add_rate(struct qpw_rate *sum, const struct qpw_rate *more)
{
    sum->connections += more->connections;
    sum->rx_packets += more->rx_packets;
    sum->rx_bytes += more->rx_bytes;
    sum->tx_packets += more->tx_packets;
    sum->tx_bytes += more->tx_bytes;
}

static void add_track(const struct qpw_model *m, const struct qpw_meter_key *key, struct qpw_rate *rate, uint64_t *last)
{
    const struct qpw_track *track =
        qpw_track_find(&m->tracks, qpw_track_id(&m->tracks, QPW_TRACK_METER, key, sizeof(*key)));

    if (!track)
        return;
    add_rate(rate, &track->rate);
    if (track->changed_unix_ns > *last)
        *last = track->changed_unix_ns;
}

/* Add what full snapshots have shown, because brief ones lack connections. */
static void add_seen(const struct qpw_model *m, struct qpw_peer_view *peer)
{
    const struct qpw_peer_seen *seen = &m->peer_seen[peer->sum.number];

    if (peer->sum.number >= m->n_peer_seen)
        return;
    peer->sum.v4 |= seen->v4;
    peer->sum.v6 |= seen->v6;
    if (seen->last_unix_ns > peer->sum.last_unix_ns)
        peer->sum.last_unix_ns = seen->last_unix_ns;
}

int qpw_model_peers(struct qpw_model *m)
{
    const struct qpw_snapshot *s = m->now;
    struct qpw_peer_view **by_number = calloc(s->n_peers + 1, sizeof(*by_number));
    struct qpw_peer_sum *sums = NULL;
    size_t n = 0;
    int r = by_number ? qpw_peers_sum(s, &sums, &n) : -ENOMEM;

    free(m->peers);
    m->n_peers = 0;
    m->peers = r == 0 ? calloc(n + 1, sizeof(*m->peers)) : NULL;
    for (size_t i = 0; m->peers && i < n; i++) {
        m->peers[i].sum = sums[i];
        add_seen(m, &m->peers[i]);
        m->peers[i].last_unix_ns = m->peers[i].sum.last_unix_ns;
        by_number[sums[i].number] = &m->peers[i];
        m->n_peers++;
    }
    for (size_t i = 0; m->peers && i < s->n_meters; i++) {
        unsigned number = s->meters[i].key.peer;

        if (number && number < s->n_peers && by_number[number])
            add_track(m, &s->meters[i].key, &by_number[number]->rate, &by_number[number]->last_unix_ns);
    }
    free(by_number);
    free(sums);
    return m->peers ? 0 : -ENOMEM;
}

int qpw_model_rules(struct qpw_model *m)
{
    const struct qpw_snapshot *s = m->now;
    struct qpw_rule_view **by_id = calloc(s->n_rules + 1, sizeof(*by_id));
    struct qpw_rule_use *uses = NULL;
    size_t n = 0;
    int r = by_id ? qpw_rules_use(s, &uses, &n) : -ENOMEM;

    free(m->rules);
    m->n_rules = 0;
    m->rules = r == 0 ? calloc(n + 1, sizeof(*m->rules)) : NULL;
    for (size_t i = 0; m->rules && i < n; i++) {
        m->rules[i].use = uses[i];
        by_id[uses[i].id] = &m->rules[i];
        m->n_rules++;
    }
    for (size_t i = 0; m->rules && i < s->n_meters; i++) {
        const struct qpw_meter_key *key = &s->meters[i].key;

        if (qpw_meter_uses_rule(s, key) && by_id[key->rule])
            add_track(m, key, &by_id[key->rule]->rate, &by_id[key->rule]->last_unix_ns);
    }
    free(by_id);
    free(uses);
    return m->rules ? 0 : -ENOMEM;
}
