/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* owner.h - the process behind the node's end of an exchange: what the programs noted, joined with the socket table. */
#ifndef QPW_HOST_OWNER_H
#define QPW_HOST_OWNER_H

#include "host/sockets.h"

/*
 * Find the owner of a finding's exchange. In order of preference: the process that holds this very socket now; the one
 * that the programs noted when the socket was created or connected, even if it has ended since; the process that
 * listens on the port, unless it started after the exchange. Always fills *ret. Returns 0, or a negative errno if the
 * socket table cannot be read and nothing was noted.
 */
int qpw_owner_find(struct qpw_sockets *s, const struct qpw_finding_key *key, const struct qpw_finding *value,
                   struct qpw_process *ret);

/*
 * The same for a connection. note: what the programs noted of its socket, or NULL. If no process is known, *ret->why
 * gives the reason.
 */
int qpw_owner_of_connection(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                            const struct qpw_owner *note, struct qpw_process *ret);

/*
 * Return whether the process that listens on the port now started after the exchange ended at last_unix_ns (Unix
 * nanoseconds; 0: still going on), which the noted process served. note may be NULL.
 */
bool qpw_owner_came_later(const struct qpw_process *listener, const struct qpw_owner *note, uint64_t last_unix_ns);

/*
 * Return why no process is known for such a socket's packets (static text); NULL: one is known, or nothing was noted.
 */
const char *qpw_owner_kind_why(const struct qpw_owner *note);

/* Describe a note's process: from /proc while it lives, otherwise from the note. */
void qpw_owner_describe(const struct qpw_sockets *s, const struct qpw_owner *note, struct qpw_process *ret);

/*
 * Describe a note's process as of the note: marked as ended, with the path that it gave to execve(2) as its executable
 * (or empty), because it may execute another one by now.
 */
void qpw_owner_made(const struct qpw_sockets *s, const struct qpw_owner *note, struct qpw_process *ret);

/* Return whether the note is of root's rpc.nfsd, the only process that creates sockets and hands them to the kernel. */
bool qpw_owner_hands_over(const struct qpw_sockets *s, const struct qpw_owner *note);

/*
 * Write a note of a living process as the programs would: pid, user, cgroup, name, at `when_ns` (CLOCK_MONOTONIC). Its
 * executable stays 0. False: the process has ended.
 */
bool qpw_owner_note(int pid, uint64_t when_ns, struct qpw_owner *ret);

#endif
