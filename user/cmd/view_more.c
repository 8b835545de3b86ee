/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/view_more.h"

#include <stdio.h>
#include <string.h>

#include "cmd/node_connections.h"

static int read_connections(void *context, const struct qpw_snapshot *s, const struct qpw_connections_wanted *wanted,
                            struct qpw_connections *ret, struct qpw_error *err)
{
    struct qpw_more_source *source = context;

    source->owners_noted = !s->meta.owners_missing[0];
    return qpw_node_connections_read(source->kernel, s->mono_ns, wanted, ret, err);
}

static void find_owner(void *context, const struct qpw_connection *connection, struct qpw_process *ret)
{
    struct qpw_more_source *source = context;

    qpw_node_connection_owner(source->kernel, source->sockets, source->owners_noted, connection, ret);
}

/* Read the listeners; the policy is read again only if it has changed. */
static int read_listeners(void *context, const struct qpw_snapshot *s, const struct qpw_listening **ret,
                          struct qpw_error *err)
{
    struct qpw_more_source *source = context;
    int r = 0;

    if (strcmp(source->digest, s->meta.policy_digest) != 0 || !*source->digest) {
        qpw_node_listeners_clear(&source->listeners);
        r = qpw_node_listeners_load(&source->listeners, NULL, source->kernel, s, err);
        snprintf(source->digest, sizeof(source->digest), "%s", r < 0 ? "" : s->meta.policy_digest);
    }
    if (r == 0)
        r = qpw_node_listeners_read(&source->listeners, source->sockets, s, err);
    *ret = r < 0 ? NULL : &source->listeners.listening;
    return r;
}

static int read_cluster(void *context, const struct qpw_snapshot *s, const struct qpw_cluster_status **ret, const struct qpw_found_list **ret_found,
                        struct qpw_error *err)
{
    struct qpw_more_source *source = context;
    int r;

    qpw_cluster_files_clear(&source->cluster);
    r = qpw_cluster_files_read(qpw_cluster_folder(s), &source->cluster, err);
    *ret = r < 0 ? NULL : &source->cluster.status;
    *ret_found = r < 0 ? NULL : &source->cluster.found;
    return r;
}

const struct qpw_view_more *qpw_more_source_open(struct qpw_more_source *source, const struct qpw_kernel *kernel,
                                                 struct qpw_sockets *sockets)
{
    *source = (struct qpw_more_source){.kernel = kernel, .sockets = sockets};
    source->more = (struct qpw_view_more){read_connections, find_owner, read_listeners, read_cluster, source};
    return &source->more;
}

void qpw_more_source_close(struct qpw_more_source *source)
{
    qpw_node_listeners_clear(&source->listeners);
    qpw_cluster_files_clear(&source->cluster);
}
