/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "talk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/clock.h"
#include "traffic.h"

#define BLOCK 65536
static char block[BLOCK];

static int bound(const struct place *p, const struct talk *t, int type)
{
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint(t->source, t->source_port, &end);
    int fd = place_socket(p, t->from, end.ss_family, type), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    cr_assert(bind(fd, (struct sockaddr *)&end, length) == 0, "bind %s port %u: %s", t->source, t->source_port,
              strerror(errno));
    return fd;
}

static bool wait_for(int fd, short events, int deadline_ms)
{
    struct pollfd f = {.fd = fd, .events = events};

    return poll(&f, 1, deadline_ms) > 0;
}

int talk_connect(const struct place *p, const struct talk *t, int deadline_ms)
{
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint(t->to, t->to_port, &end);
    int fd = bound(p, t, SOCK_STREAM), error = 0;
    socklen_t size = sizeof(error);

    if (connect(fd, (struct sockaddr *)&end, length) < 0)
        error = errno;
    if (error == EINPROGRESS && wait_for(fd, POLLOUT, deadline_ms))
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    else if (error == EINPROGRESS)
        error = ETIMEDOUT;
    if (!error)
        return fd;
    close(fd);
    return -error;
}

bool talk_echo(int fd, size_t bytes)
{
    uint64_t end = qpw_clock_monotonic_ns() + TALK_DEADLINE_MS * 1000000ull;
    size_t sent = 0, got = 0;

    while (got < bytes && qpw_clock_monotonic_ns() < end) {
        ssize_t n;

        if (!wait_for(fd, POLLIN | (sent < bytes ? POLLOUT : 0), 1000))
            continue;
        n = sent < bytes ? send(fd, block, bytes - sent < BLOCK ? bytes - sent : BLOCK, MSG_NOSIGNAL) : 0;
        if (n < 0 && errno != EAGAIN)
            return false;
        sent += n > 0 ? (size_t)n : 0;
        n = recv(fd, block, BLOCK, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        got += n > 0 ? (size_t)n : 0;
    }
    return got == bytes;
}

void talk_close(int fd, bool reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    else if (shutdown(fd, SHUT_WR) == 0)
        while (wait_for(fd, POLLIN, TALK_DEADLINE_MS) && recv(fd, block, BLOCK, 0) > 0)
            ;
    close(fd);
}

bool talk_ask(const struct place *p, const struct talk *t, size_t bytes, bool answered)
{
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint(t->to, t->to_port, &end);
    int fd = bound(p, t, SOCK_DGRAM);
    ssize_t n;

    n = sendto(fd, block, bytes, 0, (struct sockaddr *)&end, length);
    if (n == (ssize_t)bytes && answered)
        n = wait_for(fd, POLLIN, TALK_DEADLINE_MS) ? recv(fd, block, BLOCK, 0) : -1;
    else if (n == (ssize_t)bytes)
        wait_for(fd, POLLIN, 2); /* an unreachable message needs the socket; a later one is harmless */
    close(fd);
    return n == (ssize_t)bytes;
}
