/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench/sockets.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "host/cgroup.h"
#include "instance/instance.h"

#define ROUNDS 15
#define SOCKETS 10000u

/* Return this process's CPU time, which other processes do not affect. */
static uint64_t own_time_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int make_sockets(double *ret_ns)
{
    uint64_t start = own_time_ns();

    for (unsigned i = 0; i < SOCKETS; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
            return -errno;
        close(fd);
    }
    *ret_ns = (double)(own_time_ns() - start) / SOCKETS;
    return 0;
}

static int measure(int cgroup, int prog_fd, struct qpw_bench_sockets *ret)
{
    struct qpw_bench_samples bare = {0}, noted = {0};
    double warm;
    int r = make_sockets(&warm);

    if (r < 0)
        return r;
    for (int i = 0; i < ROUNDS; i++) {
        r = make_sockets(&bare.ns[bare.n++]);
        if (r < 0)
            return r;
        if (bpf_prog_attach(prog_fd, cgroup, BPF_CGROUP_INET_SOCK_CREATE, BPF_F_ALLOW_MULTI) < 0)
            return -errno;
        r = make_sockets(&noted.ns[noted.n++]);
        bpf_prog_detach2(prog_fd, cgroup, BPF_CGROUP_INET_SOCK_CREATE);
        if (r < 0)
            return r;
    }
    *ret = (struct qpw_bench_sockets){true, qpw_bench_median(&bare), qpw_bench_median(&noted)};
    return 0;
}

struct reported {
    struct qpw_bench_sockets result;
    int r;
};

/* In the child: enter the cgroup, measure, and send the result through the pipe. */
static void measure_inside(int cgroup, int prog_fd, int out)
{
    struct reported reported = {.r = 0};
    int fd = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "0", 1) != 1)
        reported.r = -errno;
    if (reported.r == 0)
        reported.r = measure(cgroup, prog_fd, &reported.result);
    _exit(write(out, &reported, sizeof(reported)) != sizeof(reported));
}

static int measure_in_child(int cgroup, int prog_fd, struct qpw_bench_sockets *ret)
{
    struct reported reported = {.r = -ECHILD};
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    child = fork();
    if (child == 0)
        measure_inside(cgroup, prog_fd, ends[1]);
    close(ends[1]);
    if (child > 0 && read(ends[0], &reported, sizeof(reported)) == sizeof(reported) && reported.r == 0)
        *ret = reported.result;
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return reported.r;
}

int qpw_bench_run_sockets(struct qpw_bench_rig *rig, struct qpw_bench_sockets *ret, struct qpw_error *err)
{
    int r = qpw_instance_complete(&rig->kernel, 1u << QPW_PROG_qpw_sock_create, err), root, cgroup;
    char name[64];

    if (r < 0)
        return r;
    root = qpw_cgroup_root_open();
    if (root < 0)
        return qpw_fail(err, root, "cannot open the root of the unified cgroup hierarchy: %s", strerror(-root));
    snprintf(name, sizeof(name), "qportwatch-bench-%d", (int)getpid());
    cgroup = mkdirat(root, name, 0755) < 0 ? -1 : openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = cgroup < 0 ? -errno : measure_in_child(cgroup, rig->kernel.prog_fd[QPW_PROG_qpw_sock_create], ret);
    if (cgroup >= 0)
        close(cgroup);
    unlinkat(root, name, AT_REMOVEDIR);
    close(root);
    return r < 0 ? qpw_fail(err, r, "cannot measure sockets in a cgroup of their own: %s", strerror(-r)) : 0;
}
