/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* talk.h - real sockets of the hosts, non-blocking, with every wait limited. */
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

/* Connect. Returns the descriptor, or a negative errno: -ECONNREFUSED, -ETIMEDOUT after that many ms. */
int talk_connect(const struct place *p, const struct talk *t, int deadline_ms);

/* Send that many bytes and read them back. False: not within the deadline. */
bool talk_echo(int fd, size_t bytes);

/* End it: with both FINs, or a RST. */
void talk_close(int fd, bool reset);

/* Send one datagram; with `answered`, wait for as many bytes back. False: they did not arrive. */
bool talk_ask(const struct place *p, const struct talk *t, size_t bytes, bool answered);

#endif
