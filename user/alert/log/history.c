/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* history.c - reads the tail of the log back: what was written about which flow_id. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/log/eve.h"
#include "alert/log/log.h"
#include "util/names.h"

struct history {
    void (*visit)(void *data, const struct qpw_engine_past *past);
    void *data;
};

static uint64_t number(const json_t *record, const char *key)
{
    const char *value = qpw_eve_fact(record, key);

    return value ? strtoull(value, NULL, 10) : 0;
}

static unsigned outcome(const json_t *record)
{
    const char *value = qpw_eve_fact(record, "outcome");

    for (unsigned i = 0; value && i < QPW_OUTCOME_COUNT; i++)
        if (!strcmp(value, qpw_outcome_name(i)))
            return i;
    return QPW_OUTCOME_NONE;
}

/* One line; what is not one of our records is passed over. */
static void read_line(const struct history *h, const char *line, size_t length)
{
    json_t *record = json_loadb(line, length, 0, NULL);
    const json_t *alert = json_object_get(record, "alert"), *id;
    struct qpw_engine_past past = {0};
    const char *written;

    if (!record)
        return;
    written = qpw_eve_fact(record, "written");
    id = json_object_get(alert, "signature_id");
    past.signature_id = id ? (uint64_t)json_integer_value(id) : number(record, "signature_id");
    if (written && qpw_signature_by_id(past.signature_id)) {
        past.flow_id = json_integer_value(json_object_get(record, "flow_id"));
        past.written_unix_ns = qpw_eve_parse_time(written);
        past.count = number(record, "count");
        past.coverage_unix_ns = number(record, "coverage");
        past.sequence = number(record, "sequence");
        past.outcome = outcome(record);
        if (past.flow_id || past.coverage_unix_ns)
            h->visit(h->data, &past);
    }
    json_decref(record);
}

/* Whole lines only. */
static void read_lines(const struct history *h, const char *text, size_t size, bool cut)
{
    const char *end = text + size, *at = text;

    if (cut) { /* begins in the middle of a line */
        at = memchr(text, '\n', size);
        at = at ? at + 1 : end;
    }
    while (at < end) {
        const char *newline = memchr(at, '\n', end - at);

        if (!newline)
            break;
        read_line(h, at, newline - at);
        at = newline + 1;
    }
}

/* Takes away a line that a killed process or a crashed machine left torn; it is written again, being unknown. */
static int mend(const char *path, const char *text, size_t size, off_t offset)
{
    const char *newline = size ? memrchr(text, '\n', size) : NULL;
    off_t whole = newline ? offset + (newline + 1 - text) : offset;

    if (!size || text[size - 1] == '\n')
        return 0;
    return truncate(path, whole) < 0 ? -errno : 0;
}

static int read_file(const struct history *h, const char *path, uint64_t limit, bool newest, struct qpw_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    off_t offset;
    struct stat st;
    char *text;

    if (fd < 0)
        return errno == ENOENT ? 0
                               : qpw_fail(err, -errno, "alert log %s: cannot be read back: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !st.st_size) {
        close(fd);
        return 0;
    }
    offset = (uint64_t)st.st_size > limit ? (st.st_size - (off_t)limit) & ~(off_t)(sysconf(_SC_PAGESIZE) - 1) : 0;
    text = mmap(NULL, st.st_size - offset, PROT_READ, MAP_PRIVATE, fd, offset);
    close(fd);
    if (text == MAP_FAILED)
        return qpw_fail(err, -errno, "alert log %s: cannot be read back: %s", path, strerror(errno));
    read_lines(h, text, st.st_size - offset, offset > 0);
    if (newest)
        rc = mend(path, text, st.st_size - offset, offset);
    munmap(text, st.st_size - offset);
    return rc < 0 ? qpw_fail(err, rc, "alert log %s: its torn last line cannot be taken away: %s", path, strerror(-rc))
                  : 0;
}

int qpw_log_history(const struct qpw_log *log, uint64_t limit,
                    void (*visit)(void *data, const struct qpw_engine_past *past), void *data, struct qpw_error *err)
{
    struct history h = {visit, data};
    char *rotated;
    int rc;

    if (asprintf(&rotated, "%s.1", log->path) < 0)
        return qpw_fail(err, -ENOMEM, "alert log %s: no memory", log->path);
    rc = read_file(&h, rotated, limit, false, err);
    free(rotated);
    return rc < 0 ? rc : read_file(&h, log->path, limit, true, err);
}
