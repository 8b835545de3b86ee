/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/events.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "alert/log/chain.h"
#include "util/cleanup.h"

#define RECALL_BYTES (64u << 10)
#define HEAD_BYTES 192u
#define HEAD "{\"schema\":\"" QPW_LOG_EVENTS_SCHEMA "\",\"epoch\":\""
#define AFTER "\",\"after\":"

static bool is_newer(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

void qpw_log_events_init(struct qpw_log_events *e, const int fd[QPW_LOG_EVENTS_FILES])
{
    struct stat st[QPW_LOG_EVENTS_FILES] = {0};

    *e = (struct qpw_log_events){.fd = {fd[0], fd[1]}};
    for (unsigned i = 0; i < QPW_LOG_EVENTS_FILES; i++)
        if (fd[i] >= 0 && fstat(fd[i], &st[i]) < 0)
            st[i] = (struct stat){0};
    e->current = st[1].st_size && is_newer(&st[1], &st[0]);
    e->size = (size_t)st[e->current].st_size;
}

void qpw_log_events_close(struct qpw_log_events *e)
{
    for (unsigned i = 0; i < QPW_LOG_EVENTS_FILES; i++) {
        if (e->fd[i] >= 0)
            close(e->fd[i]);
        e->fd[i] = -1;
    }
}

/* Write text and a newline, or nothing of it. */
static bool put(struct qpw_log_events *e, const char *text, size_t length)
{
    struct iovec parts[] = {{(void *)(uintptr_t)text, length}, {(void *)(uintptr_t) "\n", 1}};

    if (writev(e->fd[e->current], parts, 2) == (ssize_t)length + 1) {
        e->size += length + 1;
        return true;
    }
    if (ftruncate(e->fd[e->current], (off_t)e->size) < 0)
        qpw_log_events_close(e); /* a part of a line remains: readers must not see more */
    return false;
}

/* Whatever a killed auditor left is ended first: it can be half a line. */
void qpw_log_events_begin(struct qpw_log_events *e, const char *epoch, uint64_t after)
{
    char head[HEAD_BYTES];
    int length;

    if (e->begun || e->fd[0] < 0 || e->fd[1] < 0)
        return;
    length = snprintf(head, sizeof(head), "%s" HEAD "%s" AFTER "%" PRIu64 "}", e->size ? "\n" : "", epoch, after);

    e->begun = length < (int)sizeof(head) && put(e, head, (size_t)length);
}

void qpw_log_events_append(struct qpw_log_events *e, const char *epoch, uint64_t after, const char *line, size_t length)
{
    if (e->fd[0] < 0 || e->fd[1] < 0 || length + HEAD_BYTES > QPW_LOG_EVENTS_BYTES)
        return;
    if (e->size + length + HEAD_BYTES > QPW_LOG_EVENTS_BYTES) {
        if (ftruncate(e->fd[!e->current], 0) < 0)
            return;
        e->current = !e->current;
        e->size = 0;
        e->begun = false;
    }
    qpw_log_events_begin(e, epoch, after);
    if (e->begun)
        put(e, line, length);
}

/* Read the end of a file into buf, from the beginning of a line on. Return its first byte, NULL: there is nothing. */
static const char *read_end(const char *path, char *buf, size_t size, size_t *ret_length)
{
    QPW_CLEANUP(qpw_closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const char *from = buf;
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    n = pread(fd, buf, size, st.st_size > (off_t)size ? st.st_size - (off_t)size : 0);
    if (n <= 0)
        return NULL;
    if (st.st_size > (off_t)size) {
        from = memchr(buf, '\n', (size_t)n);
        if (!from)
            return NULL;
        from++;
    }
    *ret_length = (size_t)(buf + n - from);
    return from;
}

void qpw_log_events_recall(struct qpw_log_events *e, const char *epoch, const char *path, uint64_t last)
{
    char *buf = e->begun || e->size ? NULL : malloc(RECALL_BYTES);
    size_t length = 0;
    const char *line = buf ? read_end(path, buf, RECALL_BYTES, &length) : NULL, *end;
    struct qpw_log_chain chain;

    while (line && (end = memchr(line, '\n', length))) {
        size_t n = (size_t)(end - line);

        if (qpw_log_chain_read(line, n, &chain) && chain.number && chain.number <= last)
            qpw_log_events_append(e, epoch, chain.number - 1, line, n);
        length -= n + 1;
        line = end + 1;
    }
    free(buf);
}

bool qpw_log_events_head(const char *line, size_t length, char ret_epoch[QPW_LOG_EVENTS_EPOCH], uint64_t *ret_after)
{
    const char *epoch = line + strlen(HEAD), *end;
    char number[24], *rest;
    size_t digits;

    if (length < strlen(HEAD AFTER) || memcmp(line, HEAD, strlen(HEAD)))
        return false;
    end = memmem(epoch, length - strlen(HEAD), AFTER, strlen(AFTER));
    if (!end || end == epoch || end - epoch >= (ptrdiff_t)QPW_LOG_EVENTS_EPOCH)
        return false;
    digits = length - (size_t)(end - line) - strlen(AFTER);
    if (digits < 2 || digits >= sizeof(number))
        return false;
    memcpy(number, end + strlen(AFTER), digits);
    number[digits] = '\0';
    *ret_after = strtoull(number, &rest, 10);
    if (number[0] < '0' || number[0] > '9' || strcmp(rest, "}"))
        return false;
    memcpy(ret_epoch, epoch, (size_t)(end - epoch));
    ret_epoch[end - epoch] = '\0';
    return true;
}
