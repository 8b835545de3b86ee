/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/sources.h"

#include <errno.h>
#include <sys/epoll.h>

int qpw_sources_add(struct qpw_auditor *a, int fd, enum qpw_source source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)fd << 32 | source};

    return epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

enum qpw_source qpw_sources_of(uint64_t data, int *ret_fd)
{
    *ret_fd = (int)(data >> 32);
    return (enum qpw_source)(uint32_t)data;
}
