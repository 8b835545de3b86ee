/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/tracepoint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/filesystem.h"

/* Read one of the event's files. Returns 0 or a negative errno. */
static int read_file(const char *event, const char *name, char *buf, size_t size)
{
    int root = qpw_filesystem_open("tracefs", TRACEFS_MAGIC, "/sys/kernel/tracing"), fd, r;
    char path[128];
    ssize_t length;

    if (root < 0)
        return root;
    snprintf(path, sizeof(path), "events/%s/%s", event, name);
    fd = openat(root, path, O_RDONLY | O_CLOEXEC);
    r = fd < 0 ? -errno : 0;
    close(root);
    if (r < 0)
        return r;
    length = read(fd, buf, size - 1);
    r = length < 0 ? -errno : 0;
    buf[length > 0 ? length : 0] = '\0';
    close(fd);
    return r;
}

int qpw_tracepoint_id(const char *event)
{
    char text[32];
    int r = read_file(event, "id", text, sizeof(text));

    return r < 0 ? r : atoi(text) > 0 ? atoi(text) : -EINVAL;
}

/* Parse lines such as "\tfield:pid_t child_pid;\toffset:20;\tsize:4;\tsigned:1;". */
int qpw_tracepoint_field(const char *event, const char *field, unsigned bytes)
{
    char text[4096], wanted[64];
    unsigned offset, size;
    const char *at;
    int r = read_file(event, "format", text, sizeof(text));

    if (r < 0)
        return r;
    snprintf(wanted, sizeof(wanted), " %s;", field);
    at = strstr(text, wanted);
    if (!at || sscanf(at + strlen(wanted), " offset:%u; size:%u;", &offset, &size) != 2 || size != bytes)
        return -ENOENT;
    return (int)offset;
}
