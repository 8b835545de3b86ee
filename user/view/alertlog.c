/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/alertlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/names.h"

#define LONGEST_LINE 65536
#define ATTACHING_NS 10000000000ull

int qpw_alert_tail_init(struct qpw_alert_tail *tail, const char *path, uint64_t from_unix_ns)
{
    char text[40];

    *tail = (struct qpw_alert_tail){.fd = -1, .from_unix_ns = from_unix_ns};
    tail->path = strdup(path);
    tail->line = malloc(LONGEST_LINE);
    if (!tail->path || !tail->line) {
        qpw_alert_tail_free(tail);
        return -ENOMEM;
    }
    snprintf(tail->from, sizeof(tail->from), "%.19s", qpw_time_text(from_unix_ns, text, sizeof(text)));
    snprintf(tail->begun, sizeof(tail->begun), "%.19s",
             qpw_time_text(from_unix_ns + ATTACHING_NS, text, sizeof(text)));
    return 0;
}

/* Open the file that the path names now, unless it is already open. */
static int follow(struct qpw_alert_tail *tail)
{
    struct stat st;
    int fd;

    if (stat(tail->path, &st) < 0)
        return tail->fd < 0 ? -errno : 0; /* just rotated away: continue with the open file */
    if (tail->fd >= 0 && tail->device == st.st_dev && tail->inode == st.st_ino) {
        if ((uint64_t)st.st_size < tail->offset) /* truncated in place */
            tail->offset = tail->n_line = 0;
        return 0;
    }
    fd = open(tail->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    if (tail->fd >= 0)
        close(tail->fd);
    tail->fd = fd;
    tail->device = st.st_dev;
    tail->inode = st.st_ino;
    tail->offset = st.st_size > QPW_ALERT_TAIL ? (uint64_t)st.st_size - QPW_ALERT_TAIL : 0;
    tail->n_line = 0;
    return 0;
}

/* Count a record by severity, each flow_id once; without a flow_id or memory, every record counts. */
static void count(struct qpw_alert_tail *tail, uint64_t flow_id, unsigned severity)
{
    uint32_t before;

    if (flow_id && qpw_idmap_get(&tail->seen, flow_id, &before)) {
        if (before <= severity)
            return;
        tail->counts[before]--;
    }
    if (flow_id)
        qpw_idmap_set(&tail->seen, flow_id, severity);
    tail->counts[severity]++;
}

/* Return the text after the key; NULL: not in the line. */
static const char *after(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    if (!at)
        return NULL;
    at += strlen(key);
    return at + strspn(at, " \"");
}

/* Count one complete line. Only the relevant facts are searched for, because this program itself wrote the line. */
static void count_line(struct qpw_alert_tail *tail, const char *line)
{
    const char *stamp = after(line, "\"timestamp\":"), *alert = after(line, "\"alert\":");
    const char *severity = alert ? after(alert, "\"severity\":") : NULL, *flow_id = after(line, "\"flow_id\":");

    if (stamp && !tail->stamped) {
        tail->stamped = true;
        tail->whole = strncmp(stamp, tail->begun, strlen(tail->begun)) <= 0;
    }
    if (!severity || (stamp && strncmp(stamp, tail->from, strlen(tail->from)) < 0))
        return;
    if (*severity >= '1' && *severity <= '4')
        count(tail, flow_id ? strtoull(flow_id, NULL, 10) : 0, (unsigned)(*severity - '0'));
}

/* Split the bytes into lines; a line longer than any of ours is skipped. */
static void take(struct qpw_alert_tail *tail, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            if (tail->n_line < LONGEST_LINE - 1)
                tail->line[tail->n_line++] = bytes[i];
            continue;
        }
        tail->line[tail->n_line] = '\0';
        count_line(tail, tail->line);
        tail->n_line = 0;
    }
}

static int drain(struct qpw_alert_tail *tail)
{
    char bytes[16384];
    ssize_t n;

    while ((n = pread(tail->fd, bytes, sizeof(bytes), (off_t)tail->offset)) > 0) {
        take(tail, bytes, (size_t)n);
        tail->offset += (uint64_t)n;
    }
    return n < 0 ? -errno : 0;
}

int qpw_alert_tail_read(struct qpw_alert_tail *tail)
{
    int r = tail->fd < 0 ? 0 : drain(tail); /* the last records before a rotation */

    if (r < 0)
        return r;
    r = follow(tail);
    if (r < 0)
        return r;
    return drain(tail);
}

void qpw_alert_tail_free(struct qpw_alert_tail *tail)
{
    if (tail->path && tail->fd >= 0)
        close(tail->fd);
    free(tail->path);
    free(tail->line);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): freed once, here or in make_room() */
    qpw_idmap_clear(&tail->seen);
    *tail = (struct qpw_alert_tail){.fd = -1};
}

/* Switch to another path: the next auditor's log continues this one. */
static int change_path(struct qpw_alert_tail *tail, const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    if (tail->fd >= 0) {
        drain(tail); /* the last records */
        close(tail->fd);
    }
    free(tail->path);
    tail->path = copy;
    tail->fd = -1;
    tail->n_line = 0;
    return 0;
}

const uint64_t *qpw_alert_counts(struct qpw_alert_tail *tail, const struct qpw_snapshot *s)
{
    const char *path = s->meta.alerts_path;
    int r = 0;

    if (s->replay || !*path)
        return NULL;
    if (!tail->path || tail->from_unix_ns != s->from_unix_ns) { /* another instance */
        qpw_alert_tail_free(tail);
        r = qpw_alert_tail_init(tail, path, s->from_unix_ns);
    } else if (strcmp(tail->path, path)) {
        r = change_path(tail, path);
    }
    if (r == 0)
        r = qpw_alert_tail_read(tail);
    return r == 0 && tail->whole ? tail->counts : NULL;
}
