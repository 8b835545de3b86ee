/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* servers.h - real servers as their distribution ships them, and their users' clients: tests/servers/start and ask. */
#ifndef TESTS_LIB_SERVERS_H
#define TESTS_LIB_SERVERS_H

#include <stddef.h>

#include "netns.h"

#define SERVERS_MAX 16
#define SERVERS_MAX_PORTS 4

/* What `start` knows by that name. */
struct servers_known {
    const char *name;
    const char *program; /* its executable */
    bool greets;         /* it speaks first */
    struct {
        const char *protocol;
        uint16_t port;
    } ports[SERVERS_MAX_PORTS]; /* those that it is waited for on */
};
extern const struct servers_known servers_known[];
extern const size_t servers_n_known;

struct servers {
    const struct netns *ns;
    const char *dir;     /* each has a folder of its own in it */
    const char *address;
    const struct servers_known *running[SERVERS_MAX];
    pid_t pids[SERVERS_MAX];
    size_t n;
};

/* Starts one, by its name, and waits for its ports. Zeroed but for ns, dir and address before the first. */
void servers_start(struct servers *s, const char *name);

/* Starts all that are known, those that need another behind it. */
void servers_start_all(struct servers *s);

/*
 * Lets the clients of each that runs use it from `ns`, at that address, at which it may be reached another way than it
 * listens; environment: "TCP_ONLY=1 …" for ask, or "". Fails the test where a use does not end as it should.
 */
void servers_ask_all(struct servers *s, const struct netns *ns, const char *address, const char *environment);

/* Ends them all, the last one first. */
void servers_stop(struct servers *s);

#endif
