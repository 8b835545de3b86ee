/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/totals.h"

#include <stdio.h>

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

const char *qpw_bytes_text(uint64_t bytes, char *buf, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = bytes;
    unsigned unit = 0;

    for (; value >= 1024 && unit < sizeof(units) / sizeof(*units) - 1; unit++)
        value /= 1024;
    snprintf(buf, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return buf;
}

const char *qpw_share_text(uint64_t part, uint64_t whole, char *buf, size_t size)
{
    double share = whole ? 100.0 * part / whole : 0;

    if (part && share < 0.1)
        snprintf(buf, size, "<0.1 %%");
    else if (part != whole && share > 99.9)
        snprintf(buf, size, ">99.9 %%");
    else
        snprintf(buf, size, "%.1f %%", share);
    return buf;
}

const char *qpw_duration_text(uint64_t seconds, char *buf, size_t size)
{
    unsigned long long s = seconds;

    if (s >= 86400)
        snprintf(buf, size, "%llu d %llu h", s / 86400, s % 86400 / 3600);
    else if (s >= 3600)
        snprintf(buf, size, "%llu h %llu min", s / 3600, s % 3600 / 60);
    else if (s >= 60 && s % 60)
        snprintf(buf, size, "%llu min %llu s", s / 60, s % 60);
    else if (s >= 60)
        snprintf(buf, size, "%llu min", s / 60);
    else
        snprintf(buf, size, "%llu s", s);
    return buf;
}
