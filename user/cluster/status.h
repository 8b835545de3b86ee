/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* status.h - read the file in which `serve` notes what a node hears of its peers, "qportwatch.cluster-status/1". */
#ifndef QPW_CLUSTER_STATUS_H
#define QPW_CLUSTER_STATUS_H

#include "facts/cluster_status.h"
#include "util/error.h"

#define QPW_CLUSTER_STATUS_FILE "status.json" /* in the state directory of serve */
#define QPW_CLUSTER_STATUS_BYTES (1u << 20)

/* Read a document that anybody may have written. The caller clears *ret, also after an error. 0, -EINVAL or -ENOMEM with err. */
int qpw_cluster_status_read(const char *bytes, size_t length, struct qpw_cluster_status *ret, struct qpw_error *err);

#endif
