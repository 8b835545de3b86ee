/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

#define FILE_BYTES 16384u /* read at first; doubled for longer files */

#define SILENT_MS 1000 /* how long a pipe may be silent before that is reported */

const char *qpw_file_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return "a regular file";
    case S_IFDIR: return "a directory";
    case S_IFIFO: return "a FIFO";
    case S_IFSOCK: return "a socket";
    case S_IFCHR:
    case S_IFBLK: return "a device";
    default: return "no file";
    }
}

/* Return whether it is /dev/null, which stands for an empty file (Documentation/admin-guide/devices.txt). */
static bool is_null(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int cannot_open(const char *path, int error, struct qpw_error *err)
{
    if (!*path)
        return qpw_fail(err, -error, "a file's name is empty");
    if (error == ENXIO)
        return qpw_fail(err, -EINVAL, "%s: is a socket or a device without a driver, not a regular file", path);
    return qpw_fail(err, -error, "%s: cannot be opened: %s", path, strerror(error));
}

/* ---- Opened in advance ---- */

static struct held {
    const char *path;
    int fd;
} *held;
static size_t n_held;

void qpw_file_hold(const char *const *paths, size_t n, int (*open_one)(const char *path, struct qpw_error *err))
{
    struct qpw_error err;
    struct held *more;
    int fd;

    for (size_t i = 0; i < n; i++) {
        fd = !strcmp(paths[i], "-") || qpw_file_held(paths[i]) >= 0 ? -1 : open_one(paths[i], &err);
        more = fd < 0 ? NULL : QPW_ADD(held, n_held);
        if (more) {
            *more = (struct held){paths[i], fd};
            n_held++;
        } else if (fd >= 0) {
            close(fd);
        }
    }
}

int qpw_file_bytes(int fd, size_t most, char **ret, size_t *ret_length)
{
    QPW_CLEANUP(qpw_freep) char *bytes = NULL;
    size_t length = 0, room = 0, left;
    ssize_t n = 1;

    while (n && length <= most) {
        if (room - length < FILE_BYTES / 4) {
            char *more = realloc(bytes, room ? 2 * room : FILE_BYTES);

            if (!more)
                return -ENOMEM;
            bytes = more;
            room = room ? 2 * room : FILE_BYTES;
        }
        left = most + 1 - length < room - length - 1 ? most + 1 - length : room - length - 1;
        n = read(fd, bytes + length, left);
        if (n < 0 && errno != EINTR)
            return -errno;
        length += n > 0 ? (size_t)n : 0;
    }
    bytes[length] = '\0';
    *ret = QPW_TAKE(bytes);
    *ret_length = length;
    return 0;
}

int qpw_file_held(const char *path)
{
    for (size_t i = 0; i < n_held; i++)
        if (!strcmp(held[i].path, path))
            return held[i].fd;
    return -1;
}

/* Duplicate a held descriptor, rewound; a pipe continues where it is. Returns a descriptor or a negative errno. */
static int duplicate_held(int fd, const char *path, struct qpw_error *err)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (copy < 0)
        return cannot_open(path, errno, err);
    lseek(copy, 0, SEEK_SET);
    return copy;
}

/* ---- Regular files ---- */

int qpw_file_open(const char *path, struct qpw_error *err)
{
    struct stat st;
    int fd = qpw_file_held(path), r;

    if (fd >= 0)
        return duplicate_held(fd, path, err);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return cannot_open(path, errno, err);
    r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && (S_ISREG(st.st_mode) || is_null(&st)))
        return fd; /* O_NONBLOCK has no effect on it */
    close(fd);
    return r < 0 ? qpw_fail(err, r, "%s: cannot be read: %s", path, strerror(-r))
                 : qpw_fail(err, -EINVAL, "%s: is %s, not a regular file", path, qpw_file_kind(st.st_mode));
}

/* ---- Pipes too ---- */

static void (*report_waiting)(const char *path);

void qpw_file_report_waiting(void (*report)(const char *path))
{
    report_waiting = report;
}

/* Wait until there is data or no writer; signals still terminate the program. */
static void wait_for_data(int fd, const char *path)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};

    if (poll(&input, 1, SILENT_MS) != 0)
        return;
    if (report_waiting)
        report_waiting(path);
    while (poll(&input, 1, -1) < 0 && errno == EINTR)
        ;
}

static int open_stream(const char *path, struct qpw_error *err)
{
    /* Accepted whatever it is, even a socket or a terminal. */
    bool standard = !strcmp(path, "-") || !strcmp(path, "/dev/stdin");
    int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const char *name = standard ? "standard input" : path;
    struct stat st;

    if (fd < 0)
        return cannot_open(path, errno, err);
    if (fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || (!standard && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !is_null(&st)))) {
        close(fd);
        return qpw_fail(err, -EINVAL, "%s: is %s, neither a file nor a pipe", name, qpw_file_kind(st.st_mode));
    }
    if (S_ISREG(st.st_mode))
        /* O_NONBLOCK has no effect on it, except in /proc and the like, where a read would block in the kernel. */
        return fd;
    wait_for_data(fd, name);
    if (!standard)
        fcntl(fd, F_SETFL, 0); /* reads shall wait for a slow writer */
    return fd;
}

int qpw_file_open_stream(const char *path, struct qpw_error *err)
{
    int fd = qpw_file_held(path);

    return fd < 0 ? open_stream(path, err) : duplicate_held(fd, path, err);
}

/* ---- Ownership ---- */

/*
 * Return whether others than root can change the file or, of a folder, replace foreign entries; the sticky bit prevents
 * the latter.
 */
static bool is_others(const struct stat *st)
{
    mode_t writable = st->st_mode & (S_IWOTH | (st->st_gid ? S_IWGRP : 0));

    return st->st_uid || (writable && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX));
}

static bool append_owner(const struct stat *st, const char *folder, char *buf, size_t size)
{
    snprintf(buf, size, "%s%sowner %u, group %u, mode %04o", folder ? folder : "", folder ? ": " : "", (unsigned)st->st_uid, (unsigned)st->st_gid,
             (unsigned)st->st_mode & 07777);
    return true;
}

/* Check each folder of the path, from the root on. */
static bool has_foreign_folder(const char *path, char *buf, size_t size)
{
    char folder[PATH_MAX];
    struct stat st;

    for (const char *slash = strchr(path, '/'); slash && slash - path < (ptrdiff_t)sizeof(folder); slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
        if (stat(folder, &st) == 0 && is_others(&st))
            return append_owner(&st, folder, buf, size);
    }
    return false;
}

bool qpw_file_is_others(const char *path, char *buf, size_t size)
{
    char *real = realpath(path, NULL);
    struct stat st;
    bool others = false;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        others = is_others(&st) ? append_owner(&st, NULL, buf, size)
                                : has_foreign_folder(path, buf, size) || (real && has_foreign_folder(real, buf, size));
    free(real);
    return others;
}
