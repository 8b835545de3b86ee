/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* interfaces.c - each interface that was named, and those that were not. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/internal.h"
#include "host/automatic.h"
#include "host/tags.h"
#include "instance/hooks.h"
#include "words/words.h"

/* Largest MTU whose frame fits into a page with XDP's head and tail room (XDP_PACKET_HEADROOM, skb_shared_info). */
#define XDP_MTU 3498u

static const char *name_of(const struct qpw_link *link, const char *subject, char buf[64])
{
    snprintf(buf, 64, "%s: %s", link->name, subject);
    return buf;
}

/* Choose the interface, unless it is stacked on or below a chosen one. */
static void choose(struct qpw_check *c, const struct qpw_link *link)
{
    char what[64];

    for (size_t i = 0; i < c->n_chosen; i++) {
        if (c->chosen[i] == link)
            return;
        if (!qpw_netlink_stacked(c->links, c->chosen[i]->ifindex, link->ifindex))
            continue;
        qpw_remark(c, QPW_REMARK_REFUSAL, name_of(link, "stacked", what), "name only one of them, the one with the addresses",
                   "%s and %s: one lies above the other, so each packet would be counted twice", c->chosen[i]->name, link->name);
        return;
    }
    if (c->n_chosen < QPW_MAX_IFACES - 1)
        c->chosen[c->n_chosen++] = link;
}

static void choose_named(struct qpw_check *c)
{
    const struct qpw_link *link;
    char what[64];

    for (size_t i = 0; i < c->options->n_ifaces; i++) {
        link = qpw_netlink_by_name(c->links, c->options->ifaces[i]);
        snprintf(what, sizeof(what), "%.40s: interface", c->options->ifaces[i]);
        if (link)
            choose(c, link);
        else if (c->options->wait)
            qpw_remark(c, QPW_REMARK_WARNING, what, NULL, "it is not there; it would be awaited, and attached as soon as it is");
        else
            qpw_remark(c, QPW_REMARK_REFUSAL, what, "'ip -br link' lists the interfaces; or wait for it with --wait",
                       "there is no such interface in this network namespace");
    }
}

static void choose_automatic(struct qpw_check *c)
{
    unsigned found[QPW_MAX_IFACES];
    size_t n = qpw_automatic_find(c->links, &c->policy, found, QPW_MAX_IFACES - 1);
    char list[160] = "";

    for (size_t i = 0; i < n; i++) {
        const struct qpw_link *link = qpw_netlink_by_index(c->links, found[i]);
        size_t used = strlen(list);

        snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", link->name);
        choose(c, link);
    }
    if (n)
        qpw_remark(c, QPW_REMARK_OK, "auto", NULL, "stands for %s: the default route and the routes to the peers", list);
    else
        qpw_remark(c, c->options->wait ? QPW_REMARK_WARNING : QPW_REMARK_REFUSAL, "auto", "name the interface",
                   "there is no default route, and none to a peer%s", c->options->wait ? "; it would wait for one" : "");
}

/* Remark on programs already in the hooks, and their order relative to ours. */
static void check_hook(struct qpw_check *c, const struct qpw_link *link, enum qpw_point point, const struct qpw_hook_list *list)
{
    const char *words = point == QPW_POINT_RX ? "received" : "sent";
    char what[64];

    for (size_t i = 0; i < list->n; i++) {
        const struct qpw_hook_entry *e = &list->entry[i];

        if (e->program != QPW_PROG_COUNT)
            qpw_remark(c, QPW_REMARK_NOTE, name_of(link, "programs", what), NULL,
                       "qportwatch counts %s packets already (%s); attaching would resume it", words, qpw_hook_text(e->kind));
        else if (e->kind == QPW_HOOK_XDP)
            qpw_remark(c, QPW_REMARK_WARNING, name_of(link, "programs", what), "ask its owner what it drops or redirects",
                       "XDP program '%s' (id %u%s) sees %s packets first: what it drops or redirects is not seen", e->name,
                       e->prog_id, e->generic ? ", generic mode" : "", words);
        else
            qpw_remark(c, QPW_REMARK_NOTE, name_of(link, "programs", what), NULL,
                       "'%s' stands in the %s hook for %s packets; ours would go first, so what it drops is counted", e->name,
                       qpw_hook_text(e->kind), words);
    }
}

static void check_mode(struct qpw_check *c, const struct qpw_link *link, const struct qpw_mode_choice *choice)
{
    const char *driver = *link->driver ? link->driver : *link->kind ? link->kind : "unknown";
    char what[64], todo[64];

    if (!choice->xdp) {
        qpw_remark(c, QPW_REMARK_OK, name_of(link, "mode", what), NULL, "would be counted at TC (%s), driver %s: the link is not "
                   "touched", choice->why, driver);
        return;
    }
    if (!strcmp(driver, "veth") || !strcmp(driver, "tun"))
        qpw_remark(c, QPW_REMARK_NOTE, name_of(link, "mode", what), "--mode tc", "would be counted by XDP, which costs bulk TCP on "
                   "a %s about three quarters of its speed", driver);
    else
        qpw_remark(c, QPW_REMARK_WARNING, name_of(link, "mode", what), "--mode tc, or attach when an interruption does no harm",
                   "would be counted by XDP: driver %s may take the link down for a moment when it is attached and detached", driver);
    if (link->mtu > XDP_MTU && c->release < QPW_RELEASE(5, 18))
        qpw_remark(c, QPW_REMARK_REFUSAL, name_of(link, "MTU", what), "--mode tc", "an MTU of %u takes XDP programs for several buffers, "
                   "which Linux has from 5.18 on", link->mtu);
    else if (link->mtu > XDP_MTU)
        qpw_remark(c, QPW_REMARK_NOTE, name_of(link, "MTU", what), NULL, "at an MTU of %u its driver must take XDP programs for several "
                   "buffers; where it does not, it is counted at TC", link->mtu);
    if (qpw_strips_tags(link->name))
        qpw_remark(c, QPW_REMARK_WARNING, name_of(link, "VLAN tags", what), qpw_format(todo, sizeof(todo), "ethtool -K %s rxvlan off, or --mode tc", link->name),
                   "its card takes VLAN tags off before XDP sees the frame: rules with vlan= take received packets as untagged");
    if (qpw_merges_received(link->name))
        qpw_remark(c, QPW_REMARK_WARNING, name_of(link, "LRO", what), qpw_format(todo, sizeof(todo), "ethtool -K %s lro off, or --mode tc", link->name),
                   "large receive offload is on, with which many drivers refuse XDP; it would be counted at TC then");
}

/* Remark on interfaces above it whose packets also pass elsewhere. */
static void check_uppers(struct qpw_check *c, const struct qpw_link *link)
{
    const struct qpw_link *upper = link->upper ? qpw_netlink_by_index(c->links, link->upper) : NULL;
    char what[64], mode[64] = "", path[160];
    FILE *f;

    if (upper && strcmp(upper->kind, "vrf"))
        qpw_remark(c, QPW_REMARK_WARNING, name_of(link, "part of", what), "attach the device that carries the addresses",
                   "it is a part of %s %s: what passes its other ports is not seen here", *upper->kind ? upper->kind : "device",
                   upper->name);
    if (strcmp(link->kind, "bond"))
        return;
    snprintf(path, sizeof(path), "%s/class/net/%s/bonding/mode", c->options->sysfs ? c->options->sysfs : "/sys", link->name);
    f = fopen(path, "re");
    if (f && fscanf(f, "%63s", mode) != 1)
        *mode = '\0';
    if (f)
        fclose(f);
    qpw_remark(c, QPW_REMARK_OK, name_of(link, "bond", what), NULL, "a bond (%s): all its ports are counted as one at TC",
               *mode ? mode : "mode unknown");
}

static void check_one(struct qpw_check *c, const struct qpw_link *link)
{
    struct qpw_hook_list rx = {0}, tx = {0};
    struct qpw_mode_choice choice;
    struct qpw_error err;
    char what[64];
    int r = qpw_hooks_query(link->ifindex, QPW_POINT_RX, &rx, &err);

    if (r == 0)
        r = qpw_hooks_query(link->ifindex, QPW_POINT_TX, &tx, &err);
    if (r < 0)
        qpw_remark(c, QPW_REMARK_WARNING, name_of(link, "programs", what), NULL, "its hooks cannot be asked: %s", err.text);
    check_hook(c, link, QPW_POINT_RX, &rx);
    check_hook(c, link, QPW_POINT_TX, &tx);
    if (qpw_mode_choose(link, c->options->mode, &rx, &choice, &err) < 0) {
        qpw_remark(c, QPW_REMARK_REFUSAL, name_of(link, "mode", what), NULL, "%s", err.text);
        return;
    }
    check_mode(c, link, &choice);
    check_uppers(c, link);
    if (!link->up || !link->carrier)
        qpw_remark(c, QPW_REMARK_NOTE, name_of(link, "link", what), NULL, "%s: counting begins with its first packet",
                   link->up ? "it has no carrier" : "it is down");
}

/* Remark on interfaces that are up but neither chosen nor stacked on or below a chosen one. */
static void check_others(struct qpw_check *c)
{
    size_t n;
    const struct qpw_link *links = qpw_netlink_links(c->links, &n);
    char what[64], count[48];

    for (size_t i = 0; i < n; i++) {
        bool covered = !links[i].up || links[i].flags & IFF_LOOPBACK;

        for (size_t j = 0; j < c->n_chosen; j++)
            covered |= c->chosen[j] == &links[i] || qpw_netlink_stacked(c->links, c->chosen[j]->ifindex, links[i].ifindex);
        if (!covered)
            qpw_remark(c, QPW_REMARK_WARNING, name_of(&links[i], "not monitored", what), "name it, too, if clients or nodes use it",
                       "it is up, has carried %s, and would not be monitored",
                       qpw_words_many(links[i].rx_packets + links[i].tx_packets, "packet", count, sizeof(count)));
    }
}

void qpw_check_interfaces(struct qpw_check *c)
{
    choose_named(c);
    if (c->options->automatic)
        choose_automatic(c);
    for (size_t i = 0; i < c->n_chosen; i++)
        check_one(c, c->chosen[i]);
    check_others(c);
}
