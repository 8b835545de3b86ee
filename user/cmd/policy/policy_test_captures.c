/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy_test_captures.c - try another policy on captures: replay them under both. */
#include <errno.h>
#include <stdio.h>

#include "advice/changes.h"
#include "cmd/policy/policy_cmd.h"
#include "cmd/policy/policy_test_options.h"
#include "facts/totals.h"
#include "replay/setup.h"
#include "snapshot/collect.h"
#include "util/cleanup.h"

struct work {
    const struct qpw_test_options *o;
    const struct qpw_policy *in_force, *candidate;
    struct qpw_replay_setup before, after; /* an instance for each policy */
};

/* Compare the verdicts of both replays, connection by connection. */
static int take_ended(const struct qpw_ended *ended, void *data)
{
    return qpw_changes_add(data, &ended->key, &ended->conn, qpw_sum_of(&ended->counts).packets);
}

static int replay_under(struct work *w, struct qpw_replay_setup *setup, struct qpw_changes *changes, struct qpw_tested *tested,
                        struct qpw_error *err)
{
    struct qpw_replay_totals totals;
    int r = qpw_captures_replay(&w->o->captures, setup, take_ended, changes, &totals, err);

    if (r == 0 && (r = qpw_changes_end_run(changes, &setup->names)) < 0)
        qpw_fail(err, r, "out of memory");
    tested->from_ns = totals.first_ns;
    tested->to_ns = totals.last_ns;
    return r;
}

static int judge(struct work *w, struct qpw_what_if *ret, struct qpw_tested *tested, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_changes_freep) struct qpw_changes *changes = qpw_changes_new();
    QPW_CLEANUP(qpw_snapshot_clear) struct qpw_snapshot snapshot = {0};
    int r;

    if (!changes)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = replay_under(w, &w->before, changes, tested, err);
    if (r < 0)
        return r;
    r = qpw_collect(&w->before.kernel, NULL, &snapshot, err);
    if (r < 0)
        return r;
    r = qpw_test_take_answer(&snapshot, tested, err);
    if (r < 0)
        return r;
    r = replay_under(w, &w->after, changes, tested, err);
    if (r < 0)
        return r;
    r = qpw_changes_result(changes, ret);
    if (r < 0)
        return qpw_fail(err, r, "out of memory");
    snprintf(tested->policy, sizeof(tested->policy), "%s", w->in_force->name);
    snprintf(tested->path, sizeof(tested->path), "%s", w->in_force->path ? w->in_force->path : "");
    return 0;
}

/* Run without privileges, with the programs already loaded. */
static int read_captures(void *arg)
{
    struct work *w = arg;
    struct qpw_what_if result = {0};
    struct qpw_tested tested = {0};
    struct qpw_error err = {""};
    int r = judge(w, &result, &tested, &err);
    int status = r < 0 ? qpw_test_exit(r, &err) : qpw_test_answer(w->o, &result, &tested, w->candidate);

    qpw_tested_clear(&tested);
    qpw_what_if_clear(&result);
    return status;
}

int qpw_test_captures(struct qpw_test_options *o, const struct qpw_policy *candidate)
{
    struct qpw_replay_setup_options first = {.ends = &o->captures.ends, .counts = true}, second;
    struct qpw_policy policy = {0};
    struct work w = {.o = o, .in_force = &policy, .candidate = candidate};
    struct qpw_error err = {""};
    int status;

    if (qpw_policy_load(&o->policy, &policy, NULL, &err) < 0)
        return qpw_policy_fail("test", &err, QPW_EXIT_USAGE);
    first.policy = &policy;
    status = qpw_captures_look(&o->captures, &policy, "policy test", &first.first_ns);
    second = first;
    second.policy = candidate;
    if (status == QPW_EXIT_OK && qpw_replay_setup_open(&first, &w.before, &err) < 0) {
        status = qpw_policy_fail("test", &err, QPW_EXIT_FAILED);
    } else if (status == QPW_EXIT_OK) {
        if (qpw_replay_setup_open(&second, &w.after, &err) < 0) {
            status = qpw_policy_fail("test", &err, QPW_EXIT_FAILED);
        } else {
            status = qpw_captures_apart(read_captures, &w, "policy test");
            qpw_replay_setup_close(&w.after);
        }
        qpw_replay_setup_close(&w.before);
    }
    qpw_policy_clear(&policy);
    return status;
}
