/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* servers.h - real servers as shipped by their distribution, and their clients: tests/servers/start and ask. */
#ifndef TESTS_LIB_SERVERS_H
#define TESTS_LIB_SERVERS_H

#include <stddef.h>

#include "netns.h"

#define SERVERS_MAX 16
#define SERVERS_MAX_PORTS 4

/* A server that tests/servers/start knows by that name. */
struct servers_known {
    const char *name;
    const char *program; /* its executable */
    bool greets;         /* the server sends first */
    struct {
        const char *protocol;
        uint16_t port;
    } ports[SERVERS_MAX_PORTS]; /* the ports for which servers_start() waits */
};
extern const struct servers_known servers_known[];
extern const size_t servers_n_known;

struct servers {
    const struct netns *ns;
    const char *dir;     /* each server has a folder of its own in it */
    const char *address;
    const struct servers_known *running[SERVERS_MAX];
    pid_t pids[SERVERS_MAX];
    size_t n;
};

/* Start one by its name, and wait for its ports. Before the first call *s is zeroed except for ns, dir and address. */
void servers_start(struct servers *s, const char *name);

/* Start all known servers, each one after those that it needs. */
void servers_start_all(struct servers *s);

/*
 * Let the clients of each running server use it from `ns`, at that address, which may differ from the one it listens
 * on; environment: "TCP_ONLY=1 …" for ask, or "". Fails the test if a use does not end as it should.
 */
void servers_ask_all(struct servers *s, const struct netns *ns, const char *address, const char *environment);

/* Stop them all, the last one first. */
void servers_stop(struct servers *s);

#endif
