/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream.h - an endless stream of datagrams, each of which must be counted once whatever happens meanwhile. */
#ifndef TESTS_LIB_STREAM_H
#define TESTS_LIB_STREAM_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "netns.h"

struct stream {
    const char *to;
    uint16_t port;
    volatile uint32_t *shared; /* [0] end, [1] sent; shared by both processes */
    pid_t pid;
};

/* Start sending to a port where nobody listens. `to` must stay valid. */
void stream_start(struct stream *s, const struct netns *from, const char *to, uint16_t port);

/* End it. Returns how many were sent. */
int64_t stream_end(struct stream *s);

/* Return how many a report counts. */
int64_t stream_counted(json_t *report, uint16_t port);

#endif
