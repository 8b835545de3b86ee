/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/refresh.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/beside.h"

#define PROGRAM "qportwatch"
#define WORDS 6

static void name_part(const struct qpw_refresh *r, char ret[PATH_MAX])
{
    snprintf(ret, PATH_MAX, "%s.part", r->path);
}

static void run(const char *program, const char *const *command, int out)
{
    struct rlimit most = {QPW_REFRESH_BYTES, QPW_REFRESH_BYTES};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const char *words[WORDS] = {PROGRAM};
    sigset_t none;

    for (size_t i = 0; command[i] && i + 2 < WORDS; i++)
        words[i + 1] = command[i];
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (setrlimit(RLIMIT_FSIZE, &most) == 0 && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDERR_FILENO) >= 0 &&
        dup2(out, STDOUT_FILENO) >= 0)
        execv(program, (char *const *)words);
    _exit(127);
}

int qpw_refresh_start(struct qpw_refresh *r, struct qpw_error *err)
{
    char program[PATH_MAX], part[PATH_MAX];
    int out, result;

    if (r->pid)
        return -EBUSY;
    result = qpw_program_beside(PROGRAM, program);
    if (result < 0)
        return qpw_fail(err, result, "this program's folder is unknown: %s", strerror(-result));
    name_part(r, part);
    out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (out < 0)
        return qpw_fail(err, -errno, "%s: %s", part, strerror(errno));
    r->pid = fork();
    if (r->pid == 0)
        run(program, r->command, out);
    result = r->pid < 0 ? -errno : 0;
    close(out);
    if (result == 0 && (r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0)) < 0) {
        result = -errno;
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    if (result < 0) {
        r->pid = 0;
        r->pidfd = -1;
        return qpw_fail(err, result, "%s cannot be run: %s", program, strerror(-result));
    }
    return 0;
}

int qpw_refresh_end(struct qpw_refresh *r)
{
    char part[PATH_MAX];
    int status = 0, result;

    name_part(r, part);
    result = waitpid(r->pid, &status, 0) < 0 ? -errno : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENODATA;
    close(r->pidfd);
    r->pid = 0;
    r->pidfd = -1;
    if (result == 0 && rename(part, r->path) < 0)
        result = -errno;
    if (result < 0)
        unlink(part);
    return result;
}

void qpw_refresh_stop(struct qpw_refresh *r)
{
    if (!r->pid)
        return;
    kill(r->pid, SIGKILL);
    qpw_refresh_end(r);
}
