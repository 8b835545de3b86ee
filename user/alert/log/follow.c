/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/log/line_buffer.h"
#include "alert/log/lines.h"
#include "util/file.h"

struct qpw_follow {
    char *path;
    int fd;     /* -1: does not exist yet */
    int notify; /* inotify on its directory; -1: not waiting */
    struct qpw_line_buffer buffer;
};

static int open_notify(struct qpw_follow *f, struct qpw_error *err)
{
    char *copy = strdup(f->path);
    int r = 0;

    if (!copy)
        return qpw_fail(err, -ENOMEM, "out of memory");
    f->notify = inotify_init1(IN_CLOEXEC);
    if (f->notify < 0 ||
        inotify_add_watch(f->notify, dirname(copy), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM) < 0)
        r = qpw_fail(err, -errno, "%s: its directory cannot be watched: %s", f->path, strerror(errno));
    free(copy);
    return r;
}

/* Return whether the log was rotated and has no record since: its name is free until the next one is written. */
static bool is_between(const char *path)
{
    char **rotated = qpw_log_rotated(path, 0);
    bool any = rotated && *rotated;

    qpw_log_rotated_free(rotated);
    return any;
}

int qpw_follow_open(const char *path, bool wait, struct qpw_follow **ret, struct qpw_error *err)
{
    struct qpw_follow *f = calloc(1, sizeof(*f));
    int r = 0;

    if (!f || !(f->path = strdup(path))) {
        free(f);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    f->notify = -1;
    f->fd = qpw_file_open(path, err);
    if (f->fd == -ENOENT && !wait && !is_between(path))
        r = qpw_fail(err, f->fd, "%s: %s; 'qportwatch attach' writes the alert log, --alerts FILE names another", path,
                     strerror(ENOENT));
    else if (f->fd < 0 && f->fd != -ENOENT)
        r = f->fd;
    if (r == 0 && wait)
        r = open_notify(f, err);
    if (r < 0) {
        qpw_follow_close(f);
        return r;
    }
    *ret = f;
    return 0;
}

void qpw_follow_close(struct qpw_follow *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    if (f->notify >= 0)
        close(f->notify);
    free(f->buffer.bytes);
    free(f->path);
    free(f);
}

/* At the end of the open file, switch to the file that now has its name, or rewind a truncated one. */
static bool moved_on(struct qpw_follow *f)
{
    struct stat now, open_;
    int fd;

    if (f->fd >= 0 && fstat(f->fd, &open_) == 0) {
        if (lseek(f->fd, 0, SEEK_CUR) > open_.st_size) {
            f->buffer.start = f->buffer.used = 0;
            lseek(f->fd, 0, SEEK_SET);
            return true;
        }
        if (stat(f->path, &now) < 0 || (now.st_dev == open_.st_dev && now.st_ino == open_.st_ino))
            return false;
    }
    fd = qpw_file_open(f->path, NULL);
    if (fd < 0)
        return false;
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    f->buffer.start = f->buffer.used = 0; /* drop an incomplete line of the old file */
    return true;
}

/* Read more bytes: return their number, 0 at the end of the file, or a negative errno. */
static ssize_t fill(struct qpw_follow *f)
{
    char *to;
    ssize_t n;

    if (f->fd < 0)
        return 0;
    to = qpw_line_buffer_room(&f->buffer);
    if (!to)
        return -ENOMEM;
    n = read(f->fd, to, QPW_LINE_CHUNK);
    if (n < 0)
        return -errno;
    f->buffer.used += (size_t)n;
    return n;
}

int qpw_follow_line(struct qpw_follow *f, bool wait, const char **ret_line, size_t *ret_length, struct qpw_error *err)
{
    char events[4096];
    ssize_t n;

    for (;;) {
        if (qpw_line_buffer_take(&f->buffer, ret_line, ret_length))
            return 1;
        n = fill(f);
        if (n < 0)
            return qpw_fail(err, n, "%s: cannot be read: %s", f->path, strerror(-n));
        if (n > 0)
            continue;
        if (!wait)
            return 0;
        if (moved_on(f))
            continue;
        if (read(f->notify, events, sizeof(events)) < 0)
            return errno == EINTR ? 0 : qpw_fail(err, -errno, "%s: waiting: %s", f->path, strerror(errno));
    }
}
