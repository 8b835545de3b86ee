/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Take over what an earlier auditor attached: of the same layout as it is, of another one by replacing it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/carry.h"
#include "auditor/internal.h"
#include "auditor/lives.h"
#include "auditor/takeover.h"
#include "control/detach.h"
#include "control/elsewhere.h"
#include "host/clock.h"
#include "instance/owners.h"
#include "words/words.h"

/* Report options without effect: decisions made at attach time stay in force. */
static void report_without_effect(struct qpw_auditor *a)
{
    for (size_t i = 0; i < a->n_watched; i++) {
        const struct qpw_watched *w = &a->watched[i];
        bool xdp = a->meta.rx_hook[w->number] == QPW_HOOK_XDP;
        char mode[80];

        if (a->options.mode == (xdp ? QPW_MODE_TC : QPW_MODE_XDP))
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING,
                               "--mode %s has no effect on %s: it stays attached as it is, %s, until 'detach'",
                               xdp ? "tc" : "xdp", w->name, qpw_watch_mode(a, w, mode, sizeof(mode)));
    }
    if (a->options.load.max_connections && a->options.load.max_connections != qpw_kernel_connections(&a->kernel))
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING,
                           "--max-connections has no effect on it: its tables keep their size until 'detach'");
}

/*
 * Record a gap for an instance kept only by the service manager: it is unknown how long its programs were in their
 * hooks.
 */
static void report_unhooked(struct qpw_auditor *a, uint64_t last_ns)
{
    struct qpw_coverage_time time = {.unix_ns = qpw_clock_unix_ns() - last_ns};
    char age[32];

    for (unsigned i = 1; i < QPW_MAX_IFACES; i++)
        if (a->meta.rx_hook[i] || a->meta.tx_hook[i])
            qpw_coverage_add_at(&a->coverage, &time, QPW_COVERAGE_HOOK_LOST, i, "while no auditor was there.");
    qpw_auditor_notify(
        a, QPW_NOTIFY_WARNING,
        "our programs were taken out of their hooks while no auditor was there: what passed in the last %s may not "
        "have been seen; what was counted before goes on",
        qpw_words_duration(last_ns, age, sizeof(age)));
}

int qpw_takeover_adopt(struct qpw_auditor *a, const struct qpw_hook_scan *scan, struct qpw_error *err)
{
    uint64_t last;
    char age[32];
    int r = qpw_instance_open(scan, &a->kernel, err);

    if (r < 0)
        return r;
    r = qpw_meta_read(&a->kernel, &a->meta, err);
    if (r < 0)
        return r;
    r = qpw_lock_check_elsewhere(&a->kernel, &a->meta, err);
    if (r < 0)
        return r; /* do not write to what may be another auditor's instance */
    a->has_kernel = a->taken_over = true;
    r = qpw_coverage_open(&a->kernel, &a->coverage, err);
    if (r < 0)
        return r;
    r = qpw_watch_adopt(a, scan, err);
    if (r < 0)
        return r;
    a->reported_until_ns = a->kernel.control->heartbeat_ns;
    last = qpw_clock_monotonic_ns() - a->kernel.control->heartbeat_ns;
    if (!scan->site[0].ifindex) {
        report_unhooked(a, last);
        return 0;
    }
    qpw_auditor_notify(a, QPW_NOTIFY_NOTE,
                       "resuming the existing attachment; it kept counting during the %s without an auditor",
                       qpw_words_duration(last, age, sizeof(age)));
    report_without_effect(a);
    return 0;
}

void qpw_takeover_record_gap(struct qpw_auditor *a)
{
    struct qpw_coverage_time time = {.unix_ns = qpw_clock_unix_ns()};
    uint64_t away_ns = qpw_clock_monotonic_ns() - a->reported_until_ns;
    char age[32];

    time.since_unix_ns = time.unix_ns - away_ns;
    qpw_coverage_add_at(&a->coverage, &time, QPW_COVERAGE_AUDITOR_GAP, 0, "for %s.",
                        qpw_words_duration(away_ns, age, sizeof(age)));
}

int qpw_takeover_rejudge(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_rejudged done;

    return qpw_audit_rejudge(a, a->by, &done, err);
}

/* Report what was carried over or lost, and how long nothing was counted. */
static int report_replaced(struct qpw_auditor *a, unsigned abi, struct qpw_error *err)
{
    struct qpw_row_usage done = {0};
    char unseen[32], meters[40], findings[40], what[96];
    int r = a->carry ? qpw_carry_finish(a, &done, err) : 0;

    if (r < 0)
        return r;
    qpw_words_duration(a->unseen_ns, unseen, sizeof(unseen));
    if (a->carry)
        snprintf(what, sizeof(what), "%s and %s carried over",
                 qpw_words_many(done.meters, "counter", meters, sizeof(meters)),
                 qpw_words_many(done.findings, "finding", findings, sizeof(findings)));
    else
        snprintf(what, sizeof(what), "its counters and open findings end here");
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_REPLACED, 0, "Layout %u by %u: %s; unseen meanwhile: %s.", abi,
                     QPW_ABI_VERSION, what, a->unseen_ns ? unseen : "nothing");
    qpw_auditor_notify(a, a->carry && !done.left_out ? QPW_NOTIFY_NOTE : QPW_NOTIFY_WARNING,
                       "what another version had attached (layout %u, this one's "
                       "is %u) is replaced: %s%s%s; unseen meanwhile: %s",
                       abi, QPW_ABI_VERSION, what,
                       a->carry ? "" : ", for this version cannot read them: ", a->carry ? "" : a->carry_error.text,
                       a->unseen_ns ? unseen : "nothing");
    if (done.left_out)
        qpw_auditor_notify(
            a, QPW_NOTIFY_WARNING,
            "%zu of these found no place of their own: their packets count with others of the same verdict",
            done.left_out);
    return 0;
}

/* Monitor the interfaces that only the other version monitored, then detach it. */
static int replace_hooks(struct qpw_auditor *a, struct qpw_error *err)
{
    size_t removed = 0;

    for (size_t i = 0; i < a->replaced.n; i++) {
        if (!qpw_watch_by_index(a, a->replaced.site[i].ifindex)) {
            int r = qpw_watch_add(a, a->replaced.site[i].ifname, err);

            if (r < 0)
                return r;
        }
    }
    return qpw_detach_others(qpw_kernel_instance(&a->kernel), NULL, 0, &removed, err);
}

int qpw_takeover_replace(struct qpw_auditor *a, struct qpw_error *err)
{
    uint64_t heartbeat_ns = qpw_carry_heartbeat_ns(a->carry);
    unsigned abi = a->replaced.site[0].abi;
    int r = replace_hooks(a, err);

    qpw_hook_scan_clear(&a->replaced);
    if (r == 0 && heartbeat_ns) {
        a->reported_until_ns = heartbeat_ns;
        qpw_takeover_record_gap(a);
    }
    if (r == 0)
        r = report_replaced(a, abi, err);
    a->carried_over = r == 0 && a->carry;
    qpw_carry_close(a->carry);
    a->carry = NULL;
    if (r < 0)
        return r;
    return a->carried_over ? qpw_takeover_rejudge(a, err) : 0;
}
