/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The record of one finding: its facts, its text, its state afterwards. */
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

uint64_t qpw_finding_work_occurrences(const struct qpw_finding_row *row)
{
    uint64_t n = row->counts.connections;

    if (!n && row->key.kind != QPW_KIND_PORT)
        n = row->counts.rx_packets + row->counts.tx_packets;
    return n ? n : 1;
}

const struct qpw_process *qpw_finding_work_process(struct qpw_engine *e, const struct qpw_finding_work *w)
{
    struct qpw_process found = {0};

    if (e->context.process)
        e->context.process(e->context.process_data, w->row, &found);
    if (found.match == QPW_MATCH_NONE && (!found.why || w->state->process))
        return w->state->process;
    if (!w->state->process)
        w->state->process = malloc(sizeof(found));
    else if (found.match == QPW_MATCH_GONE)
        return w->state->process;
    if (w->state->process)
        *w->state->process = found;
    return w->state->process;
}

/* Add facts about a finding that is not open: since when, and by whom or what. */
static void life_facts(struct qpw_engine *e, struct qpw_record *record, const struct qpw_finding_work *w)
{
    const struct qpw_life *step = w->life.step;
    char when[32];

    qpw_record_fact(record, "state", "%s", qpw_life_state_name(w->life.state));
    if (step)
        qpw_record_fact(record, "step", "%llu", (unsigned long long)qpw_life_number(&w->life));
    if (w->together > 1)
        qpw_record_fact(record, "findings", "%zu", w->together);
    if (w->life.ended)
        return; /* it expired; nobody did it */
    if (w->life.by)
        qpw_record_fact(record, "closed_by", "%s", qpw_closing_name(w->life.by));
    if (step && step->rule)
        qpw_record_fact(record, "closed_rule", "%s", qpw_text_rule(&e->context, step->rule));
    if (step && step->peer)
        qpw_record_fact(record, "closed_rule", "peer %s", qpw_text_peer(&e->context, step->peer));
    if (step && step->who[0])
        qpw_record_fact(record, "by", "%s", step->who);
    if (step && step->reason[0])
        qpw_record_fact(record, "reason_given", "%s", step->reason);
    if (step && step->until_unix_ns)
        qpw_record_fact(record, "until", "%s", qpw_time_text(step->until_unix_ns, when, sizeof(when)));
}

/* Add what both ends' first bytes look like. */
static void speaks_facts(struct qpw_record *record, const struct qpw_finding *value)
{
    if (value->speaks[1])
        qpw_record_fact(record, "speaks_own", "%s", qpw_speech_name(value->speaks[1] & QPW_SPEECH));
    if (value->speaks[0])
        qpw_record_fact(record, "speaks_other", "%s", qpw_speech_name(value->speaks[0] & QPW_SPEECH));
}

static void row_facts(struct qpw_engine *e, struct qpw_record *record, const struct qpw_finding_work *w,
                      uint64_t suppressed)
{
    const struct qpw_finding *value = &w->row->value;
    const char *rule = qpw_text_rule(&e->context, value->rule), *peer = qpw_text_peer(&e->context, value->peer);

    qpw_record_fact(record, "verdict", "%s", qpw_verdict_name(w->row->key.verdict));
    qpw_record_fact(record, "direction", "%s", qpw_direction_name(w->row->key.direction));
    qpw_record_fact(record, "evidence", "%s", qpw_evidence_name(value->evidence));
    qpw_record_fact(record, "outcome", "%s", qpw_outcome_name(value->outcome));
    if (value->reason)
        qpw_record_fact(record, "reason", "%s", qpw_reason_name(value->reason));
    if (value->unseen)
        qpw_record_fact(record, "witness", "socket-table");
    speaks_facts(record, value);
    if (rule[0])
        qpw_record_fact(record, "rule", "%s", rule);
    if (peer[0])
        qpw_record_fact(record, "peer", "%s", peer);
    if (value->flags & QPW_FINDING_SUPERSEDED)
        qpw_record_fact(record, "superseded", "yes");
    life_facts(e, record, w);
    qpw_record_fact(record, "count", "%llu", (unsigned long long)qpw_finding_work_occurrences(w->row));
    qpw_record_fact(record, "suppressed", "%llu", (unsigned long long)suppressed);
}

void qpw_finding_work_release(struct qpw_engine *e, struct qpw_alert_state *state)
{
    if (state->rate_limited)
        e->figures.waiting--;
    state->rate_limited = false;
}

/* Write " (39 findings)"; "" if the step covers this finding only. */
static const char *of_many(const struct qpw_finding_work *w, char *buf, size_t size)
{
    char count[40];

    *buf = '\0';
    if (w->together > 1)
        snprintf(buf, size, " (%s)", qpw_words_many(w->together, "finding", count, sizeof(count)));
    return buf;
}

/* Put the closing or acknowledging step in front of the finding's text. */
static void say_step(struct qpw_engine *e, const struct qpw_finding_work *w, enum qpw_record_kind kind, char *text,
                     size_t size)
{
    const struct qpw_life *step = w->life.step;
    char step_text[sizeof(e->record.text)], many[48];
    int length = 0;

    of_many(w, many, sizeof(many));
    if (kind == QPW_RECORD_ACKNOWLEDGED)
        length = snprintf(step_text, sizeof(step_text), "Acknowledged%s%.*s%s. ", step && step->who[0] ? " by " : "",
                          step ? (int)strcspn(step->who, ":") : 0, step ? step->who : "", many);
    else if (kind == QPW_RECORD_CLOSED && w->life.by == QPW_CLOSED_BY_RULE)
        length = snprintf(
            step_text, sizeof(step_text), "Closed: %s%s explains it now%s. ", step->rule ? "rule " : "peer ",
            step->rule ? qpw_text_rule(&e->context, step->rule) : qpw_text_peer(&e->context, step->peer), many);
    else if (kind == QPW_RECORD_CLOSED && w->life.by == QPW_CLOSED_BY_SILENCE)
        length =
            snprintf(step_text, sizeof(step_text), "Closed: it was not seen for as long as such findings stay open. ");
    else if (kind == QPW_RECORD_CLOSED)
        length = snprintf(step_text, sizeof(step_text), "Closed: judged again since. ");
    else if (kind == QPW_RECORD_REOPENED && w->another)
        length = snprintf(step_text, sizeof(step_text), "Open again: another program than before. ");
    else if (kind == QPW_RECORD_REOPENED && w->life.ended)
        length = snprintf(step_text, sizeof(step_text), "Open again: its acknowledgement ended%s. ", many);
    else if (kind == QPW_RECORD_REOPENED)
        length = snprintf(step_text, sizeof(step_text), "Open again%s%.*s%s. ", step && step->who[0] ? ", by " : "",
                          step ? (int)strcspn(step->who, ":") : 0, step ? step->who : "", many);
    else if (w->another)
        length = snprintf(step_text, sizeof(step_text), "Another program than before. ");
    if (!length)
        return;
    snprintf(step_text + length, sizeof(step_text) - (size_t)length, "%s", text);
    snprintf(text, size, "%s", step_text);
}

/* Return the time of the record's subject: a life-cycle step is later than the traffic. */
static uint64_t time_of(const struct qpw_finding_work *w, enum qpw_record_kind kind)
{
    bool step = kind == QPW_RECORD_CLOSED || kind == QPW_RECORD_ACKNOWLEDGED || kind == QPW_RECORD_REOPENED;

    if (kind == QPW_RECORD_FIRST)
        return w->row->first_unix_ns;
    return step && w->life.when_unix_ns ? w->life.when_unix_ns : w->row->last_unix_ns;
}

int qpw_finding_work_write(struct qpw_engine *e, struct qpw_finding_work *w, enum qpw_record_kind kind, uint64_t now_ns)
{
    const struct qpw_finding_row *row = w->row;
    uint64_t n = qpw_finding_work_occurrences(row);
    struct qpw_record *record = qpw_engine_begin(e, w->signature, kind, time_of(w, kind), now_ns);
    struct qpw_text_about about = {.context = &e->context,
                                   .row = row,
                                   .process = qpw_finding_work_process(e, w),
                                   .neighbour = qpw_engine_neighbour(e, row)};
    char line[256], ports[64], first[32], count[24];
    uint64_t suppressed = kind != QPW_RECORD_FIRST && n > w->state->reported ? n - w->state->reported : 0;
    int r;

    record->has_row = true;
    record->row = *row;
    record->has_initiator = record->has_responder = row->key.kind != QPW_KIND_ETHERTYPE;
    if (row->key.aggregated)
        record->has_responder = false; /* it stands for many remote ends */
    record->has_port = row->key.kind == QPW_KIND_PORT && row->key.port;
    record->iface = qpw_engine_iface(e, row->value.iface);
    snprintf(ports, sizeof(ports),
             row->key.port ? "The initiator's port was %u, the responder's %u." : "The initiator's port was %u.",
             row->value.initiator_port, row->key.port);
    qpw_words_count(n, count, sizeof(count));
    about.words = (struct qpw_text_words){
        .count = count, .ports = ports, .iface = record->iface, .peer = qpw_text_peer(&e->context, row->value.peer)};
    qpw_text_record(record, &about);
    say_step(e, w, kind, record->text, sizeof(record->text));
    row_facts(e, record, w, suppressed);
    if (qpw_text_allow_line(&about, /* any= */ false, line, sizeof(line)))
        qpw_record_fact(record, "allow", "%s", line);
    qpw_process_facts(record, about.process);
    if (about.process && about.process->pid && row->program_seen)
        qpw_record_fact(record, "program_before", "%s",
                        row->program_seen != QPW_PROGRAM_NEW ? "yes"
                        : e->context.programs_unknown        ? "unknown"
                                                             : "no");
    qpw_record_fact(record, "first", "%s", qpw_time_text(row->first_unix_ns, first, sizeof(first)));
    qpw_record_fact(record, "last", "%s", qpw_time_text(row->last_unix_ns, first, sizeof(first)));
    r = qpw_engine_write(e, w->state, now_ns);
    if (r < 0)
        return r;
    if (w->life.step)
        qpw_idmap_set(&e->steps, qpw_life_number(&w->life), 1);
    if (row->value.owner.exe)
        w->state->exe = row->value.owner.exe;
    if (kind == QPW_RECORD_AGAIN || n > w->state->reported) /* an event's row has no counts yet */
        w->state->reported = n;
    w->state->outcome = row->value.outcome;
    w->state->state = kind == QPW_RECORD_CLOSED         ? QPW_ALERT_STATE_CLOSED
                      : kind == QPW_RECORD_ACKNOWLEDGED ? QPW_ALERT_STATE_ACKNOWLEDGED
                                                        : QPW_ALERT_STATE_WRITTEN;
    qpw_finding_work_release(e, w->state);
    if (w->answered && w->state->state == QPW_ALERT_STATE_WRITTEN)
        qpw_services_lead(e, row, w->state, about.process, now_ns);
    return 0;
}
