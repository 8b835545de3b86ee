/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "echo.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK 65536
#define MAX_FDS 8192

enum use { UNUSED, LISTENER, STREAM, DATAGRAM, SINK };

/* Data that a connection could not send yet. */
struct channel {
    enum use use;
    char *held;
    size_t n_held;
    int ended; /* the other end has sent its FIN */
};

uint16_t echo_silent_port;
static struct channel channels[MAX_FDS];

static int listen_on(uint16_t port, int type)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, zero = 0, many = 4 << 20;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
    if (type == SOCK_DGRAM)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &many, sizeof(many));
    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || (type == SOCK_STREAM && listen(fd, 512) < 0))
        exit(3);
    return fd;
}

static void watch(int epoll, int fd, enum use use)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (fd >= MAX_FDS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        exit(4);
    channels[fd].use = use;
}

static void drop(int fd)
{
    free(channels[fd].held);
    channels[fd] = (struct channel){0};
    close(fd);
}

static void want(int epoll, int fd)
{
    struct channel *c = &channels[fd];
    struct epoll_event event = {.events = (c->n_held ? EPOLLOUT : 0) | (c->n_held || c->ended ? 0 : EPOLLIN),
                                .data.fd = fd};

    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

/* Send pending data. -1: the connection is over. */
static int flush_held(struct channel *c, int fd)
{
    ssize_t n = send(fd, c->held, c->n_held, MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    memmove(c->held, c->held + n, c->n_held - (size_t)n);
    c->n_held -= (size_t)n;
    return 0;
}

static void stream(int epoll, int fd)
{
    struct channel *c = &channels[fd];
    ssize_t n;

    if (!c->held)
        c->held = malloc(BLOCK);
    if (!c->held)
        exit(5);
    if (!c->n_held && !c->ended) {
        n = recv(fd, c->held, BLOCK, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            drop(fd);
            return;
        }
        c->ended = n == 0;
        c->n_held = (size_t)n;
    }
    if (c->n_held && flush_held(c, fd) < 0) {
        drop(fd);
        return;
    }
    if (c->ended && !c->n_held)
        drop(fd);
    else
        want(epoll, fd);
}

static void datagram(int fd)
{
    char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    static char data[BLOCK];
    struct sockaddr_in6 from;
    struct iovec iov = {data, sizeof(data)};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
                             .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(fd, &message, 0);

    if (n < 0 || channels[fd].use == SINK)
        return;
    /* The generator answers questions to groups itself, because it knows from which address. */
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    struct in6_pktinfo *info = c ? (struct in6_pktinfo *)CMSG_DATA(c) : NULL;

    if (!info || IN6_IS_ADDR_MULTICAST(&info->ipi6_addr))
        return;
    info->ipi6_ifindex = 0;
    iov.iov_len = (size_t)n;
    sendmsg(fd, &message, MSG_NOSIGNAL);
}

int echo_serve(void *argument)
{
    const struct echo_server *server = argument;
    int epoll = epoll_create1(EPOLL_CLOEXEC), fd;
    struct epoll_event events[64];

    prctl(PR_SET_NAME, server->name);
    for (unsigned i = 0; i < server->n_tcp; i++)
        watch(epoll, listen_on(server->tcp[i], SOCK_STREAM), LISTENER);
    for (unsigned i = 0; i < server->n_udp; i++)
        watch(epoll, listen_on(server->udp[i], SOCK_DGRAM), server->udp[i] == echo_silent_port ? SINK : DATAGRAM);
    for (;;) {
        int n = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            fd = events[i].data.fd;
            if (channels[fd].use == LISTENER) {
                int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (client >= 0)
                    watch(epoll, client, STREAM);
            } else if (channels[fd].use == STREAM) {
                stream(epoll, fd);
            } else {
                datagram(fd);
            }
        }
    }
}
