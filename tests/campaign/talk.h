/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* talk.h - real sockets of the hosts, non-blocking, each wait bounded. */
#ifndef TESTS_CAMPAIGN_TALK_H
#define TESTS_CAMPAIGN_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "place.h"

#define TALK_DEADLINE_MS 10000

struct talk {
    enum host_id from;
    const char *source;
    uint16_t source_port;
    const char *to;
    uint16_t to_port;
};

/* Connects. The descriptor, or a negative errno: -ECONNREFUSED, -ETIMEDOUT after so many ms. */
int talk_connect(const struct place *p, const struct talk *t, int deadline_ms);

/* Sends so many bytes and reads them back. false: not within the deadline. */
bool talk_echo(int fd, size_t bytes);

/* Ends it: both FINs seen, or a RST. */
void talk_close(int fd, bool reset);

/* One datagram; with `answered`, waits for as many bytes back. false: they did not come. */
bool talk_ask(const struct place *p, const struct talk *t, size_t bytes, bool answered);

#endif
