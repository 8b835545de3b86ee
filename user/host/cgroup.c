/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/filesystem.h"

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h: a handle of eight bytes, the id */

int qpw_cgroup_root_open(void)
{
    int fd = qpw_filesystem_open("cgroup2", CGROUP2_SUPER_MAGIC, "/sys/fs/cgroup");

    /* Beside version 1. */
    return fd == -EPERM ? qpw_filesystem_open("cgroup2", CGROUP2_SUPER_MAGIC, "/sys/fs/cgroup/unified") : fd;
}

int qpw_cgroup_path(uint64_t id, char *buf, size_t size)
{
    struct {
        struct file_handle head;
        uint64_t id;
    } handle = {.head = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}, .id = id};
    int root = qpw_cgroup_root_open(), directory, fd, r = 0;
    char link[64];
    ssize_t length;

    if (root < 0)
        return root;
    directory = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a mount's own descriptor may be O_PATH */
    fd = directory < 0 ? -1 : open_by_handle_at(directory, &handle.head, O_PATH | O_CLOEXEC);
    if (fd < 0)
        r = -errno;
    if (directory >= 0)
        close(directory);
    close(root);
    if (r < 0)
        return r;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, buf, size - 1);
    r = length < 0 ? -errno : 0;
    buf[length > 0 ? length : 0] = '\0';
    close(fd);
    return r;
}

uint64_t qpw_cgroup_of(int pid)
{
    char text[4096], path[64], *at, *end;
    struct stat st = {0};
    ssize_t length;
    int fd, root;

    snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    at = !strncmp(text, "0::/", 4) ? text : strstr(text, "\n0::/");
    root = at ? qpw_cgroup_root_open() : -1;
    if (root < 0)
        return 0;
    at = strchr(at, '/') + 1;
    end = strchrnul(at, '\n');
    *end = '\0';
    /* The number of the directory's inode is the id. */
    if (fstatat(root, *at ? at : ".", &st, 0) < 0)
        st.st_ino = 0;
    close(root);
    return st.st_ino;
}
