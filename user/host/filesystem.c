/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TYPES 4

/* The last result of opening each type; without CAP_SYS_ADMIN it cannot be opened again. */
static struct {
    const char *type;
    int fd; /* or the negative errno of opening it */
} kept[TYPES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int open_it(const char *type, unsigned long magic, const char *usual)
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

static int duplicate(int fd)
{
    int copy = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);

    return copy == -1 ? -errno : copy;
}

/* Remember fd for that type; if it is -EPERM, return a duplicate of the remembered one instead. */
static int keep_or_take(const char *type, int fd)
{
    size_t i = 0;

    while (i < TYPES && kept[i].type && strcmp(kept[i].type, type))
        i++;
    if (i == TYPES)
        return fd;
    if (fd == -EPERM && kept[i].type)
        return duplicate(kept[i].fd);
    if (kept[i].type && kept[i].fd >= 0)
        close(kept[i].fd);
    kept[i].type = type;
    kept[i].fd = duplicate(fd);
    return fd;
}

int qpw_filesystem_open(const char *type, unsigned long magic, const char *usual)
{
    int fd = open_it(type, magic, usual);

    pthread_mutex_lock(&lock);
    fd = keep_or_take(type, fd);
    pthread_mutex_unlock(&lock);
    return fd;
}
