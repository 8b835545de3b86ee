/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/message.h"

#define CONNECT_SECONDS 2

static const char lock_name[] = "\0qportwatch";

static socklen_t lock_address(struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, lock_name, sizeof(lock_name) - 1);
    return offsetof(struct sockaddr_un, sun_path) + sizeof(lock_name) - 1;
}

static int peer_credentials(int fd, struct ucred *ret)
{
    socklen_t size = sizeof(*ret);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &size) < 0 ? -errno : 0;
}

int qpw_control_listen(int *ret_fd, pid_t *ret_pid, struct qpw_error *err)
{
    struct sockaddr_un address;
    socklen_t length = lock_address(&address);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), other, r;

    if (fd < 0)
        return qpw_fail(err, -errno, "making the control socket: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 16) < 0) {
        r = -errno;
        close(fd);
        if (r != -EADDRINUSE)
            return qpw_fail(err, r, "binding the control socket: %s", strerror(-r));
        *ret_pid = 0;
        if (qpw_control_connect(&other, ret_pid, NULL) == 0)
            close(other);
        return qpw_fail(err, r, "an auditor is already running (pid %d); 'qportwatch top' shows what it sees, "
                        "'qportwatch detach' ends it", (int)*ret_pid);
    }
    *ret_fd = fd;
    return 0;
}

int qpw_control_accept(int listen_fd, int *ret_fd)
{
    struct ucred who;
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), r;

    if (fd < 0)
        return errno == EWOULDBLOCK || errno == ECONNABORTED ? -EAGAIN : -errno;
    r = peer_credentials(fd, &who);
    if (r == 0 && who.uid != 0)
        r = -EPERM;
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

int qpw_control_connect(int *ret_fd, pid_t *ret_pid, struct qpw_error *err)
{
    struct sockaddr_un address;
    socklen_t length = lock_address(&address);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), r;
    struct timeval patience = {.tv_sec = CONNECT_SECONDS};
    struct ucred who;

    if (fd < 0)
        return qpw_fail(err, -errno, "making a control socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* where many wait for a stopped one */
    r = connect(fd, (struct sockaddr *)&address, length) < 0 ? -errno : peer_credentials(fd, &who);
    /* Anybody may bind the name first; only root's answer is believed. */
    if (r == 0 && who.uid != 0)
        r = -EPERM;
    if (r < 0) {
        close(fd);
        if (r == -ECONNREFUSED || r == -ENOENT)
            return qpw_fail(err, -ENOENT, "no auditor lives in this network namespace");
        if (r == -EPERM)
            return qpw_fail(err, r, "the control socket belongs to process %d of user %u, not to root", (int)who.pid,
                            (unsigned)who.uid);
        return qpw_fail(err, r, "speaking to the auditor: %s", strerror(-r));
    }
    *ret_fd = fd;
    if (ret_pid)
        *ret_pid = who.pid;
    return 0;
}

int qpw_control_held(pid_t *ret_pid)
{
    struct sockaddr_un address;
    socklen_t length = lock_address(&address);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;
    struct ucred who = {0};

    *ret_pid = 0;
    if (fd < 0)
        return -errno;
    r = connect(fd, (struct sockaddr *)&address, length) < 0 ? -errno : peer_credentials(fd, &who);
    close(fd);
    if (r == -ECONNREFUSED || r == -ENOENT)
        return 0;
    if (r == -EAGAIN) /* so many wait that there must be one who does not answer */
        return 1;
    if (r < 0 || who.uid != 0)
        return r < 0 ? r : -EPERM;
    *ret_pid = who.pid;
    return 1;
}

bool qpw_control_is_gone(int fd)
{
    char byte;

    return recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) == 0;
}

int qpw_control_send(int fd, const json_t *message)
{
    char buf[QPW_CONTROL_BYTES];
    ssize_t length = qpw_message_write(message, buf, sizeof(buf));

    if (length < 0)
        return length;
    return send(fd, buf, length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int qpw_control_receive(int fd, json_t **ret, struct qpw_error *err)
{
    char buf[QPW_CONTROL_BYTES];
    ssize_t got = recv(fd, buf, sizeof(buf), MSG_TRUNC); /* the message's length, not what fitted */

    if (got < 0)
        return -errno;
    return got ? qpw_message_read(buf, got, ret, err) : -EPIPE;
}

/* What came instead of an answer, in words. */
static int no_answer(int r, struct qpw_error *err)
{
    switch (r) {
    case -EBADMSG: return r; /* err is filled */
    case -EMSGSIZE: return qpw_fail(err, r, "the request is longer than %u bytes", QPW_CONTROL_BYTES);
    case -EPIPE: return qpw_fail(err, r, "the auditor ended before it answered");
    default: return qpw_fail(err, r, "the auditor did not answer: %s", strerror(-r));
    }
}

int qpw_control_ask(const json_t *request, unsigned seconds, json_t **ret_answer, pid_t *ret_pid,
                    struct qpw_error *err)
{
    struct timeval patience = {.tv_sec = seconds};
    json_t *answer = NULL;
    int fd, r = qpw_control_connect(&fd, ret_pid, err);

    if (r < 0)
        return r;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    r = qpw_control_send(fd, request);
    if (r == 0)
        r = qpw_control_receive(fd, &answer, err);
    close(fd);
    if (r < 0)
        return no_answer(r, err);
    r = qpw_answer_status(answer, err);
    if (r >= 0 && ret_answer)
        *ret_answer = json_incref(answer);
    json_decref(answer);
    return r;
}
