/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* history.c - read back the tail of the log: what was written about which flow_id. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "alert/log/eve.h"
#include "alert/log/lines.h"
#include "alert/log/log.h"
#include "host/process.h"
#include "util/names.h"

#define ROTATED_BYTES (64 << 20) /* limit for rotated files, uncompressed; older ones are not read */
#define COMPRESSION 16           /* assumed compression ratio */
#define LINE_MAX_BYTES 65536

struct history {
    void (*visit)(void *data, const struct qpw_engine_past *past);
    void *data;
    struct qpw_log_chain *chain;
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

static uint8_t kind(const char *text)
{
    for (uint8_t i = 0; text && i < QPW_RECORD_KIND_COUNT; i++)
        if (!strcmp(text, qpw_record_kind_name(i)))
            return i;
    return QPW_RECORD_FIRST;
}

static uint8_t verdict(const char *text)
{
    for (uint8_t i = 1; text && i < QPW_VERDICT_COUNT; i++)
        if (!strcmp(text, qpw_verdict_name(i)))
            return i;
    return QPW_VERDICT_NONE;
}

static uint8_t direction(const char *text)
{
    for (uint8_t i = 1; text && i < QPW_DIR_COUNT; i++)
        if (!strcmp(text, qpw_direction_name(i)))
            return i;
    return QPW_DIR_UNKNOWN;
}

static void read_ends(const json_t *record, struct qpw_engine_ends *ret)
{
    const char *from = json_string_value(json_object_get(record, "src_ip"));
    const char *to = json_string_value(json_object_get(record, "dest_ip"));

    ret->verdict = verdict(qpw_eve_fact(record, "verdict"));
    ret->direction = direction(qpw_eve_fact(record, "direction"));
    ret->port = (uint16_t)json_integer_value(json_object_get(record, "dest_port"));
    if (from)
        qpw_address_parse(from, ret->initiator);
    if (to)
        qpw_address_parse(to, ret->responder);
}

static void read_program(const json_t *record, struct qpw_process *ret)
{
    const char *exe = qpw_eve_fact(record, "executable"), *name = qpw_eve_fact(record, "process");

    snprintf(ret->exe, sizeof(ret->exe), "%s", exe ? exe : "");
    snprintf(ret->name, sizeof(ret->name), "%s", name ? name : "");
}

/* Read one line; ignore lines that are not our records. */
static void read_line(const struct history *h, const char *line, size_t length)
{
    json_t *record = json_loadb(line, length, 0, NULL);
    const json_t *alert = json_object_get(record, "alert"), *id;
    struct qpw_engine_past past = {0};
    struct qpw_process program = {0};
    const char *written;

    qpw_log_chain_read(line, length, h->chain);
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
        past.step = number(record, "step");
        past.sequence = number(record, "sequence");
        past.outcome = outcome(record);
        past.kind = kind(qpw_eve_fact(record, "kind"));
        read_ends(record, &past.ends);
        read_program(record, &program);
        past.program = program.name[0] || program.exe[0] ? &program : NULL;
        if (past.flow_id || past.coverage_unix_ns || past.program)
            h->visit(h->data, &past);
    }
    json_decref(record);
}

/* Read complete lines only. */
static void read_lines(const struct history *h, const char *text, size_t size, bool cut)
{
    const char *end = text + size, *at = text;

    if (cut) { /* starts in the middle of a line */
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

/*
 * Remove an incomplete last line, left by a killed process or a crash; its record is written again, because it is
 * unknown.
 */
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
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0; /* do not block on a FIFO */
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
        r = mend(path, text, st.st_size - offset, offset);
    munmap(text, st.st_size - offset);
    return r < 0 ? qpw_fail(err, r, "alert log %s: its incomplete last line cannot be removed: %s", path, strerror(-r))
                 : 0;
}

/*
 * The same for a compressed file, read whole, because it cannot be read from its end; a damaged one as far as possible.
 */
static int read_compressed(const struct history *h, const char *path, struct qpw_error *err)
{
    gzFile file = gzopen(path, "re");
    char *line = malloc(LINE_MAX_BYTES);

    if (file && line)
        while (gzgets(file, line, LINE_MAX_BYTES))
            if (strchr(line, '\n'))
                read_line(h, line, strlen(line));
    free(line);
    if (file)
        gzclose_r(file);
    return file && line ? 0 : qpw_fail(err, -ENOMEM, "alert log %s: cannot be read back", path);
}

/* ---- Rotated files: PATH.1, PATH.2.gz, PATH-20260301 … ---- */

static bool is_compressed(const char *path)
{
    size_t length = strlen(path);

    return length > 3 && !strcmp(path + length - 3, ".gz");
}

/* Return the newest files that fit into ROTATED_BYTES, NULL-terminated. */
static char **newest(char **paths)
{
    off_t room = ROTATED_BYTES;
    size_t first = 0;
    struct stat st;

    while (paths[first])
        first++;
    for (; first > 0; first--) {
        if (stat(paths[first - 1], &st) == 0)
            room -= is_compressed(paths[first - 1]) ? st.st_size * COMPRESSION : st.st_size;
        if (room < 0)
            break;
    }
    return paths + first;
}

static int read_rotated(const struct history *h, const char *path, uint64_t limit, struct qpw_error *err)
{
    char **paths = qpw_log_rotated(path, 0);
    int r = paths ? 0 : qpw_fail(err, -ENOMEM, "alert log %s: out of memory", path);

    for (char **one = paths ? newest(paths) : NULL; r == 0 && one && *one; one++)
        r = is_compressed(*one) ? read_compressed(h, *one, err) : read_file(h, *one, limit, /* newest= */ false, err);
    qpw_log_rotated_free(paths);
    return r;
}

int qpw_log_history(const struct qpw_log *log, uint64_t limit,
                    void (*visit)(void *data, const struct qpw_engine_past *past), void *data,
                    struct qpw_log_chain *ret_chain, struct qpw_error *err)
{
    struct history h = {visit, data, ret_chain};
    int r;

    qpw_log_chain_init(ret_chain);
    r = read_rotated(&h, log->path, limit, err);

    return r < 0 ? r : read_file(&h, log->path, limit, /* newest= */ true, err);
}
