/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collector.h - a syslog collector on a UNIX socket that can be made to hang. */
#ifndef TESTS_CAMPAIGN_COLLECTOR_H
#define TESTS_CAMPAIGN_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

struct collector {
    int fd;
    bool hangs;       /* reads nothing, so that its queue is soon full */
    uint64_t messages; /* since the auditor's start */
    uint64_t malformed;
};

void collector_open(struct collector *c, const char *path);
void collector_close(struct collector *c);

/* Read what has arrived, unless it hangs. */
void collector_drain(struct collector *c);

#endif
