/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* db.h - an open history file and its statements; internal to history/. */
#ifndef QPW_HISTORY_DB_H
#define QPW_HISTORY_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"

#define QPW_DB_STATEMENTS 64

struct qpw_db {
    sqlite3 *sqlite;
    const char *sql[QPW_DB_STATEMENTS]; /* static texts of the prepared statements */
    sqlite3_stmt *prepared[QPW_DB_STATEMENTS];
};

enum qpw_db_open { QPW_DB_READ, QPW_DB_WRITE };

/* QPW_DB_*: results of opening, besides errno values. */
#define QPW_DB_DAMAGED (-10001) /* not a database, or a corrupt one */
#define QPW_DB_FOREIGN (-10002) /* another program's, or not a regular file: not to be touched */
#define QPW_DB_NEWER (-10003)   /* written by a later version of this program */

/*
 * Open the file; for writing, create it and its folder if missing. 0, a negative errno or one of the above, with err.
 * *db is zeroed on failure.
 */
int qpw_db_open(struct qpw_db *db, const char *path, enum qpw_db_open how, uint64_t most_bytes, struct qpw_error *err);
void qpw_db_close(struct qpw_db *db);

/* Create the file's folder unless it exists. 0, or a negative errno with err. */
int qpw_db_make_folder(const char *path, struct qpw_error *err);

/*
 * Prepare a statement and bind its values by `types`: 'i' int64_t, 't' text (NULL: null), 'b' bytes and int size. sql
 * must be a static text. The caller steps it, then resets it with qpw_db_done(). NULL: it cannot be prepared.
 */
sqlite3_stmt *qpw_db_bind(struct qpw_db *db, const char *sql, const char *types, ...);
void qpw_db_done(sqlite3_stmt *statement);
QPW_CLEANUP_POINTER(sqlite3_stmt, qpw_db_done)

/* The same, but run the statement to its end, ignoring rows. 0, or the negative SQLite result code less 20,000. */
int qpw_db_run(struct qpw_db *db, const char *sql, const char *types, ...);

/* Return the first column of its first row, or `other` if there is none. */
int64_t qpw_db_number(struct qpw_db *db, int64_t other, const char *sql, const char *types, ...);

#define QPW_DB_RESULT(r) (-20000 - (r))
#define QPW_DB_IS(r, code) (((-20000 - (r)) & 0xff) == (code))

/* Return the text of a column of the current row, never NULL; valid until the next step. */
const char *qpw_db_text(sqlite3_stmt *statement, int column);

#endif
