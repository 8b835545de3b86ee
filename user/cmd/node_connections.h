/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* node_connections.h - the live connections of the attached instance and their owners, for several commands. */
#ifndef QPW_CMD_NODE_CONNECTIONS_H
#define QPW_CMD_NODE_CONNECTIONS_H

#include "instance/object.h"
#include "view/more.h"

struct qpw_sockets;

/*
 * Read the connections. now_ns: the instance's clock, by which they expire. Returns 0, or a negative errno with err
 * filled.
 */
int qpw_node_connections_read(const struct qpw_kernel *kernel, uint64_t now_ns,
                              const struct qpw_connections_wanted *wanted, struct qpw_connections *ret,
                              struct qpw_error *err);

/*
 * Find the owner of the node's end; if unknown, ret->match is NONE and ret->why gives the reason. owners_noted: whether
 * the programs at the root cgroup note owners at all.
 */
void qpw_node_connection_owner(const struct qpw_kernel *kernel, struct qpw_sockets *sockets, bool owners_noted,
                               const struct qpw_connection *connection, struct qpw_process *ret);

#endif
