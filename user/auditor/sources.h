/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sources.h - the descriptors that wake the auditor, and their meaning to the loop. */
#ifndef QPW_AUDITOR_SOURCES_H
#define QPW_AUDITOR_SOURCES_H

#include "auditor/internal.h"

enum qpw_source {
    QPW_SOURCE_SIGNAL,
    QPW_SOURCE_TICK,
    QPW_SOURCE_POLL,
    QPW_SOURCE_RING,
    QPW_SOURCE_NETLINK,
    QPW_SOURCE_CONTROL,
    QPW_SOURCE_CLIENT,
};

/* Let the descriptor wake the loop until it is closed. Return 0 or a negative errno. */
int qpw_sources_add(struct qpw_auditor *a, int fd, enum qpw_source source);

/* Return the source and the descriptor of an event from epoll_wait(). */
enum qpw_source qpw_sources_of(uint64_t data, int *ret_fd);

#endif
