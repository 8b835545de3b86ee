/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/tags.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Return whether the device has an ethtool feature of the legacy flag set. */
static bool has_flag(const char *ifname, unsigned flag)
{
    struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
    struct ifreq request = {.ifr_data = (char *)&flags};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool has;

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
    has = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0 && flags.data & flag;
    if (fd >= 0)
        close(fd);
    return has;
}

bool qpw_strips_tags(const char *ifname)
{
    return has_flag(ifname, ETH_FLAG_RXVLAN);
}

bool qpw_merges_received(const char *ifname)
{
    return has_flag(ifname, ETH_FLAG_LRO);
}
