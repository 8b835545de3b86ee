/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

int qpw_filesystem_open(const char *type, unsigned long magic, const char *usual)
{
    int context = fsopen(type, FSOPEN_CLOEXEC), fd, r;
    struct statfs st;

    if (context < 0) {
        r = -errno;
        fd = open(usual, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && fstatfs(fd, &st) == 0 && (unsigned long)st.f_type == magic)
            return fd;
        if (fd >= 0)
            close(fd);
        return r;
    }
    fd = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -1 : fsmount(context, FSMOUNT_CLOEXEC, 0);
    r = fd < 0 ? -errno : fd;
    close(context);
    return r;
}
