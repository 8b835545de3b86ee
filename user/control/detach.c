/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/detach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/elsewhere.h"
#include "control/lock.h"
#include "control/peer.h"
#include "instance/coverage.h"
#include "instance/owners.h"
#include "instance/runs.h"
#include "util/cleanup.h"

/* The request and the result of a removal. */
struct removal {
    const char *const *names;
    size_t n;        /* 0: all */
    size_t removed;  /* interfaces */
    bool left_behind; /* part of the instance is not in this namespace */
};

static bool is_among(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static bool is_named(const struct removal *r, const char *name)
{
    return r->n == 0 || is_among(r->names, r->n, name);
}

/* Record the removal in the instance, which continues on its other interfaces. */
static void note(struct qpw_kernel *k, struct qpw_meta *meta, uint16_t number)
{
    struct qpw_iface forget = {.number = number};
    char by[QPW_BY_BYTES];
    struct qpw_coverage_log log = {.by = by};

    meta->own_qdisc[number] = 0;
    meta->rx_hook[number] = meta->tx_hook[number] = QPW_HOOK_NONE;
    qpw_meta_write(k, meta, NULL);
    qpw_kernel_set_iface(k, &forget);
    qpw_peer_describe(getpid(), by, sizeof(by));
    if (qpw_coverage_open(k, &log, NULL) == 0)
        qpw_coverage_add(&log, QPW_COVERAGE_DETACHED, number, "%s", "");
}

/* Stop recording owners once no interface of the instance remains. */
static int remove_owners(const struct qpw_hook_scan *run, const struct removal *r, struct qpw_error *err)
{
    for (size_t i = 0; i < run->n; i++)
        if (!is_named(r, run->site[i].ifname))
            return 0;
    return qpw_owners_detach(run->site[0].instance, NULL, err);
}

/*
 * Remove the programs of one instance. k, meta: of the instance, if it is of this network namespace and readable; else
 * NULL.
 */
static int remove_sites(const struct qpw_hook_scan *run, struct qpw_kernel *k, struct qpw_meta *meta,
                        struct removal *removal, struct qpw_error *err)
{
    const struct qpw_hook_site *site, *before;
    uint16_t number;
    int r = 0;

    for (size_t i = 0; r == 0 && i < run->n; i++) {
        site = &run->site[i];
        before = i ? &run->site[i - 1] : NULL;
        if (!is_named(removal, site->ifname))
            continue;
        r = qpw_hooks_detach(site->ifindex, site->point, &site->entry, err);
        removal->removed += !before || before->ifindex != site->ifindex;
        if (r < 0 || (i + 1 < run->n && run->site[i + 1].ifindex == site->ifindex))
            continue;
        number = k ? qpw_kernel_iface_number(k, site->ifindex) : 0;
        if (number && meta->own_qdisc[number])
            r = qpw_hooks_remove_qdisc(site->ifindex, err);
        if (number)
            note(k, meta, number);
    }
    return r;
}

/* Return whether the instance was attached to an interface that is not in this list. */
static bool misses_any(const struct qpw_hook_scan *run, const struct qpw_kernel *k, const struct qpw_meta *meta)
{
    bool here[QPW_MAX_IFACES] = {false};

    for (size_t i = 0; i < run->n; i++)
        here[qpw_kernel_iface_number(k, run->site[i].ifindex)] = true;
    for (int i = 1; i < QPW_MAX_IFACES; i++)
        if ((meta->rx_hook[i] || meta->tx_hook[i]) && !here[i])
            return true;
    return false;
}

/* `kernel`: of the instance, where this version can read it; NULL otherwise. */
static int remove_known(const struct qpw_hook_scan *run, struct qpw_kernel *kernel, struct removal *removal,
                        struct qpw_error *err)
{
    struct qpw_meta meta = {0};
    size_t elsewhere = 0;
    int r;

    removal->left_behind = false;
    if (kernel) {
        r = qpw_meta_read(kernel, &meta, err);
        if (r < 0)
            return r;
        r = qpw_lock_check_elsewhere(kernel, &meta, err);
        if (r < 0)
            return r;
        removal->left_behind = misses_any(run, kernel, &meta);
    }
    r = remove_owners(run, removal, err);
    if (r < 0)
        return r;
    if (run->site[0].ifindex) {
        r = remove_sites(run, kernel, &meta, removal, err);
        if (r < 0)
            return r;
    }
    if (!removal->left_behind)
        return 0;
    r = qpw_run_detach_elsewhere(run->site[0].instance, removal->names, removal->n, &elsewhere, err);
    removal->removed += elsewhere;
    return r;
}

static int remove_run(const struct qpw_hook_scan *run, struct removal *removal, struct qpw_error *err)
{
    struct qpw_kernel kernel;
    /* Instances of other versions are removed too; only their records cannot be read. */
    bool known = qpw_run_is_of_here(&run->site[0]) && qpw_instance_open(run, &kernel, NULL) == 0;
    int r = remove_known(run, known ? &kernel : NULL, removal, err);

    if (known)
        qpw_kernel_close(&kernel);
    if (r < 0 || removal->n || !removal->left_behind || qpw_run_until_gone(run->site[0].instance))
        return r;
    return qpw_fail(err, -EBUSY, QPW_RUN_STILL_HELD);
}

/* Collect the hooks of the instance that entry `first` belongs to. */
static int take_run(const struct qpw_hook_scan *scan, size_t first, struct qpw_hook_scan *ret, struct qpw_error *err)
{
    int r = 0;

    *ret = (struct qpw_hook_scan){0};
    for (size_t i = first; r == 0 && i < scan->n; i++)
        if (scan->site[i].instance == scan->site[first].instance)
            r = qpw_hook_scan_add(ret, &scan->site[i], err);
    return r;
}

/* Remove every instance in the list except `keep`, one after another. */
static int remove_runs(const struct qpw_hook_scan *scan, uint32_t keep, struct removal *removal, struct qpw_error *err)
{
    for (size_t i = 0; i < scan->n; i++) {
        QPW_CLEANUP(qpw_hook_scan_clear) struct qpw_hook_scan run = {0};
        bool first = scan->site[i].instance != keep;
        int r;

        for (size_t j = 0; j < i; j++)
            first &= scan->site[j].instance != scan->site[i].instance;
        if (!first)
            continue;
        r = take_run(scan, i, &run, err);
        if (r < 0)
            return r;
        r = remove_run(&run, removal, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Add the instance whose interfaces have all moved away, unless it is already listed. */
static int add_unhooked(struct qpw_hook_scan *scan, struct qpw_error *err)
{
    struct qpw_hook_scan unhooked;
    bool there = false;
    int r = qpw_hook_scan_find_unhooked(&unhooked, err);

    if (r < 0)
        return r;
    for (size_t i = 0; unhooked.n && i < scan->n; i++)
        there |= scan->site[i].instance == unhooked.site[0].instance;
    for (size_t i = 0; r == 0 && !there && i < unhooked.n; i++)
        r = qpw_hook_scan_add(scan, &unhooked.site[i], err);
    qpw_hook_scan_clear(&unhooked);
    return r;
}

/* Return whether an instance was attached to an interface of that name, wherever it is now. */
static bool was_attached(const struct qpw_hook_scan *scan, const char *name)
{
    struct qpw_meta meta;

    for (size_t i = 0; i < scan->n; i++) {
        if (!strcmp(scan->site[i].ifname, name))
            return true;
        if (i && scan->site[i].instance == scan->site[i - 1].instance)
            continue;
        if (!qpw_run_is_of_here(&scan->site[i]) || !qpw_hook_site_meta(&scan->site[i], &meta))
            continue;
        for (int n = 1; n < QPW_MAX_IFACES; n++)
            if ((meta.rx_hook[n] || meta.tx_hook[n]) && !strcmp(meta.ifname[n], name))
                return true;
    }
    return false;
}

static int not_attached(const char *name, struct qpw_error *err)
{
    return qpw_fail(err, -ENOENT, "%s: not attached; 'qportwatch status' lists the attached interfaces", name);
}

/* Called with the lock held, so that no auditor starts meanwhile. */
static int detach(struct removal *removal, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_hook_scan_clear) struct qpw_hook_scan scan = {0};
    int r = qpw_hook_scan_find(&scan, err);

    if (r < 0)
        return r;
    r = add_unhooked(&scan, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < removal->n; i++)
        if (!was_attached(&scan, removal->names[i]))
            return not_attached(removal->names[i], err);
    r = remove_runs(&scan, 0, removal, err);
    if (r < 0)
        return r;
    if (removal->n && !removal->removed) /* it was attached once, but cannot be found now */
        return not_attached(removal->names[0], err);
    return removal->n ? 0 : qpw_owners_detach(0, NULL, err); /* of instances whose interfaces are gone */
}

int qpw_detach(const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err)
{
    struct removal removal = {.names = names, .n = n};
    struct qpw_pid holder;
    char who[64];
    int lock, r = qpw_lock_take(&lock, &holder, err);

    if (r == -EADDRINUSE)
        return qpw_fail(err, r, "an auditor is just starting (%s); try again", qpw_pid_text(holder, who, sizeof(who)));
    if (r < 0)
        return r;
    r = detach(&removal, err);
    qpw_lock_release(lock); /* also removes files left by a killed auditor */
    *ret_removed = removal.removed;
    return r;
}

int qpw_detach_others(uint32_t instance, const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err)
{
    struct removal removal = {.names = names, .n = n};
    struct qpw_hook_scan scan;
    int r = qpw_hook_scan_find(&scan, err);

    if (r < 0)
        return r;
    r = remove_runs(&scan, instance, &removal, err);
    qpw_hook_scan_clear(&scan);
    *ret_removed = removal.removed;
    return r;
}
