/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "traffic.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 65536

struct demand {
    uint64_t up, down;
};

socklen_t traffic_endpoint(const char *address, uint16_t port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof(*v4);
    }
    cr_assert_eq(inet_pton(AF_INET6, address, &v6->sin6_addr), 1, "'%s' is no address", address);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof(*v6);
}

int traffic_bound(const struct netns *ns, int type, const char *address, uint16_t port)
{
    struct netns before = netns_here();
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint(address, port, &end);
    int fd, one = 1;

    netns_enter(ns);
    fd = socket(end.ss_family, type | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    cr_assert_eq(bind(fd, (struct sockaddr *)&end, length), 0, "bind %s %u: %s", address, port, strerror(errno));
    netns_enter(&before);
    netns_close(&before);
    return fd;
}

/* Move exactly n bytes. 0, or -1 if the other end closed. */
static int move(int fd, uint64_t n, int out)
{
    static char block[BLOCK];

    while (n) {
        size_t part = n < BLOCK ? n : BLOCK;
        ssize_t done = out ? send(fd, block, part, MSG_NOSIGNAL) : recv(fd, block, part, 0);

        if (done <= 0)
            return -1;
        n -= (uint64_t)done;
    }
    return 0;
}

static void serve_connection(int fd)
{
    struct demand d;

    while (recv(fd, &d, sizeof(d), MSG_WAITALL) == sizeof(d))
        if (move(fd, d.up, 0) || move(fd, d.down, 1))
            break;
    close(fd);
}

static int serve_tcp(void *argument)
{
    int listener = *(int *)argument, fd;

    signal(SIGCHLD, SIG_IGN);
    while ((fd = accept(listener, NULL, NULL)) >= 0 || errno == EINTR) {
        if (fd < 0)
            continue;
        if (fork() == 0) {
            close(listener);
            serve_connection(fd);
            _exit(0);
        }
        close(fd);
    }
    return 1;
}

pid_t traffic_serve_tcp(const struct netns *ns, const char *address, uint16_t port)
{
    int fd = traffic_bound(ns, SOCK_STREAM, address, port);
    pid_t pid;

    cr_assert_eq(listen(fd, 1024), 0);
    pid = netns_fork(ns, serve_tcp, &fd);
    close(fd);
    return pid;
}

static int serve_udp(void *argument)
{
    static char block[BLOCK];
    struct sockaddr_storage from;
    socklen_t length = sizeof(from);
    ssize_t n;

    while ((n = recvfrom(*(int *)argument, block, sizeof(block), 0, (struct sockaddr *)&from, &length)) >= 0) {
        sendto(*(int *)argument, block, (size_t)n, 0, (struct sockaddr *)&from, length);
        length = sizeof(from);
    }
    return 1;
}

pid_t traffic_serve_udp(const struct netns *ns, const char *address, uint16_t port)
{
    int fd = traffic_bound(ns, SOCK_DGRAM, address, port);
    pid_t pid = netns_fork(ns, serve_udp, &fd);

    close(fd);
    return pid;
}

int traffic_tcp_open(const struct netns *ns, const struct traffic_tcp *o)
{
    const char *any = strchr(o->address, ':') ? "::" : "0.0.0.0";
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint(o->address, o->port, &end);
    struct timeval patience = {.tv_sec = 60};
    int fd = traffic_bound(ns, SOCK_STREAM, o->local_address ? o->local_address : any, o->local_port);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    cr_assert_eq(connect(fd, (struct sockaddr *)&end, length), 0, "connect %s %u: %s", o->address, o->port,
                 strerror(errno));
    return fd;
}

void traffic_tcp_more(int fd, uint64_t up, uint64_t down)
{
    struct demand d = {up, down};

    cr_assert_eq(send(fd, &d, sizeof(d), MSG_NOSIGNAL), (ssize_t)sizeof(d));
    cr_assert_eq(move(fd, up, 1), 0, "sending: %s", strerror(errno));
    cr_assert_eq(move(fd, down, 0), 0, "receiving: %s", strerror(errno));
}

void traffic_tcp(const struct netns *ns, const struct traffic_tcp *o)
{
    char end;
    int fd = traffic_tcp_open(ns, o);

    traffic_tcp_more(fd, o->up, o->down);
    shutdown(fd, SHUT_WR);
    cr_assert_eq(recv(fd, &end, 1, 0), 0); /* the server's FIN: the connection is over on both ends */
    close(fd);
}

struct start {
    const struct netns *ns;
    const struct traffic_tcp *o;
};

static int start_tcp(void *argument)
{
    struct start *s = argument;

    traffic_tcp(s->ns, s->o);
    return 0;
}

pid_t traffic_tcp_start(const struct netns *ns, const struct traffic_tcp *o)
{
    struct start s = {ns, o};

    return netns_fork(ns, start_tcp, &s);
}

void traffic_udp(const struct netns *ns, const char *address, uint16_t port, uint16_t local_port, unsigned n,
                 unsigned size)
{
    static char block[BLOCK];
    const char *any = strchr(address, ':') ? "::" : "0.0.0.0";
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint(address, port, &end);
    int fd = traffic_bound(ns, SOCK_DGRAM, any, local_port);
    struct pollfd wait = {fd, POLLIN, 0};

    cr_assert_eq(connect(fd, (struct sockaddr *)&end, length), 0);
    for (unsigned i = 0; i < n; i++) {
        cr_assert_eq(send(fd, block, size, 0), (ssize_t)size, "%s", strerror(errno));
        cr_assert_eq(poll(&wait, 1, NETNS_DEADLINE_MS), 1, "no answer to datagram %u", i);
        cr_assert_eq(recv(fd, block, sizeof(block), 0), (ssize_t)size);
    }
    close(fd);
}
