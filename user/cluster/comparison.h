/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* comparison.h - what a comparison of nodes found, as text and as a document. */
#ifndef QPW_CLUSTER_COMPARISON_H
#define QPW_CLUSTER_COMPARISON_H

#include <jansson.h>

#include "facts/compare.h"
#include "words/printer.h"

/* Print it for people. now_unix_ns: the time of the comparison. 0 or -ENOMEM. */
int qpw_comparison_text(const struct qpw_comparison *c, uint64_t now_unix_ns, const struct qpw_printer *p);

/* Return the document "qportwatch.cluster-compare/1", which the caller drops; NULL: no memory. */
json_t *qpw_comparison_json(const struct qpw_comparison *c);

#endif
