/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* End the audit: keep counting or detach, report it, release everything. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "auditor/carry.h"
#include "auditor/close.h"
#include "auditor/foreign.h"
#include "auditor/found.h"
#include "auditor/history.h"
#include "auditor/internal.h"
#include "auditor/loop.h"
#include "auditor/owners.h"
#include "auditor/readers.h"
#include "auditor/routes.h"
#include "auditor/users.h"
#include "auditor/vouching.h"
#include "control/message.h"
#include "host/clock.h"
#include "instance/owners.h"
#include "instance/runs.h"
#include "snapshot/lives.h"
#include "words/words.h"

/* Mark the instance as monitoring no network namespace, for processes that still hold it, such as `top`. */
static void note_end(struct qpw_auditor *a)
{
    struct qpw_meta meta;

    if (qpw_meta_read(&a->kernel, &meta, NULL) < 0)
        return;
    meta.netns = 0;
    qpw_meta_write(&a->kernel, &meta, NULL);
}

/* Report that acknowledgements end with the findings. */
static void report_acknowledgements(struct qpw_auditor *a)
{
    size_t n = qpw_lives_acknowledgements(a->lives, qpw_clock_unix_ns());
    char count[40];

    if (n)
        qpw_auditor_notify(
            a, QPW_NOTIFY_NOTE,
            "%s %s with the counters: what was acknowledged is open when it happens again; 'attach --keep' "
            "leaves both",
            qpw_words_many(n, "acknowledgement", count, sizeof(count)), n == 1 ? "ends" : "end");
}

int qpw_auditor_remove_all(struct qpw_auditor *a, struct qpw_error *err)
{
    int first = 0, r;

    for (size_t i = 0; i < a->n_watched; i++) {
        r = qpw_watch_remove(a, &a->watched[i], first < 0 ? NULL : err);
        if (r == 0)
            qpw_coverage_add(&a->coverage, QPW_COVERAGE_DETACHED, a->watched[i].number, "%s",
                             a->by[0] ? "" : "At the auditor's end.");
        else if (first == 0)
            first = r;
    }
    r = qpw_owners_detach(qpw_kernel_instance(&a->kernel), NULL, first < 0 ? NULL : err);
    if (first < 0)
        return first;
    if (r < 0)
        return r;
    note_end(a);
    return 0;
}

static void answer_asker(struct qpw_auditor *a, int r, const struct qpw_error *err)
{
    json_t *answer;

    if (a->asker_fd < 0)
        return;
    answer = qpw_answer_new(r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK, r < 0 ? err->text : NULL);
    qpw_control_send(a->asker_fd, answer);
    json_decref(answer);
    close(a->asker_fd);
}

int qpw_auditor_close(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_error own = {0};
    uint32_t left_behind = 0;
    int r = 0, closed;

    qpw_service_stopping();
    qpw_audit_readers_stop(a);
    if (a->has_kernel && a->epoll_fd >= 0) {
        qpw_events_read(a);
        qpw_foreign_settle(a);
        if (a->unproven.text[0])
            qpw_auditor_notify(
                a, QPW_NOTIFY_WARNING,
                "ended by %s, who %s: nothing shows that it may detach, so counting continues in the kernel; "
                "'qportwatch detach' removes it",
                a->by, a->unproven.text);
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_AUDITOR_STOPPED, 0, "Process %d.%s", (int)getpid(),
                         a->options.keep && !a->remove_all ? " Counting continues in the kernel." : "");
    }
    if (a->has_kernel && (!a->options.keep || a->remove_all)) {
        qpw_service_forget();
        report_acknowledgements(a);
        r = qpw_auditor_remove_all(a, &own);
        left_behind = qpw_runs_end(a);
    }
    if (a->has_kernel)
        qpw_audit_history_end(a, !a->options.keep || a->remove_all);
    qpw_audit_found_close(a);
    closed = qpw_alerts_close(a, r < 0 ? NULL : &own);
    if (r == 0)
        r = closed;
    if (a->has_kernel)
        a->kernel.control->auditor_pid = 0;
    qpw_notes_end(a);
    qpw_requests_close(a);
    qpw_loop_close(a);
    qpw_events_close(a);
    qpw_sockets_close(a->sockets);
    qpw_netlink_close(a->netlink);
    qpw_kernel_close(&a->kernel); /* closing the last descriptor frees everything not attached */
    qpw_control_close(&a->end);
    qpw_owner_watch_close(a);
    qpw_lives_free(a->lives);
    qpw_idmap_clear(&a->looked);
    qpw_vouching_close(a);
    qpw_routes_close(a);
    qpw_users_close(a);
    if (r == 0 && left_behind && !qpw_run_until_gone(left_behind))
        r = qpw_fail(&own, -EBUSY, QPW_RUN_STILL_HELD);
    answer_asker(a, r, &own);
    qpw_policy_clear(&a->policy);
    qpw_compiled_clear(&a->compiled);
    qpw_registry_clear(&a->names);
    qpw_addresses_clear(&a->own);
    qpw_hook_scan_clear(&a->replaced);
    qpw_carry_close(a->carry);
    qpw_policy_options_clear(&a->options.policy);
    json_decref(a->policy_args);
    free(a);
    if (r < 0 && err)
        *err = own;
    return r;
}
