/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* owner.h - who holds the node's end of an exchange: what the kernel noted of its socket, joined with the socket table. */
#ifndef QPW_HOST_OWNER_H
#define QPW_HOST_OWNER_H

#include "host/sockets.h"

/*
 * The owner of a finding's exchange. The process that holds the very socket now is the best answer; else the one that
 * the programs noted when the socket was made or connected, even if it has ended since; else the process that listens on
 * the port. One that listens there now but started after the exchange has had no part in it. Always fills *ret; 0, or a negative errno where the socket table cannot be asked and nothing was noted.
 */
int qpw_owner_find(struct qpw_sockets *s, const struct qpw_finding_key *key, const struct qpw_finding *value,
                   struct qpw_process *ret);

/*
 * The same of a connection; note: what the programs noted of its socket, NULL: nothing; *ret->why then says why where
 * nobody is known.
 */
int qpw_owner_of_connection(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                            const struct qpw_owner *note, struct qpw_process *ret);

/*
 * Whether a process that listens on the port now started after the last of an exchange (Unix nanoseconds, 0: it goes on),
 * which another, the noted one, served. note may be NULL.
 */
bool qpw_owner_came_later(const struct qpw_process *listener, const struct qpw_owner *note, uint64_t last_unix_ns);

/* Why no process is known of what such a socket has sent; NULL: one is, or nothing was noted. Static. */
const char *qpw_owner_kind_why(const struct qpw_owner *note);

/* The process of a note alone: described from /proc while it lives, else by what was noted. */
void qpw_owner_describe(const struct qpw_sockets *s, const struct qpw_owner *note, struct qpw_process *ret);

/*
 * The process of a note as it was then: ended, and its executable what it had been given to execve(2), or empty. It may
 * execute another since.
 */
void qpw_owner_made(const struct qpw_sockets *s, const struct qpw_owner *note, struct qpw_process *ret);

/* Whether it is root's rpc.nfsd, the one process that makes sockets and hands them to the kernel. */
bool qpw_owner_hands_over(const struct qpw_sockets *s, const struct qpw_owner *note);

/*
 * Notes a living process as the programs note one: pid, user, cgroup, name, at `when_ns` (CLOCK_MONOTONIC). Its
 * executable stays 0. False: it has ended.
 */
bool qpw_owner_note(int pid, uint64_t when_ns, struct qpw_owner *ret);

#endif
