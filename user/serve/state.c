/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/names.h"

#define PATH_BYTES 4608

int qpw_state_open(const char *folder, struct qpw_error *err)
{
    static const struct {
        const char *part;
        mode_t mode;
    } parts[] = {{"", 0755}, {"/" QPW_STATE_PEERS, 0750}, {"/" QPW_STATE_HEADS, 0750}, {"/" QPW_STATE_EVENTS, 0750}};
    char path[PATH_BYTES];

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, parts[i].part);
        if (mkdir(path, parts[i].mode) < 0 && errno != EEXIST)
            return qpw_fail(err, -errno, "%s: %s", path, strerror(errno));
    }
    return 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
    ssize_t n;

    while (length) {
        n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes += n;
        length -= (size_t)n;
    }
    return 0;
}

int qpw_state_write_bytes(const char *folder, const char *name, const char *bytes, size_t length, mode_t mode)
{
    char path[PATH_BYTES], beside[PATH_BYTES + 8];
    int fd, r;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    snprintf(beside, sizeof(beside), "%s.new", path);
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return -errno;
    r = fchmod(fd, mode) < 0 ? -errno : write_all(fd, bytes, length);
    close(fd);
    if (r == 0 && rename(beside, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(beside);
    return r;
}

int qpw_state_write(const char *folder, const char *name, const json_t *document, mode_t mode)
{
    char *text = json_dumps(document, JSON_COMPACT);
    int r = text ? qpw_state_write_bytes(folder, name, text, strlen(text), mode) : -ENOMEM;

    free(text);
    return r;
}

const char *qpw_state_name(const char *peer, const char *ending, char *buf, size_t size)
{
    size_t used = 0;

    for (const char *c = peer; *c && used + 4 < size; c++) {
        bool plain = isalnum((unsigned char)*c) || strchr("-_", *c) || (*c == '.' && used);

        used += (size_t)snprintf(buf + used, size - used, plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
    snprintf(buf + used, size - used, "%s", ending);
    return buf;
}

/* Cut a file to its newer half, at the beginning of a line. */
static int cut(const char *folder, const char *name, const char *path, size_t length)
{
    size_t skip = length / 2, left = length - skip;
    char *bytes = malloc(left), *line;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r = -EIO;
    ssize_t n = bytes && fd >= 0 ? pread(fd, bytes, left, (off_t)skip) : -1;

    line = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;
    if (line)
        r = qpw_state_write_bytes(folder, name, line + 1, (size_t)(bytes + n - line - 1), 0640);
    free(bytes);
    if (fd >= 0)
        close(fd);
    return r;
}

/* Append whole lines to a file of a peer, and cut it when it is full. */
static int append(const char *folder, const char *name, off_t most, const char *bytes, size_t length)
{
    char path[PATH_BYTES];
    struct stat st;
    int fd, r;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (stat(path, &st) == 0 && st.st_size > most)
        cut(folder, name, path, (size_t)st.st_size);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return -errno;
    r = fstat(fd, &st) < 0 ? -errno : write_all(fd, bytes, length);
    if (r < 0 && ftruncate(fd, st.st_size) < 0) /* no part of a line stays */
        r = -errno;
    close(fd);
    return r;
}

int qpw_state_head(const char *folder, const char *peer, uint64_t unix_ns, const struct qpw_log_chain *head)
{
    char file[256], name[300], time[40], line[256];

    snprintf(name, sizeof(name), QPW_STATE_HEADS "/%s", qpw_state_name(peer, "", file, sizeof(file)));
    snprintf(line, sizeof(line), "%s %" PRIu64 ":%s\n", qpw_time_text(unix_ns, time, sizeof(time)), head->number, head->sum);
    return append(folder, name, QPW_STATE_HEADS_BYTES, line, strlen(line));
}

int qpw_state_events(const char *folder, const char *peer, const char *bytes, size_t length)
{
    char file[256], name[300];

    snprintf(name, sizeof(name), QPW_STATE_EVENTS "/%s", qpw_state_name(peer, "", file, sizeof(file)));
    return append(folder, name, QPW_STATE_EVENTS_BYTES, bytes, length);
}

size_t qpw_state_events_end(const char *folder, const char *peer, char *buf, size_t size)
{
    char file[256], path[PATH_BYTES];
    struct stat st;
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof(path), "%s/" QPW_STATE_EVENTS "/%s", folder, qpw_state_name(peer, "", file, sizeof(file)));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) == 0)
        n = pread(fd, buf, size, st.st_size > (off_t)size ? st.st_size - (off_t)size : 0);
    close(fd);
    return n > 0 ? (size_t)n : 0;
}
