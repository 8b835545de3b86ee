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

static bool is_named(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return true;
    return n == 0;
}

static int check_names(const struct qpw_places *places, const char *const *names, size_t n, struct qpw_error *err)
{
    bool found;

    for (size_t i = 0; i < n; i++) {
        found = false;
        for (size_t p = 0; p < places->n; p++)
            found |= !strcmp(places->place[p].ifname, names[i]);
        if (!found)
            return qpw_fail(err, -ENOENT, "%s: not attached; 'qportwatch status' lists the attached interfaces", names[i]);
    }
    return 0;
}

/* What the kernel side notes about a removal, as far as it goes on for other interfaces. */
static void note(struct qpw_kernel *k, struct qpw_meta *meta, unsigned ifindex)
{
    struct qpw_iface forget = {.number = qpw_kernel_iface_number(k, ifindex)};
    struct qpw_coverage_log log;
    char by[96];

    if (!forget.number)
        return;
    meta->own_qdisc[forget.number] = 0;
    meta->rx_hook[forget.number] = meta->tx_hook[forget.number] = QPW_HOOK_NONE;
    qpw_meta_write(k, meta, NULL);
    qpw_kernel_set_iface(k, &forget);
    qpw_peer_describe(getpid(), by, sizeof(by));
    if (qpw_coverage_open(k, &log, NULL) == 0)
        qpw_coverage_add(&log, QPW_COVERAGE_DETACHED, forget.number, "By %s.", by);
}

/* Owners are noted for as long as any interface of an instance is watched. */
static int remove_owners(const struct qpw_places *places, const char *const *names, size_t n, struct qpw_error *err)
{
    for (size_t i = 0; n && i < places->n; i++)
        if (!is_named(names, n, places->place[i].ifname))
            return 0;
    for (size_t i = 0; i < places->n; i++) {
        int r = qpw_owners_detach(places->place[i].instance, NULL, err);

        if (r < 0)
            return r;
    }
    return 0;
}

/*
 * There is no auditor and nothing in a hook here, yet programs that were attached here live: their interface took them
 * along to another network namespace.
 */
static int check_elsewhere(struct qpw_error *err)
{
    struct qpw_places places = {0};
    int r = qpw_places_find_unhooked(&places, err);

    if (r == 0 && places.n)
        r = qpw_fail(err, -ENOENT, "%s is attached, but no longer in this network namespace; run 'qportwatch detach' where it "
                     "was moved to", places.place[0].ifname);
    qpw_places_clear(&places);
    return r;
}

/* The lock is held: no auditor starts meanwhile. */
static int detach(const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err)
{
    struct qpw_places places;
    struct qpw_kernel kernel;
    struct qpw_meta meta = {0};
    const struct qpw_place *place, *before;
    size_t removed = 0;
    bool known;
    int r = qpw_places_find(&places, err), number;

    if (r < 0)
        return r;
    /* Another version's kernel side is removed too; only what it noted cannot be read. */
    known = qpw_instance_open(&places, &kernel, NULL) == 0;
    if (known)
        qpw_meta_read(&kernel, &meta, NULL);
    r = check_names(&places, names, n, err);
    if (r == 0 && known)
        r = qpw_lock_check_elsewhere(&kernel, &meta, err);
    r = r ? r : remove_owners(&places, names, n, err);
    for (size_t i = 0; r == 0 && i < places.n; i++) {
        place = &places.place[i];
        before = i ? &places.place[i - 1] : NULL;
        if (!is_named(names, n, place->ifname))
            continue;
        r = qpw_hooks_detach(place->ifindex, place->point, &place->entry, err);
        removed += !before || before->ifindex != place->ifindex;
        if (r < 0 || (i + 1 < places.n && places.place[i + 1].ifindex == place->ifindex))
            continue;
        number = known ? qpw_kernel_iface_number(&kernel, place->ifindex) : 0;
        if (number && meta.own_qdisc[number])
            r = qpw_hooks_remove_qdisc(place->ifindex, err);
        if (known)
            note(&kernel, &meta, place->ifindex);
    }
    if (known)
        qpw_kernel_close(&kernel);
    qpw_places_clear(&places);
    if (r == 0 && !n)
        r = qpw_owners_detach(0, NULL, err); /* of runs whose interfaces are gone */
    if (r == 0 && !removed)
        r = check_elsewhere(err);
    if (r < 0)
        return r;
    *ret_removed = removed;
    return 0;
}

int qpw_detach(const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err)
{
    pid_t holder;
    int lock, r = qpw_lock_take(&lock, &holder, err);

    if (r == -EADDRINUSE)
        return qpw_fail(err, r, "an auditor is just starting (pid %d); try again", (int)holder);
    if (r < 0)
        return r;
    r = detach(names, n, ret_removed, err);
    qpw_lock_release(lock); /* with what a killed auditor left beside it */
    return r;
}
