/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "util/cleanup.h"

/* Memory, time, open descriptors, exit. */
static const int basic[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(close_range),
    SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(getrandom), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* File metadata and directories. */
static const int looking[] = {
    SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
    SCMP_SYS(getcwd),
};

/*
 * Calls that need a privilege given up earlier fail with EPERM, as they would without a filter, so that callers fall
 * back to what they opened before.
 */
static const int refused[] = {
    SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(unshare), SCMP_SYS(ptrace),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(process_vm_readv),
};

/* Mount a file system that only a descriptor leads to: cgroup2 or tracefs, where nobody else has mounted them. */
static const int mounting_apart[] = {SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount)};

/* The helper's own socket, and comparing two processes' descriptor tables (kcmp). */
static const int answering[] = {
    SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(kcmp), SCMP_SYS(open_by_handle_at),
};

static const int supervising[] = {
    SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(seccomp),
};

static const int any_socket[] = {SCMP_SYS(socket)}; /* netlink, too */

/* Sockets and device ioctls. */
static const int sockets[] = {
    SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(sendto),
    SCMP_SYS(recvmsg), SCMP_SYS(ioctl), SCMP_SYS(tgkill), SCMP_SYS(prctl),
};

static const int entering[] = {SCMP_SYS(setns)}; /* another network namespace */

/* For the auditor: writing files. */
static const int writing[] = {
    SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(creat), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(preadv), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
    SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link),
    SCMP_SYS(linkat), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(fchownat),
    SCMP_SYS(truncate), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(flock),
    SCMP_SYS(utimensat), SCMP_SYS(umask), SCMP_SYS(memfd_create), SCMP_SYS(getdents), SCMP_SYS(fadvise64), SCMP_SYS(sync_file_range),
    SCMP_SYS(msync), SCMP_SYS(chdir), SCMP_SYS(fchdir), SCMP_SYS(copy_file_range), SCMP_SYS(sendfile),
};

/* For the auditor: sockets, polling, timers. */
static const int waiting[] = {
    SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(select),
    SCMP_SYS(pselect6), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(signalfd),
    SCMP_SYS(signalfd4), SCMP_SYS(eventfd2), SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch), SCMP_SYS(pipe),
    SCMP_SYS(pipe2), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getpeername),
    SCMP_SYS(shutdown), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigsuspend), SCMP_SYS(pause),
    SCMP_SYS(setitimer), SCMP_SYS(getitimer), SCMP_SYS(alarm), SCMP_SYS(clock_getres), SCMP_SYS(timer_create), SCMP_SYS(timer_settime), SCMP_SYS(timer_delete),
};

/* For the auditor: child processes, threads, limits. */
static const int living[] = {
    SCMP_SYS(execve), SCMP_SYS(waitid), SCMP_SYS(tkill), SCMP_SYS(setsid), SCMP_SYS(getsid), SCMP_SYS(getpgid), SCMP_SYS(setpgid),
    SCMP_SYS(getpgrp), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(setrlimit), SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(times), SCMP_SYS(getgroups), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
    SCMP_SYS(getpriority), SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_getparam), SCMP_SYS(sched_setaffinity), SCMP_SYS(capget), SCMP_SYS(capset),
    SCMP_SYS(mincore), SCMP_SYS(mlock), SCMP_SYS(munlock), SCMP_SYS(membarrier), SCMP_SYS(set_tid_address), SCMP_SYS(arch_prctl), SCMP_SYS(getcpu),
    SCMP_SYS(perf_event_open), SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule), SCMP_SYS(landlock_restrict_self),
};

/* A socket that both ends hold already, and further self-restriction. */
static const int keeping[] = {
    SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(tgkill), SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
    SCMP_SYS(landlock_restrict_self),
};

/* bpf(2) commands to look up and query, by id too, and to detach from hooks. */
static const int looking_up[] = {
    BPF_MAP_LOOKUP_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_PROG_DETACH, BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
    BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_QUERY,
};

/* bpf(2) commands to read what is attached. */
static const int reading[] = {
    BPF_MAP_LOOKUP_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH, BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID,
    BPF_MAP_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_QUERY,
};

/* bpf(2) commands of a replay. */
static const int replaying[] = {
    BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_BATCH,
    BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH, BPF_PROG_TEST_RUN, BPF_OBJ_GET_INFO_BY_FD,
};

/* bpf(2) commands to create, load and attach; existing objects only by descriptor, never by id. */
static const int auditing[] = {
    BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_AND_DELETE_ELEM,
    BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH, BPF_MAP_FREEZE, BPF_PROG_LOAD, BPF_PROG_ATTACH,
    BPF_PROG_DETACH, BPF_PROG_QUERY, BPF_PROG_TEST_RUN, BPF_PROG_BIND_MAP, BPF_OBJ_GET_INFO_BY_FD, BPF_BTF_LOAD, BPF_LINK_CREATE, BPF_RAW_TRACEPOINT_OPEN,
};

static int add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        r = seccomp_rule_add(filter, action, calls[i], 0);
        r = r == -EDOM ? 0 : r; /* no such call on this architecture */
    }
    return r;
}

#define BPF_COMMANDS 40 /* commands below this are known and fail with EPERM; later ones with ENOSYS */
#define REFUSE(filter, calls) add(filter, SCMP_ACT_ERRNO(EPERM), calls, sizeof(calls) / sizeof(*(calls)))
#define ALLOW(filter, calls) add(filter, SCMP_ACT_ALLOW, calls, sizeof(calls) / sizeof(*(calls)))

/* Allow openat(2) for reading only: no write access, no O_CREAT, no O_TRUNC. */
static int allow_open_to_read(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp reads = SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY), O_RDONLY);

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &reads);
}

static int allow_plain_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp plain = SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &plain);

    return r ? r : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &plain);
}

/* Allow bpf(2) with those commands; any other known command fails with EPERM. */
static int allow_bpf(scmp_filter_ctx filter, const int *commands, size_t n)
{
    struct scmp_arg_cmp command;
    bool allowed;
    int r = 0;

    for (int c = 0; r == 0 && c < BPF_COMMANDS; c++) {
        allowed = false;
        for (size_t i = 0; i < n; i++)
            allowed |= commands[i] == c;
        command = SCMP_CMP64(0, SCMP_CMP_EQ, (scmp_datum_t)c);
        r = seccomp_rule_add_array(filter, allowed ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1, &command);
    }
    return r ? r : seccomp_syscall_priority(filter, SCMP_SYS(bpf), UINT8_MAX);
}

#define NEW_NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/*
 * Allow threads and children in the same namespaces. clone3(2) fails with ENOSYS, because a filter cannot see its
 * arguments.
 */
static int allow_clone(scmp_filter_ctx filter)
{
#ifdef __s390__
    const struct scmp_arg_cmp same = SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, NEW_NAMESPACES, 0);
#else
    const struct scmp_arg_cmp same = SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, NEW_NAMESPACES, 0);
#endif

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &same);
}

/* Allow executable mappings that are not writable; libraries loaded later (locales) need them. */
static int allow_code(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp code = SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC);

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &code);
}

enum mounts { MOUNTS_NOTHING, MOUNTS_APART };

static void release(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

static int begin(scmp_filter_ctx *ret, enum mounts mounts)
{
    QPW_CLEANUP(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int r;

    *ret = NULL;
    if (!filter)
        return -ENOMEM;
    r = ALLOW(filter, basic);
    if (r < 0)
        return r;
    r = ALLOW(filter, looking);
    if (r < 0)
        return r;
    r = REFUSE(filter, refused);
    if (r < 0)
        return r;
    r = mounts == MOUNTS_APART ? ALLOW(filter, mounting_apart) : REFUSE(filter, mounting_apart);
    if (r < 0)
        return r;
    r = allow_plain_memory(filter);
    if (r < 0)
        return r;
    *ret = QPW_TAKE(filter);
    return 0;
}

/* One part of a filter: system calls, commands of bpf(2), or what a function adds. */
struct part {
    uint32_t action;
    const int *calls, *bpf;
    size_t n;
    int (*more)(scmp_filter_ctx filter);
};

#define N(list) (sizeof(list) / sizeof(*(list)))
#define CALLS(list) \
    { \
        .action = SCMP_ACT_ALLOW, .calls = (list), .n = N(list) \
    }
#define REFUSED(list) \
    { \
        .action = SCMP_ACT_ERRNO(EPERM), .calls = (list), .n = N(list) \
    }
#define BPF(list) \
    { \
        .bpf = (list), .n = N(list) \
    }
#define MORE(function) \
    { \
        .more = (function) \
    }

static int add_parts(scmp_filter_ctx filter, const struct part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct part *p = &parts[i];
        int r = p->more  ? p->more(filter)
                : p->bpf ? allow_bpf(filter, p->bpf, p->n)
                         : add(filter, p->action, p->calls, p->n);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Confine this thread to what every filter allows, to `parts`, and to `more` where that is not NULL. */
static int confine(const struct part *parts, size_t n, const struct part *more, size_t n_more)
{
    QPW_CLEANUP(release) scmp_filter_ctx filter = NULL;
    int r = begin(&filter, MOUNTS_NOTHING);

    if (r < 0)
        return r;
    r = add_parts(filter, parts, n);
    if (r < 0)
        return r;
    r = add_parts(filter, more, more ? n_more : 0);
    if (r < 0)
        return r;
    return seccomp_load(filter);
}

int qpw_confine_reader(bool supervisor)
{
    static const struct part parts[] = {MORE(allow_open_to_read), CALLS(answering)};
    static const struct part supervised[] = {CALLS(supervising), MORE(allow_clone)};

    return confine(parts, N(parts), supervisor ? supervised : NULL, N(supervised));
}

int qpw_confine_lookup_helper(bool supervisor)
{
    /* Threads, because one enters other network namespaces. */
    static const struct part parts[] = {MORE(allow_open_to_read), CALLS(answering),  CALLS(any_socket), CALLS(sockets),
                                        CALLS(entering),          MORE(allow_clone), BPF(looking_up)};
    static const struct part supervised[] = {CALLS(supervising)};

    return confine(parts, N(parts), supervisor ? supervised : NULL, N(supervised));
}

/* The terminal's size and a progress line's clock. */
static const int showing[] = {SCMP_SYS(ioctl), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(fadvise64), SCMP_SYS(prctl), SCMP_SYS(tgkill)};

/* For a ring of events. */
static const int polling[] = {SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait)};

static const struct part parsing[] = {MORE(allow_open_to_read), MORE(allow_clone), MORE(allow_code), CALLS(showing)};

int qpw_confine_parser(void)
{
    return confine(parsing, N(parsing), NULL, 0);
}

int qpw_confine_replay(void)
{
    static const struct part more[] = {CALLS(polling), BPF(replaying)};

    return confine(parsing, N(parsing), more, N(more));
}

int qpw_confine_writer(void)
{
    static const struct part parts[] = {CALLS(writing), CALLS(keeping)};

    return confine(parts, N(parts), NULL, 0);
}

/* Commands lower their own priority. */
static const int serving[] = {SCMP_SYS(setpriority)};

int qpw_confine_server(void)
{
    static const struct part parts[] = {CALLS(answering),  CALLS(supervising), CALLS(any_socket), CALLS(sockets), CALLS(writing),
                                        CALLS(waiting),    CALLS(living),      CALLS(serving), REFUSED(entering),
                                        MORE(allow_clone), MORE(allow_code),   BPF(reading)};
    QPW_CLEANUP(release) scmp_filter_ctx filter = NULL;
    int r = begin(&filter, MOUNTS_APART);

    if (r < 0)
        return r;
    r = add_parts(filter, parts, N(parts));
    if (r < 0)
        return r;
    return seccomp_load(filter);
}

/* What TLS and HTTP need beside files, sockets and polling; ended children. */
static const int meeting[] = {
    SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(getrusage), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit), SCMP_SYS(wait4), SCMP_SYS(waitid),
};

/* Allow sockets of those families only: none to the kernel itself. */
static int allow_families(scmp_filter_ctx filter)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
    struct scmp_arg_cmp family;
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(families) / sizeof(*families); i++) {
        family = SCMP_CMP64(0, SCMP_CMP_EQ, (scmp_datum_t)families[i]);
        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &family);
    }
    return r;
}

int qpw_confine_network(void)
{
    static const struct part parts[] = {CALLS(meeting), CALLS(writing), CALLS(waiting), MORE(allow_families),
                                        CALLS(sockets)};

    return confine(parts, N(parts), NULL, 0);
}

/* All threads: seccomp(2) with TSYNC. */
static int for_all_threads(scmp_filter_ctx filter)
{
    return seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
}

int qpw_confine_auditor(void)
{
    static const struct part parts[] = {CALLS(answering), CALLS(supervising),   CALLS(writing),    CALLS(waiting),
                                        CALLS(living),    CALLS(any_socket), CALLS(sockets),       MORE(allow_clone), MORE(allow_code),
                                        BPF(auditing),    MORE(for_all_threads)};

    return confine(parts, N(parts), NULL, 0);
}
