/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/life.h"

#include <stdio.h>
#include <string.h>

#include "util/document.h"
#include "words/printer.h"
#include "words/words.h"

/* Write what explains it: "rule nfs", "peer node2". */
static const char *explanation(const struct qpw_snapshot *s, const struct qpw_life *step, char *buf, size_t size)
{
    if (step->peer)
        return qpw_format(buf, size, "peer %s", qpw_snapshot_peer(s, step->peer));
    return qpw_format(buf, size, "rule %s", qpw_snapshot_rule(s, step->rule));
}

static const char *closing(const struct qpw_snapshot *s, const struct qpw_finding_life *life, char *buf, size_t size)
{
    char when[32], by[80];

    qpw_words_moment(life->when_unix_ns, s->unix_ns, when, sizeof(when));
    switch (life->by) {
    case QPW_CLOSED_BY_RULE:
        return qpw_format(buf, size, "by %s at %s", explanation(s, life->step, by, sizeof(by)), when);
    case QPW_CLOSED_BY_SILENCE: return qpw_format(buf, size, "at %s, not seen any more", when);
    default: return qpw_format(buf, size, "judged again since: another policy, better evidence or other addresses");
    }
}

static const char *acknowledgement(const struct qpw_snapshot *s, const struct qpw_life *step, char *buf, size_t size)
{
    char when[32], until[32] = "";

    qpw_words_moment(step->unix_ns, s->unix_ns, when, sizeof(when));
    if (step->until_unix_ns)
        qpw_words_moment(step->until_unix_ns, s->unix_ns, until, sizeof(until));
    return qpw_format(buf, size, "at %s%s%s, by %.*s%s%s", when, *until ? " until " : "", until,
                      (int)strcspn(step->who, ":"), step->who, step->reason[0] ? ": " : "", step->reason);
}

const char *qpw_words_life_step(const struct qpw_snapshot *s, const struct qpw_finding_row *f, char *buf, size_t size)
{
    struct qpw_finding_life life = qpw_finding_life(f);

    switch (life.state) {
    case QPW_FINDING_CLOSED: return closing(s, &life, buf, size);
    case QPW_FINDING_ACKNOWLEDGED: return acknowledgement(s, life.step, buf, size);
    default: return qpw_format(buf, size, "%s", "");
    }
}

const char *qpw_words_line_step(const struct qpw_snapshot *s, const struct qpw_finding_line *line, char *buf, size_t size)
{
    const struct qpw_finding_row *last = line->first;
    char text[320], other[320];
    bool same = true;

    for (size_t i = 0; i < line->findings; i++)
        if (qpw_finding_life(line->members[i]).when_unix_ns > qpw_finding_life(last).when_unix_ns)
            last = line->members[i];
    qpw_words_life_step(s, last, text, sizeof(text));
    for (size_t i = 0; i < line->findings && same; i++)
        same = !strcmp(text, qpw_words_life_step(s, line->members[i], other, sizeof(other)));
    return qpw_format(buf, size, "%s%s", same ? "" : "latest ", text);
}

const char *qpw_words_life(const struct qpw_snapshot *s, const struct qpw_finding_row *f, char *buf, size_t size)
{
    struct qpw_finding_life life = qpw_finding_life(f);
    char step[320];

    qpw_words_life_step(s, f, step, sizeof(step));
    if (life.by == QPW_CLOSED_BY_SUPERSEDED)
        return qpw_format(buf, size, "closed: %s", step);
    return qpw_format(buf, size, "%s%s%s", qpw_life_state_name(life.state), *step ? " " : "", step);
}

static json_t *text_or_null(const char *text)
{
    return *text ? qpw_json_text(text) : json_null();
}

void qpw_json_set_life(json_t *o, const struct qpw_snapshot *s, const struct qpw_finding_row *f)
{
    struct qpw_finding_life life = qpw_finding_life(f);
    json_t *closed = json_null(), *acknowledged = json_null();
    char by[80];

    if (life.state == QPW_FINDING_CLOSED)
        closed = json_pack("{s:o,s:s,s:o,s:o}", "when", qpw_json_time(life.when_unix_ns), "by", qpw_closing_name(life.by),
                           "rule",
                           !life.step        ? json_null()
                           : life.step->peer ? qpw_json_text(explanation(s, life.step, by, sizeof(by)))
                                             : qpw_json_text(qpw_snapshot_rule(s, life.step->rule)),
                           "who", life.step ? text_or_null(life.step->who) : json_null());
    else if (life.state == QPW_FINDING_ACKNOWLEDGED)
        acknowledged = json_pack("{s:o,s:o,s:o,s:o}", "when", qpw_json_time(life.when_unix_ns), "who",
                                 text_or_null(life.step->who), "reason", text_or_null(life.step->reason), "until",
                                 qpw_json_time(life.step->until_unix_ns));
    json_object_set_new(o, "state", json_string(qpw_life_state_name(life.state)));
    json_object_set_new(o, "closed", closed);
    json_object_set_new(o, "acknowledged", acknowledged);
}
