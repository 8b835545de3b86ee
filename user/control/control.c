/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/lock.h"
#include "control/message.h"
#include "control/peer.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* include/uapi/asm-generic/socket.h, Linux 6.16 */
#endif

static int peer_credentials(int fd, struct ucred *ret)
{
    socklen_t size = sizeof(*ret);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &size) < 0 ? -errno : 0;
}

/* Close all descriptors except one: copies in a child process must not outlive the parent. */
static void close_others(int fd)
{
    if (fd > 0)
        close_range(0, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
}

/* Wait until the parents have closed fd, then exit, which closes the last copy. */
static _Noreturn void close_at_end(int fd, int go)
{
    char byte;

    while (read(go, &byte, 1) < 0 && errno == EINTR)
        ;
    close_others(fd);
    _exit(0);
}

void qpw_control_let_go(int fd)
{
    int go[2] = {-1, -1};
    pid_t child = pipe2(go, O_CLOEXEC) < 0 ? -1 : fork();

    if (child == 0) {
        close(go[1]);
        if (fork() == 0)
            close_at_end(fd, go[0]);
        _exit(0); /* init adopts and reaps the grandchild */
    }
    if (child > 0)
        waitpid(child, NULL, 0);
    close(fd);
    for (int i = 0; i < 2; i++)
        if (go[i] >= 0)
            close(go[i]);
}

static int listen_beside(struct qpw_control_end *end, struct qpw_error *err)
{
    struct sockaddr_un address;
    mode_t mask;
    int r;

    qpw_lock_address(&address);
    unlink(address.sun_path); /* left by a killed holder */
    end->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (end->fd < 0)
        return qpw_fail(err, -errno, "making the control socket: %s", strerror(errno));
    end->takes_files = setsockopt(end->fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int)) < 0;
    mask = umask(0177);
    r = bind(end->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    umask(mask);
    if (r == 0 && listen(end->fd, 16) < 0)
        r = -errno;
    return r < 0 ? qpw_fail(err, r, "listening at %s: %s", address.sun_path, strerror(-r)) : 0;
}

int qpw_control_listen(struct qpw_control_end *ret, struct qpw_error *err)
{
    char who[64], way[96];
    struct qpw_pid holder;
    int r;

    *ret = (struct qpw_control_end){.fd = -1, .lock = -1};
    r = qpw_lock_take(&ret->lock, &holder, err);
    if (r == -EADDRINUSE)
        return qpw_fail(err, r, "an auditor is already running (%s); 'qportwatch top' shows what it sees, 'qportwatch detach'%s "
                        "ends it; where it hangs, %s", qpw_pid_text(holder, who, sizeof(who)),
                        holder.here == holder.own ? "" : " in its pid namespace", qpw_lock_way_out(holder, way, sizeof(way)));
    if (r < 0)
        return r;
    r = listen_beside(ret, err);
    if (r < 0)
        qpw_control_close(ret);
    return r;
}

void qpw_control_close(struct qpw_control_end *end)
{
    if (end->fd >= 0 && end->takes_files)
        qpw_control_let_go(end->fd); /* together with clients not accepted yet */
    else if (end->fd >= 0)
        close(end->fd);
    if (end->lock >= 0)
        qpw_lock_release(end->lock);
    *end = (struct qpw_control_end){.fd = -1, .lock = -1};
}

static void refuse(int fd, const char *why)
{
    json_t *answer = qpw_answer_new(QPW_EXIT_FAILED, why);

    qpw_control_send(fd, answer);
    json_decref(answer);
}

/* Refuse a caller that is not root or, at a socket that takes files, one that may not control. */
static int check_caller(const struct qpw_control_end *end, int fd, struct qpw_error *err)
{
    struct ucred who;
    int r = peer_credentials(fd, &who);

    if (r < 0)
        return r;
    if (who.uid != 0)
        return qpw_fail(err, -EPERM, "who asks is user %u, not root", (unsigned)who.uid);
    if (!end->takes_files)
        return 0;
    r = qpw_peer_may_control(fd, NULL, err);
    if (r < 0)
        refuse(fd, err->text);
    return r;
}

int qpw_control_accept(const struct qpw_control_end *end, int *ret_fd, struct qpw_error *err)
{
    int fd = accept4(end->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), r;

    if (fd < 0)
        return errno == EWOULDBLOCK || errno == ECONNABORTED ? -EAGAIN : -errno;
    r = check_caller(end, fd, err);
    if (r == 0)
        *ret_fd = fd;
    else if (end->takes_files)
        qpw_control_let_go(fd);
    else
        close(fd);
    return r;
}

/*
 * Fill err for an auditor that holds the lock but does not answer, with a remedy. pid: as the kernel reported it, 0:
 * unknown.
 */
static int does_not_answer(int r, pid_t pid, struct qpw_error *err)
{
    char who[64], way[96];
    struct qpw_pid holder;

    if (qpw_lock_held(&holder) == 1 && holder.own) {
        holder.here = pid ? pid : holder.here;
        return qpw_fail(err, r, "the auditor (%s) does not answer; if it hangs, %s; the kernel continues counting, and 'qportwatch "
                        "attach' resumes", qpw_pid_text(holder, who, sizeof(who)), qpw_lock_way_out(holder, way, sizeof(way)));
    }
    return qpw_fail(err, r, "the auditor did not answer: %s", strerror(-r));
}

int qpw_control_connect(int *ret_fd, pid_t *ret_pid, struct qpw_error *err)
{
    struct timeval patience = {.tv_sec = QPW_CONTROL_CONNECT_SECONDS};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), r;
    struct sockaddr_un address;
    struct ucred who = {0};

    if (fd < 0)
        return qpw_fail(err, -errno, "making a control socket: %s", strerror(errno));
    qpw_lock_address(&address);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* bounds the wait for a stopped auditor
                                                                             with a full backlog */
    r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : peer_credentials(fd, &who);
    if (r == 0 && who.uid != 0)
        r = -EPERM;
    if (r < 0) {
        close(fd);
        if (r == -ECONNREFUSED || r == -ENOENT)
            return qpw_fail(err, -ENOENT, "no auditor is running in this network namespace");
        if (r == -EAGAIN)
            return does_not_answer(r, 0, err);
        return qpw_fail(err, r, "reaching the auditor at %s: %s", address.sun_path, strerror(-r));
    }
    *ret_fd = fd;
    if (ret_pid)
        *ret_pid = who.pid;
    return 0;
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
    ssize_t got = recv(fd, buf, sizeof(buf), MSG_TRUNC); /* MSG_TRUNC: return the message's length even if it is
                                                            longer than buf */

    if (got < 0)
        return -errno;
    return got ? qpw_message_read(buf, got, ret, err) : -EPIPE;
}

/* Fill err with the reason for a missing answer. */
static int no_answer(int r, pid_t pid, struct qpw_error *err)
{
    switch (r) {
    case -EBADMSG: return r; /* err is already filled */
    case -EMSGSIZE: return qpw_fail(err, r, "the request is longer than %u bytes", QPW_CONTROL_BYTES);
    case -ECONNRESET: /* killed before it read the request */
    case -EPIPE: return qpw_fail(err, r, "the auditor ended before it answered");
    default: return does_not_answer(r, pid, err);
    }
}

int qpw_control_ask(const json_t *request, json_t **ret_answer, pid_t *ret_pid, struct qpw_error *err)
{
    struct timeval patience = {.tv_sec = QPW_CONTROL_ANSWER_SECONDS};
    json_t *answer = NULL;
    pid_t pid = 0;
    int fd = -1, r = qpw_control_connect(&fd, &pid, err);

    if (r < 0)
        return r;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    r = qpw_control_send(fd, request);
    if (r == 0)
        r = qpw_control_receive(fd, &answer, err);
    close(fd);
    if (ret_pid)
        *ret_pid = pid;
    if (r < 0)
        return no_answer(r, pid, err);
    r = qpw_answer_status(answer, err);
    if (r >= 0 && ret_answer)
        *ret_answer = json_incref(answer);
    json_decref(answer);
    return r;
}
