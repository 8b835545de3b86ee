/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * folder.h - a new folder whose files are written once, each with its SHA-256.
 *
 * The folder is its owner's and group's alone (0750, files 0640), whatever the umask. Nothing in it is ever written over:
 * it is new, or was empty. What fails takes back all that was written.
 */
#ifndef QPW_EVIDENCE_FOLDER_H
#define QPW_EVIDENCE_FOLDER_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

struct qpw_folder;

/* Makes it, or takes an empty one. 0, or a negative errno with err. */
int qpw_folder_open(const char *path, struct qpw_folder **ret, struct qpw_error *err);

/*
 * A file of it to be written to, one at a time, ended by qpw_folder_end(). Never NULL: what cannot be made is a stream that
 * fails, as qpw_folder_end() then says.
 */
FILE *qpw_folder_begin(struct qpw_folder *f, const char *name);
void qpw_folder_end(struct qpw_folder *f);

/*
 * Writes SHA256SUMS over all files, syncs and closes. keep false, or where anything failed: takes back every file, and the
 * folder where it was made here. 0, or a negative errno with err of the first failure.
 */
int qpw_folder_close(struct qpw_folder *f, bool keep, struct qpw_error *err);

#endif
