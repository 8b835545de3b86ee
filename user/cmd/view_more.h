/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* view_more.h - what the live view shows besides snapshots, from the maps and sockets that a command has open. */
#ifndef QPW_CMD_VIEW_MORE_H
#define QPW_CMD_VIEW_MORE_H

#include "cmd/cluster_files.h"
#include "cmd/node_listeners.h"
#include "instance/object.h"
#include "view/more.h"

struct qpw_more_source {
    const struct qpw_kernel *kernel;
    struct qpw_sockets *sockets;
    /* ---- Internal ---- */
    struct qpw_node_listeners listeners;
    char digest[72];      /* of the policy that `listeners` was made for; empty: none yet */
    struct qpw_cluster_files cluster;
    bool owners_noted;
    struct qpw_view_more more;
};

/* Open the source; kernel and sockets remain the caller's and must outlive it. Returns the source for the view. */
const struct qpw_view_more *qpw_more_source_open(struct qpw_more_source *source, const struct qpw_kernel *kernel,
                                                 struct qpw_sockets *sockets);
void qpw_more_source_close(struct qpw_more_source *source);

#endif
