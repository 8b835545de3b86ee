/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* suppressed.c - the policy's suppressions: count what they suppress, and report it and their changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/internal.h"
#include "alert/text.h"
#include "policy/lang/suppress.h"
#include "util/array.h"
#include "util/names.h"
#include "words/words.h"

static void clear_one(struct qpw_suppress_state *s)
{
    free(s->text);
    free(s->reason);
}

void qpw_suppressed_clear(struct qpw_engine *e)
{
    for (size_t i = 0; i < e->n_suppressions; i++)
        clear_one(&e->suppressions[i]);
    free(e->suppressions);
    e->suppressions = NULL;
    e->n_suppressions = 0;
}

static struct qpw_suppress_state *by_text(struct qpw_engine *e, const char *text)
{
    for (size_t i = 0; i < e->n_suppressions; i++)
        if (!strcmp(e->suppressions[i].text, text))
            return &e->suppressions[i];
    return NULL;
}

static void add(struct qpw_engine *e, const struct qpw_suppression *line)
{
    struct qpw_suppress_state *slot = QPW_ADD(e->suppressions, e->n_suppressions);
    struct qpw_suppress_state s = {.text = strdup(line->text),
                                   .reason = strdup(line->reason ? line->reason : "none given")};

    if (!slot || !s.text || !s.reason) {
        clear_one(&s); /* it still suppresses; only its record is missing until the next reload */
        return;
    }
    snprintf(s.name, sizeof(s.name), "%s", line->name);
    s.flow_id = qpw_aggregate_id(QPW_AGGREGATE_SUPPRESSION, s.text, strlen(s.text));
    *slot = s;
    e->n_suppressions++;
}

void qpw_suppressed_context(struct qpw_engine *e, uint64_t now_ns)
{
    const struct qpw_policy *policy = e->context.policy;
    size_t known = e->n_suppressions, kept = 0;

    for (size_t i = 0; i < known; i++)
        e->suppressions[i].gone = true;
    for (size_t i = 0; policy && i < policy->n_suppressions; i++) {
        struct qpw_suppress_state *s = by_text(e, policy->suppressions[i].text);

        kept += s && s->gone;
        if (s)
            s->gone = false;
        else
            add(e, &policy->suppressions[i]);
    }
    /* The lines changed: a finding may become visible, and is counted again if another line suppresses it. */
    for (size_t i = 0; i < e->n_states && (kept != known || known != e->n_suppressions); i++)
        e->states[i].is_suppressed = false;
}

bool qpw_suppressed(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state, uint64_t now_ns)
{
    struct qpw_suppress_query query = {
        .direction = row->key.direction, .kind = row->key.kind, .protocol = row->key.protocol,
        .outcome = row->value.outcome, .port = row->key.port, .from = row->key.initiator, .to = row->key.responder,
        .rule = qpw_text_rule(&e->context, row->value.rule), .now = now_ns / SECOND,
    };

    return qpw_suppressed_by(e, &query, state);
}

bool qpw_suppressed_by(struct qpw_engine *e, const struct qpw_suppress_query *query, struct qpw_alert_state *state)
{
    const struct qpw_suppression *line;
    struct qpw_suppress_state *s;

    if (!e->context.policy)
        return false;
    line = qpw_policy_suppressed(e->context.policy, query);
    if (!line)
        return false;
    if (state->is_suppressed)
        return true;
    state->is_suppressed = true;
    e->figures.suppressed++;
    s = by_text(e, line->text);
    if (s)
        s->hits++;
    return true;
}

static int write_one(struct qpw_engine *e, struct qpw_suppress_state *s, enum qpw_signature_name signature,
                     uint64_t now_ns)
{
    struct qpw_alert_state *state = qpw_engine_state(e, s->flow_id);
    struct qpw_record *r =
        qpw_engine_begin(e, signature, state && state->sequence ? QPW_RECORD_SUMMARY : QPW_RECORD_FIRST, now_ns, now_ns);
    struct qpw_text_about about = {.context = &e->context};
    char count[40], detail[512];

    qpw_words_many(s->hits, "finding", count, sizeof(count));
    snprintf(detail, sizeof(detail), "`%.300s`, reason: %.150s", s->text, s->reason);
    about.words = (struct qpw_text_words){.count = count, .detail = detail, .rule = s->name};
    qpw_text_record(r, &about);
    qpw_record_fact(r, "rule", "%s", s->name);
    qpw_record_fact(r, "line", "%s", s->text);
    qpw_record_fact(r, "reason", "%s", s->reason);
    qpw_record_fact(r, "suppressed", "%llu", (unsigned long long)s->hits);
    return qpw_engine_write(e, state, now_ns);
}

/* Report the start and the end of a suppression, once each. The newest record restores an earlier auditor's state. */
static void tell_state(struct qpw_engine *e, struct qpw_suppress_state *s, const struct qpw_suppression *line,
                       uint64_t now_ns)
{
    bool in_force = line && qpw_suppression_in_force(line, now_ns / SECOND);
    const struct qpw_alert_state *past = qpw_engine_find(e, s->flow_id);

    if (!s->reported && past && past->sequence)
        s->in_force = past->signature != QPW_SIG_SUPPRESSION_ENDED;
    s->reported = true;
    if (s->in_force == in_force)
        return;
    if (write_one(e, s, in_force ? QPW_SIG_SUPPRESSION_ADDED : QPW_SIG_SUPPRESSION_ENDED, now_ns) == 0)
        s->in_force = in_force;
}

void qpw_suppressed_write(struct qpw_engine *e, uint64_t now_ns)
{
    const struct qpw_policy *policy = e->context.policy;

    for (size_t i = 0; i < e->n_suppressions; i++) {
        struct qpw_suppress_state *s = &e->suppressions[i];
        const struct qpw_suppression *line = NULL;
        const struct qpw_alert_state *past;

        for (size_t j = 0; policy && !s->gone && j < policy->n_suppressions; j++)
            if (!strcmp(policy->suppressions[j].text, s->text))
                line = &policy->suppressions[j];
        tell_state(e, s, line, now_ns);
        past = qpw_engine_find(e, s->flow_id);
        if (s->hits &&
            (!past || past->signature != QPW_SIG_SUPPRESSED || now_ns >= past->written_ns + DAY_S * SECOND) &&
            write_one(e, s, QPW_SIG_SUPPRESSED, now_ns) == 0)
            s->hits = 0;
    }
}
