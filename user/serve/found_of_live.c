/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/found_of_live.h"

#include <stdio.h>
#include <stdlib.h>

#include "alert/found.h"
#include "util/cleanup.h"
#include "words/live.h"

static enum qpw_signature_name signature_of(const struct qpw_live_item *item)
{
    static const enum qpw_signature_name by_kind[QPW_LIVE_KIND_COUNT] = {
        [QPW_LIVE_KEY] = QPW_SIG_CLUSTER_KEY, [QPW_LIVE_CLOCK] = QPW_SIG_CLUSTER_CLOCK,
        [QPW_LIVE_LOG_CUT] = QPW_SIG_CLUSTER_LOG, [QPW_LIVE_LOG_OTHER] = QPW_SIG_CLUSTER_LOG};
    static const enum qpw_signature_name by_what[QPW_DIFFERS_COUNT] = {
        [QPW_DIFFERS_BLIND_DEVICE] = QPW_SIG_CLUSTER_BLIND, [QPW_DIFFERS_SENDER_LOSS] = QPW_SIG_CLUSTER_LOST,
        [QPW_DIFFERS_RECEIVER_LOSS] = QPW_SIG_CLUSTER_LOST, [QPW_DIFFERS_LOST_BETWEEN] = QPW_SIG_CLUSTER_LOST,
        [QPW_DIFFERS_FORGED] = QPW_SIG_CLUSTER_FORGED, [QPW_DIFFERS_BYPASS_DEVICE] = QPW_SIG_CLUSTER_BYPASSED,
        [QPW_DIFFERS_BYPASS] = QPW_SIG_CLUSTER_BYPASSED, [QPW_DIFFERS_MORE_ARRIVED] = QPW_SIG_CLUSTER_BYPASSED,
        [QPW_DIFFERS_DOWN] = QPW_SIG_CLUSTER_DOWN, [QPW_DIFFERS_NO_STATEMENT] = QPW_SIG_CLUSTER_STALE,
        [QPW_DIFFERS_PARTITION] = QPW_SIG_CLUSTER_PARTITION, [QPW_DIFFERS_HELD_TWICE] = QPW_SIG_CLUSTER_ADDRESS_TWICE,
        [QPW_DIFFERS_NOT_MONITORED] = QPW_SIG_CLUSTER_COVERAGE, [QPW_DIFFERS_OPEN_LINK] = QPW_SIG_CLUSTER_COVERAGE,
        [QPW_DIFFERS_BLIND] = QPW_SIG_CLUSTER_COVERAGE, [QPW_DIFFERS_MODE] = QPW_SIG_CLUSTER_DRIFT,
        [QPW_DIFFERS_UNSEEN_OPENING] = QPW_SIG_CLUSTER_DIRECTION, [QPW_DIFFERS_FEWER_OPENINGS] = QPW_SIG_CLUSTER_DIRECTION,
        [QPW_DIFFERS_ONLY_ONE] = QPW_SIG_CLUSTER_ODD, [QPW_DIFFERS_MISSING_ONE] = QPW_SIG_CLUSTER_ODD,
        [QPW_DIFFERS_ONE_PAIR] = QPW_SIG_CLUSTER_ODD, [QPW_DIFFERS_SCANNED] = QPW_SIG_CLUSTER_SCAN,
        [QPW_DIFFERS_OTHER_POLICY] = QPW_SIG_CLUSTER_DRIFT, [QPW_DIFFERS_OTHER_VERSION] = QPW_SIG_CLUSTER_DRIFT,
        [QPW_DIFFERS_AHEAD] = QPW_SIG_CLUSTER_CLOCK};

    return by_kind[item->kind] ? by_kind[item->kind] : by_what[item->difference.what];
}

static void find(const struct qpw_live_item *item, uint64_t now_ns, struct qpw_found *ret)
{
    bool scan = item->kind == QPW_LIVE_DIFFERENCE && item->difference.what == QPW_DIFFERS_SCANNED;
    char text[QPW_DIFFERENCE_BYTES];

    *ret = (struct qpw_found){.id = item->id, .signature = signature_of(item), .since_unix_ns = item->since_unix_ns, .elsewhere = item->elsewhere};
    snprintf(ret->what, sizeof(ret->what), "%s",
             item->kind == QPW_LIVE_DIFFERENCE ? qpw_difference_name(item->difference.what) : qpw_live_kind_name(item->kind));
    snprintf(ret->subject, sizeof(ret->subject), "%s", scan ? item->difference.subject : item->nodes[0]);
    snprintf(ret->text, sizeof(ret->text), "%s", qpw_words_live(item, now_ns, text));
    qpw_words_live_command(item, ret->command, sizeof(ret->command));
}

json_t *qpw_found_of_live(const struct qpw_live *live, uint64_t now_ns)
{
    struct qpw_found_list list = {.at_unix_ns = now_ns, .left_out = live->left_out};
    QPW_CLEANUP(qpw_freep) struct qpw_found *items = calloc(live->n_items + 1, sizeof(*items));

    if (!items)
        return NULL;
    list.items = items;
    for (size_t i = 0; i < live->n_items && list.n < QPW_FOUND_MOST; i++)
        if (live->items[i].reported)
            find(&live->items[i], now_ns, &items[list.n++]);
    return qpw_found_json(&list);
}
