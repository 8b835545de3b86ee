/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/sender.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/peer.h"
#include "host/process.h"

#define MANAGER 1

/* Return whether the kernel itself filled in pid and user; with other codes the sender can claim any. */
static bool names_its_sender(const struct signalfd_siginfo *info)
{
    return info->ssi_code == SI_USER || info->ssi_code == SI_TKILL;
}

/* Return the latest time at which the process may have started, in nanoseconds since boot. UINT64_MAX: unreadable. */
static uint64_t started_ns(pid_t pid)
{
    long hertz = sysconf(_SC_CLK_TCK);
    unsigned long long ticks;
    char text[1024], *after;

    if (hertz <= 0 || qpw_process_text((int)pid, "stat", text, sizeof(text)) <= 0)
        return UINT64_MAX;
    after = strrchr(text, ')');
    if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                         &ticks) != 1) /* field 22, proc(5) */
        return UINT64_MAX;
    return (ticks + 1) * (1000000000ull / (unsigned long long)hertz);
}

/*
 * Check the rights of a process that started before the signal was sent and still lives: then the pid was not reused
 * meanwhile.
 */
static bool has_rights(pid_t pid, uint64_t none_before_ns, struct qpw_error *why)
{
    uint64_t started = started_ns(pid);
    int r;

    if (started == UINT64_MAX)
        return qpw_fail(why, -ESRCH, "has ended, or cannot be looked into"), false;
    if (started > none_before_ns)
        return qpw_fail(why, -ESRCH, "was started only just before, or another has its number by now"), false;
    r = qpw_peer_has_rights(pid, /* may_be_elsewhere= */ true, why);
    if (started_ns(pid) != started)
        r = qpw_fail(why, -ESRCH, "has ended");
    return r == 0;
}

bool qpw_sender_may_control(const struct signalfd_siginfo *info, uint64_t none_before_ns, struct qpw_error *why)
{
    pid_t pid = (pid_t)info->ssi_pid;

    if (info->ssi_code == SI_KERNEL)
        return true;
    if (!names_its_sender(info))
        return qpw_fail(why, -EPERM, "is not named by the kernel"), false;
    if (pid == getpid())
        return true;
    if (info->ssi_uid != 0)
        return qpw_fail(why, -EPERM, "is user %u, not root", info->ssi_uid), false;
    if (!pid)
        return qpw_fail(why, -EPERM, "is outside the auditor's pid namespace"), false;
    /* Process 1 and the parent need no check, because this process has its rights from them. */
    return pid == MANAGER || pid == getppid() || has_rights(pid, none_before_ns, why);
}

void qpw_sender_describe(const struct signalfd_siginfo *info, char *ret, size_t size)
{
    const char *abbreviation = sigabbrev_np((int)info->ssi_signo);
    char user[64], name[32];
    size_t used;

    if (abbreviation)
        snprintf(name, sizeof(name), "SIG%s", abbreviation);
    else
        snprintf(name, sizeof(name), "signal %u", info->ssi_signo);
    qpw_user_name(info->ssi_uid, user, sizeof(user));
    if (info->ssi_code == SI_KERNEL)
        snprintf(ret, size, "%s from %s", name, info->ssi_signo == SIGINT || info->ssi_signo == SIGHUP ? "the terminal" : "the kernel");
    else if (!names_its_sender(info))
        snprintf(ret, size, "%s from an unknown process (code %d)", name, info->ssi_code);
    else if (!info->ssi_pid)
        snprintf(ret, size, "%s from a process in another pid namespace, %s", name, user);
    else {
        used = (size_t)snprintf(ret, size, "%s from process %u, ", name, info->ssi_pid);
        if (used < size && !qpw_peer_describe((pid_t)info->ssi_pid, ret + used, size - used))
            snprintf(ret + used, size - used, "%s", user);
    }
}
