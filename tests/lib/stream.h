/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream.h - datagrams that never stop, each of which is to be counted once whatever happens meanwhile. */
#ifndef TESTS_LIB_STREAM_H
#define TESTS_LIB_STREAM_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "netns.h"

struct stream {
    const char *to;
    uint16_t port;
    volatile uint32_t *shared; /* [0] end, [1] sent; of both processes */
    pid_t pid;
};

/* Starts sending to a port where nobody listens. `to` is the caller's to keep. */
void stream_start(struct stream *s, const struct netns *from, const char *to, uint16_t port);

/* Ends it. How many were sent. */
int64_t stream_end(struct stream *s);

/* How many a report counts. */
int64_t stream_counted(json_t *report, uint16_t port);

#endif
