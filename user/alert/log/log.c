/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/log/eve.h"

#define LOG_MODE 0640
#define DIRECTORY_MODE 0750

int qpw_log_init(struct qpw_log *log, const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    *log = (struct qpw_log){.path = copy, .fd = -1};
    return 0;
}

void qpw_log_reopen(struct qpw_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}

void qpw_log_close(struct qpw_log *log)
{
    qpw_log_reopen(log);
    free(log->path);
    log->path = NULL;
}

/* Open the file, creating it if it does not exist. */
static int open_file(struct qpw_log *log)
{
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK; /* a FIFO would block */
    struct stat st;
    int fd = open(log->path, flags);
    bool made = fd < 0 && errno == ENOENT;

    if (made)
        fd = open(log->path, flags | O_CREAT, LOG_MODE);
    if (fd < 0)
        return errno == ENXIO ? -EINVAL : -errno; /* a FIFO without a reader, or a socket */
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    if (made)
        fchmod(fd, LOG_MODE); /* independent of the umask */
    log->fd = fd;
    log->device = st.st_dev;
    log->inode = st.st_ino;
    return 0;
}

/* Create the log's directory, as at the first start or after its removal. */
static int make_directory(const struct qpw_log *log)
{
    char *slash, *directory = strdup(log->path);
    int r = 0;

    if (!directory)
        return -ENOMEM;
    slash = strrchr(directory, '/');
    if (!slash || slash == directory) {
        r = -ENOENT;
    } else {
        *slash = '\0';
        r = mkdir(directory, DIRECTORY_MODE) < 0 ? -errno : 0;
    }
    free(directory);
    return r;
}

/* Return whether the name still refers to the open file, which is false after a rotation. */
static bool same_file(const struct qpw_log *log)
{
    struct stat st;

    return stat(log->path, &st) == 0 && st.st_dev == log->device && st.st_ino == log->inode;
}

static int fail(struct qpw_log *log, int code, const char *what)
{
    if (!log->failing)
        qpw_fail(&log->why, code,
                 "alert log %s: %s: %s; findings are kept in the kernel and written when it works again", log->path,
                 what, code == -EINVAL ? "not a regular file" : strerror(-code));
    log->failing = true;
    return code;
}

/* Truncate what a short write left, so that no part of a line remains. */
static int take_back(struct qpw_log *log, size_t written)
{
    off_t end = lseek(log->fd, 0, SEEK_END);

    if (end >= (off_t)written && ftruncate(log->fd, end - (off_t)written) == 0)
        return 0;
    return -EIO;
}

/* Complete a partly written line. *written: bytes already in the file. */
static int finish(struct qpw_log *log, const char *line, size_t length, size_t *written)
{
    while (*written < length) {
        ssize_t n = write(log->fd, line + *written, length - *written);

        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        *written += n;
    }
    return 0;
}

int qpw_log_ready(struct qpw_log *log)
{
    int r;

    if (log->fd >= 0 && !same_file(log))
        qpw_log_reopen(log);
    if (log->fd >= 0)
        return 0;
    r = open_file(log);
    if (r == -ENOENT && make_directory(log) == 0)
        r = open_file(log);
    return r < 0 ? fail(log, r, "cannot be opened") : 0;
}

int qpw_log_write(struct qpw_log *log, const char *line, size_t length)
{
    size_t written;
    ssize_t n;
    int r = qpw_log_ready(log);

    if (r < 0)
        return r;
    do
        n = write(log->fd, line, length);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail(log, -errno, "cannot be written");
    written = n;
    r = finish(log, line, length, &written);
    if (r < 0) {
        if (take_back(log, written) < 0)
            return fail(log, -EIO, "part of a line could not be removed");
        return fail(log, r, "cannot be written");
    }
    log->failing = false;
    return 0;
}

int qpw_log_record(struct qpw_log *log, struct qpw_log_chain *chain, const struct qpw_record *record, char **ret_line)
{
    struct qpw_log_chain next;
    size_t length;
    char *line = NULL;
    bool sealed;
    int r = qpw_eve_line(record, chain, &line, &length);

    *ret_line = NULL;
    if (r < 0)
        return r;
    sealed = qpw_log_chain_seal(chain, line, length, &next);
    r = qpw_log_write(log, line, length);
    line[length - 1] = '\0';
    *ret_line = line;
    if (r == 0 && sealed)
        *chain = next;
    return r;
}
