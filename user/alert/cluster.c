/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cluster.c - records about the cluster, as found by `serve`: the beginning of a difference between nodes, its end.
 *
 * The list is input of an unprivileged process that meets other hosts. However it flickers, it costs CAP records in
 * WINDOW_S; the rest waits, because the list is offered again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/internal.h"
#include "alert/text.h"
#include "util/array.h"
#include "util/names.h"
#include "words/words.h"

#define CAP 64u
#define WINDOW_S 600u
#define NAMED_S 45u /* from a local scan until the peers' statements name it, too: two of ten seconds, one poll, a failed one */
#define FRESH_S 60u

static bool take(struct qpw_engine *e, uint64_t now_ns)
{
    uint64_t window = now_ns / (WINDOW_S * SECOND);

    if (e->cluster_window != window) {
        e->cluster_window = window;
        e->cluster_used = 0;
    }
    if (e->cluster_used >= CAP || !qpw_engine_take(e, now_ns))
        return false;
    e->cluster_used++;
    return true;
}

static uint64_t flow_id_of(const struct qpw_engine *e, const struct qpw_found *f)
{
    const struct { uint64_t id, signature; } subject = {f->id, qpw_signature(f->signature)->id};

    return qpw_aggregate_keyed_id(e, QPW_AGGREGATE_CLUSTER, &subject, sizeof(subject));
}

/* Write one record: the signature's, or that it is over. Return 0 or a negative errno. */
static int report(struct qpw_engine *e, const struct qpw_found *f, bool over, uint64_t now_ns)
{
    struct qpw_alert_state *state = qpw_engine_state(e, flow_id_of(e, f));
    struct qpw_text_about about = {.context = &e->context};
    bool going_on = !over && state && state->sequence && state->signature == f->signature;
    struct qpw_record *r;
    char detail[sizeof(f->text) + 2];

    if (!state)
        return -ENOMEM;
    if (!take(e, now_ns))
        return -EAGAIN;
    r = qpw_engine_begin(e, over ? QPW_SIG_CLUSTER_OVER : f->signature,
                         !state->sequence ? QPW_RECORD_FIRST : going_on ? QPW_RECORD_SUMMARY : QPW_RECORD_AGAIN,
                         !over && f->since_unix_ns ? f->since_unix_ns : now_ns, now_ns);
    snprintf(detail, sizeof(detail), over ? ": %s" : "%s", f->text);
    about.words.detail = detail;
    qpw_text_record(r, &about);
    qpw_record_fact(r, "difference", "%s", f->what);
    if (*f->subject)
        qpw_record_fact(r, "subject", "%s", f->subject);
    qpw_record_fact(r, "cluster_id", "%016" PRIx64, f->id);
    if (*f->command && !over)
        qpw_record_fact(r, "command", "%s", f->command);
    return qpw_engine_write(e, state, now_ns);
}

static struct qpw_cluster_state *known(struct qpw_engine *e, uint64_t flow_id)
{
    for (size_t i = 0; i < e->n_cluster; i++)
        if (e->cluster[i].flow_id == flow_id)
            return &e->cluster[i];
    return NULL;
}

/* Report an item unless it is reported; after a restart the log says whether. Return 0 or a negative errno. */
static int offer(struct qpw_engine *e, const struct qpw_found *f, uint64_t now_ns)
{
    uint64_t flow_id = flow_id_of(e, f);
    struct qpw_alert_state *state = qpw_engine_state(e, flow_id);
    struct qpw_cluster_state *c = known(e, flow_id);
    int r = 0;

    if (!state)
        return -ENOMEM;
    if (!state->sequence || state->signature != f->signature || now_ns >= state->written_ns + DAY_S * SECOND)
        r = report(e, f, /* over= */ false, now_ns);
    if (r < 0)
        return r;
    if (!c) {
        c = QPW_ADD(e->cluster, e->n_cluster);
        if (!c)
            return -ENOMEM;
        e->n_cluster++;
        c->flow_id = flow_id;
    }
    c->found = *f;
    c->listed = true;
    return 0;
}

/* Report the end of what the list has no more. */
static int end_others(struct qpw_engine *e, uint64_t now_ns)
{
    size_t kept = 0;
    int r = 0;

    for (size_t i = 0; i < e->n_cluster; i++) {
        struct qpw_cluster_state *c = &e->cluster[i];

        /* A scan is an event and has no end; neither has a cut log. */
        if (!c->listed && c->found.signature != QPW_SIG_CLUSTER_SCAN && c->found.signature != QPW_SIG_CLUSTER_LOG &&
            report(e, &c->found, /* over= */ true, now_ns) < 0)
            r = -EAGAIN;
        else if (!c->listed)
            continue;
        c->listed = false;
        e->cluster[kept++] = *c;
    }
    e->n_cluster = kept;
    return r;
}

static void note_scan(struct qpw_engine *e, const struct qpw_found *f)
{
    struct qpw_cluster_scan *scan = &e->cluster_scan[e->n_cluster_scans];

    if (f->signature != QPW_SIG_CLUSTER_SCAN || e->n_cluster_scans == QPW_CLUSTER_SCANS)
        return;
    snprintf(scan->initiator, sizeof(scan->initiator), "%s", f->subject);
    scan->id = f->id;
    e->n_cluster_scans++;
}

int qpw_engine_cluster(struct qpw_engine *e, const struct qpw_found_list *list, uint64_t now_ns)
{
    int r = 0;

    e->blocked = false;
    e->compared_ns = now_ns;
    e->n_cluster_scans = 0;
    for (size_t i = 0; i < list->n && i < QPW_FOUND_MOST; i++) {
        note_scan(e, &list->items[i]);
        if (!list->items[i].elsewhere && offer(e, &list->items[i], now_ns) < 0)
            r = -EAGAIN;
    }
    return end_others(e, now_ns) < 0 ? -EAGAIN : r;
}

uint64_t qpw_cluster_scan_of(const struct qpw_engine *e, const uint8_t initiator[16])
{
    char text[64];

    qpw_address_text(initiator, text, sizeof(text));
    for (size_t i = 0; i < e->n_cluster_scans; i++)
        if (!strcmp(e->cluster_scan[i].initiator, text))
            return e->cluster_scan[i].id;
    return 0;
}

bool qpw_cluster_may_name(const struct qpw_engine *e, uint64_t over_ns, uint64_t now_ns)
{
    return !e->finishing && e->compared_ns && now_ns < e->compared_ns + FRESH_S * SECOND && now_ns < over_ns + NAMED_S * SECOND;
}

void qpw_engine_uncompared(struct qpw_engine *e, uint64_t for_ns, uint64_t now_ns)
{
    uint32_t zero = 0;
    struct qpw_alert_state *state = qpw_engine_state(e, qpw_aggregate_id(QPW_AGGREGATE_UNCOMPARED, &zero, sizeof(zero)));
    struct qpw_text_about about = {.context = &e->context};
    bool reported = state && state->sequence && state->signature == QPW_SIG_CLUSTER_UNCOMPARED;
    char detail[64];

    if (!state || (for_ns ? reported && now_ns < state->written_ns + DAY_S * SECOND : !reported) || !take(e, now_ns))
        return;
    qpw_engine_begin(e, for_ns ? QPW_SIG_CLUSTER_UNCOMPARED : QPW_SIG_CLUSTER_OVER,
                     !state->sequence     ? QPW_RECORD_FIRST
                     : for_ns && reported ? QPW_RECORD_SUMMARY
                                          : QPW_RECORD_AGAIN,
                     now_ns, now_ns);
    if (for_ns)
        qpw_words_duration(for_ns, detail, sizeof(detail));
    else
        snprintf(detail, sizeof(detail), ": the nodes are compared again");
    about.words.detail = detail;
    qpw_text_record(&e->record, &about);
    qpw_engine_write(e, state, now_ns);
}

void qpw_cluster_clear(struct qpw_engine *e)
{
    free(e->cluster);
    e->cluster = NULL;
    e->n_cluster = 0;
}
