/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/conservation.h"

#include "util/name_table.h"


#define SECOND_US 1000000u
#define PARTS 3

QPW_NAME_TABLE(qpw_conserved_name, value, QPW_CONSERVED, QPW_CONSERVED_COUNT, "")

uint64_t qpw_flow_at(const struct qpw_flow *flow, uint64_t at_us)
{
    size_t low = 0, high = flow->n - 1, middle;
    uint64_t span, grown;

    if (at_us <= flow->at_us[0])
        return flow->count[0];
    if (at_us >= flow->at_us[high])
        return flow->count[high];
    while (low + 1 < high) {
        middle = low + (high - low) / 2;
        if (flow->at_us[middle] <= at_us)
            low = middle;
        else
            high = middle;
    }
    span = flow->at_us[high] - flow->at_us[low];
    grown = flow->count[high] > flow->count[low] ? flow->count[high] - flow->count[low] : 0;
    return flow->count[low] + (uint64_t)((unsigned __int128)grown * (at_us - flow->at_us[low]) / (span ? span : 1));
}

uint64_t qpw_flow_between(const struct qpw_flow *flow, uint64_t from_us, uint64_t to_us)
{
    uint64_t from = qpw_flow_at(flow, from_us), to = qpw_flow_at(flow, to_us);

    return to > from ? to - from : 0;
}

/* Return the maximum packet rate per second between adjacent readings. */
static uint64_t peak(const struct qpw_flow *flow)
{
    uint64_t most = 0, grown, span, rate;

    for (size_t i = 1; i < flow->n; i++) {
        grown = flow->count[i] > flow->count[i - 1] ? flow->count[i] - flow->count[i - 1] : 0;
        span = flow->at_us[i] - flow->at_us[i - 1];
        rate = span ? (uint64_t)((unsigned __int128)grown * SECOND_US / span) : 0;
        most = rate > most ? rate : most;
    }
    return most;
}

static uint64_t longest(const struct qpw_flow *flow)
{
    uint64_t most = 0;

    for (size_t i = 0; flow->reading_us && i < flow->n; i++)
        most = flow->reading_us[i] > most ? flow->reading_us[i] : most;
    return most;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t tolerance(const struct qpw_flow *sender, const struct qpw_flow *receiver, uint64_t error_us)
{
    unsigned __int128 us = (unsigned __int128)error_us + greater(longest(sender), longest(receiver)) + QPW_CONSERVE_SLACK_US;
    unsigned __int128 ret = 2 * (unsigned __int128)greater(peak(sender), peak(receiver)) * us / SECOND_US;

    return ret > UINT64_MAX / 8 ? UINT64_MAX / 8 : (uint64_t)ret;
}

/* Return how many packets fewer arrived than were sent, from the beginning until that time of the sender's clock. */
static int64_t missing_until(const struct qpw_flow *sender, const struct qpw_flow *receiver, const struct qpw_balance *b,
                             int64_t offset_us, uint64_t to_us)
{
    uint64_t sent = qpw_flow_between(sender, b->from_us, to_us);
    uint64_t received = qpw_flow_between(receiver, b->from_us + (uint64_t)offset_us, to_us + (uint64_t)offset_us);

    return (int64_t)(sent - received);
}

/* Return whether the difference grows through each part of the time, with the same sign. */
static bool grows(const struct qpw_flow *sender, const struct qpw_flow *receiver, const struct qpw_balance *b, int64_t offset_us)
{
    bool less = b->sent > b->received;
    int64_t before = 0, now;

    for (uint64_t part = 1; part <= PARTS; part++) {
        now = missing_until(sender, receiver, b, offset_us, b->from_us + (b->to_us - b->from_us) * part / PARTS);
        if (less ? now <= before : now >= before)
            return false;
        before = now;
    }
    return true;
}

/* Shift a time to the other clock; clamp it at 0, because that clock has no earlier readings. */
static uint64_t moved(uint64_t at_us, int64_t by)
{
    return by < 0 && at_us < (uint64_t)-by ? 0 : at_us + (uint64_t)by;
}

enum qpw_conserved qpw_balance_word(const struct qpw_balance *b)
{
    bool less = b->sent > b->received;
    uint64_t off = less ? b->sent - b->received : b->received - b->sent;

    if (off <= 4 * b->tolerance)
        return QPW_FLOW_CONSERVED;
    if (less && off > 1000 && off > b->sent / 1000)
        return QPW_FLOW_MISSING;
    return !less && off > 100 ? QPW_FLOW_EXCESS : QPW_FLOW_CONSERVED;
}

void qpw_balance_of(const struct qpw_flow *sender, const struct qpw_flow *receiver, const struct qpw_clocks *clocks, bool inexact,
                    struct qpw_balance *ret)
{
    uint64_t percent;

    *ret = (struct qpw_balance){.word = QPW_FLOW_SHORT};
    if (sender->n < 2 || receiver->n < 2)
        return;
    ret->from_us = greater(sender->at_us[0], moved(receiver->at_us[0], -clocks->offset_us));
    ret->to_us = moved(receiver->at_us[receiver->n - 1], -clocks->offset_us);
    if (sender->at_us[sender->n - 1] < ret->to_us)
        ret->to_us = sender->at_us[sender->n - 1];
    if (ret->to_us < ret->from_us || ret->to_us - ret->from_us < QPW_CONSERVE_LEAST_US)
        return;
    ret->sent = qpw_flow_between(sender, ret->from_us, ret->to_us);
    ret->received = qpw_flow_between(receiver, ret->from_us + (uint64_t)clocks->offset_us, ret->to_us + (uint64_t)clocks->offset_us);
    ret->tolerance = tolerance(sender, receiver, clocks->error_us);
    percent = inexact ? greater(ret->sent, ret->received) / 100 : 0;
    ret->tolerance += percent;
    ret->word = qpw_balance_word(ret);
    if (ret->word != QPW_FLOW_CONSERVED && !grows(sender, receiver, ret, clocks->offset_us))
        ret->word = QPW_FLOW_CONSERVED;
}
