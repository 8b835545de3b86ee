/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* more.h - what the view shows beside snapshots, read by the command that drives it, while the tab in question is shown. */
#ifndef QPW_VIEW_MORE_H
#define QPW_VIEW_MORE_H

#include "facts/connections.h"
#include "facts/listening.h"
#include "host/process.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

/* How a connection is chosen, and how many there may be. */
struct qpw_connections_wanted {
    bool (*wanted)(void *data, const struct qpw_connection *connection); /* NULL: each */
    void *data;
    size_t limit; /* 0: none */
};

struct qpw_connections {
    struct qpw_connection *rows; /* the caller's to free() */
    size_t n;
    uint64_t left_out;           /* wanted, but beyond the limit */
    uint64_t live;               /* all there are, wanted or not */
};

struct qpw_view_more {
    /* Live connections, what needs a look first. 0 or a negative errno with err. */
    int (*connections)(void *context, const struct qpw_snapshot *s, const struct qpw_connections_wanted *wanted,
                       struct qpw_connections *ret, struct qpw_error *err);
    /* Who holds the node's end of one. Always fills *ret. */
    void (*owner)(void *context, const struct qpw_connection *connection, struct qpw_process *ret);
    /* Sockets that listen, against the policy in force; valid until the next call. As above. */
    int (*listening)(void *context, const struct qpw_snapshot *s, const struct qpw_listening **ret,
                     struct qpw_error *err);
    void *context;
};

#endif
