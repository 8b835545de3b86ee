/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "database.h"

#include <criterion/criterion.h>
#include <sqlite3.h>

int64_t database_number(const char *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    sqlite3 *db;

    cr_assert_eq(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK, "%s", file);
    sqlite3_busy_timeout(db, 10000);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}
