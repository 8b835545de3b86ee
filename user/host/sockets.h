/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sockets.h - the kernel's socket table (inet_diag): who opened a TCP connection, and which process is behind an
 * exchange.
 *
 * Works on the network namespace in which qpw_sockets_open() was called. No process's descriptors are touched; /proc is
 * only read.
 */
#ifndef QPW_KERNEL_SOCKETS_H
#define QPW_KERNEL_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/process.h"
#include "qportwatch.h"
#include "util/cleanup.h"
#include "util/error.h"

struct qpw_sockets;

int qpw_sockets_open(struct qpw_sockets **ret, struct qpw_error *err);
void qpw_sockets_close(struct qpw_sockets *s); /* s may be NULL */
QPW_CLEANUP_POINTER(struct qpw_sockets, qpw_sockets_close)

/*
 * Read all TCP and UDP sockets at once. Until the next reading, or until it is forgotten, queries are answered from it
 * where possible, which is cheaper for more than a few. Returns 0, or a negative errno with err filled.
 */
int qpw_sockets_read(struct qpw_sockets *s, struct qpw_error *err);
void qpw_sockets_forget(struct qpw_sockets *s);

/* ---- Who opened a TCP connection ---- */

typedef void (*qpw_socket_fn)(void *arg, const struct qpw_conn_key *key, enum qpw_direction direction);

/*
 * Call fn once for every TCP socket in ESTABLISHED or CLOSE_WAIT whose opener is known: QPW_DIR_OUTBOUND if this end
 * connected, QPW_DIR_INBOUND if it accepted. Connections over loopback are omitted. Two readings must agree, because a
 * segment may arrive during one; sockets that still disagree after a few are omitted and counted in *ret_unknown (may
 * be NULL). Returns 0, or a negative errno with err filled.
 */
int qpw_sockets_dump_tcp(struct qpw_sockets *s, qpw_socket_fn fn, void *arg, size_t *ret_unknown,
                         struct qpw_error *err);

/*
 * The same for one tuple: QPW_DIR_INBOUND, QPW_DIR_OUTBOUND, or QPW_DIR_UNKNOWN if there is no such socket or its state
 * does not show the opener. Takes about 10 µs if found, otherwise as much again per network device, because a socket
 * may be bound to one. Returns 0, or a negative errno if the table cannot be read.
 */
int qpw_sockets_direction(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction *ret);

/* ---- The process behind an exchange ---- */

/* Write the executable's path for the key of a note (qpw_owner.exe). False: unknown. */
typedef bool qpw_executable_fn(const void *arg, uint64_t exe, char *buf, size_t size);

/* Set the function that looks up executables of ended processes. arg must live as long as *s. */
void qpw_sockets_executables(struct qpw_sockets *s, qpw_executable_fn *fn, const void *arg);

/* Look up a path with that function; empty if there is none or it is unknown. */
void qpw_sockets_executable(const struct qpw_sockets *s, uint64_t exe, char *buf, size_t size);

/*
 * Find the process behind the TCP or UDP exchange `key`. direction as in the finding: a listener is considered only if
 * the node was asked, or if that is unknown.
 * An index of /proc/PID/fd is kept for up to a second and rebuilt when it lacks a socket, within a budget of a
 * twentieth of the time; once that is spent, a listener already known stands for the connections accepted from it.
 * Always fills *ret. Returns 0, or a negative errno if the socket table cannot be read.
 */
int qpw_sockets_process(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                        struct qpw_process *ret);

/* All processes that hold the node's end of a TCP or UDP exchange; they may share one socket. */
#define QPW_SOCKET_HOLDERS 32u
struct qpw_socket_holders {
    int pid[QPW_SOCKET_HOLDERS]; /* systemd last */
    size_t n;
    bool all;      /* the list is complete: /proc was fully readable, and there was room */
    /* The socket exists; with `all` and n 0 it belongs to the kernel or is being passed between processes. */
    bool open;
    bool exact;    /* it is connected to this very peer, not merely bound to the local port */
    bool listener; /* the connection has no file yet; these hold its listener */
};

/*
 * Fill *ret, within the budget of qpw_sockets_process(). sparing: do not re-read /proc while the last reading is recent
 * and readings are slow. Returns 0, or a negative errno if the table cannot be read.
 */
int qpw_sockets_holders(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                        bool sparing, struct qpw_socket_holders *ret);

/* A socket held by a process. */
struct qpw_held_socket {
    struct qpw_conn_key key; /* remote all zero: not connected */
    uint64_t cookie;
    int pid;
    bool listens;            /* TCP */
    bool shared;             /* other sockets listen on the same local end, some held by other processes */
};
typedef void qpw_held_fn(void *arg, const struct qpw_held_socket *socket);

/*
 * Call fn once for every TCP and UDP socket that is held by a process visible in /proc. Returns 0, or a negative errno
 * with err filled.
 */
int qpw_sockets_held(struct qpw_sockets *s, qpw_held_fn *fn, void *arg, struct qpw_error *err);

/*
 * Read the payload bytes that a TCP socket has sent and received, retransmissions not counted. Returns 0, -ENOENT if
 * the socket does not exist (any more), or another negative errno.
 */
int qpw_sockets_traffic(struct qpw_sockets *s, const struct qpw_conn_key *key, uint64_t *ret_sent,
                        uint64_t *ret_received);

/* Build a finding's tuple from the node's end; the initiator's port is that of its first packet. */
void qpw_finding_tuple(const struct qpw_finding_key *key, const struct qpw_finding *value, struct qpw_conn_key *ret);

#endif
