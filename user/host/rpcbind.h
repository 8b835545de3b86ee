/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rpcbind.h - which RPC programs the node's rpcbind knows, and at which ports (RFC 1833, RPCBPROC_DUMP). */
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

/* Any local user may register a port that nobody has registered yet: this says where to look, not whom to believe. */
struct qpw_rpc_registration {
    uint32_t program;
    uint16_t port;    /* host order */
    uint8_t protocol; /* TCP or UDP, over either family */
};

struct qpw_rpcbind {
    struct qpw_rpc_registration *rows; /* more than one where a program has versions, families */
    size_t n;
};

/*
 * Asks who answers on port 111 of this network namespace's loopback, for no longer than `milliseconds` in all. The caller
 * clears *ret. 0, or a negative errno: -ECONNREFUSED where nobody does, -ETIMEDOUT, -EBADMSG.
 */
int qpw_rpcbind_read(unsigned milliseconds, struct qpw_rpcbind *ret);

/* The same of an answer's bytes (RFC 5531), without record marks. Pure. */
int qpw_rpcbind_parse(const uint8_t *answer, size_t length, struct qpw_rpcbind *ret);

void qpw_rpcbind_clear(struct qpw_rpcbind *r);

#endif
