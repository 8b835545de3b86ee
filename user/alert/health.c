/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* health.c - records about the auditor itself: coverage, lost detail, reloads, the rate limit, the heartbeat. */
#include <stdio.h>
#include <string.h>

#include "alert/internal.h"
#include "alert/text.h"
#include "facts/findings.h"
#include "facts/losses.h"
#include "facts/totals.h"
#include "util/names.h"
#include "words/words.h"

static enum qpw_signature_name signature_of_coverage(unsigned kind)
{
    switch (kind) {
    case QPW_COVERAGE_REPLACED:
    case QPW_COVERAGE_ATTACHED: return QPW_SIG_ATTACHED;
    case QPW_COVERAGE_DETACHED: return QPW_SIG_DETACHED;
    case QPW_COVERAGE_AUDITOR_STARTED: return QPW_SIG_STARTED;
    case QPW_COVERAGE_AUDITOR_STOPPED: return QPW_SIG_STOPPED;
    case QPW_COVERAGE_AUDITOR_GAP: return QPW_SIG_AUDITOR_GAP;
    case QPW_COVERAGE_INTERFACE_GONE:
    case QPW_COVERAGE_INTERFACE_DOWN: return QPW_SIG_INTERFACE_LOST;
    case QPW_COVERAGE_INTERFACE_BACK:
    case QPW_COVERAGE_INTERFACE_UP:
    case QPW_COVERAGE_INTERFACE_RENAMED:
    case QPW_COVERAGE_HOOK_FIRST: return QPW_SIG_INTERFACE;
    case QPW_COVERAGE_HOOK_LOST: return QPW_SIG_HOOK_LOST;
    case QPW_COVERAGE_HOOK_NOT_FIRST: return QPW_SIG_HOOK_NOT_FIRST;
    case QPW_COVERAGE_OWNERS_LOST: return QPW_SIG_OWNERS_LOST;
    case QPW_COVERAGE_OWNERS_NOTED: return QPW_SIG_OWNERS_NOTED;
    case QPW_COVERAGE_ADDRESSES_LEFT_OUT: return QPW_SIG_ADDRESSES_LEFT_OUT;
    case QPW_COVERAGE_ADDRESSES_COMPLETE: return QPW_SIG_ADDRESSES_COMPLETE;
    case QPW_COVERAGE_CLOCK_STEPPED: return QPW_SIG_CLOCK_STEPPED;
    case QPW_COVERAGE_HISTORY_STOPPED: return QPW_SIG_HISTORY_STOPPED;
    case QPW_COVERAGE_HISTORY_RESUMED:
    case QPW_COVERAGE_HISTORY_SET_ASIDE: return QPW_SIG_HISTORY;
    case QPW_COVERAGE_RELOADED_ALONE: return QPW_SIG_RELOADED_ALONE;
    default: return QPW_SIG_NONE; /* the auditor's own reloads: see qpw_engine_reloaded() */
    }
}

/*
 * Return whether a coverage record is in the log already: by its number, once one was examined; at first by its time,
 * because that is all the log has of an earlier auditor's.
 */
static bool is_written(const struct qpw_engine *e, const struct qpw_coverage *c)
{
    return e->coverage_sequence ? c->sequence <= e->coverage_sequence : c->unix_ns <= e->coverage_ns;
}

/* Add who did it, and the policy file then in force; nothing if nobody did. */
static void add_by(const struct qpw_engine *e, struct qpw_record *r, const char *by)
{
    if (!*by)
        return;
    qpw_record_fact(r, "by", "%s", by);
    if (e->context.policy_path && *e->context.policy_path)
        qpw_record_fact(r, "policy_file", "%s", e->context.policy_path);
}

/* Write the coverage records that are newer than the log's newest. */
static void coverage(struct qpw_engine *e, const struct qpw_snapshot *s, uint64_t now_ns)
{
    for (size_t i = 0; i < s->n_coverage; i++) {
        const struct qpw_coverage *c = &s->coverage[i];
        enum qpw_signature_name signature = signature_of_coverage(c->kind);
        struct qpw_text_about about = {.context = &e->context};
        char text[QPW_EVENT_TEXT];
        struct qpw_record *r;

        if (is_written(e, c))
            continue;
        if (signature) {
            r = qpw_engine_begin(e, signature, QPW_RECORD_FIRST, c->unix_ns, now_ns);
            r->iface = c->iface ? qpw_engine_iface(e, c->iface) : NULL;
            about.words = (struct qpw_text_words){.iface = r->iface ? r->iface : "the interfaces", .detail = qpw_words_event_text(c, text, sizeof(text))};
            qpw_text_record(r, &about);
            qpw_record_fact(r, "event", "%s", qpw_coverage_name(c->kind));
            add_by(e, r, c->by);
            qpw_record_fact(r, "coverage", "%llu", (unsigned long long)c->unix_ns);
            if (qpw_engine_write(e, NULL, now_ns) < 0)
                return; /* retry with the next snapshot */
        }
        e->coverage_ns = c->unix_ns;
        e->coverage_sequence = c->sequence;
    }
    if (s->n_coverage && !e->coverage_sequence)
        e->coverage_sequence = s->coverage[s->n_coverage - 1].sequence;
}

bool qpw_engine_coverage(struct qpw_engine *e, const struct qpw_coverage *records, size_t n, uint64_t now_ns)
{
    const struct qpw_snapshot s = {.coverage = (struct qpw_coverage *)records, .n_coverage = n};

    coverage(e, &s, now_ns);
    return !n || e->coverage_sequence == records[n - 1].sequence;
}

/* List the ports with most packets counted without detail. */
static void lost_detail_text(const struct qpw_snapshot *s, char *buf, size_t size)
{
    const struct qpw_detail_row *top[5];
    size_t n = qpw_details_busiest(s, top, sizeof(top) / sizeof(*top)), used = 0;
    char service[48], count[16];

    *buf = '\0';
    for (size_t i = 0; i < n && used < size; i++)
        used += snprintf(buf + used, size - used, "%s%s %s %s%s", i ? ", " : "Most of them: ",
                         qpw_direction_name(top[i]->key.direction),
                         qpw_words_service(top[i]->key.kind, top[i]->key.protocol, top[i]->key.port, service,
                                           sizeof(service)),
                         qpw_words_count(top[i]->packets, count, sizeof(count)), i + 1 == n ? "." : "");
}

/* Report a loss when it starts, then once an interval while it grows. */
static void loss(struct qpw_engine *e, enum qpw_loss which, enum qpw_signature_name signature, const char *detail,
                 uint64_t now_ns)
{
    uint32_t id = which;
    struct qpw_alert_state *state = qpw_engine_state(e, qpw_aggregate_id(QPW_AGGREGATE_LOSS, &id, sizeof(id)));
    uint64_t total = e->losses[which], before = e->losses_reported[which];
    struct qpw_text_about about = {.context = &e->context};
    struct qpw_record *r;
    char count[48];

    if (!state || total <= before ||
        (state->sequence && now_ns < state->written_ns + e->settings.summary_s * SECOND))
        return;
    r = qpw_engine_begin(e, signature, state->sequence ? QPW_RECORD_SUMMARY : QPW_RECORD_FIRST, now_ns, now_ns);
    about.words = (struct qpw_text_words){.count = qpw_words_many(total - before, "packet", count, sizeof(count)),
                                          .detail = detail};
    qpw_text_record(r, &about);
    if (which != QPW_LOSS_NONE)
        qpw_record_fact(r, "loss", "%s", qpw_loss_name(which));
    qpw_record_fact(r, "count", "%llu", (unsigned long long)(total - before));
    qpw_record_fact(r, "total", "%llu", (unsigned long long)total);
    if (qpw_engine_write(e, state, now_ns) == 0)
        e->losses_reported[which] = total;
}

/*
 * Write one record for all losses with the same effect, because tables fill up together; its state uses QPW_LOSS_NONE,
 * the number of no loss.
 */
static void counting(struct qpw_engine *e, uint64_t now_ns)
{
    char detail[400] = "", times[40];
    uint64_t reported = 0;
    size_t used = 0;

    e->losses[QPW_LOSS_NONE] = 0;
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++) {
        if (qpw_loss_effect(i) != QPW_EFFECT_COUNTED)
            continue;
        e->losses[QPW_LOSS_NONE] += e->losses[i];
        reported += e->losses_reported[i];
        if (e->losses[i] > e->losses_reported[i] && used < sizeof(detail))
            used += snprintf(detail + used, sizeof(detail) - used, "%s%s %s", used ? ", " : "", qpw_loss_name(i),
                             qpw_words_many(e->losses[i] - e->losses_reported[i], "time", times, sizeof(times)));
    }
    e->losses_reported[QPW_LOSS_NONE] = reported;
    loss(e, QPW_LOSS_NONE, QPW_SIG_COUNTING_LOST, detail, now_ns);
    if (e->losses_reported[QPW_LOSS_NONE] == reported)
        return;
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        if (qpw_loss_effect(i) == QPW_EFFECT_COUNTED)
            e->losses_reported[i] = e->losses[i];
}

/* Report lost detail. Losses that only delay are in the heartbeat. */
static void losses(struct qpw_engine *e, const struct qpw_snapshot *s, uint64_t now_ns)
{
    char detail[400];

    for (unsigned i = 0; i < QPW_LOSS_COUNT; i++) {
        if (s->losses[i] < e->losses_reported[i])
            e->losses_reported[i] = 0; /* attached again */
        e->losses[i] = s->losses[i];
    }
    lost_detail_text(s, detail, sizeof(detail));
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++) {
        enum qpw_loss_effect effect = qpw_loss_effect(i);

        if (effect == QPW_EFFECT_DETAIL || effect == QPW_EFFECT_ANSWERED)
            loss(e, i, effect == QPW_EFFECT_DETAIL ? QPW_SIG_DETAIL_LOST : QPW_SIG_ANSWERED_DETAIL_LOST, detail, now_ns);
    }
    counting(e, now_ns);
}

static void figures(struct qpw_engine *e, const struct qpw_snapshot *s)
{
    struct qpw_heartbeat *h = &e->heartbeat;
    struct qpw_totals totals;
    struct qpw_losses lost;

    qpw_totals_of(s, &totals);
    qpw_losses_of(s, &lost);
    *h = (struct qpw_heartbeat){
        .uptime_s = s->unix_ns > s->from_unix_ns ? (s->unix_ns - s->from_unix_ns) / SECOND : 0,
        .packets = totals.all.packets,
        .bytes = totals.all.bytes,
        .undecodable = totals.by_direction[QPW_DIR_UNDECODABLE].packets,
        .lost_events = lost.delayed,
        .lost_detail = lost.lost,
        .findings = s->n_findings,
    };
    for (unsigned i = 1; i < QPW_CLASS_COUNT; i++)
        h->connections += s->tables[i].entries;
}

void qpw_health_look(struct qpw_engine *e, const struct qpw_snapshot *s, uint64_t now_ns)
{
    figures(e, s);
    coverage(e, s, now_ns);
    losses(e, s, now_ns);
}

static void held_back(struct qpw_engine *e, uint64_t now_ns)
{
    uint32_t id = 0;
    struct qpw_alert_state *state = qpw_engine_state(e, qpw_aggregate_id(QPW_AGGREGATE_RATE_LIMIT, &id, sizeof(id)));
    struct qpw_text_about about = {.context = &e->context};
    struct qpw_record *r;
    char count[40], cap[16];

    /* Wait for the second to end; otherwise its next finding would need a record of its own. */
    if (!e->rate_limited_unreported || !state || e->cap_second == now_ns / SECOND ||
        (state->sequence && now_ns < state->written_ns + e->settings.summary_s * SECOND))
        return;
    r = qpw_engine_begin(e, QPW_SIG_HELD_BACK, state->sequence ? QPW_RECORD_SUMMARY : QPW_RECORD_FIRST, now_ns, now_ns);
    qpw_words_count(e->settings.cap, cap, sizeof(cap));
    about.words = (struct qpw_text_words){.count = qpw_words_many(e->rate_limited_unreported, "alert", count, sizeof(count)),
                                          .detail = cap};
    qpw_text_record(r, &about);
    qpw_record_fact(r, "count", "%llu", (unsigned long long)e->rate_limited_unreported);
    qpw_record_fact(r, "waiting", "%llu", (unsigned long long)e->figures.waiting);
    if (qpw_engine_write(e, state, now_ns) == 0)
        e->rate_limited_unreported = 0;
}

static void heartbeat(struct qpw_engine *e, uint64_t now_ns)
{
    struct qpw_record *r;

    if (!e->heartbeat_ns)
        e->heartbeat_ns = now_ns; /* nothing is known yet, so wait one interval */
    if (now_ns < e->heartbeat_ns + e->settings.heartbeat_s * SECOND)
        return;
    r = qpw_engine_begin(e, QPW_SIG_NONE, QPW_RECORD_STATS, now_ns, now_ns);
    e->heartbeat.alerts = e->figures.alerts;
    e->heartbeat.suppressed = e->figures.suppressed;
    e->heartbeat.rate_limited = e->figures.rate_limited;
    r->heartbeat = &e->heartbeat;
    if (qpw_engine_write(e, NULL, now_ns) == 0)
        e->heartbeat_ns = now_ns;
}

static void pending(struct qpw_engine *e, uint64_t now_ns)
{
    size_t done = 0;

    for (; done < e->n_pending; done++) {
        const struct qpw_pending *p = &e->pending[done];
        struct qpw_record *r = qpw_engine_begin(e, p->signature, QPW_RECORD_FIRST, p->seen_ns, now_ns);
        struct qpw_text_about about = {.context = &e->context, .words = {.detail = p->text}};
        size_t used;

        qpw_text_record(r, &about);
        used = strlen(r->text);
        if (p->by[0]) {
            snprintf(r->text + used, sizeof(r->text) - used, "%sBy %s.", strchr(p->text, '\n') ? "\n" : " ", p->by);
        }
        add_by(e, r, p->by);
        if (p->signature == QPW_SIG_RELOADED) {
            qpw_record_fact(r, "old_digest", "%s", p->old_digest);
            qpw_record_fact(r, "new_digest", "%s", p->new_digest);
        }
        qpw_record_fact(r, p->signature == QPW_SIG_RELOADED ? "changes" : "error", "%s", p->text);
        if (qpw_engine_write(e, NULL, now_ns) < 0)
            break;
    }
    memmove(e->pending, e->pending + done, (e->n_pending - done) * sizeof(*e->pending));
    e->n_pending -= done;
}

void qpw_health_write(struct qpw_engine *e, uint64_t now_ns)
{
    pending(e, now_ns);
    held_back(e, now_ns);
    heartbeat(e, now_ns);
}

void qpw_engine_reloaded(struct qpw_engine *e, const struct qpw_engine_reload *reload, uint64_t now_ns)
{
    struct qpw_pending *p;

    if (e->n_pending == QPW_PENDING) { /* the disk was full during all these reloads: keep the newest */
        memmove(e->pending, e->pending + 1, (QPW_PENDING - 1) * sizeof(*e->pending));
        e->n_pending--;
    }
    p = &e->pending[e->n_pending++];
    p->signature = reload->failure ? QPW_SIG_RELOAD_FAILED : QPW_SIG_RELOADED;
    p->seen_ns = now_ns;
    snprintf(p->old_digest, sizeof(p->old_digest), "%s", reload->old_digest);
    snprintf(p->new_digest, sizeof(p->new_digest), "%s", reload->new_digest);
    snprintf(p->by, sizeof(p->by), "%s", reload->by);
    snprintf(p->text, sizeof(p->text), "%s", reload->failure ? reload->failure : reload->changes);
    e->blocked = false;
    pending(e, now_ns);
}
