/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets_diag.h - questions to inet_diag; internal to sockets*.c. */
#ifndef QPW_KERNEL_SOCKETS_DIAG_H
#define QPW_KERNEL_SOCKETS_DIAG_H

#include <libmnl/libmnl.h>

#include "host/sockets.h"

#define QPW_DIAG_BYTES 65536
#define QPW_DIAG_DEVICES 64

struct qpw_process_index; /* sockets_process.c */
struct qpw_diag_socket;

struct qpw_sockets {
    struct mnl_socket *socket;
    uint32_t sequence;
    unsigned devices[QPW_DIAG_DEVICES]; /* ifindexes a socket could be bound to, read again after a second */
    size_t n_devices;
    uint64_t devices_ns;
    struct qpw_process_index *index, *family; /* of all processes; of the last server that was looked into by itself */
    struct qpw_diag_socket *picture; /* one reading of all sockets, by key; NULL: each is asked for */
    size_t n_picture;
    qpw_executable_fn *executable; /* NULL: nobody can be asked */
    const void *executable_arg;
    _Alignas(8) char buffer[QPW_DIAG_BYTES];
};

/* States of the kernel's TCP sockets, which linux/tcp.h does not give to user space. */
enum qpw_tcp_state {
    QPW_TCP_ESTABLISHED = 1,
    QPW_TCP_SYN_RECV = 3,
    QPW_TCP_CLOSE = 7, /* also a UDP socket that is bound and not connected */
    QPW_TCP_CLOSE_WAIT = 8,
    QPW_TCP_LISTEN = 10,
};

/* One socket as inet_diag describes it. */
struct qpw_diag_socket {
    struct qpw_conn_key key; /* remote zero and remote_port 0: not connected */
    uint8_t state;           /* enum qpw_tcp_state, or another of the kernel's */
    uint32_t uid;
    uint64_t cookie;         /* the number that the kernel gave it, never given again */
    uint32_t inode;          /* 0: no file belongs to it */
    uint32_t ifindex;        /* bound to that device; 0: to none */
    bool v6;                 /* an IPv6 socket, */
    bool v6_only;            /* which takes no IPv4 */
    bool has_opener;         /* `opener` could be computed, and the two below are known */
    uint64_t sent, received; /* TCP: bytes of payload, each once */
    int64_t opener;          /* -1 this end connected, 0 it accepted, anything else tells nothing */
};

/*
 * The socket that a packet of this tuple would be given to (a connected one, else a listener or a
 * bound one; tried for each device it could be bound to). 0, -ENOENT, or another negative errno.
 */
int qpw_diag_find(struct qpw_sockets *s, const struct qpw_conn_key *key, struct qpw_diag_socket *ret);

/* Takes one socket of a dump; valid during the call. 0 to go on, or a negative errno that ends the dump. */
typedef int (*qpw_diag_fn)(void *arg, const struct qpw_diag_socket *socket);

/*
 * Calls back for all sockets of a protocol and family (AF_INET, AF_INET6: also IPv4 peers of dual-stack sockets) that
 * are in one of the states (1 << enum qpw_tcp_state). 0, -ENOENT where the kernel has no such family or protocol,
 * another negative errno, or fn's.
 */
int qpw_diag_dump(struct qpw_sockets *s, uint8_t protocol, uint8_t family, uint32_t states, qpw_diag_fn fn, void *arg);

/* True if the socket is connected to the tuple's remote end, not merely bound to its local one. */
bool qpw_diag_is_exact(const struct qpw_conn_key *key, const struct qpw_diag_socket *socket);

/* The order of the sockets in a reading, by key; for qsort(3). */
int qpw_diag_by_key(const void *a, const void *b);

/* The socket connected or bound exactly so in the reading of qpw_sockets_read(); NULL: none, or nothing was read. */
const struct qpw_diag_socket *qpw_diag_in_snapshot(const struct qpw_sockets *s, const struct qpw_conn_key *key);

/* Whether any socket of the reading on that local port is bound to a device. */
bool qpw_diag_in_snapshot_on_device(const struct qpw_sockets *s, const struct qpw_conn_key *key);

void qpw_process_index_free(struct qpw_process_index *index); /* NULL is fine */

/*
 * Find the process that holds a socket's inode. Returns its pid; 0: no process does, which an index read after
 * asked_ns (CLOCK_MONOTONIC) is sure of; -1: unknown (no new reading allowed yet, or one that does not see everything).
 * sparing: do not read /proc again while the last reading is young and readings take long.
 */
int qpw_process_holder(struct qpw_sockets *s, uint32_t inode, uint64_t asked_ns, bool sparing);

#endif
