/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * traffic.h - real sockets that move an exact number of bytes, in namespaces of the test's own.
 *
 * A server is a child process, listening when the call returns. A client runs in the caller's process and returns when
 * the exchange is complete. The address's form selects IPv4 or IPv6. Failures end the test.
 */
#ifndef TESTS_LIB_TRAFFIC_H
#define TESTS_LIB_TRAFFIC_H

#include <stdint.h>
#include <sys/socket.h>

#include "netns.h"

/* Convert the address and port (host order) to a socket address. Returns its length. */
socklen_t traffic_endpoint(const char *address, uint16_t port, struct sockaddr_storage *ret);

/* Return a socket of that type in the namespace, bound; port 0: the kernel's choice. */
int traffic_bound(const struct netns *ns, int type, const char *address, uint16_t port);

/* Serve TCP: each client announces how much it sends and how much it wants. Returns the pid. */
pid_t traffic_serve_tcp(const struct netns *ns, const char *address, uint16_t port);

/* Serve UDP: each datagram is sent back. Returns the pid. */
pid_t traffic_serve_udp(const struct netns *ns, const char *address, uint16_t port);

struct traffic_tcp {
    const char *address; /* of the server */
    uint16_t port;
    const char *local_address; /* NULL: the kernel's choice */
    uint16_t local_port;       /* 0: the kernel's choice */
    uint64_t up;   /* bytes to the server */
    uint64_t down; /* bytes back */
};

/* Open, use and close one connection. */
void traffic_tcp(const struct netns *ns, const struct traffic_tcp *o);

/* Do the same in a child process; end it with netns_wait(). */
pid_t traffic_tcp_start(const struct netns *ns, const struct traffic_tcp *o);

/*
 * Open a connection and return its descriptor. Bytes are moved with traffic_tcp_more(), only one exchange at a time per
 * connection.
 */
int traffic_tcp_open(const struct netns *ns, const struct traffic_tcp *o);
void traffic_tcp_more(int fd, uint64_t up, uint64_t down);

/* Send n datagrams of `size` bytes, awaiting each one's echo before the next. local_port 0: the kernel's choice. */
void traffic_udp(const struct netns *ns, const char *address, uint16_t port, uint16_t local_port, unsigned n,
                 unsigned size);

#endif
