/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The header's figures and its one answer: is this node clean, and if not, where? */
#include <stdio.h>
#include <string.h>

#include "alert/signatures.h"
#include "facts/sight.h"
#include "util/names.h"
#include "view/columns.h"
#include "view/model.h"
#include "words/words.h"

static void count_meters(const struct qpw_snapshot *s, struct qpw_summary *sum)
{
    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_row *meter = &s->meters[i];
        uint64_t packets = meter->counts.rx_packets + meter->counts.tx_packets;

        sum->packets += packets;
        sum->bytes += meter->counts.rx_bytes + meter->counts.tx_bytes;
        if (meter->key.verdict < QPW_VERDICT_COUNT)
            sum->by_verdict[meter->key.verdict] += packets;
        if (meter->key.direction < QPW_DIR_COUNT)
            sum->by_direction[meter->key.direction] += packets;
    }
}

/* The worst unexpected finding: answered before not, then the latest. */
static const struct qpw_finding_row *count_findings(const struct qpw_snapshot *s, struct qpw_summary *sum)
{
    const struct qpw_finding_row *worst = NULL;
    unsigned worst_severity = 5;

    for (size_t i = 0; i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];
        unsigned severity = qpw_finding_severity(f);

        sum->explained |= f->key.verdict == QPW_VERDICT_UNEXPECTED;
        if (f->value.flags & QPW_FINDING_SUPERSEDED)
            continue;
        sum->by_severity[severity]++;
        if (f->key.verdict != QPW_VERDICT_UNEXPECTED)
            continue;
        sum->unexpected++;
        sum->answered += f->value.outcome >= QPW_OUTCOME_ANSWERED;
        if (severity < worst_severity || (severity == worst_severity && f->last_unix_ns > worst->last_unix_ns)) {
            worst = f;
            worst_severity = severity;
        }
    }
    return worst;
}

/* An event that was not sent only delays: what it tells of stands in its table and is read from there. */
bool qpw_loss_only_delays(unsigned loss)
{
    return loss == QPW_LOSS_EVENT_RATE || loss == QPW_LOSS_EVENT_RING;
}

static void count_losses(const struct qpw_snapshot *s, struct qpw_summary *sum)
{
    for (unsigned i = 1; i < QPW_LOSS_COUNT; i++) {
        if (qpw_loss_only_delays(i))
            continue;
        sum->losses += s->losses[i];
        if (s->losses[i] > s->losses[sum->worst_loss])
            sum->worst_loss = (enum qpw_loss)i;
    }
    for (size_t i = 0; i < s->n_ifaces; i++)
        sum->hooks_missing += !s->ifaces[i].attached && !s->replay;
    sum->heartbeat_age_ns = UINT64_MAX;
    if (s->control.heartbeat_ns)
        sum->heartbeat_age_ns = s->mono_ns > s->control.heartbeat_ns ? s->mono_ns - s->control.heartbeat_ns : 0;
}

static void answer(const struct qpw_snapshot *s, const struct qpw_finding_row *worst, struct qpw_summary *sum)
{
    char service[48] = "";

    if (worst)
        qpw_words_service(worst->key.kind, worst->key.protocol, worst->key.port, service, sizeof(service));
    if (sum->answered) {
        sum->health = QPW_HEALTH_BAD;
        snprintf(sum->verdict, sizeof(sum->verdict), "NOT CLEAN: %u answered on ports that no row allows; worst: %s %s",
                 sum->answered, qpw_direction_name(worst->key.direction), service);
    } else if (sum->unexpected && s->losses[QPW_LOSS_ANSWERED_QUOTA] + s->losses[QPW_LOSS_RESERVED_FULL]) {
        sum->health = QPW_HEALTH_SUSPECT;
        snprintf(sum->verdict, sizeof(sum->verdict),
                 "KNOCKS ONLY AS FAR AS SEEN: %u unexpected; detail of answered ones was lost", sum->unexpected);
    } else if (sum->unexpected) {
        sum->health = QPW_HEALTH_SUSPECT;
        snprintf(sum->verdict, sizeof(sum->verdict), "KNOCKS ONLY: %u unexpected, none answered; worst: %s %s",
                 sum->unexpected, qpw_direction_name(worst->key.direction), service);
    } else if (sum->hooks_missing) {
        sum->health = QPW_HEALTH_BAD;
        snprintf(sum->verdict, sizeof(sum->verdict), "BLIND: %u of %zu interfaces have lost the program; see Coverage",
                 sum->hooks_missing, s->n_ifaces);
    } else if (sum->by_verdict[QPW_VERDICT_UNEXPECTED] && !sum->explained) {
        sum->health = QPW_HEALTH_SUSPECT;
        snprintf(sum->verdict, sizeof(sum->verdict),
                 "UNEXPECTED PACKETS without a finding kept: see Ports, /verdict:unexpected");
    } else if (sum->losses) {
        sum->health = QPW_HEALTH_DOUBT;
        snprintf(sum->verdict, sizeof(sum->verdict), "CLEAN AS FAR AS SEEN: detail was lost; see Coverage");
    } else {
        sum->health = QPW_HEALTH_CLEAN;
        snprintf(sum->verdict, sizeof(sum->verdict), "CLEAN: nothing unexpected %s",
                 s->replay ? "in the capture" : "so far");
    }
}

bool qpw_heartbeat_stale(uint64_t age_ns)
{
    return age_ns >= QPW_HEARTBEAT_STALE_NS;
}

void qpw_summary_make(struct qpw_model *m)
{
    const struct qpw_finding_row *worst;

    m->summary = (struct qpw_summary){0};
    count_meters(m->now, &m->summary);
    worst = count_findings(m->now, &m->summary);
    count_losses(m->now, &m->summary);
    answer(m->now, worst, &m->summary);
}
