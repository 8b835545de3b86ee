/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* db.h - an open history file and the statements on it; internal to this room. */
#ifndef QPW_HISTORY_DB_H
#define QPW_HISTORY_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

#define QPW_DB_STATEMENTS 64

struct qpw_db {
    sqlite3 *sqlite;
    const char *sql[QPW_DB_STATEMENTS]; /* static texts, of the statements that are prepared */
    sqlite3_stmt *prepared[QPW_DB_STATEMENTS];
};

enum qpw_db_open { QPW_DB_READ, QPW_DB_WRITE };

/* QPW_DB_*: what an open found, besides errno values. */
#define QPW_DB_DAMAGED (-10001) /* no database, or one that contradicts itself */
#define QPW_DB_FOREIGN (-10002) /* another program's, or no file of this kind: not to be touched */
#define QPW_DB_NEWER (-10003)   /* of a later version of this program */

/*
 * Opens; for writing it is made, with its folder, where it is not there. 0, a negative errno or one of the above, with
 * err. *db is zeroed on failure.
 */
int qpw_db_open(struct qpw_db *db, const char *path, enum qpw_db_open how, uint64_t most_bytes, struct qpw_error *err);
void qpw_db_close(struct qpw_db *db);

/* The folder that the file is to lie in, unless it is there. 0, or a negative errno with err. */
int qpw_db_make_folder(const char *path, struct qpw_error *err);

/*
 * A prepared statement with its values bound by `types`: 'i' int64_t, 't' text (NULL: null), 'b' bytes and int size.
 * sql is a static text. To be stepped, then reset with qpw_db_done(). NULL: it cannot be prepared.
 */
sqlite3_stmt *qpw_db_bind(struct qpw_db *db, const char *sql, const char *types, ...);
void qpw_db_done(sqlite3_stmt *statement);

/* The same, run to its end without a look at rows. 0, or the negative result code of SQLite less 20,000. */
int qpw_db_run(struct qpw_db *db, const char *sql, const char *types, ...);

/* The first column of its first row; `other` where there is none. */
int64_t qpw_db_number(struct qpw_db *db, int64_t other, const char *sql, const char *types, ...);

#define QPW_DB_RESULT(r) (-20000 - (r))
#define QPW_DB_IS(r, code) (((-20000 - (r)) & 0xff) == (code))

/* Text of column `column` as it stands there, never NULL. */
const char *qpw_db_text(sqlite3_stmt *statement, int column);

#endif
