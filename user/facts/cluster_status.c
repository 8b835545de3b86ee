/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/cluster_status.h"

#include <stdlib.h>

#include "facts/live.h"

#define SECOND_NS 1000000000u

bool qpw_peer_status_is_stale(const struct qpw_peer_status *p, uint64_t now_unix_ns)
{
    return p->got_unix_ns + QPW_LIVE_STALE_NS <= now_unix_ns;
}

size_t qpw_cluster_status_stale(const struct qpw_cluster_status *s, uint64_t now_unix_ns)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += qpw_peer_status_is_stale(&s->peers[i], now_unix_ns);
    return n;
}

bool qpw_cluster_status_is_silent(const struct qpw_cluster_status *s, uint64_t now_unix_ns)
{
    return s->at_unix_ns + QPW_LIVE_STALE_NS <= now_unix_ns;
}

uint64_t qpw_cluster_age_ns(uint64_t unix_ns, uint64_t now_unix_ns)
{
    return now_unix_ns > unix_ns ? (now_unix_ns - unix_ns) / SECOND_NS * SECOND_NS : 0;
}

void qpw_cluster_status_clear(struct qpw_cluster_status *s)
{
    free(s->peers);
    *s = (struct qpw_cluster_status){0};
}
