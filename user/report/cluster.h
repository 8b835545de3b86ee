/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cluster.h - what `serve` found about the cluster and what it hears of the peers, as text, as a document and as a page:
 * a section of the report, or a report of its own.
 *
 * Lists are in the order in which they are given; qpw_found_sort() puts the most serious first.
 */
#ifndef QPW_REPORT_CLUSTER_H
#define QPW_REPORT_CLUSTER_H

#include <jansson.h>
#include <stdio.h>

#include "alert/found.h"
#include "facts/cluster_status.h"
#include "words/printer.h"

/* Write the sentence about peers and differences. Returns buf. */
const char *qpw_cluster_headline(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns, char *buf,
                                 size_t size);
/* Return its style: bad with a difference of high severity, doubt with any other, a stale peer or a silent `serve`. */
enum qpw_text_style qpw_cluster_style(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns);

/* Print it for people. Return 0 or -ENOMEM. */
int qpw_cluster_report_text(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns,
                            const struct qpw_printer *p);

/* Print the differences, at most `limit` of them (0: all). Return how many are left. */
size_t qpw_cluster_print_found(const struct qpw_found_list *found, size_t limit, const struct qpw_printer *p);

/* Return {node, at, peers, found, left_out, compared}, owned by the caller; NULL: out of memory. */
json_t *qpw_cluster_section_json(const struct qpw_cluster_status *s, const struct qpw_found_list *found);

/* Return the same as the document "qportwatch.cluster-report/1". */
json_t *qpw_cluster_report_json(const struct qpw_cluster_status *s, const struct qpw_found_list *found);

/* Write a page of its own. Return 0 or a negative errno. */
int qpw_cluster_report_html(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns, FILE *out);

#endif
