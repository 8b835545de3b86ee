/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keep the list of monitored interfaces, even if they disappear, return or are renamed. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "auditor/carry.h"
#include "auditor/internal.h"
#include "host/clock.h"
#include "words/words.h"

const char *qpw_watch_mode(const struct qpw_auditor *a, const struct qpw_watched *w, char *buf, size_t size)
{
    return qpw_words_mode_why(a->meta.rx_hook[w->number], a->meta.why[w->number], buf, size);
}

struct qpw_watched *qpw_watch_find(struct qpw_auditor *a, const char *name)
{
    struct qpw_watched *found = NULL;

    for (size_t i = 0; i < a->n_watched; i++) /* prefer an existing interface to one awaited by that name */
        if (!strcmp(a->watched[i].name, name) && (!found || a->watched[i].ifindex))
            found = &a->watched[i];
    return found;
}

struct qpw_watched *qpw_watch_by_index(struct qpw_auditor *a, unsigned ifindex)
{
    for (size_t i = 0; ifindex && i < a->n_watched; i++)
        if (a->watched[i].ifindex == ifindex)
            return &a->watched[i];
    return NULL;
}

/* Return the number of an interface, which it keeps as long as the counters exist, so that its rows continue. */
static uint16_t number_for(const struct qpw_auditor *a, const char *name)
{
    uint16_t unused = 0;

    for (uint16_t n = QPW_MAX_IFACES - 1; n > 0; n--) {
        if (!strcmp(a->meta.ifname[n], name))
            return n;
        if (!*a->meta.ifname[n])
            unused = n;
    }
    return unused;
}

/*
 * Return whether frames for other MACs than the link's own may be the node's: those of a bridge, a macvlan, or a bond's
 * port.
 */
static bool has_other_macs(const struct qpw_auditor *a, const struct qpw_link *link)
{
    size_t n;
    const struct qpw_link *links = qpw_netlink_links(a->netlink, &n);

    for (size_t i = 0; i < n; i++)
        if (memcmp(links[i].mac, link->mac, sizeof(link->mac)) &&
            qpw_netlink_stacked(a->netlink, link->ifindex, links[i].ifindex))
            return true;
    return false;
}

static bool is_bridged(const struct qpw_auditor *a, const struct qpw_link *link)
{
    const struct qpw_link *upper = link->upper ? qpw_netlink_by_index(a->netlink, link->upper) : NULL;

    return upper && (!strcmp(upper->kind, "bridge") || !strcmp(upper->kind, "openvswitch"));
}

/*
 * Return flags for whether the interface forwards what it receives, and whether it may send what another has received.
 */
static unsigned forwarding(const struct qpw_auditor *a, const struct qpw_link *link)
{
    unsigned flags = (link->forward4 ? QPW_IFACE_FORWARD4 : 0) | (link->forward6 ? QPW_IFACE_FORWARD6 : 0);
    size_t n;
    const struct qpw_link *links = qpw_netlink_links(a->netlink, &n);

    for (size_t i = 0; i < n; i++)
        if (!(links[i].flags & IFF_LOOPBACK))
            flags |= (links[i].forward4 ? QPW_IFACE_SENDS4 : 0) | (links[i].forward6 ? QPW_IFACE_SENDS6 : 0);
    return flags;
}

int qpw_watch_update_kernel(struct qpw_auditor *a, const struct qpw_watched *w, const struct qpw_link *link)
{
    struct qpw_iface iface = {.ifindex = w->ifindex, .number = w->number};

    if (link) {
        memcpy(iface.mac, link->mac, sizeof(iface.mac));
        iface.flags = (w->l3 ? QPW_IFACE_L3 : 0) | forwarding(a, link) |
                      (has_other_macs(a, link) ? QPW_IFACE_MACS : 0) | (is_bridged(a, link) ? QPW_IFACE_BRIDGED : 0);
    }
    return qpw_kernel_set_iface(&a->kernel, &iface);
}

/* Return -EINVAL with err filled if `link` is stacked above or below the interface of that ifindex and name. */
static int check_pair(const struct qpw_auditor *a, unsigned ifindex, const char *name, const struct qpw_link *link,
                      struct qpw_error *err)
{
    if (ifindex == link->ifindex || !qpw_netlink_stacked(a->netlink, link->ifindex, ifindex))
        return 0;
    return qpw_fail(err, -EINVAL, "%s and %s: one lies above the other, so each packet would be counted twice; "
                    "watch only one of them", name, link->name);
}

int qpw_watch_check_names(const struct qpw_auditor *a, struct qpw_error *err)
{
    const struct qpw_hook_list empty = {0};
    const struct qpw_link *link, *other;
    struct qpw_mode_choice choice;
    int r = 0;

    for (size_t i = 0; r == 0 && i < a->options.n_ifaces; i++) {
        link = qpw_netlink_by_name(a->netlink, a->options.ifaces[i]);
        if (!link && a->options.wait)
            continue;
        if (!link)
            return qpw_fail(err, -ENODEV, "%s: no such interface in this network namespace; 'ip -br link' lists them",
                            a->options.ifaces[i]);
        r = qpw_mode_choose(link, a->options.mode, &empty, &choice, err);
        for (size_t j = 0; r == 0 && j < i; j++) {
            other = qpw_netlink_by_name(a->netlink, a->options.ifaces[j]);
            r = other ? check_pair(a, other->ifindex, other->name, link, err) : 0; /* NULL: does not exist yet */
        }
    }
    return r;
}

int qpw_watch_check_stacked(struct qpw_auditor *a, const struct qpw_link *link, struct qpw_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < a->n_watched; i++)
        if (a->watched[i].ifindex)
            r = check_pair(a, a->watched[i].ifindex, a->watched[i].name, link, err);
    return r;
}

/* Return the entry for a new interface, or NULL. It becomes valid when n_watched is incremented. */
static struct qpw_watched *place_for(struct qpw_auditor *a, const char *name, struct qpw_error *err)
{
    struct qpw_watched *w = &a->watched[a->n_watched];
    struct qpw_watched fresh = {.number = number_for(a, name)};

    if (!fresh.number || a->n_watched == QPW_MAX_IFACES - 1) {
        qpw_fail(err, -ENOSPC, "%s: no more than %d interfaces can be monitored", name, QPW_MAX_IFACES - 1);
        return NULL;
    }
    snprintf(fresh.name, sizeof(fresh.name), "%s", name);
    *w = fresh;
    return w;
}

/* Start counting with the first interface; requests sent before it are unknown. */
void qpw_watch_begin(struct qpw_auditor *a)
{
    struct qpw_control *control = a->kernel.control;
    uint64_t now = qpw_kernel_now_ns(&a->kernel);

    if (a->attached)
        return;
    a->attached = true;
    if (a->taken_over)
        return;
    if (!a->carry)
        a->meta.attached_unix_ns = qpw_clock_unix_ns(); /* not the time when loading began */
    control->attached_ns = now;
    control->window_end_ns = now + control->udp_ns;
    if (qpw_carry_attached_ns(a->carry))
        control->attached_ns = qpw_carry_attached_ns(a->carry); /* counting began then, and continues */
}

/* Record a gap from boot to the first attachment. An interface that appeared later had no traffic before. */
static void note_unseen(struct qpw_auditor *a, const struct qpw_watched *w)
{
    struct qpw_coverage_time start = {.unix_ns = qpw_clock_boot_to_unix_ns(0)};
    char span[32];

    if (a->first_since_boot && w->fresh && !w->awaited)
        qpw_coverage_add_at(&a->coverage, &start, QPW_COVERAGE_UNSEEN, w->number, "for %s.",
                            qpw_words_duration(qpw_clock_unix_ns() - start.unix_ns, span, sizeof(span)));
}

static int await(struct qpw_auditor *a, const char *name, struct qpw_error *err)
{
    struct qpw_watched *w = qpw_watch_find(a, name) ? NULL : place_for(a, name, err);

    if (!w)
        return qpw_watch_find(a, name) ? 0 : -ENOSPC;
    w->awaited = true;
    a->n_watched++;
    a->meta.rx_hook[w->number] = a->meta.tx_hook[w->number] = QPW_HOOK_TCX; /* it should have programs: blind without
                                                                               them */
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_INTERFACE_GONE, w->number, "not there yet.");
    snprintf(a->meta.ifname[w->number], sizeof(a->meta.ifname[w->number]), "%s", name);
    qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s: not there yet; it is attached as soon as it is", name);
    return qpw_meta_write(&a->kernel, &a->meta, err);
}

int qpw_watch_add_or_await(struct qpw_auditor *a, const char *name, struct qpw_error *err)
{
    if (a->options.wait && !qpw_netlink_by_name(a->netlink, name))
        return await(a, name, err);
    return qpw_watch_add(a, name, err);
}

int qpw_watch_add(struct qpw_auditor *a, const char *name, struct qpw_error *err)
{
    const struct qpw_link *link = qpw_netlink_by_name(a->netlink, name);
    struct qpw_watched *w = qpw_watch_find(a, name);
    char mode[80];
    int r;

    if (!link)
        return qpw_fail(err, -ENODEV, "%s: no such interface in this network namespace", name);
    if (!w) {
        r = qpw_watch_check_stacked(a, link, err);
        if (r < 0)
            return r;
        w = place_for(a, name, err);
        if (!w)
            return -ENOSPC;
    }
    qpw_watch_begin(a);
    w->ifindex = link->ifindex;
    w->up = link->up && link->carrier;
    r = qpw_watch_attach(a, w, link, err);
    if (r < 0)
        return r;
    if (w == &a->watched[a->n_watched])
        a->n_watched++;
    snprintf(a->meta.ifname[w->number], sizeof(a->meta.ifname[w->number]), "%s", name);
    r = qpw_meta_write(&a->kernel, &a->meta, err);
    qpw_watch_mode(a, w, mode, sizeof(mode));
    note_unseen(a, w);
    if (w->fresh)
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_ATTACHED, w->number, "%s.", mode);
    qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s: %s, %s", w->name, w->fresh ? "attached" : "resumed", mode);
    return r;
}

/* Record a rename: an interface is identified by its number. */
static void take_name(struct qpw_auditor *a, uint16_t number, const char *name)
{
    char *known = a->meta.ifname[number];

    if (*known && strcmp(known, name)) {
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_INTERFACE_RENAMED, number, "renamed, was %s.", known);
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s: renamed to %s while no auditor was running", known, name);
    }
    snprintf(known, sizeof(a->meta.ifname[number]), "%s", name);
}

bool qpw_watch_has_number(const struct qpw_auditor *a, uint16_t number)
{
    for (size_t i = 0; i < a->n_watched; i++)
        if (a->watched[i].number == number)
            return true;
    return false;
}

/* A name belongs to one number: rename a missing interface with the same name, so that it keeps its counts. */
static void part_names(struct qpw_auditor *a)
{
    for (size_t i = 0; i < a->n_watched; i++)
        for (uint16_t n = 1; n < QPW_MAX_IFACES; n++)
            if (!strcmp(a->meta.ifname[n], a->watched[i].name) && !qpw_watch_has_number(a, n))
                snprintf(a->meta.ifname[n], sizeof(a->meta.ifname[n]), "%.11s (1)", a->watched[i].name);
}

int qpw_watch_adopt(struct qpw_auditor *a, const struct qpw_hook_scan *scan, struct qpw_error *err)
{
    const struct qpw_hook_site *site;
    const struct qpw_link *link;
    struct qpw_watched *w;

    for (size_t i = 0; i < scan->n; i++) {
        site = &scan->site[i];
        link = qpw_netlink_by_index(a->netlink, site->ifindex);
        if (!link || qpw_watch_by_index(a, site->ifindex))
            continue;
        w = &a->watched[a->n_watched];
        *w = (struct qpw_watched){.ifindex = site->ifindex,
                                  .number = qpw_kernel_iface_number(&a->kernel, site->ifindex)};
        if (!w->number) /* it came back from another network namespace with another ifindex */
            w->number = number_for(a, site->ifname);
        if (!w->number)
            return qpw_fail(err, -ENOSPC, "%s: more than %d interfaces", site->ifname, QPW_MAX_IFACES - 1);
        w->l3 = site->entry.program == QPW_PROG_qpw_tc_rx_l3 || site->entry.program == QPW_PROG_qpw_tc_tx_l3;
        w->up = link->up && link->carrier;
        snprintf(w->name, sizeof(w->name), "%s", site->ifname);
        take_name(a, w->number, site->ifname);
        if (qpw_watch_update_kernel(a, w, link) < 0)
            return qpw_fail(err, -EIO, "%s: its entry in the kernel's table cannot be written", w->name);
        a->n_watched++;
    }
    part_names(a);
    return 0;
}
