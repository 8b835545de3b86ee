/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* undo.h - keeps a file as it is under a second name, so that what replaces it can be taken back. */
#ifndef QPW_UTIL_UNDO_H
#define QPW_UTIL_UNDO_H

#include "util/error.h"

struct qpw_undo {
    char *path;  /* links followed */
    char *kept;  /* the second name of what was there; NULL: there was nothing */
};

/*
 * Before a file is replaced by rename(2). A file that is not there is removed by going back. 0, or a negative errno with
 * err filled and nothing to undo.
 */
int qpw_undo_begin(const char *path, struct qpw_undo *ret, struct qpw_error *err);

/* Puts back what was there. 0, or a negative errno with err filled: what was there keeps its second name, err says which. */
int qpw_undo_back(struct qpw_undo *undo, struct qpw_error *err);

/* The new file stays. */
void qpw_undo_forget(struct qpw_undo *undo);

#endif
