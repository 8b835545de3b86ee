/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hooks_xdp.c - XDP through netlink itself, because libbpf's query dumps all links to find one: for a thousand
 * interfaces, a million messages.
 */
#include "instance/hooks_xdp.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/netlink_ask.h"
#include "instance/hooks_list.h"
#include "util/array.h"

#define DUMP_ATTEMPTS 16

static int read_xdp(const struct nlattr *attr, void *data)
{
    uint32_t *ids = data;
    int mode;

    switch (mnl_attr_get_type(attr)) {
    case IFLA_XDP_HW_PROG_ID: mode = 0; break;
    case IFLA_XDP_DRV_PROG_ID: mode = 1; break;
    case IFLA_XDP_SKB_PROG_ID: mode = 2; break;
    default: return MNL_CB_OK;
    }
    if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
        ids[mode] = mnl_attr_get_u32(attr);
    return MNL_CB_OK;
}

static void read_link(const struct nlmsghdr *message, struct qpw_hook_link *link)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    const struct nlattr *attr;

    *link = (struct qpw_hook_link){.ifindex = (unsigned)info->ifi_index};
    mnl_attr_for_each(attr, message, sizeof(*info)) {
        if (mnl_attr_get_type(attr) == IFLA_IFNAME)
            snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
        else if (mnl_attr_get_type(attr) == IFLA_XDP)
            mnl_attr_parse_nested(attr, read_xdp, link->xdp);
    }
}

struct links {
    struct qpw_hook_link *link;
    size_t n;
};

static int on_link(const struct nlmsghdr *message, void *data)
{
    struct links *links = data;
    struct qpw_hook_link *more;

    if (message->nlmsg_type != RTM_NEWLINK)
        return MNL_CB_OK;
    more = QPW_ADD(links->link, links->n);
    if (!more) {
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    links->n++;
    read_link(message, more);
    return MNL_CB_OK;
}

/* Mark the qdisc's link. Both dumps are sorted by ifindex, unless something changes between them. */
static int on_qdisc(const struct nlmsghdr *message, void *data)
{
    struct links *links = data;
    const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
    const struct nlattr *attr;
    const char *kind = "";

    if (message->nlmsg_type != RTM_NEWQDISC)
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(*tc))
        if (mnl_attr_get_type(attr) == TCA_KIND)
            kind = mnl_attr_get_str(attr);
    if (strcmp(kind, "clsact") && strcmp(kind, "ingress"))
        return MNL_CB_OK;
    for (size_t i = 0; i < links->n; i++)
        if (links->link[i].ifindex == (unsigned)tc->tcm_ifindex)
            links->link[i].has_qdisc = true;
    return MNL_CB_OK;
}

static struct nlmsghdr *link_request(char *buffer, uint16_t flags, unsigned ifindex)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    struct ifinfomsg *info;

    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_REQUEST | flags;
    info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
    info->ifi_index = (int)ifindex;
    mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return request;
}

static int dump(struct links *links, char *buffer)
{
    struct nlmsghdr *request;
    int r;

    links->n = 0;
    r = qpw_netlink_ask(link_request(buffer, NLM_F_DUMP, 0), buffer, on_link, links);
    if (r < 0)
        return r;
    request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETQDISC;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    mnl_nlmsg_put_extra_header(request, sizeof(struct tcmsg));
    return qpw_netlink_ask(request, buffer, on_qdisc, links);
}

int qpw_hook_links(struct qpw_hook_link **ret, size_t *ret_count, struct qpw_error *err)
{
    struct links links = {0};
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    int r = -EINTR;

    for (int i = 0; i < DUMP_ATTEMPTS && r == -EINTR; i++)
        r = dump(&links, buffer);
    if (r < 0) {
        free(links.link);
        return qpw_fail(err, r, "cannot list the interfaces: %s", strerror(-r));
    }
    *ret = links.link;
    *ret_count = links.n;
    return 0;
}

int qpw_xdp_append(const uint32_t ids[QPW_XDP_MODES], struct qpw_hook_list *list, struct qpw_error *err)
{
    struct qpw_hook_entry entry;
    int r = 0;

    for (int mode = 0; r == 0 && mode < QPW_XDP_MODES; mode++) {
        if (!ids[mode])
            continue;
        entry = (struct qpw_hook_entry){.kind = QPW_HOOK_XDP, .generic = mode == 2};
        r = qpw_hooks_name_program(ids[mode], &entry, err);
        qpw_hooks_append(list, &entry);
    }
    return r;
}

static int on_one(const struct nlmsghdr *message, void *data)
{
    read_link(message, data);
    return MNL_CB_STOP;
}

int qpw_xdp_query(unsigned ifindex, struct qpw_hook_list *list, struct qpw_error *err)
{
    struct qpw_hook_link link = {0};
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    int r = qpw_netlink_ask(link_request(buffer, 0, ifindex), buffer, on_one, &link);

    if (r < 0)
        return qpw_fail(err, r, "cannot ask interface %u for its XDP program: %s", ifindex, strerror(-r));
    return qpw_xdp_append(link.xdp, list, err);
}
