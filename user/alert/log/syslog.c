/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/syslog.h"
#include "util/near.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_PATH "/dev/log"
#define JOURNAL_PATH "/run/systemd/journal/socket"
#define DEFAULT_PORT 514
#define CONNECT_MS 100     /* timeout for connecting to a TCP receiver */
#define RETRY_SECONDS 5    /* between attempts to connect */
#define MESSAGE_BYTES 8192

enum way { WAY_UNIX, WAY_UDP, WAY_TCP, WAY_JOURNAL };

struct qpw_syslog {
    enum way way;
    int fd; /* -1: not connected */
    struct sockaddr_storage address;
    socklen_t length;
    time_t retry; /* monotonic time in seconds of the next attempt */
    uint64_t sent;
    uint64_t dropped;
};

static int parse_path(const char *text, const char *otherwise, struct qpw_syslog *s)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&s->address;
    const char *path = *text == ':' ? text + 1 : otherwise;

    if ((*text && *text != ':') || !*path || strlen(path) >= sizeof(un->sun_path))
        return -EINVAL;
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, path);
    s->length = sizeof(*un);
    return 0;
}

/* Parse ":1.2.3.4", ":1.2.3.4:6514", ":[fd00::1]:6514" or ":fd00::1". */
static int parse_internet(const char *text, struct qpw_syslog *s)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&s->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s->address;
    char host[INET6_ADDRSTRLEN + 2], *end, *colon;
    unsigned long port = DEFAULT_PORT;

    if (*text != ':' || strlen(text + 1) >= sizeof(host))
        return -EINVAL;
    strcpy(host, text + 1);
    colon = *host == '[' ? strstr(host, "]:") : strchr(host, ':') == strrchr(host, ':') ? strchr(host, ':') : NULL;
    if (colon) {
        const char *digits = colon + (*host == '[' ? 2 : 1);

        port = strtoul(digits, &end, 10);
        if (*digits < '0' || *digits > '9' || *end || !port || port > 65535)
            return -EINVAL;
        *colon = '\0';
    } else if (*host == '[' && host[strlen(host) - 1] == ']') {
        host[strlen(host) - 1] = '\0';
    }
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        s->length = sizeof(*v4);
    } else if (inet_pton(AF_INET6, host + (*host == '['), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        s->length = sizeof(*v6);
    } else {
        return -EINVAL;
    }
    return 0;
}

int qpw_syslog_open(const char *target, struct qpw_syslog **ret, struct qpw_error *err)
{
    static const struct {
        const char *word;
        enum way way;
    } ways[] = {{"unix", WAY_UNIX}, {"udp", WAY_UDP}, {"tcp", WAY_TCP}, {"journald", WAY_JOURNAL}};
    const char *const known[] = {"unix", "udp", "tcp", "journald", NULL};
    struct qpw_syslog *s = calloc(1, sizeof(*s));
    char word[32], hint[48];
    int r = -EINVAL;

    if (!s)
        return qpw_fail(err, -ENOMEM, "out of memory");
    s->fd = -1;
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        const char *rest = target + strlen(ways[i].word);

        if (strncmp(target, ways[i].word, strlen(ways[i].word)) || (*rest && *rest != ':'))
            continue;
        s->way = ways[i].way;
        r = s->way == WAY_UNIX      ? parse_path(rest, DEFAULT_PATH, s)
            : s->way == WAY_JOURNAL ? parse_path(rest, JOURNAL_PATH, s)
                                    : parse_internet(rest, s);
    }
    if (r < 0) {
        free(s);
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(target, ":"), target);
        return qpw_fail(err, r, "syslog target '%s': not unix[:PATH], udp:ADDRESS[:PORT], tcp:ADDRESS[:PORT] or journald%s",
                        target, qpw_near_among(word, known, hint, sizeof(hint)));
    }
    *ret = s;
    return 0;
}

void qpw_syslog_close(struct qpw_syslog *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

static time_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static int wait_connected(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);

    if (poll(&p, 1, CONNECT_MS) != 1)
        return -ETIMEDOUT;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static int connect_to(struct qpw_syslog *s)
{
    int type = s->way == WAY_TCP ? SOCK_STREAM : SOCK_DGRAM, fd, r = 0;

    if (now() < s->retry)
        return -ENOTCONN;
    fd = socket(s->address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&s->address, s->length) < 0)
        r = errno == EINPROGRESS ? wait_connected(fd) : -errno;
    if (r < 0) {
        close(fd);
        s->retry = now() + RETRY_SECONDS;
        return r;
    }
    s->fd = fd;
    return 0;
}

/*
 * On a stream, prefix each message with its length (RFC 6587, 3.4.1), and close the stream after a partial message,
 * which would corrupt the next one.
 */
static int send_message(struct qpw_syslog *s, const char *message, size_t length)
{
    char framed[MESSAGE_BYTES + 16];
    ssize_t n;

    if (s->way == WAY_TCP) {
        length = snprintf(framed, sizeof(framed), "%zu %.*s", length, (int)length, message);
        message = framed;
    }
    n = send(s->fd, message, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n == (ssize_t)length)
        return 0;
    n = n < 0 ? -errno : -EAGAIN;
    if (n != -EAGAIN || s->way == WAY_TCP) {
        close(s->fd);
        s->fd = -1;
    }
    return n;
}

int qpw_syslog_write(struct qpw_syslog *s, const struct qpw_record *record)
{
    char message[MESSAGE_BYTES];
    size_t length;
    int r = 0;

    if (!record->signature)
        return 0;
    length = s->way == WAY_JOURNAL ? qpw_syslog_journal(record, message, sizeof(message))
                                   : qpw_syslog_message(record, message, sizeof(message));
    for (unsigned tries = 0; tries < 2;
         tries++) { /* the first attempt fails after a restart of the receiver */
        if (s->fd < 0)
            r = connect_to(s);
        if (s->fd >= 0)
            r = send_message(s, message, length);
        if (r == 0 || s->fd >= 0)
            break;
    }
    if (r == 0)
        s->sent++;
    else
        s->dropped++;
    return r;
}

void qpw_syslog_counts(const struct qpw_syslog *s, uint64_t *ret_sent, uint64_t *ret_dropped)
{
    *ret_sent = s->sent;
    *ret_dropped = s->dropped;
}
