/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/readers.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/readers.h"
#include "control/readers_server.h"
#include "host/confine.h"
#include "host/rights.h"

#define AGAIN_MS 60000 /* delay before a restart */
#define LISTENER_FD 3
#define LIFE_FD 4
#define CLEAR_OF_BOTH 16
#define NOT_CONFINED 125 /* an exit status of no command */

static _Noreturn void execute(void)
{
    char *argv[] = {"qportwatch", QPW_READERS_COMMAND, NULL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execve("/proc/self/exe", argv, environ);
    _exit(QPW_EXIT_FAILED);
}

/*
 * Drop privileges, because clients are not root: keep the capabilities that reading needs, as the unit grants them,
 * write only the history (a reader of the database records its position there), and execute only this program.
 */
static int confine(const char *history_path)
{
    char folder[PATH_MAX];
    const char *folders[] = {folder};
    bool writes;
    int r;

    snprintf(folder, sizeof(folder), "%s", history_path);
    writes = strrchr(folder, '/') > folder;
    if (writes)
        *strrchr(folder, '/') = '\0';
    writes = writes && access(folder, F_OK) == 0;
    r = qpw_rights_keep_reading();
    if (r < 0)
        return r;
    r = qpw_confine_files(folders, writes, QPW_TCP_RPCBIND);
    if (r < 0)
        return r;
    return qpw_confine_server();
}

/*
 * Restart the server when it ends; the auditor cannot, because it has dropped the privileges that commands need. A byte
 * to the auditor announces a restart after a pause; when the connection closes, this process and the server end.
 */
static _Noreturn void supervise(void)
{
    struct pollfd life = {.fd = LIFE_FD, .events = POLLIN};
    int status = 0;
    pid_t pid;

    for (;;) {
        pid = fork();
        if (pid == 0)
            execute();
        if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == QPW_EXIT_OK)
            _exit(QPW_EXIT_OK);
        send(LIFE_FD, "e", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (poll(&life, 1, AGAIN_MS) > 0)
            _exit(QPW_EXIT_OK);
    }
}

/*
 * Turn this child into the supervisor: the listener becomes descriptor 3, the pipe's end 4, and all others are closed.
 * If this process is killed, a stopped server is killed, too.
 */
static _Noreturn void become(int listen_fd, int life, pid_t auditor, const char *history_path)
{
    int listener = fcntl(listen_fd, F_DUPFD, CLEAR_OF_BOTH), end = fcntl(life, F_DUPFD, CLEAR_OF_BOTH);
    int null = open("/dev/null", O_RDWR);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != auditor)
        _exit(QPW_EXIT_OK);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd); /* readers must not write to the auditor's terminal */
    dup2(listener, LISTENER_FD);
    dup2(end, LIFE_FD);
    close_range(LIFE_FD + 1, ~0u, 0);
    setsid(); /* terminal signals are for the auditor, which ends this process */
    prctl(PR_SET_NAME, QPW_READERS_PROCESS);
    if (confine(history_path) < 0)
        _exit(NOT_CONFINED);
    supervise();
}

void qpw_audit_readers_start(struct qpw_auditor *a)
{
    struct qpw_error err = {""};
    pid_t auditor;
    int fd = -1, life[2] = {-1, -1};
    int r = qpw_readers_listen(&fd, &err);

    if (r == -ENOENT)
        return;
    if (r == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life) < 0) {
        r = qpw_fail(&err, -errno, "%s", strerror(errno));
        close(fd);
    }
    if (r < 0) {
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "only root can read what is counted: %s", err.text);
        return;
    }
    auditor = getpid();
    a->readers = fork();
    if (a->readers == 0)
        become(fd, life[0], auditor, a->meta.history_path);
    close(fd);
    close(life[0]);
    a->readers_life = life[1];
    if (a->readers > 0)
        return;
    qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "only root can read what is counted: %s", strerror(errno));
    qpw_audit_readers_stop(a);
}

void qpw_audit_readers_tick(struct qpw_auditor *a)
{
    int status = 0;
    char byte;

    if (a->readers > 0 && waitpid(a->readers, &status, WNOHANG) == a->readers) {
        a->readers = 0;
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the process that answers the group " QPW_READERS_GROUP " %s; until the auditor is "
                "started again only root can read what is counted",
                WIFEXITED(status) && WEXITSTATUS(status) == NOT_CONFINED ? "could not give up what it does not need" : "has ended");
        qpw_audit_readers_stop(a);
    } else if (a->readers > 0 && recv(a->readers_life, &byte, 1, MSG_DONTWAIT) == 1) {
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the process that answers the group " QPW_READERS_GROUP " has ended; it is started again "
                "within a minute");
    }
}

void qpw_audit_readers_stop(struct qpw_auditor *a)
{
    if (a->readers_life >= 0)
        close(a->readers_life);
    a->readers_life = -1;
    if (a->readers > 0) {
        kill(a->readers, SIGKILL); /* its children end with it */
        waitpid(a->readers, NULL, 0);
    }
    a->readers = 0;
}
