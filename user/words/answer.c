/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/document.h"
#include "util/names.h"
#include "util/text.h"
#include "words/json.h"
#include "words/words.h"

/* A sentence under construction; parts that do not fit are omitted, and so are those named by `without`. */
enum { WITHOUT_ACKNOWLEDGED = 1u, WITHOUT_WORST = 2u, WITHOUT_ALSO = 4u, WITHOUT_SINCE = 8u, IN_BRIEF = 16u };
struct sentence {
    char *buf;
    size_t size, used;
    unsigned without;
};

static void append(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct sentence *s, const char *format, ...)
{
    va_list args;

    if (s->used >= s->size)
        return;
    va_start(args, format);
    s->used += (size_t)vsnprintf(s->buf + s->used, s->size - s->used, format, args);
    va_end(args);
}

static void append_worst(struct sentence *s, const struct qpw_answer *a, bool only)
{
    bool ip = a->worst && a->worst->key.direction != QPW_DIR_NON_IP; /* "(ARP)" already says so */
    char service[64];

    if (a->worst && !(s->without & WITHOUT_WORST))
        append(s, " (%s%s%s%s)", only ? "" : "worst: ", ip ? qpw_words_direction(a->worst->key.direction) : "",
               ip ? " " : "",
               qpw_words_service(a->worst->key.kind, a->worst->key.protocol, a->worst->key.port, service,
                                 sizeof(service)));
}

/* Append since when the answer holds, if that is known. */
static void append_since(struct sentence *s, const struct qpw_answer *a, uint64_t now_unix_ns, const char *comma)
{
    char since[32];

    if (!a->replay && a->since_unix_ns && !(s->without & WITHOUT_SINCE))
        append(s, "%s since %s", comma, qpw_words_moment(a->since_unix_ns, now_unix_ns, since, sizeof(since)));
}

static void append_action(struct sentence *s, const struct qpw_answer *a, uint64_t now_unix_ns)
{
    size_t unclear = a->services - a->unlisted; /* weak, or of unknown direction */
    bool one = a->unlisted == 1;
    char count[40];

    if (a->unlisted)
        append(s, "%s answered on %s%s", qpw_words_many(a->unlisted, "service", count, sizeof(count)),
               one ? "a port" : "ports", s->without & IN_BRIEF ? " not allowed" : " the policy does not allow");
    else
        append(s, "%s answered that no rule clearly allows", qpw_words_many(unclear, "service", count, sizeof(count)));
    append_worst(s, a, a->services == 1 || (one && a->worst->key.verdict == QPW_VERDICT_UNEXPECTED));
    if (a->unlisted && unclear && !(s->without & WITHOUT_WORST))
        append(s, "; %s more that no rule clearly allows", qpw_words_count(unclear, count, sizeof(count)));
    append_since(s, a, now_unix_ns, ",");
}

static void append_blind(struct sentence *s, const struct qpw_answer *a, uint64_t now_unix_ns)
{
    const struct qpw_sight *sight = &a->sight;
    const char *and = "";
    char age[32];

    if (sight->auditor == QPW_AUDITOR_NONE)
        append(s, "no auditor is running");
    else if (sight->auditor == QPW_AUDITOR_SILENT)
        append(s, "the auditor has been silent for %s",
               qpw_words_duration(sight->heartbeat_age_ns / 1000000000u * 1000000000u, age, sizeof(age)));
    if (sight->auditor != QPW_AUDITOR_ALIVE)
        and = "; ";
    if (sight->unhooked + sight->gone == 1)
        append(s, "%s%s %s", and, sight->first->name,
               sight->gone ? "is gone" : "is not monitored: a program was removed");
    else if (sight->unhooked + sight->gone)
        append(s, "%s%zu of %zu interfaces are not monitored", and, sight->unhooked + sight->gone, sight->watched);
    if (sight->unhooked + sight->gone || sight->auditor == QPW_AUDITOR_NONE)
        append_since(s, a, now_unix_ns, ",");
}

static void append_lost(struct sentence *s, const struct qpw_answer *a, uint64_t now_unix_ns)
{
    char count[40];

    if (!a->losses.lost)
        append(s, "unexpected packets were counted without a finding");
    else
        append(s, "detail was lost %s (%s)", qpw_words_many(a->losses.lost, "time", count, sizeof(count)),
               qpw_loss_name(a->losses.worst));
    append_since(s, a, now_unix_ns, ",");
    if (!(s->without & IN_BRIEF))
        append(s, "; see Coverage");
}

static void append_clean(struct sentence *s, const struct qpw_answer *a, uint64_t now_unix_ns)
{
    char count[24];

    append(s, "%s", !a->packets ? "no packets" : a->unexpected ? "nothing that needs attention" : "nothing unexpected");
    if (a->replay)
        append(s, " in the capture");
    append_since(s, a, now_unix_ns, "");
    if (a->acknowledged && !(s->without & WITHOUT_ACKNOWLEDGED))
        append(s, "; %s acknowledged", qpw_words_count(a->acknowledged, count, sizeof(count)));
}

static void append_answer(struct sentence *s, const struct qpw_answer *a, uint64_t now_unix_ns)
{
    char attempts[48];

    switch (a->state) {
    case QPW_ANSWER_ACTION_NEEDED: append_action(s, a, now_unix_ns); break;
    case QPW_ANSWER_BLIND: append_blind(s, a, now_unix_ns); break;
    case QPW_ANSWER_DETAIL_LOST: append_lost(s, a, now_unix_ns); break;
    case QPW_ANSWER_PROBED:
        append(s, "%s, %s", qpw_words_many(a->probes, "unexpected attempt", attempts, sizeof(attempts)),
               a->losses.answered ? "but detail was lost: some may have been answered" : "none answered");
        append_worst(s, a, a->probes == 1);
        append_since(s, a, now_unix_ns, ",");
        break;
    case QPW_ANSWER_CLEAN:
    case QPW_ANSWER_COUNT: append_clean(s, a, now_unix_ns); break;
    }
}

const char *qpw_words_answer(const struct qpw_answer *a, uint64_t now_unix_ns, char *buf, size_t size)
{
    struct sentence s = {buf, size, .without = 0};

    *buf = '\0';
    append_answer(&s, a, now_unix_ns);
    return buf;
}

static const char *headline(const struct qpw_answer *a, uint64_t now_unix_ns, unsigned without, char *buf, size_t size)
{
    struct sentence s = {buf, size, .without = without};
    const char *lead = "; also ";

    append(&s, "%s: ", qpw_answer_name(a->state));
    append_answer(&s, a, now_unix_ns);
    for (unsigned state = QPW_ANSWER_COUNT; !(without & WITHOUT_ALSO) && state-- > 0;)
        if (a->also & 1u << state) {
            append(&s, "%s%s", lead, qpw_answer_name(state));
            lead = ", ";
        }
    return buf;
}

const char *qpw_words_headline(const struct qpw_answer *a, uint64_t now_unix_ns, char *buf, size_t size)
{
    return headline(a, now_unix_ns, 0, buf, size);
}

/* The time goes last, because the rest is repeated below the headline or in the report. */
const char *qpw_words_headline_within(const struct qpw_answer *a, uint64_t now_unix_ns, int columns, char *buf, size_t size)
{
    static const unsigned shorter[] = {
        0, IN_BRIEF, IN_BRIEF | WITHOUT_ACKNOWLEDGED, IN_BRIEF | WITHOUT_ACKNOWLEDGED | WITHOUT_WORST,
        IN_BRIEF | WITHOUT_ACKNOWLEDGED | WITHOUT_WORST | WITHOUT_ALSO,
        IN_BRIEF | WITHOUT_ACKNOWLEDGED | WITHOUT_WORST | WITHOUT_ALSO | WITHOUT_SINCE};

    for (size_t i = 0; i < sizeof(shorter) / sizeof(*shorter); i++)
        if (qpw_text_width(headline(a, now_unix_ns, shorter[i], buf, size)) <= columns)
            break;
    return buf;
}

static json_t *worst_json(const struct qpw_answer *a)
{
    const struct qpw_finding_key *key = a->worst ? &a->worst->key : NULL;
    json_t *o;

    if (!a->worst)
        return json_null();
    o = json_pack("{so ss ss}", "flow_id", qpw_json_number(a->worst->flow_id), "severity",
                  qpw_severity_name(qpw_finding_severity(a->worst)), "direction", qpw_direction_name(key->direction));
    qpw_json_set_service(o, key->kind, key->protocol, key->port);
    return o;
}

json_t *qpw_json_answer(const struct qpw_answer *a, uint64_t now_unix_ns)
{
    json_t *also = json_array();
    char text[256];

    for (unsigned state = QPW_ANSWER_COUNT; state-- > 0;)
        if (a->also & 1u << state)
            json_array_append_new(also, json_string(qpw_answer_name(state)));
    return json_pack("{s:s,s:o,s:o,s:o,s:o}", "state", qpw_answer_name(a->state), "text",
                     qpw_json_text(qpw_words_answer(a, now_unix_ns, text, sizeof(text))), "since",
                     qpw_json_time(a->since_unix_ns), "worst", worst_json(a), "also", also);
}

json_t *qpw_json_answer_nothing(const char *why)
{
    return json_pack("{s:s,s:o,s:n,s:n,s:[]}", "state", qpw_answer_name(QPW_ANSWER_BLIND), "text", qpw_json_text(why),
                     "since", "worst", "also");
}
