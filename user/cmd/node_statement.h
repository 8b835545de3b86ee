/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* node_statement.h - this node's statement about itself, from the kernel's maps to the document. */
#ifndef QPW_CMD_NODE_STATEMENT_H
#define QPW_CMD_NODE_STATEMENT_H

#include <jansson.h>
#include <stdbool.h>

#include "util/error.h"

struct qpw_node_statement_options {
    bool samples;    /* include the samples of the last two minutes */
    const char *key; /* of --anonymize; NULL: keep names and addresses */
};

/*
 * Make the statement. The caller releases *ret. Returns 0; -ENOENT: nothing is attached in this network namespace; another
 * negative errno. err gives the reason.
 */
int qpw_node_statement(const struct qpw_node_statement_options *options, json_t **ret, struct qpw_error *err);

#endif
