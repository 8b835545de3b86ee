/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/rights.h"

#define NOT_CONFINED 125 /* reserved: no command exits with this status */

static _Noreturn void become(const unsigned *kept, size_t n_kept, int (*confine)(void), int (*function)(void *arg), void *arg, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(NOT_CONFINED);
    if (qpw_rights_keep(kept, n_kept) < 0 || confine() < 0)
        _exit(NOT_CONFINED);
    exit(function(arg)); /* exit(), not _exit(): the atexit handlers check that all output was written */
}

int qpw_apart_run(const unsigned *kept, size_t n_kept, int (*confine)(void), int (*function)(void *arg), void *arg,
                  struct qpw_error *err)
{
    pid_t pid, parent = getpid();
    int status;

    err->text[0] = '\0';
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        qpw_fail(err, -errno, "starting a process without rights: %s", strerror(errno));
        return QPW_EXIT_FAILED;
    }
    if (pid == 0)
        become(kept, n_kept, confine, function, arg, parent);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) {
            qpw_fail(err, -errno, "waiting for the process without rights: %s", strerror(errno));
            return QPW_EXIT_FAILED;
        }
    /* The output's reader has gone: end as a single process would. */
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    if (WIFSIGNALED(status))
        qpw_fail(err, -EIO, "the process without rights that reads the input was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == NOT_CONFINED)
        qpw_fail(err, -EPERM, "rights and system calls of the process that reads the input cannot be limited");
    else
        return WEXITSTATUS(status);
    return QPW_EXIT_FAILED;
}
