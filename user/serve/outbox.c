/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/array.h"

#define CHUNK (64u << 10)
#define LOOK_S 1 /* between looks for files that are missing or were replaced: their folder cannot be watched */
#define NUMBERS ((1ull << 53) - 1)

struct line {
    uint64_t number;
    uint32_t offset, length; /* newline included */
    unsigned file;
};

struct source {
    char path[PATH_MAX];
    int fd, watch;   /* -1: none */
    uint64_t read;   /* bytes, up to the end of a line */
    char head[256];  /* first bytes when it was read: a file emptied and filled again begins with others */
};

struct qpw_outbox {
    int epoll_fd, notify_fd, timer_fd;
    struct source sources[QPW_LOG_EVENTS_FILES];
    struct line *lines; /* by number */
    size_t n_lines;
    bool begun;         /* an auditor's first line was read */
    char epoch[QPW_LOG_EVENTS_EPOCH];
    char *chunk;
};

/* ---- Lines ---- */

/* Forget the lines of a file; the oldest are those of the one that is emptied. */
static void forget(struct qpw_outbox *f, unsigned file)
{
    size_t left = 0;

    for (size_t i = 0; i < f->n_lines; i++)
        if (f->lines[i].file != file)
            f->lines[left++] = f->lines[i];
    f->n_lines = left;
    f->sources[file].read = 0;
    f->sources[file].head[0] = '\0';
}

/* Take a line that lies at `offset` in the file. Return whether it is an event. */
static bool take(struct qpw_outbox *f, unsigned file, const char *text, struct line at)
{
    struct qpw_log_chain chain;
    uint64_t after;
    struct line *line;

    if (qpw_log_events_head(text, at.length - 1, f->epoch, &after)) {
        f->begun = true;
        return false;
    }
    if (!qpw_log_chain_read(text, at.length - 1, &chain) || !chain.number)
        return false;
    if (f->n_lines && chain.number <= f->lines[f->n_lines - 1].number)
        f->n_lines = 0; /* another log: its numbers begin again */
    line = QPW_ADD(f->lines, f->n_lines);
    if (!line)
        return false;
    *line = at;
    line->number = chain.number;
    line->file = file;
    f->n_lines++;
    return true;
}

/* Read whole lines behind what was read. A line longer than a chunk is none of ours, and is passed over. */
static bool read_on(struct qpw_outbox *f, unsigned file)
{
    struct source *s = &f->sources[file];
    bool news = false;
    ssize_t n;

    while ((n = pread(s->fd, f->chunk, CHUNK, (off_t)s->read)) > 0) {
        size_t done = 0;
        char *end;

        while ((end = memchr(f->chunk + done, '\n', (size_t)n - done))) {
            size_t length = (size_t)(end - f->chunk) + 1 - done;

            news |= take(f, file, f->chunk + done, (struct line){.offset = (uint32_t)(s->read + done), .length = (uint32_t)length});
            done += length;
        }
        if (!done && n == CHUNK)
            done = CHUNK;
        if (!done)
            break;
        s->read += done;
        if (s->read >= UINT32_MAX - CHUNK)
            break;
    }
    return news;
}

/* ---- Files ---- */

static void close_source(struct qpw_outbox *f, unsigned file)
{
    struct source *s = &f->sources[file];

    if (s->watch >= 0)
        inotify_rm_watch(f->notify_fd, s->watch);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = s->watch = -1;
    forget(f, file);
}

static bool is_current(const struct source *s)
{
    struct stat now, ours;

    return s->fd >= 0 && stat(s->path, &now) == 0 && fstat(s->fd, &ours) == 0 && now.st_dev == ours.st_dev && now.st_ino == ours.st_ino;
}

/* Open the file that has the name now. One that was removed is kept until there is another: its last lines are wanted. */
static void open_source(struct qpw_outbox *f, unsigned file)
{
    struct source *s = &f->sources[file];
    struct stat st;
    int fd;

    if (is_current(s))
        return;
    fd = open(s->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    close_source(f, file);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return;
    }
    s->fd = fd;
    s->watch = inotify_add_watch(f->notify_fd, s->path, IN_MODIFY);
}

/* Forget what was read of a file that was emptied since. */
static void check_start(struct qpw_outbox *f, unsigned file)
{
    struct source *s = &f->sources[file];
    char head[sizeof(s->head)] = "";
    ssize_t n = pread(s->fd, head, sizeof(head) - 1, 0);
    char *end = n > 0 ? strchr(head, '\n') : NULL;

    if (end)
        *end = '\0';
    if (s->read && (!end || strcmp(head, s->head)))
        forget(f, file);
    if (end)
        memcpy(s->head, head, sizeof(head));
}

/* Return which of the files begins with the older lines, so that they are read in order. */
static unsigned older(const struct qpw_outbox *f)
{
    char line[256], epoch[QPW_LOG_EVENTS_EPOCH];
    uint64_t after[QPW_LOG_EVENTS_FILES] = {0};

    for (unsigned i = 0; i < QPW_LOG_EVENTS_FILES; i++) {
        ssize_t n = f->sources[i].fd >= 0 ? pread(f->sources[i].fd, line, sizeof(line), 0) : 0;
        char *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;

        if (!end || !qpw_log_events_head(line, (size_t)(end - line), epoch, &after[i]))
            after[i] = UINT64_MAX;
    }
    return after[1] < after[0];
}

static bool look(struct qpw_outbox *f)
{
    bool news = false;
    unsigned first;

    for (unsigned i = 0; i < QPW_LOG_EVENTS_FILES; i++)
        open_source(f, i);
    for (unsigned i = 0; i < QPW_LOG_EVENTS_FILES; i++)
        if (f->sources[i].fd >= 0)
            check_start(f, i);
    first = older(f);
    for (unsigned i = 0; i < QPW_LOG_EVENTS_FILES; i++)
        if (f->sources[first ^ i].fd >= 0)
            news |= read_on(f, first ^ i);
    return news;
}

int qpw_outbox_open(const char *const paths[QPW_LOG_EVENTS_FILES], struct qpw_outbox **ret, struct qpw_error *err)
{
    struct itimerspec every = {.it_interval.tv_sec = LOOK_S, .it_value.tv_sec = LOOK_S};
    struct epoll_event event = {.events = EPOLLIN};
    struct qpw_outbox *f = calloc(1, sizeof(*f));

    if (!f || !(f->chunk = malloc(CHUNK))) {
        free(f);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    for (unsigned i = 0; i < QPW_LOG_EVENTS_FILES; i++) {
        f->sources[i].fd = f->sources[i].watch = -1;
        snprintf(f->sources[i].path, sizeof(f->sources[i].path), "%s", paths[i]);
    }
    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    f->notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    f->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (f->epoll_fd < 0 || f->notify_fd < 0 || f->timer_fd < 0 || epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, f->notify_fd, &event) < 0 ||
        epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, f->timer_fd, &event) < 0 || timerfd_settime(f->timer_fd, 0, &every, NULL) < 0) {
        int r = -errno;

        qpw_outbox_close(f);
        return qpw_fail(err, r, "waiting for events: %s", strerror(-r));
    }
    look(f);
    *ret = f;
    return 0;
}

void qpw_outbox_close(struct qpw_outbox *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < QPW_LOG_EVENTS_FILES; i++)
        close_source(f, i);
    if (f->epoll_fd >= 0)
        close(f->epoll_fd);
    if (f->notify_fd >= 0)
        close(f->notify_fd);
    if (f->timer_fd >= 0)
        close(f->timer_fd);
    free(f->lines);
    free(f->chunk);
    free(f);
}

int qpw_outbox_fd(const struct qpw_outbox *f)
{
    return f->epoll_fd;
}

bool qpw_outbox_step(struct qpw_outbox *f)
{
    char events[4096];
    uint64_t expirations;

    while (read(f->notify_fd, events, sizeof(events)) > 0)
        ;
    (void)!read(f->timer_fd, &expirations, sizeof(expirations));
    return look(f);
}

/* ---- Finding ---- */

/* Return the index of the first line after that record. */
static size_t first_after(const struct qpw_outbox *f, uint64_t after)
{
    size_t low = 0, high = f->n_lines;

    while (low < high) {
        size_t middle = (low + high) / 2;

        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are lines */
        if (f->lines[middle].number > after)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Read the chain of a line, which can have been overwritten. */
static bool read_chain(const struct qpw_outbox *f, const struct line *line, struct qpw_log_chain *ret)
{
    const struct source *s = &f->sources[line->file];

    return line->length <= CHUNK && pread(s->fd, f->chunk, line->length, line->offset) == (ssize_t)line->length &&
           qpw_log_chain_read(f->chunk, line->length, ret) && ret->number == line->number;
}

int qpw_outbox_find(const struct qpw_outbox *f, uint64_t after, unsigned limit, struct qpw_outbox_batch *ret)
{
    const struct line *newest = f->n_lines ? &f->lines[f->n_lines - 1] : NULL, *first;
    size_t i = first_after(f, newest && after > newest->number ? 0 : after), n = 0;
    uint64_t length = 0;

    *ret = (struct qpw_outbox_batch){.fd = -1, .epoch = f->epoch};
    if (!f->begun)
        return -ENODATA;
    if (!newest)
        return 0;
    if (i == f->n_lines)
        return read_chain(f, newest, &ret->chain) ? 0 : -EAGAIN;
    first = &f->lines[i];
    for (; i + n < f->n_lines && n < limit; n++) {
        const struct line *line = &first[n];

        if (line->file != first->file || line->offset != first->offset + length || length + line->length > QPW_OUTBOX_BATCH)
            break;
        length += line->length;
    }
    if (!n || !read_chain(f, &first[n - 1], &ret->chain))
        return -EAGAIN;
    ret->fd = fcntl(f->sources[first->file].fd, F_DUPFD_CLOEXEC, 3);
    ret->offset = first->offset;
    ret->length = length;
    return ret->fd < 0 ? -errno : 0;
}

bool qpw_outbox_newest(const struct qpw_outbox *f, uint64_t *ret)
{
    if (!f->n_lines)
        return false;
    *ret = f->lines[f->n_lines - 1].number;
    return true;
}

/* Read a whole number up to `most` without sign or blanks. */
static bool read_number(const char *text, uint64_t most, uint64_t *ret)
{
    char *end;

    if (!text)
        return true;
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 16)
        return false;
    *ret = strtoull(text, &end, 10);
    return *ret <= most;
}

int qpw_outbox_query(const char *after, const char *wait, const char *limit, struct qpw_outbox_query *ret)
{
    uint64_t wait_s = 0, lines = QPW_OUTBOX_LIMIT;

    *ret = (struct qpw_outbox_query){0};
    if (!read_number(after, NUMBERS, &ret->after) || !read_number(wait, QPW_OUTBOX_WAIT_S, &wait_s) ||
        !read_number(limit, QPW_OUTBOX_LIMIT, &lines) || !lines)
        return -EINVAL;
    ret->wait_s = (unsigned)wait_s;
    ret->limit = (unsigned)lines;
    return 0;
}
