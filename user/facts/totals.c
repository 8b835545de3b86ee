/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/totals.h"

int qpw_loss_matters(enum qpw_loss loss)
{
    return loss != QPW_LOSS_NONE && loss != QPW_LOSS_EVENT_RATE && loss != QPW_LOSS_EVENT_RING;
}

void qpw_totals_of(const struct qpw_snapshot *s, struct qpw_totals *ret)
{
    struct qpw_totals t = {0};
    const struct qpw_meter_row *row;
    uint64_t packets;

    for (size_t i = 0; i < s->n_meters; i++) {
        row = &s->meters[i];
        packets = row->counts.rx_packets + row->counts.tx_packets;
        t.packets += packets;
        t.bytes += row->counts.rx_bytes + row->counts.tx_bytes;
        if (row->key.direction < QPW_DIR_COUNT)
            t.by_direction[row->key.direction] += packets;
        if (row->key.verdict < QPW_VERDICT_COUNT)
            t.by_verdict[row->key.verdict] += packets;
    }
    for (size_t i = 0; i < s->n_findings; i++) {
        if (s->findings[i].key.verdict != QPW_VERDICT_UNEXPECTED ||
            (s->findings[i].value.flags & QPW_FINDING_SUPERSEDED))
            continue;
        t.unexpected++;
        t.answered += s->findings[i].value.outcome >= QPW_OUTCOME_ANSWERED;
    }
    for (int loss = 0; loss < QPW_LOSS_COUNT; loss++)
        if (qpw_loss_matters(loss))
            t.lost += s->losses[loss];
    *ret = t;
}
