/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "alert/log/line_buffer.h"
#include "util/file.h"

#define LONGEST (16u << 20) /* of a line; our records are far shorter */

struct qpw_log_lines {
    char *path;
    gzFile file;
    struct qpw_line_buffer buffer;
    bool end;
};

int qpw_log_lines_open(const char *path, struct qpw_log_lines **ret, struct qpw_error *err)
{
    struct qpw_log_lines *l = calloc(1, sizeof(*l));
    int fd = strcmp(path, "-") ? qpw_file_open(path, err) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        free(l);
        return fd == -ENOENT && *path ? qpw_fail(err, fd, "%s: %s", path, strerror(ENOENT)) : fd;
    }
    if (l)
        l->path = strdup(strcmp(path, "-") ? path : "standard input");
    if (l && l->path)
        l->file = gzdopen(fd, "rb");
    if (!l || !l->file) {
        close(fd);
        qpw_log_lines_close(l);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    *ret = l;
    return 0;
}

void qpw_log_lines_close(struct qpw_log_lines *l)
{
    if (!l)
        return;
    if (l->file)
        gzclose(l->file);
    free(l->buffer.bytes);
    free(l->path);
    free(l);
}

/* Read more bytes. Return 0 (l->end: no more) or a negative errno. */
static int fill(struct qpw_log_lines *l, struct qpw_error *err)
{
    const char *why;
    char *to;
    int n, error;

    if (l->buffer.used - l->buffer.start > LONGEST)
        return qpw_fail(err, -EINVAL, "%s: not a qportwatch alert log: a line of more than %u MiB", l->path, LONGEST >> 20);
    to = qpw_line_buffer_room(&l->buffer);
    if (!to)
        return qpw_fail(err, -ENOMEM, "out of memory");
    n = gzread(l->file, to, QPW_LINE_CHUNK);
    l->end = n <= 0;
    l->buffer.used += n > 0 ? (unsigned)n : 0;
    why = gzerror(l->file, &error);
    if (error == Z_ERRNO)
        return qpw_fail(err, -errno, "%s: %s", l->path, strerror(errno));
    if (error != Z_OK && error != Z_STREAM_END)
        return qpw_fail(err, -EINVAL, "%s: %s", l->path,
                        error == Z_BUF_ERROR ? "the compressed data ends too early" : why);
    return 0;
}

int qpw_log_lines_next(struct qpw_log_lines *l, const char **ret_line, size_t *ret_length, struct qpw_error *err)
{
    int r;

    while (!qpw_line_buffer_take(&l->buffer, ret_line, ret_length)) {
        if (l->end)
            return qpw_line_buffer_take_rest(&l->buffer, ret_line, ret_length);
        r = fill(l, err);
        if (r < 0)
            return r;
    }
    return 1;
}

/* ---- Rotated files ---- */

struct rotated {
    char *path;
    struct timespec changed;
    unsigned long number; /* suffix of the name: greater is older */
};

static int by_age(const void *a, const void *b)
{
    const struct rotated *x = a, *y = b;

    if (x->changed.tv_sec != y->changed.tv_sec)
        return x->changed.tv_sec < y->changed.tv_sec ? -1 : 1;
    if (x->changed.tv_nsec != y->changed.tv_nsec)
        return x->changed.tv_nsec < y->changed.tv_nsec ? -1 : 1;
    return (x->number < y->number) - (x->number > y->number);
}

/* Return whether `end` is the suffix of a rotated file: ".3", "-20260301", with or without ".gz". */
static bool is_rotation(const char *end)
{
    size_t digits = *end == '.' || *end == '-' ? strspn(end + 1, "0123456789-") : 0;

    return digits && (!end[1 + digits] || !strcmp(end + 1 + digits, ".gz"));
}

/* Escape the name for glob(3). The caller frees it; NULL: out of memory. */
static char *as_pattern(const char *path)
{
    char *pattern = malloc(2 * strlen(path) + 2), *to = pattern;

    for (; pattern && *path; path++) {
        if (strchr("*?[]\\", *path))
            *to++ = '\\';
        *to++ = *path;
    }
    if (pattern)
        strcpy(to, "*");
    return pattern;
}

char **qpw_log_rotated(const char *path, uint64_t since_unix_ns)
{
    char *pattern = as_pattern(path), **paths;
    struct rotated *found;
    glob_t names = {0};
    struct stat base, s;
    bool here = stat(path, &base) == 0;
    size_t n = 0;

    if (pattern)
        glob(pattern, GLOB_NOSORT, NULL, &names);
    found = calloc(names.gl_pathc + 1, sizeof(*found));
    paths = calloc(names.gl_pathc + 1, sizeof(*paths));
    for (size_t i = 0; pattern && found && paths && i < names.gl_pathc; i++) {
        const char *end = names.gl_pathv[i] + strlen(path);

        if (!is_rotation(end) || stat(names.gl_pathv[i], &s) < 0 || !S_ISREG(s.st_mode) ||
            (here && s.st_dev == base.st_dev && s.st_ino == base.st_ino) ||
            (uint64_t)(s.st_mtim.tv_sec + 1) * 1000000000u < since_unix_ns)
            continue;
        found[n++] = (struct rotated){names.gl_pathv[i], s.st_mtim, strtoul(end + 1, NULL, 10)};
    }
    if (n)
        qsort(found, n, sizeof(*found), by_age);
    for (size_t i = 0; i < n; i++) {
        paths[i] = strdup(found[i].path);
        if (!paths[i])
            break;
    }
    globfree(&names);
    free(pattern);
    free(found);
    return paths;
}

void qpw_log_rotated_free(char **paths)
{
    for (char **path = paths; path && *path; path++)
        free(*path);
    free(paths);
}
