/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>

/* What memory, time, descriptors and the end take. */
static const int basic[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(close_range),
    SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(getrandom), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Looking at files. */
static const int looking[] = {
    SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
    SCMP_SYS(getcwd),
};

/* The helper's own socket, and what tells one process's descriptors from another's. */
static const int answering[] = {
    SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(kcmp), SCMP_SYS(open_by_handle_at),
};

static const int supervising[] = {
    SCMP_SYS(clone), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(seccomp),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        r = r == -EDOM ? 0 : r; /* this architecture has no such call */
    }
    return r;
}

#define ALLOW(filter, calls) allow(filter, calls, sizeof(calls) / sizeof(*(calls)))

/* Opening for reading alone: no other access, nothing made, nothing cut. */
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

static int begin(scmp_filter_ctx *ret)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int r = filter ? ALLOW(filter, basic) : -ENOMEM;

    r = r ? r : ALLOW(filter, looking);
    r = r ? r : allow_plain_memory(filter);
    if (r < 0 && filter)
        seccomp_release(filter);
    *ret = r < 0 ? NULL : filter;
    return r;
}

int qpw_confine_reader(bool supervisor)
{
    scmp_filter_ctx filter;
    int r = begin(&filter);

    if (r < 0)
        return r;
    r = allow_open_to_read(filter);
    r = r ? r : ALLOW(filter, answering);
    r = r || !supervisor ? r : ALLOW(filter, supervising);
    r = r ? r : seccomp_load(filter);
    seccomp_release(filter);
    return r;
}
