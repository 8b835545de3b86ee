/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* node_listeners.h - the listening sockets of this network namespace compared with a policy, for several commands. */
#ifndef QPW_CMD_NODE_LISTENERS_H
#define QPW_CMD_NODE_LISTENERS_H

#include "facts/listening.h"
#include "policy/lang/load.h"
#include "report/listening.h"

struct qpw_kernel;
struct qpw_sockets;

/* All data that the list points into. Must not be moved. */
struct qpw_node_listeners {
    struct qpw_policy policy; /* empty if its text is unavailable */
    struct qpw_compiled compiled;
    struct qpw_registry names;
    struct qpw_listeners listeners;
    struct qpw_listening listening;
    struct qpw_listening_about about;
};

/*
 * Choose the policy: the one named by the options; otherwise the one in force, as the kernel has it (ret->about then
 * points into the snapshot); otherwise, with snapshot NULL (nothing attached), the options' default. options NULL: none
 * named, and there is a snapshot. Returns 0, or a negative errno with err filled: a policy or option is wrong, or the
 * kernel cannot be read. The caller clears *ret in either case, also after qpw_node_listeners_read().
 */
int qpw_node_listeners_load(struct qpw_node_listeners *ret, const struct qpw_policy_options *options,
                            const struct qpw_kernel *kernel, const struct qpw_snapshot *snapshot,
                            struct qpw_error *err);

/* Read the sockets; may be called repeatedly. snapshot as above. Returns 0, or a negative errno with err filled. */
int qpw_node_listeners_read(struct qpw_node_listeners *n, struct qpw_sockets *sockets,
                            const struct qpw_snapshot *snapshot, struct qpw_error *err);

void qpw_node_listeners_clear(struct qpw_node_listeners *n);

/*
 * Register the names in the policy in force: peers, sets, purposes (words/known.h). Re-reads it only if the policy has
 * changed.
 */
void qpw_node_names(const struct qpw_snapshot *s);

#endif
