/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/own_address.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANY_PORT 9 /* of no meaning: nothing is sent */

static bool is_own4(int fd, const uint8_t addr[4])
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ANY_PORT)}, from = {0};
    socklen_t size = sizeof(from);

    memcpy(&to.sin_addr, addr, sizeof(to.sin_addr));
    return to.sin_addr.s_addr != INADDR_ANY && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
           getsockname(fd, (struct sockaddr *)&from, &size) == 0 && from.sin_addr.s_addr == to.sin_addr.s_addr;
}

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
