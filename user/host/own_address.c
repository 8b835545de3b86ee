/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/own_address.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANY_PORT 9 /* of no meaning: nothing is sent */

/* Look it up: a route to a further address of a network would name the first one as the source. */
static bool is_own4(int fd, const uint8_t addr[4])
{
    struct ifconf all = {0};
    bool own = false;

    if (ioctl(fd, SIOCGIFCONF, &all) < 0 || all.ifc_len <= 0)
        return false;
    all.ifc_buf = malloc((size_t)all.ifc_len);
    if (all.ifc_buf && ioctl(fd, SIOCGIFCONF, &all) == 0)
        for (size_t i = 0; i < (size_t)all.ifc_len / sizeof(*all.ifc_req); i++)
            own |= !memcmp(&((const struct sockaddr_in *)&all.ifc_req[i].ifr_addr)->sin_addr, addr, 4);
    free(all.ifc_buf);
    return own;
}

/* The kernel sends from an address of its own to that address itself. */
static bool is_own6(int fd, const uint8_t addr[16])
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(ANY_PORT)}, from = {0};
    socklen_t size = sizeof(from);

    memcpy(&to.sin6_addr, addr, sizeof(to.sin6_addr));
    return !IN6_IS_ADDR_UNSPECIFIED(&to.sin6_addr) && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
           getsockname(fd, (struct sockaddr *)&from, &size) == 0 && IN6_ARE_ADDR_EQUAL(&from.sin6_addr, &to.sin6_addr);
}

bool qpw_address_is_own(const uint8_t addr[16])
{
    bool four = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr), own;
    int fd = socket(four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    own = four ? is_own4(fd, addr + 12) : is_own6(fd, addr);
    close(fd);
    return own;
}
