/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/peer.h"

#include <errno.h>
#include <inttypes.h>
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

#define NO_LOGIN UINT32_MAX /* /proc/PID/loginuid of what no login began */

/* /proc/PID/FILE, or an empty text. */
static void read_proc(pid_t pid, const char *file, char *ret, size_t size)
{
    if (qpw_process_text((int)pid, file, ret, size) < 0)
        *ret = '\0';
}

static bool has_net_admin(pid_t pid)
{
    char text[4096], *line;

    read_proc(pid, "status", text, sizeof(text));
    line = strstr(text, "\nCapEff:");
    return line && strtoull(line + strlen("\nCapEff:"), NULL, 16) & 1ull << CAP_NET_ADMIN;
}

/* What keeps the process from controlling the audit; NULL: nothing does. */
static const char *hindrance(pid_t pid)
{
    static const struct {
        const char *namespace, *why;
    } shared[] = {{"user", "is in another user namespace"}, {"pid", "is in another pid namespace"},
                  {"net", "is in another network namespace"}};

    for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
        int same = qpw_process_shares((int)pid, shared[i].namespace);

        if (same <= 0)
            return same < 0 ? "cannot be looked into" : shared[i].why;
    }
    return has_net_admin(pid) ? NULL : "has no CAP_NET_ADMIN";
}

/* Of the process that connected itself where the kernel gives that, so that another with its number is not taken for it. */
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
    const char *why = NULL;
    struct ucred who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        return qpw_fail(err, -EPERM, "the requesting process cannot be read: %s", strerror(errno));
    if (ret_pid)
        *ret_pid = who.pid;
    if (who.uid != 0) /* as it was when it connected: what it executes meanwhile may be root's */
        return qpw_fail(err, -EPERM, "who asks is user %u, not root", (unsigned)who.uid);
    if (who.pid <= 0)
        return qpw_fail(err, -EPERM, "the requesting process is in another pid namespace; run it in the auditor's own");
    alive.fd = open_pidfd(fd, who.pid);
    if (alive.fd < 0)
        return qpw_fail(err, -EPERM, "the requesting process (pid %d) cannot be read: %s", (int)who.pid, strerror(errno));
    why = hindrance(who.pid);
    if (poll(&alive, 1, 0) != 0)
        why = "has ended"; /* what was read may be of another one, with the same number */
    close(alive.fd);
    return why ? qpw_fail(err, -EPERM, "the requesting process (pid %d) %s; it needs CAP_NET_ADMIN in the auditor's own user, pid and network "
                          "namespaces", (int)who.pid, why) : 0;
}

/* The controlling terminal as in /dev, from field 7 of /proc/PID/stat (proc(5), Documentation/admin-guide/devices.txt). */
static void read_terminal(pid_t pid, char *ret, size_t size)
{
    char text[512], *end;
    unsigned number = 0, line;

    *ret = '\0';
    read_proc(pid, "stat", text, sizeof(text));
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

/* Who logged in to begin it; empty: nobody did. */
static void read_login(pid_t pid, char *ret, size_t size)
{
    char number[16] = "";
    uint32_t uid;

    *ret = '\0';
    read_proc(pid, "loginuid", number, sizeof(number));
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

void qpw_peer_describe(pid_t pid, char *ret, size_t size)
{
    char login[64], terminal[32], text[sizeof(((struct qpw_process *)0)->command) + 256];
    struct qpw_process p = {0};

    if (!qpw_process_describe(pid, &p) && !p.user[0]) {
        snprintf(ret, size, "process %d", (int)pid);
        return;
    }
    read_login(pid, login, sizeof(login));
    read_terminal(pid, terminal, sizeof(terminal));
    if (login[0] && strcmp(login, p.user))
        snprintf(text, sizeof(text), "%s (as %s)%s%s: %s", login, p.user, terminal[0] ? ", " : "", terminal, p.command);
    else
        snprintf(text, sizeof(text), "%s%s%s: %s", p.user, terminal[0] ? ", " : "", terminal, p.command);
    qpw_text_cut(ret, size, text);
}
