/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sockets.h - what the kernel's socket table (inet_diag) says: who opened a TCP connection, and
 * which process is behind an exchange.
 *
 * Works on the network namespace in which qpw_sockets_open() was called. No descriptor of any
 * process is touched; /proc is only read.
 */
#ifndef QPW_KERNEL_SOCKETS_H
#define QPW_KERNEL_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/process.h"
#include "qportwatch.h"
#include "util/error.h"

struct qpw_sockets;

int qpw_sockets_open(struct qpw_sockets **ret, struct qpw_error *err);
void qpw_sockets_close(struct qpw_sockets *s); /* NULL is fine */

/*
 * Read all TCP and UDP sockets at once; what is asked from now on is answered from that reading as far as it goes, which
 * is cheaper for more than a few. Until it is read again, or forgotten. 0 or a negative errno with err filled.
 */
int qpw_sockets_read(struct qpw_sockets *s, struct qpw_error *err);
void qpw_sockets_forget(struct qpw_sockets *s);

/* ---- Who opened a TCP connection ---- */

typedef void (*qpw_socket_fn)(void *arg, const struct qpw_conn_key *key, enum qpw_direction direction);

/*
 * Calls back for every TCP socket in ESTABLISHED or CLOSE_WAIT whose opener is known, once each:
 * QPW_DIR_OUTBOUND where this end connected, QPW_DIR_INBOUND where it accepted. Sockets of
 * connections over loopback addresses are left out. Two readings have to agree, since a segment
 * may arrive in the middle of one; those that do not after a few are counted in *ret_unknown
 * (may be NULL) and left out. 0, or a negative errno with err filled.
 */
int qpw_sockets_dump_tcp(struct qpw_sockets *s, qpw_socket_fn fn, void *arg, size_t *ret_unknown,
                         struct qpw_error *err);

/*
 * The same for one tuple: QPW_DIR_INBOUND, QPW_DIR_OUTBOUND, or QPW_DIR_UNKNOWN where there is no
 * such socket, or its state tells nothing. Costs some 10 µs if found; if not, as much again for
 * each network device (a socket may be bound to one). Negative errno: the table cannot be asked.
 */
int qpw_sockets_direction(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction *ret);

/* ---- The process behind an exchange ---- */

/* Writes the path that the key of a note (qpw_owner.exe) stands for; false where it is not known. */
typedef bool qpw_executable_fn(const void *arg, uint64_t exe, char *buf, size_t size);

/* From now on executables of processes that have ended are asked for there. arg must live as long as *s. */
void qpw_sockets_executables(struct qpw_sockets *s, qpw_executable_fn *fn, const void *arg);

/* What was given so, or an empty text. */
void qpw_sockets_executable(const struct qpw_sockets *s, uint64_t exe, char *buf, size_t size);

/*
 * The process behind the exchange `key` of protocol TCP or UDP; direction as of the finding:
 * a listener is considered only where the node was asked (or it is not known). An index of
 * /proc/PID/fd is kept for up to a second and read again when a socket is not in it, except for no more
 * than a twentieth of the time; when that is used up, a listener already known stands for the
 * connections accepted from it. Always fills *ret; 0, or a negative errno where the socket table
 * cannot be asked.
 */
int qpw_sockets_process(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                        struct qpw_process *ret);

/* Who holds the node's end of an exchange of protocol TCP or UDP, all of them: one socket may be in many hands. */
#define QPW_SOCKET_HOLDERS 32u
struct qpw_socket_holders {
    int pid[QPW_SOCKET_HOLDERS]; /* systemd last */
    size_t n;
    bool all;      /* nobody else does: /proc was read wholly, and there was room */
    bool open;     /* the socket is there; with `all` and none of them it is the kernel's own, or in flight between two */
    bool exact;    /* it is that of the very exchange, not only one bound to its local port */
    bool listener; /* its socket has no file yet: these hold the one that listens */
};

/*
 * Fills *ret, within the bounds of qpw_sockets_process(); sparing: /proc is not read again while its last reading is young
 * and takes long. 0, or a negative errno: the table cannot be asked.
 */
int qpw_sockets_holders(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                        bool sparing, struct qpw_socket_holders *ret);

/* A socket that a process holds. */
struct qpw_held_socket {
    struct qpw_conn_key key; /* remote zero: not connected */
    uint64_t cookie;
    int pid;
    bool listens;            /* TCP */
    bool shared;             /* others listen on the same local end, some held by other processes */
};
typedef void qpw_held_fn(void *arg, const struct qpw_held_socket *socket);

/*
 * Calls back for every TCP and UDP socket that is held by a process which /proc shows, once each. 0 or a negative errno
 * with err filled.
 */
int qpw_sockets_held(struct qpw_sockets *s, qpw_held_fn *fn, void *arg, struct qpw_error *err);

/* Payload that a TCP socket has sent and received, each byte once. 0, or -ENOENT: there is no such socket (any more). */
int qpw_sockets_traffic(struct qpw_sockets *s, const struct qpw_conn_key *key, uint64_t *ret_sent,
                        uint64_t *ret_received);

/* The tuple of a finding from this node's end; the initiator's port is that of its first packet. */
void qpw_finding_tuple(const struct qpw_finding_key *key, const struct qpw_finding *value, struct qpw_conn_key *ret);

#endif
