/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handle programs moved with interfaces: this instance's to another network namespace, other instances' to this one.
 * See instance/runs.h.
 */
#include "instance/runs.h"

#include <errno.h>
#include <string.h>

#include "auditor/internal.h"
#include "control/detach.h"
#include "instance/owners.h"

#define LOOK_TICKS 2u /* grace period for the interface's own auditor to remove them */

/* Return whether an interface keeps what is in that hook when it moves to another network namespace. */
static bool is_of_device(uint8_t hook)
{
    return hook == QPW_HOOK_XDP || hook == QPW_HOOK_TCX; /* a qdisc does not move along */
}

static void report_others(struct qpw_auditor *a, const struct qpw_hook_scan *others)
{
    char text[256];

    for (size_t i = 0; i < others->n; i++)
        if (!i || others->site[i].ifindex != others->site[i - 1].ifindex)
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", qpw_run_text(&others->site[i], text, sizeof(text)));
}

bool qpw_runs_moves_along(const struct qpw_auditor *a, uint16_t number)
{
    return is_of_device(a->meta.rx_hook[number]) || is_of_device(a->meta.tx_hook[number]);
}

/* Detach, wherever they are now, interfaces that the last auditor monitored and this one did not find. */
static void recall(struct qpw_auditor *a)
{
    uint32_t instance = qpw_kernel_instance(&a->kernel);
    struct qpw_error err;
    size_t removed;
    const char *name;

    for (uint16_t n = 1; n < QPW_MAX_IFACES; n++) {
        if ((!a->meta.rx_hook[n] && !a->meta.tx_hook[n]) || qpw_watch_has_number(a, n))
            continue;
        name = a->meta.ifname[n];
        if (qpw_run_detach_elsewhere(instance, &name, 1, &removed, &err) < 0)
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s: cannot look for it in other network namespaces: %s", name, err.text);
        a->left_behind[n] = !removed && qpw_runs_moves_along(a, n); /* renamed, or in an unreachable namespace */
        if (removed) {
            qpw_coverage_add(&a->coverage, QPW_COVERAGE_INTERFACE_GONE, n, "moved to another network namespace.");
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s: the interface was moved to another network namespace while no auditor was running, "
                    "detached there", name);
        }
        a->meta.own_qdisc[n] = 0;
    }
}

void qpw_runs_begin(struct qpw_auditor *a, const struct qpw_hook_scan *others)
{
    report_others(a, others);
    if (a->taken_over)
        recall(a);
}

void qpw_runs_link(struct qpw_auditor *a, const struct qpw_link *link)
{
    if (a->n_new_links < QPW_NEW_LINKS) /* if there are more, `status` shows them */
        a->new_links[a->n_new_links++] = (struct qpw_new_link){.ifindex = link->ifindex, .ticks = a->ticks};
}

static void look_at(struct qpw_auditor *a, unsigned ifindex)
{
    const struct qpw_link *link = qpw_netlink_by_index(a->netlink, ifindex);
    uint32_t own = qpw_kernel_instance(&a->kernel);
    struct qpw_hook_scan scan;

    if (!link || qpw_hook_scan_find_on(ifindex, link->name, &scan, NULL) < 0)
        return;
    for (size_t i = 0; i < scan.n; i++) /* report once, for the first foreign program */
        if (scan.site[i].instance != own) {
            report_others(a, &(struct qpw_hook_scan){.site = &scan.site[i], .n = 1});
            break;
        }
    qpw_hook_scan_clear(&scan);
}

void qpw_runs_tick(struct qpw_auditor *a)
{
    size_t due = 0;

    while (due < a->n_new_links && a->ticks - a->new_links[due].ticks >= LOOK_TICKS)
        look_at(a, a->new_links[due++].ifindex);
    a->n_new_links -= due;
    memmove(a->new_links, a->new_links + due, a->n_new_links * sizeof(*a->new_links));
}

bool qpw_runs_is_other(const struct qpw_auditor *a, const char *name)
{
    const struct qpw_link *link = qpw_netlink_by_name(a->netlink, name);
    uint32_t own = qpw_kernel_instance(&a->kernel);
    struct qpw_hook_scan scan;
    bool other = false;

    if (!link || qpw_hook_scan_find_on(link->ifindex, name, &scan, NULL) < 0)
        return false;
    for (size_t i = 0; i < scan.n; i++)
        other |= scan.site[i].instance != own;
    qpw_hook_scan_clear(&scan);
    return other;
}

int qpw_runs_remove(struct qpw_auditor *a, const char *const *names, size_t n, struct qpw_error *err)
{
    size_t removed;
    int r = qpw_detach_others(qpw_kernel_instance(&a->kernel), names, n, &removed, err);

    if (r == 0 && removed)
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "programs of other runs removed from %zu interface%s", removed, removed == 1 ? "" : "s");
    return r;
}

uint32_t qpw_runs_end(struct qpw_auditor *a)
{
    uint32_t instance = qpw_kernel_instance(&a->kernel);
    bool any = false;
    size_t removed;

    for (uint16_t n = 1; n < QPW_MAX_IFACES; n++)
        any |= a->left_behind[n];
    if (!any)
        return 0;
    qpw_run_detach_elsewhere(instance, NULL, 0, &removed, NULL); /* success is known only after this process has
                                                                    closed its descriptors */
    return instance;
}
