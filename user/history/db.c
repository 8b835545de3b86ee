/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "history/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history/history.h"
#include "history/schema.h"

#define BUSY_MS 3000
#define PAGE_BYTES 4096u
#define FOLDER_MODE 0750
#define FILE_MODE 0640

/*
 * Check that the file is empty or begins as an SQLite file does. Its application id is checked later, because it may
 * still be in the log.
 */
static int check_header(const char *path, struct qpw_error *err)
{
    static const char magic[16] = "SQLite format 3";
    char head[sizeof(magic)] = "";
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? 0 : qpw_fail(err, -errno, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return qpw_fail(err, QPW_DB_FOREIGN, "%s: not a regular file", path);
    }
    n = read(fd, head, sizeof(head));
    close(fd);
    if (n < 0)
        return qpw_fail(err, -errno, "%s: %s", path, strerror(errno));
    return n == 0 || !memcmp(head, magic, sizeof(magic)) ? 0 : qpw_fail(err, QPW_DB_DAMAGED, "%s: not a database", path);
}

int qpw_db_make_folder(const char *path, struct qpw_error *err)
{
    char folder[4096];
    char *slash;

    snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    return mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST ? qpw_fail(err, -errno, "%s: %s", folder, strerror(errno)) : 0;
}

static int status_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK: return 0;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return QPW_DB_DAMAGED;
    default: return QPW_DB_RESULT(result);
    }
}

static int execute(struct qpw_db *db, const char *sql)
{
    return status_of(sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

/* Check the integrity of all pages; a writer does so once, when it starts. */
static int check_whole(struct qpw_db *db)
{
    sqlite3_stmt *s = NULL;
    bool whole = false;
    int r = sqlite3_prepare_v2(db->sqlite, "PRAGMA quick_check(1)", -1, &s, NULL);

    if (r == SQLITE_OK)
        r = sqlite3_step(s);
    if (r == SQLITE_ROW)
        whole = !strcmp(qpw_db_text(s, 0), "ok");
    sqlite3_finalize(s);
    return r == SQLITE_ROW ? whole ? 0 : QPW_DB_DAMAGED : status_of(r);
}

/* Make the tables of a new file, within a transaction. */
static int make_new_tables(struct qpw_db *db)
{
    char sql[160];
    int r;

    if (qpw_db_number(db, -1, "PRAGMA user_version", "") == 0) {
        snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d", QPW_HISTORY_APPLICATION,
                 QPW_HISTORY_VERSION);
        r = execute(db, QPW_HISTORY_SCHEMA);
        if (r < 0)
            return r;
        r = execute(db, sql);
        if (r < 0)
            return r;
    }
    return execute(db, "COMMIT");
}

static int make_tables(struct qpw_db *db)
{
    int r = execute(db, "BEGIN IMMEDIATE");

    if (r < 0)
        return r;
    r = make_new_tables(db);
    if (r < 0)
        execute(db, "ROLLBACK");
    return r;
}

static int begin_writing(struct qpw_db *db, uint64_t most_bytes)
{
    char sql[80];
    int r = execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;"
                        "PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY");

    if (r < 0)
        return r;
    r = check_whole(db);
    if (r < 0)
        return r;
    r = make_tables(db);
    if (r < 0)
        return r;
    /* Allow a quarter more than the limit, as room for a transaction, but never unlimited growth. */
    snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %llu", (unsigned long long)(most_bytes + most_bytes / 4) / PAGE_BYTES);
    return execute(db, sql);
}

/* Return whether files can be created in the file's folder. */
static bool is_folder_writable(const char *path)
{
    char folder[4096];
    char *slash;

    snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    return access(slash ? folder : ".", W_OK) == 0;
}

static bool has_log(const char *path)
{
    char name[4096];

    snprintf(name, sizeof(name), "%s-wal", path);
    return access(name, F_OK) == 0;
}

/*
 * Check whose database it is, and its version. One without tables was left unfinished by a writer: a reader treats it
 * as missing.
 */
static int check_version(struct qpw_db *db, const char *path, enum qpw_db_open how, struct qpw_error *err)
{
    int64_t version, tables;

    tables = qpw_db_number(db, -1, "SELECT count(*) FROM sqlite_master", "");
    if (tables < 0 && how == QPW_DB_READ && has_log(path) && !is_folder_writable(path))
        return qpw_fail(err, -EROFS, "%s: its log (%s-wal) cannot be read in a folder that cannot be written; copy both", path, path);
    if (tables < 0)
        return qpw_fail(err, status_of(sqlite3_extended_errcode(db->sqlite)), "%s: %s", path, sqlite3_errmsg(db->sqlite));
    if (tables && qpw_db_number(db, 0, "PRAGMA application_id", "") != QPW_HISTORY_APPLICATION)
        return qpw_fail(err, QPW_DB_FOREIGN, "%s: a database of another program", path);
    if (!tables && how == QPW_DB_READ)
        return qpw_fail(err, -ENOENT, "%s: empty", path);
    version = qpw_db_number(db, 0, "PRAGMA user_version", "");
    if (version > QPW_HISTORY_VERSION)
        return qpw_fail(err, QPW_DB_NEWER, "%s: written by a later version of qportwatch (layout %d, this one knows %d)", path,
                        (int)version, QPW_HISTORY_VERSION);
    return 0;
}

/* Write "file:PATH?immutable=1", with PATH's special characters escaped. */
static void write_uri(const char *path, char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, "file:");

    for (const char *c = path; *c && used + 4 < size; c++)
        used += (size_t)snprintf(buf + used, size - used, strchr("%?#", *c) ? "%%%02x" : "%c", (unsigned char)*c);
    snprintf(buf + used, size - used, "?immutable=1");
}

/*
 * Open for reading where no file can be created beside it: read-only medium, or another user's folder. Without a log
 * there is no writer, so the file can be read as it is.
 */
static int open_as_it_is(struct qpw_db *db, const char *path)
{
    char uri[3 * 4096 + 32];

    write_uri(path, uri, sizeof(uri));
    return status_of(sqlite3_open_v2(uri, &db->sqlite, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL));
}

int qpw_db_open(struct qpw_db *db, const char *path, enum qpw_db_open how, uint64_t most_bytes, struct qpw_error *err)
{
    /* After a writer was killed, a reader may have to recover the log; it changes nothing else (query_only). */
    int flags = SQLITE_OPEN_READWRITE | (how == QPW_DB_READ ? 0 : SQLITE_OPEN_CREATE);
    mode_t mask;
    int r;

    *db = (struct qpw_db){0};
    r = how == QPW_DB_WRITE ? qpw_db_make_folder(path, err) : 0;
    if (r < 0)
        return r;
    r = check_header(path, err);
    if (r < 0)
        return r;
    if (how == QPW_DB_READ && access(path, F_OK) < 0)
        return qpw_fail(err, -errno, "%s: %s", path, strerror(errno));
    mask = umask(0777 & ~FILE_MODE);
    r = how == QPW_DB_READ && !has_log(path) && !is_folder_writable(path) ? open_as_it_is(db, path)
                                                                          : status_of(sqlite3_open_v2(path, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL));
    umask(mask);
    if (r == 0) {
        sqlite3_busy_timeout(db->sqlite, BUSY_MS);
        r = check_version(db, path, how, err);
        if (r < 0) {
            qpw_db_close(db);
            return r;
        }
        r = how == QPW_DB_WRITE ? begin_writing(db, most_bytes) : execute(db, "PRAGMA query_only = 1");
    }
    if (r < 0) {
        qpw_fail(err, r, "%s: %s", path, db->sqlite ? sqlite3_errmsg(db->sqlite) : "out of memory");
        qpw_db_close(db);
    }
    return r;
}

void qpw_db_close(struct qpw_db *db)
{
    for (int i = 0; i < QPW_DB_STATEMENTS; i++)
        sqlite3_finalize(db->prepared[i]);
    sqlite3_close(db->sqlite);
    *db = (struct qpw_db){0};
}

static sqlite3_stmt *statement_of(struct qpw_db *db, const char *sql)
{
    int i = 0;

    while (i < QPW_DB_STATEMENTS && db->sql[i] && db->sql[i] != sql)
        i++;
    if (i == QPW_DB_STATEMENTS)
        return NULL;
    if (!db->prepared[i] && sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &db->prepared[i], NULL) != SQLITE_OK)
        return NULL;
    db->sql[i] = sql;
    return db->prepared[i];
}

static sqlite3_stmt *bind_all(struct qpw_db *db, const char *sql, const char *types, va_list args)
{
    sqlite3_stmt *s = statement_of(db, sql);
    const void *bytes;
    int r = SQLITE_OK;

    for (int i = 1; s && r == SQLITE_OK && *types; i++, types++)
        switch (*types) {
        case 'i': r = sqlite3_bind_int64(s, i, va_arg(args, int64_t)); break;
        case 't': r = sqlite3_bind_text(s, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT); break;
        default:
            bytes = va_arg(args, const void *);
            r = sqlite3_bind_blob(s, i, bytes, va_arg(args, int), SQLITE_TRANSIENT);
        }
    return r == SQLITE_OK ? s : NULL;
}

sqlite3_stmt *qpw_db_bind(struct qpw_db *db, const char *sql, const char *types, ...)
{
    sqlite3_stmt *s;
    va_list args;

    va_start(args, types);
    s = bind_all(db, sql, types, args);
    va_end(args);
    return s;
}

void qpw_db_done(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

int qpw_db_run(struct qpw_db *db, const char *sql, const char *types, ...)
{
    sqlite3_stmt *s;
    va_list args;
    int r;

    va_start(args, types);
    s = bind_all(db, sql, types, args);
    va_end(args);
    if (!s)
        return status_of(sqlite3_extended_errcode(db->sqlite));
    do
        r = sqlite3_step(s);
    while (r == SQLITE_ROW);
    r = r == SQLITE_DONE ? SQLITE_OK : sqlite3_extended_errcode(db->sqlite);
    qpw_db_done(s);
    return status_of(r);
}

int64_t qpw_db_number(struct qpw_db *db, int64_t other, const char *sql, const char *types, ...)
{
    sqlite3_stmt *s;
    va_list args;
    int64_t number = other;

    va_start(args, types);
    s = bind_all(db, sql, types, args);
    va_end(args);
    if (!s)
        return other;
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
        number = sqlite3_column_int64(s, 0);
    qpw_db_done(s);
    return number;
}

const char *qpw_db_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text ? text : "";
}
