/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * folder.h - a new folder whose files are written once, each with its SHA-256.
 *
 * Only owner and group can read it (0750, files 0640), whatever the umask. Nothing is ever overwritten: the folder is new
 * or was empty. A failure removes everything written.
 */
#ifndef QPW_EVIDENCE_FOLDER_H
#define QPW_EVIDENCE_FOLDER_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

struct qpw_folder;

/* Create the folder, or open an empty one. Returns 0, or a negative errno with err. */
int qpw_folder_open(const char *path, struct qpw_folder **ret, struct qpw_error *err);

/*
 * Begin a file, one at a time, ended by qpw_folder_end(). Returns a stream for writing, never NULL: if the file cannot be
 * created, writes to the stream fail, which qpw_folder_end() reports.
 */
FILE *qpw_folder_begin(struct qpw_folder *f, const char *name);
void qpw_folder_end(struct qpw_folder *f);

/*
 * Write SHA256SUMS of all files, sync and close. If keep is false or anything failed, remove every file, and the folder if
 * it was created here. Returns 0, or a negative errno with err of the first failure.
 */
int qpw_folder_close(struct qpw_folder *f, bool keep, struct qpw_error *err);

#endif
