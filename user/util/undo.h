/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* undo.h - keep a file under a second name, so that replacing it can be undone. */
#ifndef QPW_UTIL_UNDO_H
#define QPW_UTIL_UNDO_H

#include "util/error.h"

struct qpw_undo {
    char *path;  /* links resolved */
    char *kept;  /* second name of the old file; NULL: there was none */
};

/*
 * Prepare for a file being replaced by rename(2). If it does not exist, undoing removes the new one. Returns 0, or a
 * negative errno with err filled and nothing to undo.
 */
int qpw_undo_begin(const char *path, struct qpw_undo *ret, struct qpw_error *err);

/* Restore the old file. Returns 0, or a negative errno: then it keeps its second name, which err contains. */
int qpw_undo_back(struct qpw_undo *undo, struct qpw_error *err);

/* Keep the new file. */
void qpw_undo_forget(struct qpw_undo *undo);

#endif
