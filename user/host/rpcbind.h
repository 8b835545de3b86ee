/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rpcbind.h - the RPC programs registered with the node's rpcbind, and their ports (RFC 1833, RPCBPROC_DUMP). */
#ifndef QPW_HOST_RPCBIND_H
#define QPW_HOST_RPCBIND_H

#include <stddef.h>
#include <stdint.h>

#define QPW_RPC_NFS 100003u
#define QPW_RPC_MOUNT 100005u
#define QPW_RPC_QUOTA 100011u
#define QPW_RPC_NLM 100021u
#define QPW_RPC_STATUS 100024u
#define QPW_RPC_NFS_ACL 100227u

/* Any local user may register an unregistered port, so a registration shows where to look but proves nothing. */
struct qpw_rpc_registration {
    uint32_t program;
    uint16_t port;    /* host order */
    uint8_t protocol; /* TCP or UDP, of either address family */
};

struct qpw_rpcbind {
    struct qpw_rpc_registration *rows; /* several per program: versions, families */
    size_t n;
};

/*
 * Query port 111 of this network namespace's loopback, within `milliseconds` in all. The caller clears *ret. Returns 0,
 * or a negative errno: -ECONNREFUSED if nothing listens, -ETIMEDOUT, -EBADMSG.
 */
int qpw_rpcbind_read(unsigned milliseconds, struct qpw_rpcbind *ret);

/* Parse the bytes of an answer (RFC 5531) without record marks; as above. Pure. */
int qpw_rpcbind_parse(const uint8_t *answer, size_t length, struct qpw_rpcbind *ret);

void qpw_rpcbind_clear(struct qpw_rpcbind *r);

#endif
