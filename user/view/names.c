/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.c - names by number, from the current snapshot. */
#include "view/model.h"

const char *qpw_model_rule(const struct qpw_model *m, unsigned rule)
{
    return m->now ? qpw_snapshot_rule(m->now, rule) : "";
}

const char *qpw_model_peer(const struct qpw_model *m, unsigned peer)
{
    return m->now ? qpw_snapshot_peer(m->now, peer) : "";
}

const char *qpw_model_iface(const struct qpw_model *m, unsigned number)
{
    return m->now ? qpw_snapshot_iface(m->now, number) : "";
}

const char *qpw_model_connection_process(const struct qpw_model *m, const struct qpw_row *row)
{
    return m->connection_process ? m->connection_process(m->process_context, row->id, row->source) : "";
}

const char *qpw_model_process(const struct qpw_model *m, const struct qpw_finding_row *finding)
{
    return m->process ? m->process(m->process_context, finding) : "";
}
