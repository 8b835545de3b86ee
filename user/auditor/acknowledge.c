/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Acknowledge findings on behalf of a person: store it for the finding or its class, record who and why, or withdraw
 * it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/alerts.h"
#include "auditor/lives.h"
#include "control/message.h"
#include "facts/life.h"
#include "facts/select.h"
#include "instance/lives.h"
#include "snapshot/collect.h"
#include "snapshot/lives.h"
#include "util/text.h"
#include "words/words.h"

#define MAX_WORDS 8

/* State of one request. */
struct work {
    struct qpw_auditor *a;
    const struct qpw_snapshot *s;
    struct qpw_selection selection;
    struct qpw_life step;
    bool undo;
    size_t n;        /* findings affected */
    size_t closed;   /* also selected, but closed */
    int error;
};

static int read_words(const json_t *request, struct qpw_selection *ret, struct qpw_error *err)
{
    const json_t *list = json_object_get(request, "finding");
    const char *words[MAX_WORDS];
    size_t n = json_array_size(list);

    if (!json_is_array(list) || n > MAX_WORDS)
        return qpw_fail(err, -EINVAL, "control message: finding is not a list of words");
    for (size_t i = 0; i < n; i++) {
        words[i] = json_string_value(json_array_get(list, i));
        if (!words[i])
            return qpw_fail(err, -EINVAL, "control message: finding is not a list of words");
    }
    return qpw_selection_parse(words, n, ret, err);
}

static int read_request(struct work *w, const json_t *request, struct qpw_error *err)
{
    const char *reason = json_string_value(json_object_get(request, "reason"));
    json_int_t until = json_integer_value(json_object_get(request, "until"));
    int r = read_words(request, &w->selection, err);

    if (r < 0)
        return r;
    if (until < 0 || (until && (uint64_t)until * 1000000000u <= w->s->unix_ns))
        return qpw_fail(err, -EINVAL, "--until: lies in the past");
    w->undo = json_is_true(json_object_get(request, "undo"));
    w->step = (struct qpw_life){.unix_ns = w->s->unix_ns & ~1ull, .mono_ns = w->s->mono_ns,
                                .step = w->undo ? QPW_LIFE_REOPENED : QPW_LIFE_ACKNOWLEDGED,
                                .until_unix_ns = (uint64_t)until * 1000000000u};
    qpw_text_cut(w->step.who, sizeof(w->step.who), w->a->by);
    snprintf(w->step.reason, sizeof(w->step.reason), "%s", reason ? reason : "");
    return 0;
}

/* One of the selected findings. */
struct selected {
    struct qpw_finding_key of; /* key of its class, or of it alone */
    uint8_t outcome;
};

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct qpw_finding_key));
}

/*
 * Collect the selected findings that are not closed, sorted by the key of their step. The caller frees the result;
 * NULL: out of memory.
 */
static struct selected *select_all(struct work *w, size_t *ret_n)
{
    struct selected *all = calloc(w->s->n_findings + 1, sizeof(*all));
    bool single = qpw_selection_is_single(&w->selection);
    size_t n = 0;

    for (size_t i = 0; all && i < w->s->n_findings; i++) {
        const struct qpw_finding_row *f = &w->s->findings[i];
        enum qpw_life_state state;

        if (!qpw_selection_has(&w->selection, f))
            continue;
        state = qpw_finding_life(f).state;
        w->closed += state == QPW_FINDING_CLOSED;
        if (state != QPW_FINDING_CLOSED && (!w->undo || state == QPW_FINDING_ACKNOWLEDGED))
            all[n++] = (struct selected){single ? qpw_life_single(f) : qpw_life_class(f), f->value.outcome};
    }
    if (n)
        qsort(all, n, sizeof(*all), by_key);
    *ret_n = n;
    return all;
}

/*
 * Store one step for each key, with the highest outcome of its findings, because an acknowledgement covers what has
 * happened so far.
 */
static void take_steps(struct work *w, const struct selected *all, size_t n)
{
    size_t end;
    int r;

    for (size_t i = 0; i < n; i = end) {
        w->step.outcome = all[i].outcome;
        for (end = i + 1; end < n && !by_key(&all[i], &all[end]); end++)
            if (all[end].outcome > w->step.outcome)
                w->step.outcome = all[end].outcome;
        r = qpw_life_put(&w->a->kernel, &all[i].of, &w->step);
        w->step.unix_ns += 2; /* makes each step's time unique */
        w->n += r == 0 ? end - i : 0;
        w->error = w->error ? w->error : r;
    }
}

static json_t *nothing(const struct work *w)
{
    if (w->closed)
        return qpw_answer_new(QPW_EXIT_FAILED, "that finding is closed");
    return qpw_answer_new(QPW_EXIT_FAILED, w->undo ? "no acknowledged finding of that name; 'qportwatch report' lists them"
                                                   : "no finding of that name; 'qportwatch report' lists them");
}

static json_t *acknowledge(struct work *w)
{
    struct selected *all;
    char count[48];
    size_t n;
    json_t *answer;

    all = select_all(w, &n);
    if (!all)
        return qpw_answer_new(QPW_EXIT_FAILED, "out of memory");
    take_steps(w, all, n);
    free(all);
    if (w->error)
        return qpw_answer_new(QPW_EXIT_FAILED, w->error == -E2BIG ? "no more findings can be acknowledged; undo some, or "
                                                                    "write rules ('qportwatch policy edit')"
                                                                  : strerror(-w->error));
    if (!w->n)
        return nothing(w);
    qpw_audit_lives_load(w->a, NULL);
    qpw_alerts_offer(w->a);
    qpw_words_many(w->n, "finding", count, sizeof(count));
    qpw_auditor_notify(w->a, QPW_NOTIFY_NOTE, "%s: %s%s%s, by %s", w->undo ? "no longer acknowledged" : "acknowledged", count,
            *w->step.reason ? ", reason: " : "", w->step.reason, w->a->by);
    answer = qpw_answer_new(QPW_EXIT_OK, NULL);
    json_object_set_new(answer, "findings", json_integer((json_int_t)w->n));
    return answer;
}

json_t *qpw_audit_acknowledge(struct qpw_auditor *a, const json_t *request)
{
    struct qpw_collect_options options = {.brief = true, .links = a->netlink};
    struct qpw_snapshot s = {0};
    struct work w = {.a = a, .s = &s};
    struct qpw_error err;
    json_t *answer;
    int r = qpw_collect(&a->kernel, &options, &s, &err);

    if (r == 0)
        r = read_request(&w, request, &err);
    answer = r < 0 ? qpw_answer_new(r == -EINVAL ? QPW_EXIT_USAGE : QPW_EXIT_FAILED, err.text) : acknowledge(&w);
    qpw_snapshot_clear(&s);
    return answer;
}
