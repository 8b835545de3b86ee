/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cluster.h - what `serve` found about the cluster and what it hears of the peers, as text and as a document. */
#ifndef QPW_REPORT_CLUSTER_H
#define QPW_REPORT_CLUSTER_H

#include <jansson.h>

#include "alert/found.h"
#include "facts/cluster_status.h"
#include "words/printer.h"

/* Print it for people. Return 0 or -ENOMEM. */
int qpw_cluster_report_text(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns,
                            const struct qpw_printer *p);

/* Return the document "qportwatch.cluster-report/1", owned by the caller; NULL: out of memory. */
json_t *qpw_cluster_report_json(const struct qpw_cluster_status *s, const struct qpw_found_list *found);

#endif
