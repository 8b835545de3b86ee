/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cluster_files.h - read what `serve` knows and found from its state directory. */
#ifndef QPW_CMD_CLUSTER_FILES_H
#define QPW_CMD_CLUSTER_FILES_H

#include "alert/found.h"
#include "facts/cluster_status.h"

struct qpw_snapshot;

/* Return the directory that the attached instance was told of; the default if its path is too long to be noted. */
const char *qpw_cluster_folder(const struct qpw_snapshot *s);

struct qpw_cluster_files {
    struct qpw_cluster_status status;
    struct qpw_found_list found; /* most serious first; empty where serve has ended or has not compared yet */
};

/*
 * Read the files of the directory, which serve may replace meanwhile. Return 0; -ENOENT: serve has never written there;
 * -EINVAL, -ENOMEM or another negative errno. Errors have err filled. The caller clears *ret, also after an error.
 */
int qpw_cluster_files_read(const char *folder, struct qpw_cluster_files *ret, struct qpw_error *err);
void qpw_cluster_files_clear(struct qpw_cluster_files *f);

#endif
