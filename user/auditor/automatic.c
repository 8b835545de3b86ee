/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `auto`: find the interfaces again when routes change. */
#include "host/automatic.h"

#include "auditor/internal.h"

size_t qpw_automatic_attach(struct qpw_auditor *a)
{
    unsigned found[QPW_MAX_IFACES];
    size_t n = qpw_automatic_find(a->netlink, &a->policy, found, QPW_MAX_IFACES - 1);
    const struct qpw_link *link;
    struct qpw_error err;

    a->routes_due = false;
    for (size_t i = 0; i < n; i++) {
        link = qpw_netlink_by_index(a->netlink, found[i]);
        if (qpw_watch_by_index(a, found[i]) || qpw_watch_check_stacked(a, link, &err) < 0)
            continue; /* monitored already, or stacked with one that is */
        if (qpw_watch_add(a, link->name, &err) < 0)
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "auto: %s", err.text);
    }
    return a->n_watched;
}
