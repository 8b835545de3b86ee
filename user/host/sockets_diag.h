/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets_diag.h - inet_diag queries; internal to sockets*.c. */
#ifndef QPW_KERNEL_SOCKETS_DIAG_H
#define QPW_KERNEL_SOCKETS_DIAG_H

#include <libmnl/libmnl.h>

#include "host/sockets.h"

#define QPW_DIAG_BYTES 65536
#define QPW_DIAG_DEVICES 64

struct qpw_process_index; /* sockets_index.h */
struct qpw_diag_socket;

struct qpw_sockets {
    struct mnl_socket *socket;
    uint32_t sequence;
    unsigned devices[QPW_DIAG_DEVICES]; /* ifindexes that a socket could be bound to; refreshed after a second */
    size_t n_devices;
    uint64_t devices_ns;
    struct qpw_process_index *index, *family; /* of all processes; of the server that was last searched by itself */
    struct qpw_diag_socket *snapshot; /* a reading of all sockets, sorted by key; NULL: query each one */
    size_t n_snapshot;
    qpw_executable_fn *executable; /* NULL: none set */
    const void *executable_arg;
    _Alignas(8) char buffer[QPW_DIAG_BYTES];
};

/* TCP socket states of the kernel; user space's linux/tcp.h lacks them. */
enum qpw_tcp_state {
    QPW_TCP_ESTABLISHED = 1,
    QPW_TCP_SYN_RECV = 3,
    QPW_TCP_CLOSE = 7, /* also a bound, unconnected UDP socket */
    QPW_TCP_CLOSE_WAIT = 8,
    QPW_TCP_LISTEN = 10,
};

/* A socket as inet_diag describes it. */
struct qpw_diag_socket {
    struct qpw_conn_key key; /* remote zero and remote_port 0: not connected */
    uint8_t state;           /* enum qpw_tcp_state, or another kernel state */
    uint32_t uid;
    uint64_t cookie;         /* the kernel's id of the socket, never reused */
    uint32_t inode;          /* 0: no file refers to it */
    uint32_t ifindex;        /* device that it is bound to; 0: none */
    bool v6;                 /* an IPv6 socket */
    bool v6_only;            /* IPV6_V6ONLY: does not accept IPv4 */
    bool has_opener;         /* `opener`, `sent` and `received` are known */
    uint64_t sent, received; /* TCP payload bytes, retransmissions not counted */
    int64_t opener;          /* -1: this end connected; 0: it accepted; otherwise inconclusive */
};

/*
 * Find the socket that would receive a packet of this tuple: a connected one, otherwise a listening or bound one; tried
 * for each device that it could be bound to. Returns 0, -ENOENT, or another negative errno.
 */
int qpw_diag_find(struct qpw_sockets *s, const struct qpw_conn_key *key, struct qpw_diag_socket *ret);

/* Handle one socket of a dump, valid during the call. Return 0 to continue, or a negative errno to end the dump. */
typedef int (*qpw_diag_fn)(void *arg, const struct qpw_diag_socket *socket);

/*
 * Call fn for all sockets of a protocol and family (AF_INET; AF_INET6 includes IPv4 peers of dual-stack sockets) in one
 * of the states (1 << enum qpw_tcp_state). Returns 0, -ENOENT if the kernel lacks the family or protocol, another
 * negative errno, or fn's error.
 */
int qpw_diag_dump(struct qpw_sockets *s, uint8_t protocol, uint8_t family, uint32_t states, qpw_diag_fn fn, void *arg);

/* Return whether the socket is connected to the tuple's remote end, not merely bound to its local one. */
bool qpw_diag_is_exact(const struct qpw_conn_key *key, const struct qpw_diag_socket *socket);

/* Compare two sockets by key, the order of a reading; for qsort(3). */
int qpw_diag_by_key(const void *a, const void *b);

/* Find the socket with exactly this key in the reading of qpw_sockets_read(). NULL: none, or nothing was read. */
const struct qpw_diag_socket *qpw_diag_in_snapshot(const struct qpw_sockets *s, const struct qpw_conn_key *key);

/* Return whether the reading has a socket on that local port which is bound to a device. */
bool qpw_diag_in_snapshot_on_device(const struct qpw_sockets *s, const struct qpw_conn_key *key);

void qpw_process_index_free(struct qpw_process_index *index); /* index may be NULL */

/*
 * Find the process that holds a socket's inode. Returns its pid; 0 if an index read after asked_ns (CLOCK_MONOTONIC)
 * shows no holder; -1 if unknown (the budget allows no new reading, or the reading was incomplete). sparing: do not
 * re-read /proc while the last reading is recent and readings are slow.
 */
int qpw_process_holder(struct qpw_sockets *s, uint32_t inode, uint64_t asked_ns, bool sparing);

#endif
