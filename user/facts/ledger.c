/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/ledger.h"

#include <string.h>

void qpw_ledger_begin(struct qpw_ledger *l)
{
    *l = (struct qpw_ledger){0};
}

static uint64_t since(uint64_t later, uint64_t earlier)
{
    return later > earlier ? later - earlier : 0;
}

/* Balance the time between two points. */
static struct qpw_balance between(const struct qpw_ledger_point *from, const struct qpw_ledger_point *to, uint64_t tolerance)
{
    return (struct qpw_balance){.word = QPW_FLOW_CONSERVED, .sent = since(to->sent, from->sent), .tolerance = tolerance,
                                .received = since(to->received, from->received), .from_us = from->at_us, .to_us = to->at_us};
}

static uint64_t tolerance_of(const struct qpw_ledger *l)
{
    uint64_t most = 0;

    for (size_t i = 0; i < l->n; i++)
        most = l->point[i].tolerance > most ? l->point[i].tolerance : most;
    return most;
}

/* Return whether the difference between these points is large enough. *ret_less: fewer arrived. */
static bool is_large(const struct qpw_ledger *l, const struct qpw_ledger_point *from, bool *ret_less)
{
    struct qpw_balance b = between(from, &l->point[l->n - 1], tolerance_of(l));

    *ret_less = b.sent > b.received;
    return qpw_balance_word(&b) != QPW_FLOW_CONSERVED;
}

/* Count the statements in a row in which the difference is large in ten minutes and since the beginning, and grows. */
static void count_running(struct qpw_ledger *l)
{
    const struct qpw_ledger_point *last = &l->point[l->n - 1], *before = last - 1;
    uint64_t sent = since(last->sent, before->sent), received = since(last->received, before->received);
    bool less, since_begin;

    if (!is_large(l, &l->point[0], &less) || !is_large(l, &l->first, &since_begin) || less != since_begin ||
        (less ? sent <= received : received <= sent) || (l->running && l->less != less)) {
        l->running = 0;
        return;
    }
    l->less = less;
    l->running++;
}

static void make_room(struct qpw_ledger *l, uint64_t at_us)
{
    size_t drop = 0;

    while (drop + 2 < l->n && l->point[drop + 1].at_us + QPW_LEDGER_SPAN_US <= at_us)
        drop++;
    if (!drop && l->n == QPW_LEDGER_POINTS)
        drop = 1;
    memmove(l->point, l->point + drop, (l->n - drop) * sizeof(*l->point));
    l->n -= drop;
}

void qpw_ledger_add(struct qpw_ledger *l, const struct qpw_flow *sender, const struct qpw_flow *receiver, int64_t offset_us,
                    const struct qpw_balance *balance)
{
    struct qpw_ledger_point at = {balance->to_us, qpw_flow_at(sender, balance->to_us),
                                  qpw_flow_at(receiver, balance->to_us + (uint64_t)offset_us), balance->tolerance};
    const struct qpw_ledger_point *last = l->n ? &l->point[l->n - 1] : NULL;

    if (last && at.at_us < last->at_us + QPW_LEDGER_STEP_US)
        return;
    if (!last) { /* begin with the whole time of the first balance */
        l->first = l->point[l->n++] = (struct qpw_ledger_point){
            balance->from_us, qpw_flow_at(sender, balance->from_us), qpw_flow_at(receiver, balance->from_us + (uint64_t)offset_us),
            balance->tolerance};
    } else if (at.sent < last->sent || at.received < last->received) { /* counting began again */
        qpw_ledger_begin(l);
        l->first = l->point[l->n++] = at;
        return;
    }
    make_room(l, at.at_us);
    l->point[l->n++] = at;
    count_running(l);
}

void qpw_ledger_balance(const struct qpw_ledger *l, struct qpw_balance *ret)
{
    *ret = (struct qpw_balance){.word = QPW_FLOW_SHORT};
    if (l->n < 2)
        return;
    *ret = between(&l->point[0], &l->point[l->n - 1], tolerance_of(l));
    if (l->running >= QPW_LEDGER_RUNNING)
        ret->word = l->less ? QPW_FLOW_MISSING : QPW_FLOW_EXCESS;
}
