/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Units and containers from /proc/PID/cgroup of either version; who ended the audit by a signal. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/sender.h"
#include "host/cgroup_unit.h"
#include "host/process.h"
#include "util/text.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void expect_unit(const char *cgroup, const char *expected)
{
    char buf[128] = "untouched";

    qpw_cgroup_unit(cgroup, buf, sizeof(buf));
    cr_expect_str_eq(buf, expected, "'%s' gave '%s' instead of '%s'", cgroup, buf, expected);
}

Test(process, systemd_units)
{
    expect_unit("0::/system.slice/ssh.service\n", "ssh.service");
    expect_unit("0::/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service\n",
                "serial-getty@ttyS0.service");
    expect_unit("0::/user.slice/user-1000.slice/user@1000.service/app.slice/nc.service\n", "user@1000.service/nc.service");
    expect_unit("0::/user.slice/user-1000.slice/user@1000.service\n", "user@1000.service");
    expect_unit("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "user@1000.service/init.scope");
    expect_unit("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope");
    expect_unit("0::/system.slice/nginx.service/worker\n", "nginx.service");
    expect_unit("12:cpu:/other.service\n1:name=systemd:/system.slice/chrony.service\n0::/\n", "chrony.service");
    expect_unit("0::/init.scope\n", "init.scope");
    /* Names below a unit were chosen by processes in it. */
    expect_unit("0::/system.slice/web.service/smbd.service\n", "web.service");
    expect_unit("0::/system.slice/web.service/docker-" ID ".scope\n", "web.service");
    expect_unit("0::/user.slice/user-1000.slice/session-3.scope/smbd.service\n", "session-3.scope");
    expect_unit("0::/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service\n",
                "systemd-nspawn@web.service");
    expect_unit("0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n",
                "user@1000.service/libpod 0123456789ab");
}

Test(process, containers)
{
    expect_unit("0::/system.slice/docker-" ID ".scope\n", "docker 0123456789ab");
    expect_unit("1:name=systemd:/docker/" ID "\n", "docker 0123456789ab");
    expect_unit("0::/machine.slice/libpod-" ID ".scope/container\n", "libpod 0123456789ab");
    expect_unit("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" ID
                ".scope\n",
                "cri-containerd 0123456789ab");
    expect_unit("0::/" ID "\n", "container 0123456789ab");
    expect_unit("0::/lxc.payload.web/system.slice/nginx.service\n", "lxc web");
    expect_unit("1:name=systemd:/lxc/web\n", "lxc web");
}

Test(process, neither)
{
    expect_unit("", "");
    expect_unit("0::/\n", "");
    expect_unit("0::/user.slice\n", "");
    expect_unit("0::/deadbeef\n", "");
    expect_unit("nonsense without a slash", "");
    expect_unit("0::", "");
    expect_unit("0::////", "");
}

Test(process, names_longer_than_their_place_are_cut)
{
    char text[512], buf[16];

    snprintf(text, sizeof(text), "0::/%0300d.service\n", 7);
    qpw_cgroup_unit(text, buf, sizeof(buf));
    cr_assert_eq(strlen(buf), 15);
    snprintf(text, sizeof(text), "0::/docker-%s.scope\n", ID);
    qpw_cgroup_unit(text, buf, sizeof(buf));
    cr_assert_str_eq(buf, "docker 01234567");
}

static void expect_clean(const char *text, const char *expected)
{
    char buf[64];

    snprintf(buf, sizeof(buf), "%s", text);
    cr_expect_str_eq(qpw_text_clean(buf), expected, "gave '%s' instead of '%s'", buf, expected);
}

Test(process, what_a_process_calls_itself_cannot_steer_a_terminal)
{
    expect_clean("", "");
    expect_clean("nginx: worker", "nginx: worker");
    expect_clean("\033[31mred\a", "?[31mred?");
    expect_clean("a\rb\tc\nd\177", "a?b?c?d?");
    expect_clean("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x92\xa5", "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x92\xa5");
    expect_clean("\xc2\x9b" "31m", "?31m");
    expect_clean("cut \xe6\x97", "cut ??");
    expect_clean("\xff\xc0\xaf\xed\xa0\x80", "??????");
}

/* A process that has exited still has its sockets for a moment: they have no owner any more. */
Test(process, who_has_exited_is_nobody)
{
    struct qpw_process p = {0};
    siginfo_t ended;
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    cr_assert_eq(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    cr_expect_not(qpw_process_describe(child, &p));
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_expect_not(qpw_process_describe(child, &p));
    cr_expect(qpw_process_describe(getpid(), &p));
    if (qpw_proc_is_initial())
        cr_expect(qpw_process_describe(2, &p), "a kernel thread executes no file and is there");
}

static void *pause_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* Once the first thread has ended, /proc shows no executable, although the process continues. */
Test(process, whose_first_thread_has_ended_goes_on)
{
    struct qpw_process p = {0};
    pthread_t thread;
    int ready[2];
    char state[64];
    pid_t child;

    cr_assert_eq(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        close(ready[0]);
        if (pthread_create(&thread, NULL, pause_for_ever, NULL) || write(ready[1], "", 1) != 1)
            _exit(1);
        syscall(SYS_exit, 0);
    }
    cr_assert_eq(read(ready[0], state, 1), 1);
    do
        cr_assert_gt(qpw_process_text(child, "stat", state, sizeof(state)), 0);
    while (!strstr(state, ") Z"));
    cr_expect(qpw_process_describe(child, &p));
    cr_expect_neq(p.exe[0], '\0');
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

Test(process, match_names)
{
    cr_assert_str_eq(qpw_match_name(QPW_MATCH_EXACT), "exact");
    cr_assert_str_eq(qpw_match_name(QPW_MATCH_KERNEL), "kernel");
    cr_assert_str_eq(qpw_match_name(QPW_MATCH_COUNT), "invalid");
}

static struct signalfd_siginfo signal_of(int code, pid_t pid, uid_t uid)
{
    return (struct signalfd_siginfo){.ssi_signo = SIGTERM, .ssi_code = code, .ssi_pid = (uint32_t)pid, .ssi_uid = uid};
}

static uint64_t boot_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * Naming the sender of the signal that ended the audit: the sender's own claims do not count, and a process counts only
 * if it has existed since before the signal was sent. Otherwise it is reported as unknown.
 */
Test(sender, who_may_end_the_audit)
{
    pid_t parent = getppid(), self = getpid(), child = fork();
    const struct {
        const char *who;
        int code;
        pid_t pid;
        uid_t uid;
        uint64_t before;
        bool may;
        const char *why;
    } senders[] = {
        {"the terminal", SI_KERNEL, 0, 0, 0, true, NULL},
        {"itself", SI_TKILL, self, 0, 0, true, NULL},
        {"its parent", SI_USER, parent, 0, 0, true, NULL},
        {"the service manager", SI_USER, 1, 0, 0, true, NULL},
        {"who says it is the service manager", SI_QUEUE, 1, 0, UINT64_MAX - 1, false, "not named by the kernel"},
        {"who says it is its parent", SI_MESGQ, parent, 0, UINT64_MAX - 1, false, "not named by the kernel"},
        {"a file that has something to read", 1, 1, 0, UINT64_MAX - 1, false, "not named by the kernel"},
        {"another user that has this number", SI_USER, parent, 65534, UINT64_MAX - 1, false, "is user 65534"},
        {"outside", SI_USER, 0, 0, UINT64_MAX - 1, false, "outside the auditor's pid namespace"},
        {"root", SI_USER, child, 0, UINT64_MAX - 1, geteuid() == 0, NULL},
        {"root, from just before", SI_USER, child, 0, boot_ns() - 1000000000u, false, "started only just before"},
        {"nobody any more", SI_USER, INT32_MAX, 0, UINT64_MAX - 1, false, "has ended"},
    };
    struct qpw_error why;

    if (child == 0)
        for (;;)
            pause();
    for (size_t i = 0; i < sizeof(senders) / sizeof(*senders); i++) {
        struct signalfd_siginfo info = signal_of(senders[i].code, senders[i].pid, senders[i].uid);

        why.text[0] = '\0';
        cr_expect_eq(qpw_sender_may_control(&info, senders[i].before, &why), senders[i].may, "%s: %s", senders[i].who, why.text);
        cr_expect(!senders[i].why || strstr(why.text, senders[i].why), "%s: %s", senders[i].who, why.text);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* The sender is named once, and never from its own claim. */
Test(sender, in_words)
{
    static const struct {
        struct signalfd_siginfo info;
        const char *text;
    } cases[] = {
        {{.ssi_signo = SIGINT, .ssi_code = SI_KERNEL}, "SIGINT from the terminal"},
        {{.ssi_signo = SIGTERM, .ssi_code = SI_KERNEL}, "SIGTERM from the kernel"},
        {{.ssi_signo = SIGTERM, .ssi_code = SI_USER}, "SIGTERM from a process in another pid namespace, root"},
        {{.ssi_signo = SIGTERM, .ssi_code = SI_QUEUE, .ssi_pid = 1}, "SIGTERM from an unknown process (code -1)"},
        {{.ssi_signo = SIGUSR2, .ssi_code = SI_USER, .ssi_pid = INT32_MAX}, "SIGUSR2 from process 2147483647, root"},
        {{.ssi_signo = 40, .ssi_code = SI_USER}, "signal 40 from a process in another pid namespace, root"},
    };
    char text[128];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        qpw_sender_describe(&cases[i].info, text, sizeof(text));
        cr_expect_str_eq(text, cases[i].text);
    }
}
