/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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

/* What stands for an empty file: /dev/null (Documentation/admin-guide/devices.txt). */
static bool is_null(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int qpw_file_open(const char *path, struct qpw_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r;

    if (fd < 0) /* ENXIO: a socket */
        return qpw_fail(err, -errno, "%s: cannot be opened: %s", path, strerror(errno));
    r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && (S_ISREG(st.st_mode) || is_null(&st)))
        return fd; /* O_NONBLOCK means nothing there */
    close(fd);
    return r < 0 ? qpw_fail(err, r, "%s: cannot be read: %s", path, strerror(-r))
                 : qpw_fail(err, -EINVAL, "%s: is %s, not a regular file", path, qpw_file_kind(st.st_mode));
}
