/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Handle netlink messages: links that disappear, return or change, and the node's own addresses. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor/internal.h"
#include "auditor/routes.h"
#include "host/netns.h"
#include "instance/map_walk.h"
#include "instance/objects.h"
#include "words/words.h"

/*
 * Remove our programs from an interface that moved to another network namespace; otherwise they would keep counting for
 * this one. False: they could not be removed.
 */
static bool follow_moved(struct qpw_auditor *a, unsigned ifindex, int nsid, unsigned new_ifindex, struct qpw_error *err)
{
    struct qpw_objects_moved question = {.nsid = nsid, .ifindex = new_ifindex, .n = QPW_PROG_COUNT};
    struct qpw_objects_done done;
    int fd, r;

    for (int program = 0; program < QPW_PROG_COUNT; program++)
        question.prog_ids[program] = qpw_instance_program_id(&a->kernel, program);
    if (qpw_objects_moved(&question, &done, &r)) {
        *err = done.err;
        return r == 0;
    }
    fd = qpw_netns_open(nsid, err);
    if (fd < 0)
        return false;
    r = qpw_hooks_detach_elsewhere(fd, new_ifindex, question.prog_ids, QPW_PROG_COUNT, err);
    close(fd);
    return r == 0;
}

static void report_gone(struct qpw_auditor *a, const struct qpw_watched *w, unsigned ifindex)
{
    struct qpw_error err;
    unsigned new_ifindex;
    int nsid;

    if (!qpw_netlink_moved(a->netlink, ifindex, &nsid, &new_ifindex)) {
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_INTERFACE_GONE, w->number, "gone.");
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s: the interface is gone; it will be attached again when it is back", w->name);
        return;
    }
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_INTERFACE_GONE, w->number, "moved to another network namespace.");
    if (!qpw_runs_moves_along(a, w->number) || follow_moved(a, ifindex, nsid, new_ifindex, &err))
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s: the interface was moved to another network namespace, detached there; it will be "
                "attached again when it is back", w->name);
    else {
        a->left_behind[w->number] = true;
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s: the interface was moved to another network namespace and took our programs along, "
                "which cannot be removed from here (%s); run 'qportwatch detach' there", w->name, err.text);
    }
}

static void link_gone(struct qpw_auditor *a, const struct qpw_link *was)
{
    struct qpw_watched *w = qpw_watch_by_index(a, was->ifindex);
    struct qpw_iface forget = {0};

    if (!w)
        return;
    forget.number = w->number;
    qpw_kernel_set_iface(&a->kernel, &forget);
    w->ifindex = 0;
    a->meta.own_qdisc[w->number] = 0; /* the qdisc was removed with it */
    report_gone(a, w, was->ifindex);
}

static void link_back(struct qpw_auditor *a, struct qpw_watched *w, const struct qpw_link *now)
{
    struct qpw_error err;
    char mode[80];

    w->ifindex = now->ifindex;
    w->up = now->up && now->carrier;
    w->fresh = false;
    qpw_watch_begin(a);
    if (qpw_watch_check_stacked(a, now, &err) < 0 || qpw_watch_attach(a, w, now, &err) < 0) {
        w->ifindex = 0;
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s is %s, but: %s", now->name, w->awaited ? "there" : "back", err.text);
        return;
    }
    a->left_behind[w->number] &= w->fresh; /* it brought our programs back */
    qpw_meta_write(&a->kernel, &a->meta, NULL);
    qpw_watch_mode(a, w, mode, sizeof(mode));
    if (w->awaited)
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_ATTACHED, w->number, "%s.", mode);
    else
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_INTERFACE_BACK, w->number, "back. %s.", mode);
    qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s: %sattached, %s", w->name, w->awaited ? "" : "back, ", mode);
    w->awaited = false;
}

/* Forget an awaited interface whose name another one has taken. Return w's entry after that. */
static struct qpw_watched *forget_awaited(struct qpw_auditor *a, struct qpw_watched *w, const char *name)
{
    struct qpw_watched *awaited = qpw_watch_find(a, name);

    if (!awaited || awaited == w || awaited->ifindex)
        return w;
    qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s: that name is another interface's now; the one that had it is no longer awaited", name);
    a->meta.rx_hook[awaited->number] = a->meta.tx_hook[awaited->number] = QPW_HOOK_NONE;
    snprintf(a->meta.ifname[awaited->number], sizeof(a->meta.ifname[awaited->number]), "%.11s (1)", name);
    *awaited = a->watched[--a->n_watched];
    return w == &a->watched[a->n_watched] ? awaited : w;
}

static void link_changed(struct qpw_auditor *a, struct qpw_watched *w, const struct qpw_link *now)
{
    bool up = now->up && now->carrier;

    if (strcmp(w->name, now->name)) {
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_INTERFACE_RENAMED, w->number, "renamed, was %s.", w->name);
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s: renamed to %s", w->name, now->name);
        w = forget_awaited(a, w, now->name);
        snprintf(w->name, sizeof(w->name), "%s", now->name);
        snprintf(a->meta.ifname[w->number], sizeof(a->meta.ifname[w->number]), "%s", now->name);
        qpw_meta_write(&a->kernel, &a->meta, NULL);
    }
    if (up != w->up) {
        w->up = up;
        qpw_coverage_add(&a->coverage, up ? QPW_COVERAGE_INTERFACE_UP : QPW_COVERAGE_INTERFACE_DOWN, w->number,
                         "the link is %s.", up ? "up again" : "down");
        qpw_auditor_notify(a, up ? QPW_NOTIFY_NOTE : QPW_NOTIFY_WARNING, "%s: the link is %s", w->name, up ? "up again" : "down");
    }
}

static void on_link(void *arg, const struct qpw_link *was, const struct qpw_link *now)
{
    struct qpw_auditor *a = arg;
    struct qpw_watched *w;

    a->links_changed = true;
    if (!now) {
        link_gone(a, was);
        return;
    }
    w = qpw_watch_by_index(a, now->ifindex);
    if (w) {
        link_changed(a, w, now);
        return;
    }
    if (!was)
        qpw_runs_link(a, now);
    w = qpw_watch_find(a, now->name);
    if (w && !w->ifindex)
        link_back(a, w, now);
}

uint32_t qpw_watch_local_flags(const struct qpw_auditor *a, const uint8_t address[16])
{
    struct qpw_local_key key = {.prefixlen = 128};
    uint32_t flags;

    memcpy(key.addr, address, sizeof(key.addr));
    return bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_locals], &key, &flags) == 0 ? flags : 0;
}

/* Return the flags in the instance: an address that the policy does not name as this node's own may float. */
static uint32_t flags_of(const struct qpw_auditor *a, const struct qpw_local *local)
{
    bool floats = (local->flags & QPW_LOCAL_ADDRESS) && a->own.n && !qpw_addresses_contain(&a->own, local->addr);

    return floats ? local->flags | QPW_LOCAL_FLOATING : local->flags;
}

/* Return 1 if the table is full. (Before Linux 6.13, an existing entry gives the same error.) */
static int write_local(struct qpw_auditor *a, const struct qpw_local *local)
{
    int r = qpw_kernel_set_local(&a->kernel, local->addr, local->prefix, flags_of(a, local), /* present= */ true);

    return r == -ENOSPC ? !qpw_watch_local_flags(a, local->addr) : r;
}

static void on_local(void *arg, const struct qpw_local *local)
{
    struct qpw_auditor *a = arg;

    if (!local->flags)
        qpw_kernel_set_local(&a->kernel, local->addr, local->prefix, 0, /* present= */ false);
    else if (write_local(a, local))
        a->locals_incomplete = true;
    a->locals_incomplete |= !local->flags && a->locals_left_out; /* a slot became free */
    a->addresses_changed = true;
}

/* Write all local addresses. Those that do not fit are counted and reported, without an error. */
static int write_locals(struct qpw_auditor *a, struct qpw_error *err)
{
    size_t n, left_out = 0;
    const struct qpw_local *locals = qpw_netlink_locals(a->netlink, &n);
    char count[48], all[24];
    int r;

    qpw_words_count(n, all, sizeof(all));
    a->locals_incomplete = false;
    for (size_t i = 0; i < n; i++) {
        r = write_local(a, &locals[i]);
        if (r < 0)
            return qpw_fail(err, r, "writing the local addresses: %s", strerror(-r));
        left_out += r;
    }
    if (left_out && !a->locals_left_out) {
        qpw_words_many(left_out, "address", count, sizeof(count));
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_ADDRESSES_LEFT_OUT, 0, "%s of %s.", count, all);
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the node has more addresses than the table of local ones holds: left out %s of %s; "
                "their packets count as the node's only while the interface does not forward", count, all);
    } else if (!left_out && a->locals_left_out) {
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_ADDRESSES_COMPLETE, 0, "All %s.", all);
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "the table of local addresses holds all of them again: %s", all);
    }
    a->locals_left_out = left_out;
    return 0;
}

static void on_routes(void *arg)
{
    struct qpw_auditor *a = arg;

    if (a->routes)
        qpw_routes_changed(a);
}

int qpw_watch_netlink(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_netlink_handler handler = {.local = on_local, .link = on_link, .routes = on_routes, .arg = a};
    const struct qpw_link *link;
    int r = qpw_netlink_drain(a->netlink, &handler, err);

    /* The properties of a monitored link also depend on stacked links. */
    for (size_t i = 0; a->links_changed && i < a->n_watched; i++) {
        link = a->watched[i].ifindex ? qpw_netlink_by_index(a->netlink, a->watched[i].ifindex) : NULL;
        if (link)
            qpw_watch_update_kernel(a, &a->watched[i], link);
    }
    a->links_changed = false;
    a->routes_due = true;
    if (a->options.automatic && !a->attached) /* nothing is monitored yet, so do not wait for the tick */
        qpw_automatic_attach(a);
    qpw_service_ready(a);
    if (r == 0 && a->locals_incomplete)
        r = write_locals(a, err);
    qpw_watch_hooks_changed(a);
    return r;
}

/* Return the number of individually listed addresses of the peer that are the node's. */
static size_t addresses_here(const struct qpw_auditor *a, const struct qpw_peer *peer)
{
    size_t n, held = 0;
    const struct qpw_local *locals = qpw_netlink_locals(a->netlink, &n);

    for (size_t i = 0; i < peer->addresses.n; i++)
        for (size_t j = 0; peer->addresses.ranges[i].first == peer->addresses.ranges[i].last && j < n; j++)
            held += (locals[j].flags & QPW_LOCAL_ADDRESS) && locals[j].prefix == 128 &&
                    qpw_address_number(locals[j].addr) == peer->addresses.ranges[i].first;
    return held;
}

int qpw_watch_own(struct qpw_auditor *a, const struct qpw_policy *policy, struct qpw_error *err)
{
    const struct qpw_peer *node = NULL;
    struct qpw_addresses own = {0};
    size_t held, most = 0;
    bool same;
    int r = 0;

    for (size_t i = 0; i < policy->n_peers; i++) {
        held = addresses_here(a, &policy->peers[i]);
        if (held > most) {
            most = held;
            node = &policy->peers[i];
        }
    }
    if (node)
        r = qpw_addresses_add_all(&own, &node->addresses);
    if (r < 0) {
        qpw_addresses_clear(&own);
        return qpw_fail(err, r, "the node's own addresses: %s", strerror(-r));
    }
    qpw_addresses_normalise(&own);
    same = qpw_addresses_equal(&own, &a->own);
    qpw_addresses_clear(&a->own);
    a->own = own;
    return same ? 0 : write_locals(a, err);
}

/* Return whether the key is one of netlink's local addresses. */
static bool is_local(const struct qpw_local *locals, size_t n, const struct qpw_local_key *key)
{
    for (size_t i = 0; i < n; i++)
        if (key->prefixlen == locals[i].prefix && !memcmp(locals[i].addr, key->addr, sizeof(key->addr)))
            return true;
    return false;
}

int qpw_watch_addresses(struct qpw_auditor *a, struct qpw_error *err)
{
    size_t n;
    const struct qpw_local *locals = qpw_netlink_locals(a->netlink, &n);
    struct qpw_local_key key, stale[64];
    size_t n_stale;

    do { /* remove stale entries first, to make room */
        struct qpw_map_walk walk = qpw_map_walk(a->kernel.map_fd[QPW_MAP_locals], &key);

        n_stale = 0;
        while (n_stale < sizeof(stale) / sizeof(*stale) && qpw_map_next(&walk))
            if (!is_local(locals, n, &key))
                stale[n_stale++] = key;
        for (size_t i = 0; i < n_stale; i++)
            qpw_kernel_set_local(&a->kernel, stale[i].addr, stale[i].prefixlen, 0, /* present= */ false);
    } while (n_stale);
    return write_locals(a, err);
}
