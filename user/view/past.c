/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/past.h"

#include <errno.h>
#include <string.h>

#include "history/read.h"

#define SECOND_NS 1000000000ull

int64_t qpw_past_length(unsigned at)
{
    static const int64_t lengths[QPW_PAST_SPANS] = {QPW_HISTORY_FIVE, QPW_HISTORY_HOUR, QPW_HISTORY_DAY, 7 * QPW_HISTORY_DAY};

    return lengths[at < QPW_PAST_SPANS ? at : 0];
}

/* Return the process as recorded, because the port may have another owner now. */
static const char *recorded_process(void *context, const struct qpw_finding_row *finding)
{
    return finding->value.owner.comm;
}

/*
 * Make a model from the recorded sums. Rates are averages over the observed part of the span. Findings have none and
 * show all that was ever counted of them. When a counter last moved within the span is unknown.
 */
static int make_model(struct qpw_model *m, const struct qpw_snapshot *s, const struct qpw_history_observed *seen)
{
    int64_t seconds = seen->asked - seen->blind;
    struct qpw_snapshot before = {.from_unix_ns = s->from_unix_ns, .unix_ns = s->from_unix_ns, .mono_ns = s->mono_ns}, meters = *s;
    int r;

    before.mono_ns -= (uint64_t)(seconds > 0 ? seconds : 1) * SECOND_NS;
    meters.n_findings = 0;
    m->tracks.salt = s->mono_ns;
    r = qpw_tracks_advance(&m->tracks, &before);
    if (r < 0)
        return r;
    r = qpw_tracks_advance(&m->tracks, &meters);
    if (r < 0)
        return r;
    for (size_t i = 0; i < m->tracks.n; i++) {
        m->tracks.tracks[i].changed_unix_ns = 0;
        memset(m->tracks.tracks[i].history, 0, sizeof(m->tracks.tracks[i].history));
    }
    r = qpw_model_advance(m, s); /* not later than the previous one, so rates are kept */
    m->started_unix_ns = s->from_unix_ns;
    return r;
}

/* Read the history's data of the window into *ret, which the caller clears also after a failure. */
static int read_window(struct qpw_history_reader *r, const struct qpw_history_window *window, const struct qpw_past_options *o,
                       struct qpw_history_observed *ret_seen, struct qpw_past *ret, struct qpw_error *err)
{
    struct qpw_snapshot *s = &ret->snapshot;
    int code = qpw_history_observed(r, window, (int64_t)(o->now_unix_ns / SECOND_NS), ret_seen, err);

    if (code < 0)
        return code;
    code = qpw_history_snapshot(r, window, o->now_unix_ns, s, err);
    if (code < 0)
        return code;
    if (o->live && !window->until) {
        s->lock = o->live->lock;
        s->control.heartbeat_ns = s->mono_ns - (o->live->mono_ns - o->live->control.heartbeat_ns);
    }
    return make_model(&ret->model, s, ret_seen) < 0 ? qpw_fail(err, -ENOMEM, "out of memory") : 0;
}

/* Show the history's data of the span in place of what is shown. */
static int show(struct qpw_past *past, struct qpw_history_reader *r, const struct qpw_history_window *span, const struct qpw_past_options *o,
                struct qpw_error *err)
{
    int64_t now = (int64_t)(o->now_unix_ns / SECOND_NS);
    struct qpw_history_window window = {span->since, span->until <= now ? span->until : 0};
    struct qpw_history_observed seen;
    struct qpw_past next = {0};
    int code = read_window(r, &window, o, &seen, &next, err);

    if (code < 0) {
        qpw_past_clear(&next);
        return code;
    }
    qpw_past_clear(past);
    *past = next;
    past->model.now = &past->snapshot;
    past->model.process = recorded_process;
    past->model.past = (struct qpw_model_past){.from_unix_ns = (uint64_t)span->since * SECOND_NS, .until_unix_ns = (uint64_t)span->until * SECOND_NS,
                                               .to_unix_ns = window.until ? (uint64_t)window.until * SECOND_NS : o->now_unix_ns,
                                               .blind_ns = (uint64_t)seen.blind * SECOND_NS};
    return 1;
}

int qpw_past_step(struct qpw_past *past, const struct qpw_past_options *o, enum qpw_past_step step, struct qpw_error *err)
{
    const struct qpw_model_past *shown = &past->model.past;
    bool any = shown->to_unix_ns;
    int64_t since = (int64_t)(shown->from_unix_ns / SECOND_NS), until = (int64_t)(shown->until_unix_ns / SECOND_NS);
    int64_t now = (int64_t)(o->now_unix_ns / SECOND_NS), at = !any ? now + 1 : step == QPW_PAST_BACK ? since : step == QPW_PAST_FORWARD ? until : since;
    struct qpw_history_reader *r = NULL;
    struct qpw_history_window span;
    int code = qpw_history_open(o->path, &r, err);

    if (code < 0)
        return code == -ENOENT ? qpw_fail(err, 0, "%s: there is no history yet", o->path) : code;
    code = qpw_history_beside(r, at, any && step != QPW_PAST_BACK, o->length, &span, err);
    /* The last slots have been merged into longer ones that begin before the span. */
    if (code == -ENOENT && any && step == QPW_PAST_HERE)
        code = qpw_history_beside(r, until, /* forward= */ false, o->length, &span, err);
    if (code == 0)
        code = show(past, r, &span, o, err);
    qpw_history_close(r);
    if (code == -ENOENT)
        return qpw_fail(err, 0, "%s", any && step == QPW_PAST_FORWARD ? "nothing later is in the history" : "nothing earlier is in the history");
    return code;
}

void qpw_past_clear(struct qpw_past *past)
{
    qpw_model_free(&past->model);
    qpw_snapshot_clear(&past->snapshot);
    *past = (struct qpw_past){0};
}
