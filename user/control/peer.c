/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/peer.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/process.h"
#include "util/text.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* include/uapi/asm-generic/socket.h, Linux 6.5 */
#endif

#define NO_LOGIN UINT32_MAX /* /proc/PID/loginuid of a process outside any login */

/*
 * Fill err for a process that cannot be inspected. That is no proof of another namespace; and there is always a way to
 * end the audit.
 */
static int unreadable(pid_t pid, const char *file, int error, struct qpw_error *err)
{
    if (access("/proc/self/ns", X_OK) < 0)
        return qpw_fail(err, -EACCES, "cannot be looked into: the auditor has no /proc");
    if (error == -EXDEV)
        return qpw_fail(err, -EACCES, "cannot be looked into: the auditor's /proc is of another pid namespace");
    return qpw_fail(err, -EACCES, "cannot be looked into: /proc/%d/%s: %s%s", (int)pid, file, strerror(-error),
                    error == -EACCES || error == -EPERM ? "; the auditor lacks CAP_SYS_PTRACE" : "");
}

static bool has_capability(const char *status, unsigned capability)
{
    const char *line = strstr(status, "\nCapEff:");

    return line && strtoull(line + strlen("\nCapEff:"), NULL, 16) & 1ull << capability;
}

int qpw_peer_has_rights(pid_t pid, bool may_be_elsewhere, struct qpw_error *err)
{
    static const char *const shared[] = {"user", "pid", "net"};
    bool elsewhere = false;
    char text[4096], file[16];
    int r;

    for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
        r = qpw_process_shares((int)pid, shared[i]);
        if (may_be_elsewhere && r <= 0 && !strcmp(shared[i], "net")) {
            elsewhere = true; /* in another one, or exiting and in none */
            continue;
        }
        snprintf(file, sizeof(file), "ns/%s", shared[i]);
        if (r < 0)
            return unreadable(pid, file, r, err);
        if (r == 0)
            return qpw_fail(err, -EPERM, "is in another %s namespace", strcmp(shared[i], "net") ? shared[i] : "network");
    }
    r = qpw_process_text((int)pid, "status", text, sizeof(text));
    if (r < 0)
        return unreadable(pid, "status", r, err);
    if (!has_capability(text, CAP_NET_ADMIN))
        return qpw_fail(err, -EPERM, "has no CAP_NET_ADMIN");
    if (elsewhere && !has_capability(text, CAP_SYS_ADMIN))
        return qpw_fail(err, -EPERM, "is in another network namespace");
    return 0;
}

/*
 * Open a pidfd of the process that connected, from the socket if the kernel provides it, so that a reused pid is not
 * mistaken for it.
 */
static int open_pidfd(int fd, pid_t pid)
{
    socklen_t size = sizeof(int);
    int pidfd;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
        return pidfd;
    return (int)syscall(SYS_pidfd_open, pid, 0); /* Linux 5.3 */
}

int qpw_peer_may_control(int fd, pid_t *ret_pid, struct qpw_error *err)
{
    struct pollfd alive = {.events = POLLIN};
    socklen_t size = sizeof(struct ucred);
    struct qpw_error why;
    struct ucred who;
    int r;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        return qpw_fail(err, -EPERM, "the requesting process cannot be read: %s", strerror(errno));
    if (ret_pid)
        *ret_pid = who.pid;
    if (who.uid != 0) /* its user when it connected: what it has executed since may be setuid root */
        return qpw_fail(err, -EPERM, "who asks is user %u, not root", (unsigned)who.uid);
    if (who.pid <= 0)
        return qpw_fail(err, -EPERM, "the requesting process is in another pid namespace; run it in the auditor's own");
    alive.fd = open_pidfd(fd, who.pid);
    if (alive.fd < 0)
        return qpw_fail(err, -EPERM, "the requesting process (pid %d) cannot be read: %s", (int)who.pid, strerror(errno));
    r = qpw_peer_has_rights(who.pid, /* may_be_elsewhere= */ false, &why);
    if (poll(&alive, 1, 0) != 0)
        r = qpw_fail(&why, -EPERM, "has ended"); /* the data may be of another process that reused the pid */
    close(alive.fd);
    if (r == -EACCES)
        return qpw_fail(err, -EPERM, "the requesting process (pid %d) %s, so whether it may ask is not known; 'kill %d' in the same "
                        "pid namespace ends the auditor, then 'qportwatch detach' removes what is attached", (int)who.pid, why.text,
                        (int)getpid());
    return r < 0 ? qpw_fail(err, -EPERM, "the requesting process (pid %d) %s; it needs CAP_NET_ADMIN in the auditor's own user, pid "
                            "and network namespaces", (int)who.pid, why.text) : 0;
}

/*
 * Get the controlling terminal as in /dev, from field 7 of /proc/PID/stat (proc(5),
 * Documentation/admin-guide/devices.txt).
 */
static void read_terminal(pid_t pid, char *ret, size_t size)
{
    char text[512], *end;
    unsigned number = 0, line;

    *ret = '\0';
    qpw_process_text((int)pid, "stat", text, sizeof(text));
    end = strrchr(text, ')');
    if (!end || sscanf(end + 1, " %*c %*d %*d %*d %u", &number) != 1 || !number)
        return;
    line = minor(number);
    if (major(number) >= 136 && major(number) <= 143)
        snprintf(ret, size, "pts/%u", (major(number) - 136) * 256 + line);
    else if (major(number) == 4)
        snprintf(ret, size, line < 64 ? "tty%u" : "ttyS%u", line < 64 ? line : line - 64);
    else
        snprintf(ret, size, "terminal %u:%u", major(number), line);
}

/* Get the login user of the process; empty: not of a login. */
static void read_login(pid_t pid, char *ret, size_t size)
{
    char number[16] = "";
    uint32_t uid;

    *ret = '\0';
    qpw_process_text((int)pid, "loginuid", number, sizeof(number));
    uid = number[0] ? (uint32_t)strtoul(number, NULL, 10) : NO_LOGIN;
    if (uid != NO_LOGIN)
        qpw_user_name(uid, ret, size);
}

void qpw_peer_user(pid_t pid, char *ret, size_t size)
{
    struct qpw_process p = {0};

    read_login(pid, ret, size);
    if (*ret)
        return;
    qpw_process_describe(pid, &p);
    snprintf(ret, size, "%s", p.user[0] ? p.user : "unknown");
}

bool qpw_peer_describe(pid_t pid, char *ret, size_t size)
{
    char login[64], terminal[32], text[sizeof(((struct qpw_process *)0)->command) + 256];
    struct qpw_process p = {0};

    if (!qpw_process_describe(pid, &p) && !p.user[0]) {
        snprintf(ret, size, "process %d", (int)pid);
        return false;
    }
    read_login(pid, login, sizeof(login));
    read_terminal(pid, terminal, sizeof(terminal));
    if (login[0] && strcmp(login, p.user))
        snprintf(text, sizeof(text), "%s (as %s)%s%s: %s", login, p.user, terminal[0] ? ", " : "", terminal, p.command);
    else
        snprintf(text, sizeof(text), "%s%s%s: %s", p.user, terminal[0] ? ", " : "", terminal, p.command);
    qpw_text_cut(ret, size, text);
    return true;
}
