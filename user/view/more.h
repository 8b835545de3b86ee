/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * more.h - data that the view shows besides snapshots, read by the command that drives it while the tab in question is
 * shown.
 */
#ifndef QPW_VIEW_MORE_H
#define QPW_VIEW_MORE_H

#include "alert/found.h"
#include "facts/cluster_status.h"
#include "facts/connections.h"
#include "facts/listening.h"
#include "host/process.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

/* Select connections, and limits their number. */
struct qpw_connections_wanted {
    bool (*wanted)(void *data, const struct qpw_connection *connection); /* NULL: all */
    void *data;
    size_t limit; /* 0: unlimited */
};

struct qpw_connections {
    struct qpw_connection *rows; /* the caller frees it */
    size_t n;
    uint64_t left_out;           /* selected, but beyond the limit */
    uint64_t live;               /* all live connections, selected or not */
};

struct qpw_view_more {
    /* Read live connections, those that need attention first. Returns 0, or a negative errno with err filled. */
    int (*connections)(void *context, const struct qpw_snapshot *s, const struct qpw_connections_wanted *wanted,
                       struct qpw_connections *ret, struct qpw_error *err);
    /* Find the owner of the node's end. Always fills *ret. */
    void (*owner)(void *context, const struct qpw_connection *connection, struct qpw_process *ret);
    /* Compare listening sockets with the policy in force; *ret is valid until the next call. Returns as above. */
    int (*listening)(void *context, const struct qpw_snapshot *s, const struct qpw_listening **ret,
                     struct qpw_error *err);
    /*
     * Read what `serve` knows of the peers and found between the nodes; both are valid until the next call. Returns as
     * above; -ENOENT: there is nothing to read.
     */
    int (*cluster)(void *context, const struct qpw_snapshot *s, const struct qpw_cluster_status **ret,
                   const struct qpw_found_list **ret_found, struct qpw_error *err);
    void *context;
};

#endif
