/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/refresh.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/lock.h"
#include "host/clock.h"
#include "host/confine.h"
#include "host/rights.h"
#include "util/beside.h"
#include "util/cleanup.h"
#include "util/text.h"

#define PROGRAM "qportwatch"
#define WORDS 4
#define REASON_BYTES 256
#define RESULTS_FD 3
#define MADE 0x80u /* in the byte of a result */

struct qpw_refresh {
    pid_t pid;
    int fd;
};

static const struct document {
    const char *file;
    const char *words[WORDS]; /* NULL-terminated */
} documents[QPW_REFRESHED_COUNT] = {
#define QPW_X_DOCUMENT(s, f, ...) {f, {PROGRAM, __VA_ARGS__}},
    QPW_REFRESHED_DOCUMENTS(QPW_X_DOCUMENT)
};

const char *qpw_refreshed_file(enum qpw_refreshed which)
{
    return documents[which].file;
}

/* ---- The process beside ---- */

struct maker {
    char program[PATH_MAX];
    const char *state;
    int results;  /* the pipe to the other process; POLLERR: that one has ended */
    bool told[QPW_REFRESHED_COUNT]; /* said why there is none */
};

/* One run of a command. */
struct run {
    pid_t pid;
    int pidfd, reason; /* reason: reading end of its standard error */
};

static _Noreturn void execute(const struct maker *m, const struct document *d, int out, int reason)
{
    struct rlimit most = {QPW_REFRESH_BYTES, QPW_REFRESH_BYTES};
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (setrlimit(RLIMIT_FSIZE, &most) == 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(reason, STDERR_FILENO) >= 0)
        execv(m->program, (char *const *)d->words);
    _exit(QPW_EXIT_FAILED);
}

/* Return a descriptor of a process that was begun; or a negative errno, and it has ended. */
static int follow(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0), r = -errno;

    if (fd >= 0)
        return fd;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return r;
}

static int begin(const struct maker *m, const struct document *d, int out, struct run *ret)
{
    int reason[2], r;

    if (pipe2(reason, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    *ret = (struct run){.pid = fork(), .reason = reason[0]};
    if (ret->pid == 0)
        execute(m, d, out, reason[1]);
    r = ret->pid < 0 ? -errno : follow(ret->pid);
    close(reason[1]);
    if (r < 0) {
        close(reason[0]);
        return r;
    }
    ret->pidfd = r;
    return 0;
}

/* Wait for the command's end, but not longer than the other process lives. */
static int finish(const struct maker *m, struct run *run, char ret_reason[REASON_BYTES])
{
    struct pollfd waits[] = {{.fd = run->pidfd, .events = POLLIN}, {.fd = m->results}};
    int status = 0, n;
    ssize_t got;

    do
        n = poll(waits, 2, (int)QPW_REFRESH_PATIENCE_S * 1000);
    while (n < 0 && errno == EINTR);
    if (!(waits[0].revents & POLLIN))
        kill(run->pid, SIGKILL);
    waitpid(run->pid, &status, 0);
    got = read(run->reason, ret_reason, REASON_BYTES - 1);
    ret_reason[got > 0 ? got : 0] = '\0';
    ret_reason[strcspn(ret_reason, "\n")] = '\0';
    close(run->reason);
    close(run->pidfd);
    if (waits[1].revents)
        _exit(QPW_EXIT_OK);
    if (!(waits[0].revents & POLLIN))
        snprintf(ret_reason, REASON_BYTES, "it did not end within %u s", QPW_REFRESH_PATIENCE_S);
    return WIFEXITED(status) && WEXITSTATUS(status) == QPW_EXIT_OK ? 0 : -ENODATA;
}

/* Have a document made in a file. */
static int make_file(const struct maker *m, const struct document *d, const char *part, char ret_reason[REASON_BYTES])
{
    QPW_CLEANUP(qpw_closep) int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    struct run run = {.pid = -1, .pidfd = -1, .reason = -1};
    int r;

    if (out < 0) {
        r = -errno;
        snprintf(ret_reason, REASON_BYTES, "%.128s: %s", part, strerror(-r));
        return r;
    }
    r = begin(m, d, out, &run);
    if (r < 0) {
        snprintf(ret_reason, REASON_BYTES, "%.128s: %s", m->program, strerror(-r));
        return r;
    }
    return finish(m, &run, ret_reason);
}

/* Have a document made beside its place and put there whole. */
static int make(const struct maker *m, const struct document *d, char ret_reason[REASON_BYTES])
{
    char path[PATH_MAX], part[PATH_MAX + 8];
    int r;

    snprintf(path, sizeof(path), "%s/%s", m->state, d->file);
    snprintf(part, sizeof(part), "%s.part", path);
    r = make_file(m, d, part, ret_reason);
    if (r == 0 && rename(part, path) < 0) {
        r = -errno;
        snprintf(ret_reason, REASON_BYTES, "%.128s: %s", path, strerror(errno));
    }
    if (r < 0) {
        unlink(part);
        unlink(path); /* a node without an auditor has nothing to state, and states nothing stale */
    }
    return r;
}

/* Say nothing for a node whose auditor has ended, although its programs count on: it would raise no alert. */
static int make_if_audited(const struct maker *m, const struct document *d, char ret_reason[REASON_BYTES])
{
    char path[PATH_MAX];
    struct qpw_pid holder;

    if (d != &documents[QPW_REFRESHED_SAMPLES] || qpw_lock_held(&holder) != 0)
        return make(m, d, ret_reason);
    snprintf(path, sizeof(path), "%s/%s", m->state, d->file);
    unlink(path);
    snprintf(ret_reason, REASON_BYTES, "no auditor is running");
    return -ENODATA;
}

static void make_all(struct maker *m)
{
    char reason[REASON_BYTES];

    for (unsigned i = 0; i < QPW_REFRESHED_COUNT; i++) {
        int r = make_if_audited(m, &documents[i], reason);
        unsigned char result = (unsigned char)(i | (r == 0 ? MADE : 0));

        if (r < 0 && !m->told[i]) {
            qpw_text_clean(reason);
            fprintf(stderr, "qportwatch serve: no %s at present: %s\n", documents[i].words[1], reason);
        } else if (r == 0 && m->told[i]) {
            fprintf(stderr, "qportwatch serve: %s is there again\n", documents[i].words[1]);
        }
        m->told[i] = r < 0;
        if (write(m->results, &result, 1) < 0 && errno != EAGAIN)
            _exit(QPW_EXIT_OK);
    }
}

static int confine(void)
{
    int r = qpw_rights_keep_reading();

    return r < 0 ? r : qpw_confine_server();
}

static _Noreturn void work(struct maker *m, pid_t parent)
{
    uint64_t every_ns = QPW_REFRESH_EVERY_S * 1000000000ull, next_ns = qpw_clock_boot_ns(), now_ns;
    struct pollfd wait = {0};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t all;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, QPW_REFRESH_PROCESS);
    sigfillset(&all); /* it ends with the other process, which takes the signals of a terminal */
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (getppid() != parent || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0 ||
        (m->results != RESULTS_FD && dup3(m->results, RESULTS_FD, O_CLOEXEC) < 0))
        _exit(QPW_EXIT_FAILED);
    m->results = wait.fd = RESULTS_FD;
    close_range(RESULTS_FD + 1, ~0u, 0); /* sockets that the service manager gave */
    if (confine() < 0) {
        fputs("qportwatch serve: what makes the statements cannot be confined\n", stderr);
        _exit(QPW_EXIT_FAILED);
    }
    for (;;) {
        make_all(m);
        now_ns = qpw_clock_boot_ns();
        for (next_ns += every_ns; next_ns <= now_ns; next_ns += every_ns)
            ;
        if (poll(&wait, 1, (int)((next_ns - now_ns) / 1000000) + 1) > 0)
            _exit(QPW_EXIT_OK);
    }
}

/* ---- This process ---- */

/* Begin the process beside. Return 0 or a negative errno. */
static int begin_beside(struct qpw_refresh *refresh, struct maker *m)
{
    pid_t parent = getpid();
    int pipes[2], r = qpw_program_beside(PROGRAM, m->program);

    if (r < 0)
        return r;
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    m->results = pipes[1];
    refresh->pid = fork();
    if (refresh->pid == 0) {
        close(pipes[0]);
        work(m, parent);
    }
    r = refresh->pid < 0 ? -errno : 0;
    close(pipes[1]);
    if (r < 0)
        close(pipes[0]);
    refresh->fd = pipes[0];
    return r;
}

int qpw_refresh_open(const char *state, struct qpw_refresh **ret, struct qpw_error *err)
{
    struct qpw_refresh *refresh = calloc(1, sizeof(*refresh));
    struct maker maker = {.state = state};
    int r;

    *ret = NULL;
    if (!refresh)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = begin_beside(refresh, &maker);
    if (r < 0) {
        free(refresh);
        return qpw_fail(err, r, "what makes the statements cannot be started: %s", strerror(-r));
    }
    *ret = refresh;
    return 0;
}

void qpw_refresh_close(struct qpw_refresh *r)
{
    if (!r)
        return;
    close(r->fd); /* it notices */
    waitpid(r->pid, NULL, 0);
    free(r);
}

int qpw_refresh_fd(const struct qpw_refresh *r)
{
    return r->fd;
}

int qpw_refresh_next(struct qpw_refresh *r, enum qpw_refreshed *ret_which, bool *ret_made)
{
    unsigned char result;
    ssize_t n = read(r->fd, &result, 1);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0)
        return -ECHILD;
    *ret_which = (enum qpw_refreshed)(result & ~MADE);
    *ret_made = result & MADE;
    return 1;
}
