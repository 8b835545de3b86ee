/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One write: find the changes in a snapshot, and store them in one transaction. */
#include "history/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts/totals.h"

#define WITNESS_SECONDS 180 /* a longer interval between writes counts as not observed */

const char *qpw_history_path(char *buf, size_t size)
{
    const char *folder = getenv("STATE_DIRECTORY");
    size_t length = folder ? strcspn(folder, ":") : 0;

    if (folder && !length)
        return "";
    snprintf(buf, size, "%.*s/" QPW_HISTORY_NAME, folder ? (int)length : (int)strlen(QPW_HISTORY_FOLDER),
             folder ? folder : QPW_HISTORY_FOLDER);
    return buf;
}

struct qpw_history *qpw_history_new(const struct qpw_history_options *options)
{
    struct qpw_history *h = calloc(1, sizeof(*h));

    if (!h || !(h->path = strdup(options->path))) {
        free(h);
        return NULL;
    }
    h->most_bytes = options->most_bytes ? options->most_bytes : QPW_HISTORY_BYTES;
    h->most_talkers = options->talkers ? options->talkers : QPW_HISTORY_TALKERS;
    h->standard = options->standard;
    return h;
}

static void close_file(struct qpw_history *h)
{
    qpw_db_close(&h->db);
    free(h->counted);
    h->counted = NULL;
    h->n_counted = 0;
    h->open = h->has_counted = false;
    h->epoch = h->talkers = h->day = 0;
    h->rules = 0;
}

void qpw_history_free(struct qpw_history *h)
{
    if (!h)
        return;
    close_file(h);
    free(h->path);
    free(h);
}

/* ---- Epochs ---- */

/* Record the time between an epoch's last write and the next epoch's beginning as blind: not observed, or lost. */
static int note_between(struct qpw_history *h, int64_t epoch, int64_t began)
{
    int64_t before = qpw_db_number(&h->db, 0, "SELECT max(id) FROM epoch WHERE id < ?", "i", epoch);
    int64_t written = qpw_db_number(&h->db, 0, "SELECT written FROM epoch WHERE id = ?", "i", before);
    int64_t ended = qpw_db_number(&h->db, 0, "SELECT ended FROM epoch WHERE id = ?", "i", before);

    if (!written || written >= began)
        return 0;
    return qpw_db_run(&h->db, "INSERT INTO blind VALUES(?, ?, ?, '', ?)", "iiit", epoch, written, began,
                      ended ? "not-attached" : "killed");
}

static void join_ifaces(const struct qpw_snapshot *s, char *buf, size_t size)
{
    size_t used = 0;

    *buf = '\0';
    for (size_t i = 0; i < s->n_ifaces && used < size; i++)
        used += snprintf(buf + used, size - used, "%s%s", used ? " " : "", s->ifaces[i].name);
}

/* Add an epoch for the instance, and what lies between it and the one before. */
static int add_epoch(struct qpw_history *h, const struct qpw_history_input *in, int64_t now, int64_t *ret_id)
{
    int64_t began = QPW_I(in->s->from_unix_ns / QPW_SECOND_NS);
    int r = qpw_db_run(&h->db, "INSERT INTO epoch(instance, attached_ns, began, written) VALUES(?, ?, ?, ?)", "iiii",
                       QPW_I(in->instance), QPW_I(in->s->meta.attached_unix_ns), began, now);

    if (r < 0)
        return r;
    *ret_id = sqlite3_last_insert_rowid(h->db.sqlite);
    r = note_between(h, *ret_id, began);
    if (r < 0)
        return r;
    return qpw_db_run(&h->db, "DELETE FROM counted", "");
}

static int find_epoch(struct qpw_history *h, const struct qpw_history_input *in, int64_t now)
{
    const struct qpw_snapshot *s = in->s;
    int64_t id =
        qpw_db_number(&h->db, 0, "SELECT id FROM epoch WHERE attached_ns = ?", "i", QPW_I(s->meta.attached_unix_ns));
    char ifaces[1024];
    int r = id ? 0 : add_epoch(h, in, now, &id);

    if (r < 0)
        return r;
    join_ifaces(s, ifaces, sizeof(ifaces));
    if (h->epoch != id) {
        h->has_counted = false;
        h->epoch = id;
    }
    return qpw_db_run(
        &h->db,
        "UPDATE epoch SET written = ?, ended = ?, instance = ?, host = ?, version = ?, interfaces = ? WHERE id = ?",
        "iiittti", now, in->end ? now : QPW_I(0), QPW_I(in->instance), s->host, s->meta.version, ifaces, id);
}

static int witness(struct qpw_history *h, const struct qpw_snapshot *s, int64_t now)
{
    int64_t row = qpw_db_number(&h->db, 0, "SELECT max(rowid) FROM witness WHERE epoch = ?", "i", h->epoch);
    int64_t end = qpw_db_number(&h->db, 0, "SELECT end FROM witness WHERE rowid = ?", "i", row);

    if (row && now >= end && now - end <= WITNESS_SECONDS)
        return qpw_db_run(&h->db, "UPDATE witness SET end = ?, writes = writes + 1 WHERE rowid = ?", "ii", now, row);
    return qpw_db_run(&h->db, "INSERT INTO witness VALUES(?, ?, ?, 1)", "iii", h->epoch,
                      row ? now : QPW_I(s->from_unix_ns / QPW_SECOND_NS), now);
}

/* ---- Meters ---- */

static int by_key(const void *a, const void *b)
{
    return memcmp(&((const struct qpw_history_counted *)a)->key, &((const struct qpw_history_counted *)b)->key,
                  sizeof(struct qpw_meter_key));
}

/* Load the meters as of the last transaction, unless no other process has written since. */
static int load_counted(struct qpw_history *h)
{
    int64_t version = qpw_db_number(&h->db, -1, "PRAGMA data_version", "");
    size_t room = (size_t)qpw_db_number(&h->db, 0, "SELECT count(*) FROM counted WHERE what = 0", "");
    sqlite3_stmt *s;

    if (h->has_counted && version == h->data_version)
        return 0;
    free(h->counted);
    h->n_counted = 0;
    h->counted = calloc(room + 1, sizeof(*h->counted));
    s = qpw_db_bind(&h->db, "SELECT id, key, connections, rx_packets, rx_bytes, tx_packets, tx_bytes FROM counted WHERE what = 0", "");
    if (!h->counted || !s)
        return QPW_DB_RESULT(h->counted ? SQLITE_ERROR : SQLITE_NOMEM);
    while (sqlite3_step(s) == SQLITE_ROW && h->n_counted < room) {
        struct qpw_history_counted *c = &h->counted[h->n_counted];

        if (sqlite3_column_bytes(s, 0) != sizeof(c->key))
            continue;
        memcpy(&c->key, sqlite3_column_blob(s, 0), sizeof(c->key));
        c->id = sqlite3_column_int64(s, 1);
        c->counts = (struct qpw_counts){(uint64_t)sqlite3_column_int64(s, 2), (uint64_t)sqlite3_column_int64(s, 3),
                                        (uint64_t)sqlite3_column_int64(s, 4), (uint64_t)sqlite3_column_int64(s, 5),
                                        (uint64_t)sqlite3_column_int64(s, 6)};
        h->n_counted++;
    }
    qpw_db_done(s);
    qsort(h->counted, h->n_counted, sizeof(*h->counted), by_key);
    h->data_version = version;
    h->has_counted = true;
    h->talkers = qpw_db_number(&h->db, 0, "SELECT count(*) FROM talker", "");
    h->rules = 0;
    return 0;
}

/* Return the snapshot's meters sorted by key, with equal keys added up. */
static struct qpw_history_counted *sort_meters(const struct qpw_snapshot *s, size_t *ret_n)
{
    struct qpw_history_counted *rows = calloc(s->n_meters + 1, sizeof(*rows));
    size_t n = 0;

    for (size_t i = 0; rows && i < s->n_meters; i++)
        rows[i] = (struct qpw_history_counted){.key = s->meters[i].key, .counts = s->meters[i].counts,
                                               .first = QPW_I(s->meters[i].first_unix_ns / QPW_SECOND_NS)};
    if (rows)
        qsort(rows, s->n_meters, sizeof(*rows), by_key);
    for (size_t i = 0; rows && i < s->n_meters; i++) {
        if (!n || by_key(&rows[n - 1], &rows[i])) {
            rows[n++] = rows[i];
            continue;
        }
        qpw_counts_add(&rows[n - 1].counts, &rows[i].counts);
        if (rows[i].first && rows[i].first < rows[n - 1].first)
            rows[n - 1].first = rows[i].first;
    }
    *ret_n = n;
    return rows;
}

/* Subtract modulo 2^64: a counter may have fallen. */
static struct qpw_counts difference(const struct qpw_counts *now, const struct qpw_counts *before)
{
    return (struct qpw_counts){now->connections - before->connections, now->rx_packets - before->rx_packets,
                               now->rx_bytes - before->rx_bytes, now->tx_packets - before->tx_packets,
                               now->tx_bytes - before->tx_bytes};
}

static int write_meter(struct qpw_history *h, const struct qpw_snapshot *s, struct qpw_history_counted *m,
                       const struct qpw_counts *before, int64_t now)
{
    struct qpw_counts d = difference(&m->counts, before), *c = &m->counts;
    int64_t start = now - now % QPW_HISTORY_FIVE;
    int64_t began = QPW_I(s->from_unix_ns / QPW_SECOND_NS), first = m->first >= began && m->first < now ? m->first : now;
    int r = m->id ? 0 : qpw_history_key(h, s, &m->key, first, &m->id);

    if (r == 0 && m->last != start) {
        m->last = start;
        r = qpw_db_run(&h->db, "UPDATE key SET last = max(last, ?) WHERE id = ?", "ii", now, m->id);
    }
    if (r == 0)
        r = qpw_db_run(&h->db,
                       "INSERT INTO slot VALUES(300, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(span, start, key) DO UPDATE SET "
                       "connections = connections + excluded.connections, rx_packets = rx_packets + excluded.rx_packets, "
                       "rx_bytes = rx_bytes + excluded.rx_bytes, tx_packets = tx_packets + excluded.tx_packets, "
                       "tx_bytes = tx_bytes + excluded.tx_bytes", "iiiiiii", start, m->id, QPW_I(d.connections),
                       QPW_I(d.rx_packets), QPW_I(d.rx_bytes), QPW_I(d.tx_packets), QPW_I(d.tx_bytes));
    if (r == 0)
        r = qpw_db_run(&h->db, "INSERT OR REPLACE INTO counted VALUES(0, ?, ?, 0, ?, ?, ?, ?, ?)", "biiiiii", &m->key,
                       (int)sizeof(m->key), m->id, QPW_I(c->connections), QPW_I(c->rx_packets), QPW_I(c->rx_bytes),
                       QPW_I(c->tx_packets), QPW_I(c->tx_bytes));
    return r;
}

/* Merge both lists, which are sorted by key. Keep meters that are gone: their counts moved elsewhere, or come back. */
static int write_meters(struct qpw_history *h, const struct qpw_snapshot *s, int64_t now)
{
    static const struct qpw_counts none;
    size_t n = 0, at = 0, kept = 0;
    struct qpw_history_counted *rows = sort_meters(s, &n), *all;
    int r = rows ? 0 : QPW_DB_RESULT(SQLITE_NOMEM);

    all = calloc(n + h->n_counted + 1, sizeof(*all));
    if (!all)
        r = QPW_DB_RESULT(SQLITE_NOMEM);
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct qpw_history_counted *before = NULL;

        while (at < h->n_counted && by_key(&h->counted[at], &rows[i]) < 0)
            all[kept++] = h->counted[at++];
        if (at < h->n_counted && !by_key(&h->counted[at], &rows[i]))
            before = &h->counted[at++];
        if (before) {
            rows[i].id = before->id;
            rows[i].last = before->last;
        }
        if (memcmp(&rows[i].counts, before ? &before->counts : &none, sizeof(none)))
            r = write_meter(h, s, &rows[i], before ? &before->counts : &none, now);
        if (rows[i].id)
            all[kept++] = rows[i];
    }
    while (r == 0 && at < h->n_counted)
        all[kept++] = h->counted[at++];
    free(rows);
    if (r < 0) {
        free(all);
        return r;
    }
    free(h->counted);
    h->counted = all;
    h->n_counted = kept;
    return 0;
}

/* ---- The transaction ---- */

/* Write everything, within a transaction. */
static int write_parts(struct qpw_history *h, const struct qpw_history_input *in, int64_t now)
{
    int r = find_epoch(h, in, now);

    if (r < 0)
        return r;
    r = load_counted(h);
    if (r < 0)
        return r;
    r = witness(h, in->s, now);
    if (r < 0)
        return r;
    r = qpw_history_changes(h, in, now);
    if (r < 0)
        return r;
    r = write_meters(h, in->s, now);
    if (r < 0)
        return r;
    r = qpw_history_findings(h, in);
    if (r < 0)
        return r;
    r = qpw_history_talkers(h, in, now);
    if (r < 0)
        return r;
    return qpw_db_run(&h->db, "COMMIT", "");
}

static int write_all(struct qpw_history *h, const struct qpw_history_input *in)
{
    /* Counts up to a slot's end belong to that slot. */
    int64_t now = QPW_I((in->s->unix_ns - 1) / QPW_SECOND_NS);
    int r = qpw_db_run(&h->db, "BEGIN IMMEDIATE", "");

    if (r < 0)
        return r;
    r = write_parts(h, in, now);
    if (r < 0) {
        sqlite3_exec(h->db.sqlite, "ROLLBACK", NULL, NULL, NULL);
        h->has_counted = false;
        return r;
    }
    return qpw_history_tidy(h, now);
}

/* Rename FILE and SQLite's files beside it. */
static int set_aside(struct qpw_history *h, uint64_t unix_ns, char *ret, size_t size, struct qpw_error *err)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char from[4096], to[4096];

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        snprintf(from, sizeof(from), "%s%s", h->path, parts[i]);
        snprintf(to, sizeof(to), "%s.damaged-%llu%s", h->path, (unsigned long long)(unix_ns / QPW_SECOND_NS), parts[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            return qpw_fail(err, -errno, "%s: cannot be moved aside: %s", from, strerror(errno));
    }
    snprintf(ret, size, "%s.damaged-%llu", h->path, (unsigned long long)(unix_ns / QPW_SECOND_NS));
    return 0;
}

/* Return whether the open file was removed or replaced, so that nobody would read further writes. */
static bool is_gone(const struct qpw_history *h)
{
    struct stat st;

    return stat(h->path, &st) < 0 || st.st_dev != h->file.st_dev || st.st_ino != h->file.st_ino;
}

static int open_file(struct qpw_history *h, struct qpw_error *err)
{
    int r = h->open ? 0 : qpw_db_open(&h->db, h->path, QPW_DB_WRITE, h->most_bytes, err);

    if (r == 0 && !h->open && stat(h->path, &h->file) < 0) {
        r = qpw_fail(err, -errno, "%s: %s", h->path, strerror(errno));
        qpw_db_close(&h->db);
    }
    h->open = r == 0;
    return r;
}

/*
 * Only an SQLite file, or a file at the program's own path, may be moved aside; never another file because of a
 * mistyped path.
 */
static bool may_set_aside(const struct qpw_history *h)
{
    char head[16] = "";
    FILE *file = fopen(h->path, "re");
    size_t n = file ? fread(head, 1, sizeof(head), file) : 0;

    if (file)
        fclose(file);
    return h->standard || (n == sizeof(head) && !memcmp(head, "SQLite format 3", sizeof(head)));
}

static int try_to_write(struct qpw_history *h, const struct qpw_history_input *in, struct qpw_error *err)
{
    int r = open_file(h, err);

    if (r < 0)
        return r;
    r = write_all(h, in);
    if (r < 0) {
        qpw_fail(err, r, "%s: %s", h->path, r == QPW_DB_DAMAGED ? "it is damaged" : sqlite3_errmsg(h->db.sqlite));
        if (QPW_DB_IS(r, SQLITE_FULL))
            qpw_fail(err, r, "%s: no space left", h->path);
        close_file(h);
    }
    return r;
}

void qpw_history_write(struct qpw_history *h, const struct qpw_history_input *in, struct qpw_history_result *ret)
{
    struct qpw_error err = {""};
    int r;

    *ret = (struct qpw_history_result){.removed = h->open && is_gone(h)};
    if (ret->removed)
        close_file(h);
    r = try_to_write(h, in, &err);
    if (r == QPW_DB_DAMAGED && may_set_aside(h)) {
        r = set_aside(h, in->s->unix_ns, ret->set_aside, sizeof(ret->set_aside), &err);
        if (r == 0)
            r = try_to_write(h, in, &err);
    }
    if (r < 0) {
        ret->state = QPW_HISTORY_STOPPED;
        snprintf(ret->why, sizeof(ret->why), "%.*s", (int)sizeof(ret->why) - 1, err.text);
    }
}
