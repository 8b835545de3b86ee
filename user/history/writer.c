/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "history/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "history/db.h"
#include "history/frame.h"
#include "host/rights.h"

#define SERVER_FD 3
#define CLEAR_OF_IT 16
#define LOCK_TRIES 40 /* another writer may be about to end */
#define LOCK_PAUSE_US 50000

/* ---- The auditor's end ---- */

static _Noreturn void become(int end, const char *path, bool standard)
{
    char *argv[] = {"qportwatch", QPW_HISTORY_COMMAND, (char *)path, standard ? "standard" : NULL, NULL};
    int server = fcntl(end, F_DUPFD, CLEAR_OF_IT), null = open("/dev/null", O_RDWR);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    dup2(server, SERVER_FD);
    close_range(SERVER_FD + 1, ~0u, 0);
    setsid(); /* the terminal's signals are for the auditor */
    execve("/proc/self/exe", argv, environ);
    _exit(QPW_EXIT_FAILED);
}

int qpw_history_start(const char *path, bool standard, pid_t *ret_pid, int *ret_fd, struct qpw_error *err)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return qpw_fail(err, -errno, "%s", strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    pid = fork();
    if (pid == 0)
        become(ends[1], path, standard);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return qpw_fail(err, -errno, "%s", strerror(errno));
    }
    *ret_pid = pid;
    *ret_fd = ends[0];
    return 0;
}

int qpw_history_send(int fd, int frame)
{
    char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &frame, sizeof(frame));
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

bool qpw_history_answer(int fd, struct qpw_history_result *ret, bool *ret_gone)
{
    ssize_t n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);

    *ret_gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    return n == (ssize_t)sizeof(*ret);
}

/* ---- The process ---- */

static int receive(void)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *header;
    int frame = -1;
    ssize_t n;

    do
        n = recvmsg(SERVER_FD, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&frame, CMSG_DATA(header), sizeof(frame));
    return frame;
}

/* One writer a file: the auditors of two network namespaces would not know each other's epochs. */
static bool lock(const char *path, int *fd, struct qpw_history_result *ret)
{
    struct qpw_error err;
    char name[4096];

    if (*fd >= 0)
        return true;
    if (qpw_db_make_folder(path, &err) < 0) {
        snprintf(ret->why, sizeof(ret->why), "%.*s", (int)sizeof(ret->why) - 1, err.text);
        return false;
    }
    snprintf(name, sizeof(name), "%s-lock", path);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (*fd < 0) {
        snprintf(ret->why, sizeof(ret->why), "%.180s: %s", name, strerror(errno));
        return false;
    }
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        usleep(LOCK_PAUSE_US);
    }
    close(*fd);
    *fd = -1;
    snprintf(ret->why, sizeof(ret->why), "%.120s: another auditor writes it, of another network namespace; give this one a file of its own: --history FILE",
             path);
    return false;
}

static void write_frame(struct qpw_history *h, const char *path, int *lock_fd, int fd, struct qpw_history_result *ret)
{
    struct qpw_frame_read frame;
    int r = qpw_frame_read(fd, &frame);

    *ret = (struct qpw_history_result){.state = QPW_HISTORY_STOPPED};
    if (r < 0)
        snprintf(ret->why, sizeof(ret->why), "what was counted cannot be read: %s", strerror(-r));
    else if (lock(path, lock_fd, ret))
        qpw_history_write(h, &frame.input, ret);
    qpw_frame_clear(&frame);
}

int qpw_history_serve(int argc, char **argv)
{
    struct qpw_history_options options = {.path = argc > 2 ? argv[2] : "", .standard = argc > 3};
    struct qpw_history *h = qpw_history_new(&options);
    struct qpw_history_result result;
    int frame, lock_fd = -1;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of writing */
    umask(0027);
    if (!h || qpw_rights_keep(NULL, 0) < 0)
        return QPW_EXIT_FAILED;
    while ((frame = receive()) >= 0) {
        write_frame(h, options.path, &lock_fd, frame, &result);
        close(frame);
        if (send(SERVER_FD, &result, sizeof(result), MSG_NOSIGNAL) < 0)
            break;
    }
    qpw_history_free(h);
    return QPW_EXIT_OK;
}
