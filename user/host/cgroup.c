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
#include "host/proc_reader.h"

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h: a handle of eight bytes, the id */

int qpw_cgroup_root_open(void)
{
    int fd = qpw_filesystem_open("cgroup2", CGROUP2_SUPER_MAGIC, "/sys/fs/cgroup");

    /* the usual place beside a version 1 hierarchy */
    return fd == -EPERM ? qpw_filesystem_open("cgroup2", CGROUP2_SUPER_MAGIC, "/sys/fs/cgroup/unified") : fd;
}

static int open_by_id(uint64_t id, int flags)
{
    struct {
        struct file_handle head;
        uint64_t id;
    } handle = {.head = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}, .id = id};
    int root = qpw_cgroup_root_open(), directory, fd, r;

    if (root < 0)
        return root;
    /* openat(), because a mount's own descriptor may be O_PATH. */
    directory = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = directory < 0 ? -1 : open_by_handle_at(directory, &handle.head, flags | O_CLOEXEC);
    r = fd < 0 ? -errno : fd;
    if (directory >= 0)
        close(directory);
    close(root);
    return r;
}

int qpw_cgroup_open(uint64_t id)
{
    struct qpw_helper_reply reply = {0};

    if (qpw_proc_ask(QPW_PROC_CGROUP_OPEN, &id, sizeof(id), &reply))
        return reply.result < 0 ? reply.result : reply.fd < 0 ? -EIO : reply.fd;
    return open_by_id(id, O_RDONLY | O_DIRECTORY);
}

uint64_t qpw_cgroup_id(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? 0 : st.st_ino; /* a cgroup's id is its directory's inode number */
}

int qpw_cgroup_path(uint64_t id, char *buf, size_t size)
{
    struct qpw_helper_reply reply = {.bytes = buf, .room = size};
    int fd, r;
    char link[64];
    ssize_t length;

    if (qpw_proc_ask(QPW_PROC_CGROUP_PATH, &id, sizeof(id), &reply)) {
        buf[reply.size ? reply.size - 1 : 0] = '\0';
        return reply.result;
    }
    fd = open_by_id(id, O_PATH);
    if (fd < 0)
        return fd;
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
    uint64_t id = 0;
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
    fd = openat(root, *at ? at : ".", O_PATH | O_CLOEXEC);
    if (fd >= 0) {
        id = qpw_cgroup_id(fd);
        close(fd);
    }
    close(root);
    return id;
}
