/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader.h - a history that is read; internal to this room. */
#ifndef QPW_HISTORY_READER_H
#define QPW_HISTORY_READER_H

#include "history/db.h"
#include "history/read.h"
#include "history/store.h"

struct qpw_history_reader {
    char *path;
    struct qpw_db db;
};

int qpw_history_fail(struct qpw_history_reader *r, int code, struct qpw_error *err);

/* The next row: 1; none: 0; or a negative number with err. s NULL: it could not be prepared. */
int qpw_history_step(struct qpw_history_reader *r, sqlite3_stmt *s, struct qpw_error *err);

#endif
