/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* findings.c - the rules for one finding: first, again, escalation, summary, closed, or part of an aggregate. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/finding_work.h"
#include "alert/internal.h"
#include "alert/text.h"
#include "facts/life.h"
#include "snapshot/lives.h"
#include "util/names.h"
#include "words/words.h"

/* A finding that started this long after its last record is a new one with the same key. */
#define AGAIN_SLACK_NS 100000000ull
#define OWNER_WAIT_NS 200000000ull /* maximum wait of a companion for the decision about its owner */

/* Return whether the finding's life-cycle step is in no record yet. */
static bool is_unreported(const struct qpw_engine *e, const struct qpw_finding_work *w)
{
    uint64_t number = qpw_life_number(&w->life);
    uint32_t reported;

    return number && !qpw_idmap_get(&e->steps, number, &reported);
}

/* Return whether the cap permits a record; if not, count the finding once, and it is offered again later. */
static bool room(struct qpw_engine *e, const struct qpw_finding_work *w, uint64_t now_ns)
{
    if (w->answered)
        return true;
    if (qpw_engine_take(e, now_ns))
        return true;
    if (!e->blocked && !w->state->rate_limited) {
        w->state->rate_limited = true;
        e->figures.rate_limited++;
        e->figures.waiting++;
        e->rate_limited_unreported++;
    }
    return false;
}

/*
 * True for a companion whose owner turned out not to fit: it is superseded, and the new judgement has its own record.
 */
static bool was_provisional(const struct qpw_finding_work *w)
{
    return w->life.by == QPW_CLOSED_BY_SUPERSEDED && w->row->key.verdict == QPW_VERDICT_IMPLIED;
}

/* Report a closed finding, once. Answered ones are reported even if they had no record before. */
static void closed(struct qpw_engine *e, struct qpw_finding_work *w, uint64_t now_ns)
{
    bool reported = w->state->joined || w->state->state == QPW_ALERT_STATE_ACKNOWLEDGED; /* or not to be reported */
    bool counts = w->answered && !was_provisional(w);

    qpw_services_closed(e, w->row, w->state, /* forget= */ true);
    if (is_unreported(e, w) && (w->state->sequence || reported)) {
        qpw_finding_work_write(e, w, QPW_RECORD_CLOSED, now_ns);
        return;
    }
    if (reported && !w->state->sequence) {
        w->state->state = QPW_ALERT_STATE_CLOSED; /* closed together with its service */
        return;
    }
    if (w->state->sequence && w->state->state != QPW_ALERT_STATE_CLOSED)
        qpw_finding_work_write(e, w, QPW_RECORD_CLOSED, now_ns);
    else if (!w->state->sequence && counts && (is_unreported(e, w) || !w->life.step))
        qpw_finding_work_write(e, w, QPW_RECORD_FIRST, now_ns);
    else
        qpw_finding_work_release(e, w->state);
    if (!w->state->sequence && !counts && w->state->state == QPW_ALERT_STATE_NEW)
        w->state->state = QPW_ALERT_STATE_CLOSED; /* never reported, so there is nothing to withdraw */
}

/*
 * Give an answered finding a record before it is acknowledged, or if its service is already: with the others of the
 * service, else its own, with its normal severity. False: offer it again.
 */
static bool report_first(struct qpw_engine *e, struct qpw_finding_work *w, uint64_t now_ns)
{
    struct qpw_services_offer offer = {w->row, w->state, NULL, qpw_finding_work_occurrences(w->row), true};
    const struct qpw_finding_life life = w->life;
    int r;

    if (!w->answered || w->state->sequence || w->state->joined || w->state->state != QPW_ALERT_STATE_NEW)
        return true;
    offer.process = qpw_finding_work_process(e, w);
    if (w->signature != QPW_SIG_CROSSED && qpw_services_add(e, &offer, now_ns))
        return true;
    w->life = (struct qpw_finding_life){.state = QPW_FINDING_OPEN};
    r = qpw_finding_work_write(e, w, QPW_RECORD_FIRST, now_ns);
    w->life = life;
    return r == 0;
}

/*
 * Report an acknowledged finding: once if it was reported before, and each step once, such as a changed reason. Other
 * findings of an acknowledged class are counted in the service's record.
 */
static void acknowledged(struct qpw_engine *e, struct qpw_finding_work *w, uint64_t now_ns)
{
    bool unreported = is_unreported(e, w);

    if (w->state->state == QPW_ALERT_STATE_ACKNOWLEDGED && !unreported)
        return;
    if (w->state->sequence && w->answered && !w->state->service) /* reported by an earlier auditor */
        qpw_services_lead(e, w->row, w->state, qpw_finding_work_process(e, w), now_ns);
    if (!report_first(e, w, now_ns))
        return;
    qpw_services_closed(e, w->row, w->state, /* forget= */ false); /* a finding of another class becomes the lead */
    if (w->state->sequence || unreported)
        qpw_finding_work_write(e, w, QPW_RECORD_ACKNOWLEDGED, now_ns);
    else
        w->state->state = QPW_ALERT_STATE_ACKNOWLEDGED;
    w->state->outcome = w->row->value.outcome;
    qpw_finding_work_release(e, w->state);
}

/* Return whether it started after its newest record, as after another attachment. */
static bool is_again(const struct qpw_finding_work *w)
{
    return w->state->sequence && w->row->first_unix_ns > w->state->written_ns + AGAIN_SLACK_NS;
}

static bool is_of_new_program(enum qpw_signature_name signature)
{
    return signature == QPW_SIG_OUT_ANSWERED_NEW || signature == QPW_SIG_OUT_DATA_NEW;
}

/* Return whether it is reported with others of its service. */
static bool in_service(struct qpw_engine *e, struct qpw_finding_work *w, uint64_t now_ns)
{
    struct qpw_services_offer offer = {w->row, w->state, w->state->process, qpw_finding_work_occurrences(w->row)};

    if (!w->answered || w->signature == QPW_SIG_CROSSED)
        return false;
    if (!w->state->sequence && w->life.state == QPW_FINDING_OPEN && is_of_new_program(w->signature))
        return false; /* a new program must not hide among other users of the port */
    if (!w->state->service)
        offer.process = qpw_finding_work_process(e, w);
    if (!qpw_services_add(e, &offer, now_ns))
        return false;
    qpw_finding_work_release(e, w->state);
    return true;
}

/* Return whether the signature changed at the same outcome, because more is known about the finding. */
static bool is_another(enum qpw_signature_name now, uint16_t before)
{
    if (now == before)
        return false;
    if ((now == QPW_SIG_OUT_ANSWERED_NEW && before == QPW_SIG_OUT_ANSWERED) ||
        (now == QPW_SIG_OUT_DATA_NEW && before == QPW_SIG_OUT_DATA))
        return true; /* its program has been found meanwhile */
    return now == QPW_SIG_CROSSED || (now == QPW_SIG_IMPLIED_UNKNOWN && before == QPW_SIG_IMPLIED) ||
           (now == QPW_SIG_IMPLIED && before == QPW_SIG_IMPLIED_UNKNOWN);
}

/*
 * Detach the finding from its service and known process if another program than the reported one holds the node's end.
 */
static void part(struct qpw_finding_work *w)
{
    struct qpw_alert_state *state = w->state;
    uint64_t exe = w->row->value.owner.exe;

    w->another = state->exe && exe && state->exe != exe;
    if (w->another) {
        state->service = 0;
        state->joined = false;
        free(state->process);
        state->process = NULL;
    } else if (exe) {
        state->exe = exe;
    }
}

/*
 * Return whether a reopening needs a record: the finding was closed or acknowledged in the log, or a step reopened one
 * that was reported.
 */
static bool was_closed(const struct qpw_engine *e, const struct qpw_finding_work *w)
{
    bool out = w->state->state == QPW_ALERT_STATE_CLOSED || w->state->state == QPW_ALERT_STATE_ACKNOWLEDGED;

    return (w->state->sequence && out) || (is_unreported(e, w) && (w->state->sequence || w->state->joined || out));
}

static void decide(struct qpw_engine *e, struct qpw_finding_work *w, uint64_t now_ns)
{
    static const unsigned day = DAY_S;
    struct qpw_alert_state *state = w->state;
    unsigned repeat_s = qpw_signature(w->signature)->repeat == QPW_REPEAT_DAY ? day : e->settings.summary_s;
    bool again = is_again(w);

    if (!w->signature) { /* relevant only as part of a scan */
        qpw_aggregates_add(e, w->row, state);
    } else if (w->life.state == QPW_FINDING_CLOSED) {
        closed(e, w, now_ns);
    } else if (w->life.state == QPW_FINDING_ACKNOWLEDGED) {
        acknowledged(e, w, now_ns);
    } else if (was_closed(e, w) && (state->joined || w->life.step || w->another) && w->row->value.outcome <= state->outcome) {
        if (room(e, w, now_ns))
            qpw_finding_work_write(e, w, QPW_RECORD_REOPENED, now_ns);
    } else if (!(state->sequence && is_another(w->signature, state->signature)) && in_service(e, w, now_ns)) {
        state->exe = w->another ? w->row->value.owner.exe : state->exe;
    } else if (state->sequence && (w->another || w->row->value.outcome > state->outcome ||
                                  is_another(w->signature, state->signature))) {
        if (room(e, w, now_ns))
            qpw_finding_work_write(e, w, QPW_RECORD_ESCALATION, now_ns);
    } else if (was_closed(e, w)) {
        if (room(e, w, now_ns))
            qpw_finding_work_write(e, w, QPW_RECORD_REOPENED, now_ns);
    } else if (!state->sequence || again) {
        if (!w->answered && (qpw_aggregates_add(e, w->row, state) || qpw_engine_wait(e, w->row, state, now_ns)))
            return;
        if (room(e, w, now_ns))
            qpw_finding_work_write(e, w, again ? QPW_RECORD_AGAIN : QPW_RECORD_FIRST, now_ns);
    } else if (qpw_finding_work_occurrences(w->row) > state->reported &&
               now_ns >= state->written_ns + repeat_s * SECOND) {
        if (room(e, w, now_ns))
            qpw_finding_work_write(e, w, QPW_RECORD_SUMMARY, now_ns);
    } else {
        qpw_finding_work_release(e, state); /* nothing left to report */
    }
}

/* Answered findings first, then in order of time. */
static int by_urgency(const void *a, const void *b)
{
    const struct qpw_finding_work *x = a, *y = b;

    if (x->answered != y->answered)
        return x->answered ? -1 : 1;
    return (x->row->first_unix_ns > y->row->first_unix_ns) - (x->row->first_unix_ns < y->row->first_unix_ns);
}

/*
 * Assign states to works, and keep only the most informative of several rows about one finding. Return the number left.
 */
static size_t join(struct qpw_engine *e, struct qpw_finding_work *works, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        struct qpw_alert_state *state = qpw_engine_finding_state(e, works[i].row); /* cannot move: all states exist
                                                                                      already */
        struct qpw_finding_work *before = state->batch_index ? &works[state->batch_index - 1] : NULL;

        works[i].state = state;
        if (!before) {
            works[count++] = works[i];
            state->batch_index = count;
        } else if (works[i].row->value.outcome > before->row->value.outcome) {
            *before = works[i];
        }
    }
    for (size_t i = 0; i < count; i++)
        works[i].state->batch_index = 0;
    return count;
}

/*
 * Return whether it is an unanswered attempt covered by a wide or a companion's rule: alone no concern, but many from
 * one source are a scan.
 */
static bool is_wide_try(const struct qpw_finding_row *row)
{
    bool wide = row->key.verdict == QPW_VERDICT_WEAK || row->key.verdict == QPW_VERDICT_IMPLIED;

    return wide && row->key.direction == QPW_DIR_INBOUND && row->key.protocol == IPPROTO_TCP && qpw_finding_open(row) &&
           !qpw_finding_answered(row);
}

/*
 * Return whether it is open despite an acknowledgement: withdrawn by a person, expired, or of another program. The
 * headline counts it, so the log must have its record.
 */
static bool is_given_back(const struct qpw_finding_row *row)
{
    struct qpw_finding_life life = qpw_finding_life(row);

    if (life.state != QPW_FINDING_OPEN)
        return false;
    if (life.step)
        return life.ended || qpw_life_is_of_person(life.step);
    return qpw_finding_answered(row) && qpw_lives_of_another_program(row);
}

/* Collect the rows that need a report and are not suppressed, with their states. Return their number. */
static size_t gather(struct qpw_engine *e, const struct qpw_finding_row *rows, size_t n, struct qpw_finding_work *works,
                     uint64_t now_ns)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        enum qpw_signature_name signature = qpw_signature_of(&rows[i]);
        struct qpw_alert_state *state = signature || is_wide_try(&rows[i]) ? qpw_engine_finding_state(e, &rows[i]) : NULL;

        if (!state || (rows[i].value.provisional && now_ns < rows[i].first_unix_ns + OWNER_WAIT_NS))
            continue;
        state->offered_ns = now_ns;
        if (is_given_back(&rows[i]))
            state->is_suppressed = false;
        else if (qpw_suppressed(e, &rows[i], state, now_ns))
            continue;
        works[count++] =
            (struct qpw_finding_work){&rows[i], NULL, qpw_finding_life(&rows[i]), signature,
                                      rows[i].value.outcome >= QPW_OUTCOME_ANSWERED || signature == QPW_SIG_CROSSED};
    }
    return join(e, works, count);
}

/* Count the findings of each step that no record has reported yet. */
static void count_steps(const struct qpw_engine *e, struct qpw_finding_work *works, size_t n)
{
    struct qpw_idmap steps = {0};
    uint32_t count;

    for (size_t i = 0; i < n; i++)
        if (is_unreported(e, &works[i])) {
            count = 0;
            qpw_idmap_get(&steps, qpw_life_number(&works[i].life), &count);
            qpw_idmap_set(&steps, qpw_life_number(&works[i].life), count + 1); /* if out of memory, the number is
                                                                                  omitted */
        }
    for (size_t i = 0; i < n; i++)
        if (steps.used && qpw_life_number(&works[i].life) && qpw_idmap_get(&steps, qpw_life_number(&works[i].life), &count))
            works[i].together = count;
    qpw_idmap_clear(&steps);
}

/* Update the aggregates before any row is decided on. */
static void track(struct qpw_engine *e, const struct qpw_finding_work *w, uint64_t now_ns)
{
    const struct qpw_alert_state *state = w->state;
    bool reported = state->sequence && state->state == QPW_ALERT_STATE_WRITTEN && state->outcome >= QPW_OUTCOME_ANSWERED;

    qpw_aggregates_track(e, w->row, w->state);
    if (reported && !state->service && w->answered && !is_again(w)) /* reported by an earlier auditor */
        qpw_services_lead(e, w->row, w->state, state->process, now_ns);
}

bool qpw_engine_wait(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state, uint64_t now_ns)
{
    if (state->waiting)
        return true;
    if (e->finishing || state->sequence || now_ns >= row->first_unix_ns + e->settings.settle_s * SECOND)
        return false;
    if (!e->fresh)
        e->fresh = malloc(QPW_FRESH * sizeof(*e->fresh));
    if (!e->fresh || e->n_fresh == QPW_FRESH)
        return false;
    e->fresh[e->n_fresh++] = *row;
    state->waiting = true;
    return true;
}

void qpw_engine_fresh(struct qpw_engine *e, uint64_t now_ns)
{
    struct qpw_finding_row *due = e->n_fresh ? malloc(e->n_fresh * sizeof(*due)) : NULL;
    size_t n = 0, kept = 0;

    if (!due)
        return;
    for (size_t i = 0; i < e->n_fresh; i++) {
        struct qpw_finding_row *row = &e->fresh[i];
        struct qpw_alert_state *state;

        if (!e->finishing && now_ns < row->first_unix_ns + e->settings.settle_s * SECOND) {
            e->fresh[kept++] = *row;
            continue;
        }
        state = qpw_engine_finding_state(e, row);
        if (state)
            state->waiting = false;
        due[n++] = *row;
    }
    e->n_fresh = kept;
    qpw_engine_findings(e, due, n, now_ns);
    free(due);
}

int qpw_engine_findings(struct qpw_engine *e, const struct qpw_finding_row *rows, size_t n, uint64_t now_ns)
{
    struct qpw_finding_work *works = n ? malloc(n * sizeof(*works)) : NULL;
    size_t count, count_later = 0;

    e->blocked = false;
    if (n && !works)
        return -ENOMEM;
    count = gather(e, rows, n, works, now_ns);
    if (count)
        qsort(works, count, sizeof(*works), by_urgency);
    for (size_t i = 0; i < count; i++)
        if (works[i].life.state == QPW_FINDING_OPEN)
            track(e, &works[i], now_ns);
    count_steps(e, works, count);
    for (size_t i = 0; i < count; i++)
        part(&works[i]);
    for (size_t i = 0; i < count; i++) /* prefer a finding with records for reporting a step */
        if (works[i].state->sequence || works[i].life.state == QPW_FINDING_OPEN)
            decide(e, &works[i], now_ns);
        else
            works[count_later++] = works[i];
    for (size_t i = 0; i < count_later; i++)
        decide(e, &works[i], now_ns);
    free(works);
    if (e->aggregates_urgent)
        qpw_aggregates_write(e, now_ns);
    return 0;
}

bool qpw_engine_step_unreported(const struct qpw_engine *e, const struct qpw_finding_row *row)
{
    struct qpw_finding_work w = {.row = row, .life = qpw_finding_life(row)};

    return is_unreported(e, &w);
}

bool qpw_engine_settled(struct qpw_engine *e, const struct qpw_finding_row *row)
{
    const struct qpw_alert_state *state;

    if (!qpw_signature_of(row))
        return true; /* never written */
    state = qpw_engine_finding_state(e, row);
    if (!state || state->rate_limited || !state->offered_ns)
        return false;
    if (state->joined && !qpw_services_settled(e, state))
        return false;
    if (state->is_suppressed || state->state == QPW_ALERT_STATE_AGGREGATED || state->state == QPW_ALERT_STATE_CLOSED)
        return true;
    if (state->state == QPW_ALERT_STATE_ACKNOWLEDGED)
        return state->outcome >= row->value.outcome;
    return state->state == QPW_ALERT_STATE_WRITTEN && state->outcome >= row->value.outcome &&
           state->reported >= qpw_finding_work_occurrences(row);
}
