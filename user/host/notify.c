/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Convert a path, or an abstract name with '@' for its NUL, to an address. Returns its length; 0: invalid. */
static socklen_t address_of(const char *name, struct sockaddr_un *ret)
{
    size_t length = strlen(name);

    if ((*name != '/' && *name != '@') || length < 2 || length >= sizeof(ret->sun_path))
        return 0;
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->sun_path, name, length);
    if (*name == '@')
        ret->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*name == '/'));
}

int qpw_notify(const char *state)
{
    return qpw_notify_with(state, NULL, 0);
}

int qpw_notify_with(const char *state, const int *fds, size_t n)
{
    const char *name = getenv("NOTIFY_SOCKET");
    char control[CMSG_SPACE(QPW_NOTIFY_FDS * sizeof(int))] = {0};
    struct iovec part = {(void *)state, strlen(state)};
    struct sockaddr_un address;
    struct msghdr message = {.msg_name = &address, .msg_iov = &part, .msg_iovlen = 1};
    struct cmsghdr *header;
    int fd, r;

    if (!name)
        return 0;
    message.msg_namelen = address_of(name, &address);
    if (!message.msg_namelen || n > QPW_NOTIFY_FDS)
        return -EINVAL;
    if (n) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(n * sizeof(int));
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(header), fds, n * sizeof(int));
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    r = sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 1;
    close(fd);
    return r;
}

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    long number = text ? strtol(text, &end, 10) : 0;

    return text && end != text && !*end ? number : 0;
}

size_t qpw_notify_stored(const char *name, int *ret, size_t room)
{
    const char *names = getenv("LISTEN_FDNAMES");
    long count = number_of("LISTEN_PID") == (long)getpid() ? number_of("LISTEN_FDS") : 0;
    size_t n = 0, length;

    for (int fd = FIRST_FD; fd < FIRST_FD + count && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0; fd++) {
        length = names ? strcspn(names, ":") : 0;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): length is 0 if names is NULL */
        if (length == strlen(name) && !strncmp(names, name, length) && n < room)
            ret[n++] = fd;
        else
            close(fd);
        if (names)
            names += length + (names[length] == ':');
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return n;
}
