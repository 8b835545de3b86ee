/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connections.h - live connections as a table for people and as JSON. */
#ifndef QPW_REPORT_CONNECTIONS_H
#define QPW_REPORT_CONNECTIONS_H

#include <jansson.h>

#include "facts/connections.h"
#include "host/process.h"
#include "snapshot/snapshot.h"
#include "words/table.h"

/* A connection with its additional data. */
struct qpw_connection_line {
    const struct qpw_connection *connection;
    const struct qpw_process *owner; /* if unknown, `why` may have the reason */
    bool has_bytes;                  /* TCP, while its socket exists: payload as counted by the kernel */
    uint64_t sent, received;
};

extern const struct qpw_table_column qpw_connection_columns[];
extern const size_t qpw_connection_n_columns;

/* Add a row to a table with those columns. s: names and the time. Returns 0 or -ENOMEM. */
int qpw_connection_add(struct qpw_table *t, const struct qpw_snapshot *s, const struct qpw_connection_line *line);

/*
 * Build the part that every document has, live or replayed: ends, direction, verdict and outcome. NULL: out of memory.
 */
json_t *qpw_connection_core_json(const struct qpw_conn_key *key, const struct qpw_conn *conn, const char *rule);

/* Build a row of the document. NULL: out of memory. */
json_t *qpw_connection_row_json(const struct qpw_snapshot *s, const struct qpw_connection_line *line);

#endif
