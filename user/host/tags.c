/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/tags.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool qpw_strips_tags(const char *ifname)
{
    struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
    struct ifreq request = {.ifr_data = (char *)&flags};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool strips;

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
    strips = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0 && flags.data & ETH_FLAG_RXVLAN;
    if (fd >= 0)
        close(fd);
    return strips;
}
