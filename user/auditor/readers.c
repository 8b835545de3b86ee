/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/readers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/readers.h"
#include "control/readers_server.h"

#define AGAIN_TICKS 60u /* after which it is started again */
#define CLEAR_OF_BOTH 16

/* The listener becomes descriptor 3 and the pipe's end 4; nothing else of the auditor's stays open. */
static _Noreturn void become(int listen_fd, int life)
{
    char *argv[] = {"qportwatch", QPW_READERS_COMMAND, NULL};
    int listener = fcntl(listen_fd, F_DUPFD, CLEAR_OF_BOTH), end = fcntl(life, F_DUPFD, CLEAR_OF_BOTH);
    int null = open("/dev/null", O_RDWR);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd); /* the auditor's terminal is not for what others ask */
    dup2(listener, 3);
    dup2(end, 4);
    close_range(5, ~0u, 0);
    setsid(); /* the terminal's signals are for the auditor, which ends this process by itself */
    execve("/proc/self/exe", argv, environ);
    _exit(QPW_EXIT_FAILED);
}

void qpw_audit_readers_start(struct qpw_auditor *a)
{
    struct qpw_error err = {""};
    int fd, life[2];
    int r = qpw_readers_listen(&fd, &err);

    if (r == -ENOENT)
        return;
    if (r == 0 && pipe2(life, O_CLOEXEC) < 0) {
        r = qpw_fail(&err, -errno, "%s", strerror(errno));
        close(fd);
    }
    if (r < 0) {
        qpw_say(a, QPW_SAY_WARNING, "only root can read what is counted: %s", err.text);
        return;
    }
    a->readers = fork();
    if (a->readers == 0)
        become(fd, life[0]);
    close(fd);
    close(life[0]);
    a->readers_life = life[1];
    if (a->readers > 0)
        return;
    qpw_say(a, QPW_SAY_WARNING, "only root can read what is counted: %s", strerror(errno));
    qpw_audit_readers_stop(a);
}

void qpw_audit_readers_tick(struct qpw_auditor *a)
{
    if (a->readers > 0 && waitpid(a->readers, NULL, WNOHANG) == a->readers) {
        a->readers = 0;
        a->readers_ended = a->ticks;
        qpw_say(a, QPW_SAY_WARNING, "the process that answers the group " QPW_READERS_GROUP " has ended; it is started again "
                "within a minute");
    }
    if (a->readers_life >= 0 && a->readers == 0 && a->ticks - a->readers_ended >= AGAIN_TICKS) {
        close(a->readers_life);
        a->readers_life = -1;
        qpw_audit_readers_start(a);
    }
}

void qpw_audit_readers_stop(struct qpw_auditor *a)
{
    if (a->readers_life >= 0)
        close(a->readers_life);
    a->readers_life = -1;
    if (a->readers > 0) {
        kill(a->readers, SIGKILL); /* what it has started ends with it */
        waitpid(a->readers, NULL, 0);
    }
    a->readers = 0;
}
