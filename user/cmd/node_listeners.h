/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* node_listeners.h - what the sockets of this network namespace wait for, held against a policy, for several commands. */
#ifndef QPW_CMD_NODE_LISTENERS_H
#define QPW_CMD_NODE_LISTENERS_H

#include "facts/listening.h"
#include "policy/lang/load.h"
#include "report/listening.h"

struct qpw_kernel;
struct qpw_sockets;

/* Everything that the list points into. Must not be moved. */
struct qpw_node_listeners {
    struct qpw_policy policy; /* empty where its text is not to be had */
    struct qpw_compiled compiled;
    struct qpw_registry names;
    struct qpw_listeners listeners;
    struct qpw_listening listening;
    struct qpw_listening_about about;
};

/*
 * The policy: that of the options where they name one, else the one in force, as the kernel has it (ret->about then
 * points into the snapshot), else (snapshot NULL: nothing is attached) the default of the options. options NULL: they
 * name none, and there is a snapshot. 0, or a negative errno with err: a policy or an option is wrong, or the kernel
 * cannot be read. The caller clears *ret, then and after the next.
 */
int qpw_node_listeners_load(struct qpw_node_listeners *ret, const struct qpw_policy_options *options,
                            const struct qpw_kernel *kernel, const struct qpw_snapshot *snapshot,
                            struct qpw_error *err);

/* Reads the sockets, again each time it is called; snapshot as above. 0 or a negative errno with err. */
int qpw_node_listeners_read(struct qpw_node_listeners *n, struct qpw_sockets *sockets,
                            const struct qpw_snapshot *snapshot, struct qpw_error *err);

void qpw_node_listeners_clear(struct qpw_node_listeners *n);

/* Makes known what the policy in force names: peers, sets, purposes (words/known.h). Reads it only when it is another. */
void qpw_node_names(const struct qpw_snapshot *s);

#endif
