/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/cgroup.h"
#include "host/tags.h"
#include "instance/hooks.h"
#include "instance/instance.h"
#include "instance/owners.h"
#include "snapshot/bypass.h"
#include "snapshot/collect_maps.h"
#include "util/cleanup.h"

/* ---- Notes ---- */

/* Note the foreign programs among entries from..to-1, named after the first of them. */
static int note_foreign(struct qpw_snapshot *s, const struct qpw_hook_list *list, size_t from, size_t to,
                        struct qpw_note *note)
{
    for (size_t i = from; i < to; i++)
        if (list->entry[i].program == QPW_PROG_COUNT && !note->count++)
            snprintf(note->detail, sizeof(note->detail), "%s at %s", list->entry[i].name,
                     qpw_hook_text(list->entry[i].kind));
    return note->count ? qpw_snapshot_note(s, note) : 0;
}

/* Note foreign programs that run before ours, and may consume packets, and those that run after. */
static int note_programs(struct qpw_snapshot *s, const struct qpw_iface_row *row, enum qpw_point point)
{
    struct qpw_note before = {.kind = QPW_NOTE_BEFORE, .tx = point == QPW_POINT_TX}, behind = before;
    const struct qpw_hook_entry *ours;
    struct qpw_hook_list list;
    size_t position;
    int r;

    if (qpw_hooks_query(row->iface.ifindex, point, &list, NULL) < 0 || !(ours = qpw_hooks_ours(&list, 0)))
        return 0;
    position = ours - list.entry;
    snprintf(before.name, sizeof(before.name), "%s", row->name);
    behind.kind = QPW_NOTE_BEHIND;
    memcpy(behind.name, before.name, sizeof(behind.name));
    r = note_foreign(s, &list, 0, position, &before);
    return r ? r : note_foreign(s, &list, position + 1, list.n, &behind);
}

static int note_interfaces(struct qpw_snapshot *s)
{
    int r;

    for (size_t i = 0; i < s->n_ifaces; i++) {
        const struct qpw_iface_row *row = &s->ifaces[i];
        struct qpw_note stripped = {.kind = QPW_NOTE_TAGS_STRIPPED};

        if (!row->attached)
            continue;
        r = note_programs(s, row, QPW_POINT_RX);
        if (r < 0)
            return r;
        r = note_programs(s, row, QPW_POINT_TX);
        if (r < 0)
            return r;
        snprintf(stripped.name, sizeof(stripped.name), "%s", row->name);
        if (s->meta.rx_hook[row->iface.number] == QPW_HOOK_XDP && qpw_strips_tags(row->name)) {
            r = qpw_snapshot_note(s, &stripped);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* ---- Interfaces ---- */

/* Return whether our programs are in both hooks of the interface, of whichever kind. */
static bool is_attached(const struct qpw_kernel *k, unsigned ifindex)
{
    struct qpw_hook_list list;
    bool found;

    for (enum qpw_point point = QPW_POINT_RX; point <= QPW_POINT_TX; point++) {
        found = false;
        if (qpw_hooks_query(ifindex, point, &list, NULL) < 0)
            return false;
        for (size_t i = 0; i < list.n; i++)
            if (list.entry[i].program < QPW_PROG_COUNT &&
                list.entry[i].prog_id == qpw_instance_program_id(k, list.entry[i].program))
                found = true;
        if (!found)
            return false;
    }
    return true;
}

static int read_ifaces(const struct qpw_kernel *k, const struct qpw_netlink *links, struct qpw_snapshot *s)
{
    const struct qpw_iface *known[QPW_MAX_IFACES] = {0};
    struct qpw_entries e;
    int r = qpw_entries_read(k->map_fd[QPW_MAP_ifaces], sizeof(uint32_t), sizeof(struct qpw_iface), &e);

    if (r < 0)
        return r;
    for (size_t i = 0; i < e.count; i++) {
        const struct qpw_iface *iface = &((struct qpw_iface *)e.values)[i];

        if (iface->number > 0 && iface->number < QPW_MAX_IFACES && iface->ifindex)
            known[iface->number] = iface;
    }
    s->ifaces = calloc(QPW_MAX_IFACES, sizeof(*s->ifaces));
    for (unsigned number = 1; s->ifaces && number < QPW_MAX_IFACES; number++) {
        struct qpw_iface_row *row = &s->ifaces[s->n_ifaces];
        const struct qpw_link *link = NULL;

        if (!known[number] && !s->meta.ifname[number][0])
            continue;
        if (known[number])
            row->iface = *known[number];
        row->iface.number = number;
        if (links && row->iface.ifindex)
            link = qpw_netlink_by_index(links, row->iface.ifindex);
        memcpy(row->name, link ? link->name : s->meta.ifname[number], sizeof(row->name) - 1);
        row->hook = s->meta.rx_hook[number];
        memcpy(row->why, s->meta.why[number], sizeof(row->why) - 1);
        row->up = link && link->up;
        row->gone = links && !link;
        row->attached = link && is_attached(k, link->ifindex);
        s->n_ifaces++;
    }
    qpw_entries_clear(&e);
    return s->ifaces ? 0 : -ENOMEM;
}

/*
 * Return the monitored interface that the device is, or is stacked above or below, where its packets are seen; NULL:
 * none.
 */
static const struct qpw_iface_row *seen_at(const struct qpw_snapshot *s, const struct qpw_netlink *links, unsigned ifindex)
{
    for (size_t i = 0; i < s->n_ifaces; i++) {
        unsigned watched = s->ifaces[i].iface.ifindex;

        if (watched && s->ifaces[i].attached && (watched == ifindex || qpw_netlink_stacked(links, watched, ifindex)))
            return &s->ifaces[i];
    }
    return NULL;
}

/* Return whether the first device is stacked above the second, over any number of levels; the kernel allows 8. */
static bool is_above(const struct qpw_netlink *links, const struct qpw_link *above, const struct qpw_link *below)
{
    const struct qpw_link *one = above;

    for (int depth = 0; one && depth < 8; depth++) {
        for (const struct qpw_link *up = below; up; up = up->upper ? qpw_netlink_by_index(links, up->upper) : NULL)
            if (up == one)
                return true;
        one = one->lower ? qpw_netlink_by_index(links, one->lower) : NULL;
    }
    return false;
}

static int note_stacked(const struct qpw_netlink *links, const struct qpw_link *link, struct qpw_snapshot *s)
{
    struct qpw_note note = {.kind = QPW_NOTE_STACKED, .count = link->rx_packets + link->tx_packets};

    for (size_t i = 0; i < s->n_ifaces; i++) {
        const struct qpw_link *watched = s->ifaces[i].attached ? qpw_netlink_by_index(links, s->ifaces[i].iface.ifindex) : NULL;

        if (!watched || watched == link || !is_above(links, link, watched))
            continue;
        memcpy(note.name, link->name, sizeof(link->name));
        snprintf(note.detail, sizeof(note.detail), "a %s on %s", link->kind[0] ? link->kind : "device", watched->name);
        return qpw_snapshot_note(s, &note);
    }
    return 0;
}

/* Sort by packets, most first. */
static int by_packets(const void *a, const void *b)
{
    const struct qpw_unwatched_row *x = a, *y = b;
    uint64_t left = x->rx_packets + x->tx_packets, right = y->rx_packets + y->tx_packets;

    return left != right ? (left < right ? 1 : -1) : strcmp(x->name, y->name);
}

static int read_unwatched(const struct qpw_netlink *links, struct qpw_snapshot *s)
{
    size_t count;
    const struct qpw_link *link = qpw_netlink_links(links, &count);
    int r;

    s->unwatched = calloc(count + 1, sizeof(*s->unwatched));
    if (!s->unwatched)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct qpw_unwatched_row *row = &s->unwatched[s->n_unwatched];

        if (!link[i].up || link[i].flags & IFF_LOOPBACK)
            continue;
        if (seen_at(s, links, link[i].ifindex)) {
            r = note_stacked(links, &link[i], s);
            if (r < 0)
                return r;
            continue;
        }
        memcpy(row->name, link[i].name, sizeof(row->name));
        row->rx_packets = link[i].rx_packets;
        row->tx_packets = link[i].tx_packets;
        s->n_unwatched++;
    }
    qsort(s->unwatched, s->n_unwatched, sizeof(*s->unwatched), by_packets);
    return 0;
}

static enum qpw_link_state state_of(const struct qpw_link *link, const struct qpw_iface_row *at)
{
    if (at)
        return at->iface.ifindex == link->ifindex ? QPW_LINK_MONITORED : QPW_LINK_SEEN_ELSEWHERE;
    return link->flags & IFF_LOOPBACK ? QPW_LINK_LOOPBACK : link->up ? QPW_LINK_UNMONITORED : QPW_LINK_DOWN;
}

static int by_state(const void *a, const void *b)
{
    const struct qpw_inventory_row *x = a, *y = b;

    return x->state != y->state ? (int)x->state - (int)y->state : strcmp(x->name, y->name);
}

static int read_inventory(const struct qpw_netlink *links, struct qpw_snapshot *s)
{
    size_t count;
    const struct qpw_link *link = qpw_netlink_links(links, &count);

    s->inventory = calloc(count + s->n_ifaces + 1, sizeof(*s->inventory));
    if (!s->inventory)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct qpw_inventory_row *row = &s->inventory[s->n_inventory++];
        const struct qpw_iface_row *at = seen_at(s, links, link[i].ifindex);

        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): there are links */
        memcpy(row->name, link[i].name, sizeof(row->name));
        memcpy(row->kind, link[i].kind, sizeof(row->kind));
        row->state = state_of(&link[i], at);
        if (row->state == QPW_LINK_SEEN_ELSEWHERE)
            /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): where it is seen elsewhere there is that row */
            memcpy(row->at, at->name, sizeof(row->at));
    }
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].gone) {
            struct qpw_inventory_row *row = &s->inventory[s->n_inventory++];

            memcpy(row->name, s->ifaces[i].name, sizeof(row->name));
            row->state = QPW_LINK_GONE;
        }
    qsort(s->inventory, s->n_inventory, sizeof(*s->inventory), by_state);
    return 0;
}

/* Note whether the programs at the root cgroup are attached, both when the auditor started and now. */
static int note_owners(const struct qpw_kernel *k, struct qpw_snapshot *s)
{
    struct qpw_note note = {0};
    int count, r;

    snprintf(s->owners_missing, sizeof(s->owners_missing), "%s", s->meta.owners_missing);
    count = s->owners_missing[0] ? 0 : qpw_owners_count(qpw_kernel_instance(k));
    if (!s->owners_missing[0] && count < 0)
        snprintf(s->owners_missing, sizeof(s->owners_missing), "cannot ask the root cgroup what is attached to it: %s",
                 strerror(-count));
    else if (!s->owners_missing[0] && count < QPW_OWNER_PROGRAMS)
        snprintf(s->owners_missing, sizeof(s->owners_missing),
                 "%d of %d programs were removed from the root cgroup; a running auditor puts them back",
                 QPW_OWNER_PROGRAMS - count, QPW_OWNER_PROGRAMS);
    snprintf(s->executables_missing, sizeof(s->executables_missing), "%s", s->owners_missing[0]
             ? "owners of sockets are not noted" : s->meta.executables_missing);
    if (!s->executables_missing[0] && !s->auditor.own)
        snprintf(s->executables_missing, sizeof(s->executables_missing), "no auditor is running, which follows execve");
    if (!s->owners_missing[0] && s->meta.owners_cgroup > QPW_CGROUP_ROOT) {
        if (qpw_cgroup_path(s->meta.owners_cgroup, s->owners_below, sizeof(s->owners_below)) < 0)
            snprintf(s->owners_below, sizeof(s->owners_below), "number %llu", (unsigned long long)s->meta.owners_cgroup);
        else if (!strcmp(s->owners_below, "/"))
            snprintf(s->owners_below, sizeof(s->owners_below), "/ of this cgroup namespace");
        note.kind = QPW_NOTE_OWNERS_BELOW;
        memcpy(note.detail, s->owners_below, sizeof(note.detail));
        r = qpw_snapshot_note(s, &note);
        if (r < 0)
            return r;
    }
    if (!s->owners_missing[0] && !s->executables_missing[0])
        return 0;
    note.kind = s->owners_missing[0] ? QPW_NOTE_NO_OWNERS : QPW_NOTE_NO_EXECUTABLES;
    memcpy(note.detail, s->owners_missing[0] ? s->owners_missing : s->executables_missing, sizeof(note.detail));
    return qpw_snapshot_note(s, &note);
}

static int read_around(const struct qpw_kernel *k, const struct qpw_netlink *links,
                       const struct qpw_collect_options *options, struct qpw_snapshot *s)
{
    int r = read_unwatched(links, s);

    if (r < 0)
        return r;
    r = read_inventory(links, s);
    if (r < 0)
        return r;
    r = note_interfaces(s);
    if (r < 0)
        return r;
    r = qpw_bypass_read(s, options->sysfs ? options->sysfs : "/sys", options->procfs ? options->procfs : "/proc");
    if (r < 0)
        return r;
    return note_owners(k, s);
}

int qpw_collect_host(const struct qpw_kernel *k, const struct qpw_collect_options *options, struct qpw_snapshot *s)
{
    const struct qpw_netlink *links = options->links;
    QPW_CLEANUP(qpw_netlink_closep) struct qpw_netlink *own = NULL;
    int r;

    if (!links && !s->replay && qpw_netlink_open(&own, NULL) == 0)
        links = own;
    r = read_ifaces(k, links, s);
    if (r < 0)
        return r;
    return links && !s->replay && !options->brief ? read_around(k, links, options, s) : 0;
}
