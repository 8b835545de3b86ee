/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nodes.h - nodes of one cluster on a bridge, each with an auditor and a serve of the built program, and a host outside.
 *
 * Node i (from 0) is "node<i+1>": interface "e0", 10.88.0.<i+1>/24, MAC 02:00:00:00:00:<i+1>; on the bridge "port<i+1>".
 * The outside host is 10.88.0.99 ("port99"). Keys, policies and states are in the test's folder.
 */
#ifndef TESTS_LIB_NODES_H
#define TESTS_LIB_NODES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "netns.h"

#define NODES_MOST 6
#define NODES_PORT 9101

struct nodes {
    size_t n;
    struct netns bridge, outside, ns[NODES_MOST];
    pid_t auditor[NODES_MOST], serve[NODES_MOST]; /* 0: none */
    int skew_s[NODES_MOST]; /* of the wall clock of what is started from now on, with libfaketime */
    const char *devices[NODES_MOST]; /* one more device that node i monitors; NULL: none */
    pid_t talker[NODES_MOST];
    char folder[64];
};

/* Make bridge, nodes and keys; skip the test where that is not permitted. */
void nodes_open(struct nodes *c, size_t n);

/* Stop what runs and remove the folder; auditors and serves must end well. */
void nodes_close(struct nodes *c);

/* Start auditor or serve of node i and wait until it is attached, or listens. */
void nodes_attach(struct nodes *c, size_t i);
void nodes_serve(struct nodes *c, size_t i);
void nodes_start(struct nodes *c); /* all of both */

/* Return whether skew_s can be had. */
bool nodes_can_skew(void);

/* Let each node ping the next one until nodes_close(). */
void nodes_talk(struct nodes *c);

/* End a process of these at once and set it to 0. */
void nodes_kill(pid_t *pid);

/* Write the path of node i's file of that name, such as "eve.json" or "state/found.json". Returns ret. */
const char *nodes_path(const struct nodes *c, size_t i, const char *name, char ret[160]);

/* Wait until node i has good statements of exactly that many peers. */
void nodes_until_good(const struct nodes *c, size_t i, size_t good);

/* Return how many records of that signature are in node i's log; in all logs. */
size_t nodes_count(const struct nodes *c, size_t i, const char *signature);
size_t nodes_count_all(const struct nodes *c, const char *signature);

/* Wait until node i's log has so many records of that signature; patient: a peer counts as stale after two minutes. */
void nodes_until_count(const struct nodes *c, size_t i, const char *signature, size_t count);

/* Print all cluster-* records of all logs, node by node, and fail the test if there are any but those of the names given. */
void nodes_expect_only(const struct nodes *c, const char *const *names);

#endif
