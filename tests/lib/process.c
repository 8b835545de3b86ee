/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process.c - commands, processes and waiting of netns.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"

/* Keep tests out of the machine's own history; a test of the history names a file. */
__attribute__((constructor)) static void keep_no_history(void)
{
    setenv("STATE_DIRECTORY", "", 1);
}

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Enter the namespace, redirect the output, die with the parent. Called in the child. */
static void become(const struct netns *ns, pid_t parent, int output)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || setns(ns->fd, CLONE_NEWNET) < 0)
        _exit(126);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(output >= 0 ? output : null, STDOUT_FILENO);
    dup2(output >= 0 ? output : null, STDERR_FILENO);
}

static pid_t start(const struct netns *ns, int output, char *const argv[])
{
    pid_t parent = getpid(), pid = fork();

    cr_assert(pid >= 0, "fork: %s", strerror(errno));
    if (pid)
        return pid;
    become(ns, parent, output);
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

pid_t netns_start(const struct netns *ns, const char *output, char *const argv[])
{
    int fd = output ? open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

    cr_assert(!output || fd >= 0, "%s: %s", output, strerror(errno));
    pid_t pid = start(ns, fd, argv);
    if (fd >= 0)
        close(fd);
    return pid;
}

/* Kill the groups whose numbers it reads, once the other end is closed. */
static _Noreturn void guard(int fd)
{
    pid_t groups[64];
    size_t n = 0;

    setsid();
    syscall(SYS_close_range, fd + 1, ~0u, 0);
    if (fd > 3)
        syscall(SYS_close_range, 3, fd - 1, 0);
    while (n < sizeof(groups) / sizeof(*groups) && read(fd, &groups[n], sizeof(*groups)) == sizeof(*groups))
        n++;
    while (n > 0)
        kill(-groups[--n], SIGKILL);
    _exit(0);
}

pid_t netns_start_group(const struct netns *ns, char *const argv[])
{
    static int guarded = -1;
    pid_t parent = getpid(), pid;
    int ends[2];

    if (guarded < 0) {
        cr_assert(pipe2(ends, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
        pid = fork();
        cr_assert(pid >= 0, "fork: %s", strerror(errno));
        if (!pid) {
            close(ends[1]);
            guard(ends[0]);
        }
        close(ends[0]);
        guarded = ends[1];
    }
    pid = fork();
    cr_assert(pid >= 0, "fork: %s", strerror(errno));
    if (!pid) {
        setsid();
        become(ns, parent, -1);
        execvp(argv[0], argv);
        _exit(127);
    }
    cr_assert_eq(write(guarded, &pid, sizeof(pid)), (ssize_t)sizeof(pid));
    return pid;
}

pid_t netns_fork(const struct netns *ns, int (*function)(void *argument), void *argument)
{
    pid_t parent = getpid(), pid = fork();

    cr_assert(pid >= 0, "fork: %s", strerror(errno));
    if (pid)
        return pid;
    become(ns, parent, STDERR_FILENO);
    _exit(function(argument) & 0xff);
}

static int status_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int netns_wait(pid_t pid, int deadline_ms)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    cr_assert(pidfd >= 0, "process %d: %s", pid, strerror(errno));
    int ready = poll(&p, 1, deadline_ms);
    close(pidfd);
    if (ready <= 0)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    cr_assert(ready > 0, "process %d had not ended after %d ms", pid, deadline_ms);
    return status_of(status);
}

void netns_first_in_line(void)
{
    sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
}

void netns_last_in_line(void)
{
    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
}

bool netns_has_ended(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

int netns_stop(pid_t pid, int signal_number)
{
    kill(pid, signal_number);
    return netns_wait(pid, NETNS_DEADLINE_MS);
}

static int run_command(const struct netns *ns, char *out, size_t size, const char *command)
{
    char *argv[] = {"sh", "-c", (char *)command, NULL}, rest[4096];
    int pipefd[2], status;
    size_t used = 0;
    ssize_t n;

    cr_assert(pipe2(pipefd, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
    pid_t pid = start(ns, pipefd[1], argv);
    close(pipefd[1]);
    while ((n = used + 1 < size ? read(pipefd[0], out + used, size - 1 - used)
                                : read(pipefd[0], rest, sizeof(rest))) > 0)
        used += used + 1 < size ? (size_t)n : 0;
    if (size)
        out[used] = '\0';
    close(pipefd[0]);
    waitpid(pid, &status, 0);
    return status_of(status);
}

int netns_output(const struct netns *ns, char *out, size_t size, const char *format, ...)
{
    char command[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    return run_command(ns, out, out ? size : 0, command);
}

void netns_run(const struct netns *ns, const char *format, ...)
{
    char command[4096], out[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    int status = run_command(ns, out, sizeof(out), command);
    cr_assert(status == 0, "'%s' ended with status %d: %s", command, status, out);
}

bool netns_until(bool (*condition)(void *argument), void *argument, int deadline_ms)
{
    uint64_t end = now_ms() + (uint64_t)deadline_ms;

    while (!condition(argument)) {
        if (now_ms() >= end)
            return false;
        poll(NULL, 0, 5);
    }
    return true;
}

struct port_query {
    const char *protocol;
    uint16_t port;
    bool found;
};

/* Look for a bound port in /proc's tables: "sl local_address rem_address st"; 0A is LISTEN, 07 an unconnected UDP socket. */
static int look_for_port(void *argument)
{
    static const char *const tables[] = {"", "6"};
    struct port_query *q = argument;
    char path[64], line[512], state[3];
    unsigned port;

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "/proc/thread-self/net/%s%s", q->protocol, tables[i]);
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
            if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %2s", &port, state) == 2 && port == q->port &&
                (!strcmp(state, "0A") || !strcmp(state, "07")))
                q->found = true;
        if (f)
            fclose(f);
    }
    return 0;
}

struct port_wait {
    const struct netns *ns;
    struct port_query query;
};

static bool port_is_there(void *argument)
{
    struct port_wait *w = argument;

    netns_call(w->ns, look_for_port, &w->query);
    return w->query.found;
}

void netns_until_port(const struct netns *ns, const char *protocol, uint16_t port)
{
    struct port_wait w = {ns, {protocol, port, false}};

    cr_assert(netns_until(port_is_there, &w, NETNS_DEADLINE_MS), "nothing listens on %s %u", protocol, port);
}

struct file_wait {
    const char *path;
    const char *text;
    char content[1 << 16];
};

static bool file_has_text(void *argument)
{
    struct file_wait *w = argument;
    FILE *f = fopen(w->path, "re");
    size_t n = f ? fread(w->content, 1, sizeof(w->content) - 1, f) : 0;

    w->content[n] = '\0';
    if (f)
        fclose(f);
    return strstr(w->content, w->text) != NULL;
}

void netns_until_file(const char *path, const char *text, int deadline_ms)
{
    struct file_wait *w = calloc(1, sizeof(*w));

    cr_assert(w != NULL);
    w->path = path;
    w->text = text;
    bool found = netns_until(file_has_text, w, deadline_ms);
    cr_assert(found, "%s: no '%s' after %d ms, but: %.2000s", path, text, deadline_ms, w->content);
    free(w);
}

struct rx_wait {
    const struct netns *ns;
    const char *ifname;
    uint64_t packets;
};

static bool has_received(void *argument)
{
    struct rx_wait *w = argument;

    return netns_statistics(w->ns, w->ifname).rx_packets >= w->packets;
}

void netns_until_rx(const struct netns *ns, const char *ifname, uint64_t packets)
{
    struct rx_wait w = {ns, ifname, packets};

    cr_assert(netns_until(has_received, &w, NETNS_DEADLINE_MS), "%s received fewer than %lu packets", ifname,
              (unsigned long)packets);
}
