/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/altname.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "host/netlink_ask.h"

#define ALTNAME_BYTES 128u /* ALTIFNAMSIZ, include/uapi/linux/if.h */

static int on_link(const struct nlmsghdr *message, void *data)
{
    const struct nlattr *attr;
    char *ret = data;

    mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg))
        if (mnl_attr_get_type(attr) == IFLA_IFNAME)
            snprintf(ret, 16, "%s", mnl_attr_get_str(attr));
    return MNL_CB_STOP;
}

const char *qpw_altname_main(const char *name, char buf[16])
{
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

    *buf = '\0';
    if (!*name || strlen(name) >= ALTNAME_BYTES)
        return name;
    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_REQUEST;
    mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(request, IFLA_ALT_IFNAME, name);
    return qpw_netlink_ask(request, buffer, on_link, buf) == 0 && *buf ? buf : name;
}
