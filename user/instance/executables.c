/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/executables.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/tag.h"
#include "host/clock.h"
#include "host/process.h"
#include "host/tracepoint.h"
#include "instance/instance.h"

#define PROGRAMS 2
#define FULL (QPW_EXES / 4 * 3)

static const struct {
    enum qpw_program program;
    const char *event;
} tracepoints[PROGRAMS] = {
    {QPW_PROG_qpw_exec, "sched/sched_process_exec"},
    {QPW_PROG_qpw_fork, "sched/sched_process_fork"},
};

void qpw_executables_init(struct qpw_executables *e)
{
    *e = (struct qpw_executables){.event_fd = {-1, -1}};
}

/* ---- Live processes ---- */

/* Read the path of a process's executable, zero-padded. False: it has none, or the path is too long. */
static bool read_exe(const char *pid, struct qpw_exe *ret)
{
    static const char deleted[] = " (deleted)";
    int length;

    memset(ret, 0, sizeof(*ret));
    length = qpw_process_exe(atoi(pid), ret->path, sizeof(ret->path));
    if (length <= 0 || length == (int)sizeof(ret->path)) {
        memset(ret->path, 0, sizeof(ret->path));
        return false;
    }
    if (length > (int)sizeof(deleted) && !strcmp(ret->path + length - strlen(deleted), deleted))
        memset(ret->path + length - strlen(deleted), 0, strlen(deleted));
    ret->last_ns = qpw_clock_monotonic_ns();
    return true;
}

static uint64_t enter_path(const struct qpw_kernel *k, const struct qpw_exe *exe)
{
    uint64_t key = qpw_exe_key(k->config.secret, exe);

    return bpf_map_update_elem(k->map_fd[QPW_MAP_exes], &key, exe, BPF_ANY) < 0 ? 0 : key;
}

/* Keep a known path from ageing while a process still executes it. */
static void renew_path(const struct qpw_kernel *k, uint64_t key)
{
    struct qpw_exe exe;

    if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_exes], &key, &exe) < 0)
        return;
    exe.last_ns = qpw_clock_monotonic_ns();
    bpf_map_update_elem(k->map_fd[QPW_MAP_exes], &key, &exe, BPF_EXIST);
}

/*
 * Enter a process's executable, and read it again afterwards: if the process called execve(2) meanwhile, the program's
 * own note has been overwritten.
 */
static void read_process(const struct qpw_kernel *k, struct qpw_executables *e, const char *pid)
{
    uint64_t tgid = strtoul(pid, NULL, 10), key;
    __u64 *slot = &e->slots->slot[tgid & (QPW_EXE_SLOTS - 1)];
    uint64_t word = __atomic_load_n(slot, __ATOMIC_RELAXED);
    struct qpw_exe exe, again;
    bool same = false;

    if ((word & QPW_EXE_TGID) == tgid && word != tgid) {
        renew_path(k, word & ~QPW_EXE_TGID);
        return;
    }
    while (!same && read_exe(pid, &exe)) {
        key = enter_path(k, &exe);
        if (!key)
            return;
        __atomic_store_n(slot, key | tgid, __ATOMIC_RELEASE);
        same = !read_exe(pid, &again) || !strcmp(exe.path, again.path);
    }
}

void qpw_executables_read(struct qpw_kernel *k, struct qpw_executables *e)
{
    struct dirent *entry;
    DIR *proc;

    if (!e->slots)
        return;
    proc = opendir("/proc");
    while (proc && (entry = readdir(proc)))
        if (isdigit((unsigned char)entry->d_name[0]))
            read_process(k, e, entry->d_name);
    if (proc)
        closedir(proc);
}

uint64_t qpw_executables_of(const struct qpw_executables *e, uint32_t tgid)
{
    uint64_t word = e->slots ? __atomic_load_n(&e->slots->slot[tgid & (QPW_EXE_SLOTS - 1)], __ATOMIC_RELAXED) : 0;

    return (word & QPW_EXE_TGID) == tgid ? word & ~QPW_EXE_TGID : 0;
}

/* ---- Attaching ---- */

static const char *attach_reason(int error)
{
    switch (error) {
    case -EPERM:
    case -EACCES: return "CAP_PERFMON or CAP_SYS_ADMIN is missing, or the kernel is locked down";
    case -ENODEV:
    case -ENOENT: return "the kernel has no tracefs, or it is hidden";
    default: return strerror(-error);
    }
}

static int open_event(int prog_fd, const char *event)
{
    int id = qpw_tracepoint_id(event), fd, r;
    struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .config = (uint64_t)id};

    if (id < 0)
        return id;
    /* The program runs on every CPU, whatever CPU the event is opened for. */
    fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd) < 0 || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

static int map_slots(struct qpw_kernel *k, struct qpw_executables *e)
{
    void *slots = mmap(NULL, sizeof(*e->slots), PROT_READ | PROT_WRITE, MAP_SHARED, k->map_fd[QPW_MAP_exe_of], 0);

    if (slots == MAP_FAILED)
        return -errno;
    e->slots = slots;
    memset(e->slots, 0, sizeof(*e->slots)); /* notes from before a gap may belong to reused pids */
    return 0;
}

int qpw_executables_attach(struct qpw_kernel *k, struct qpw_executables *e, struct qpw_error *err)
{
    uint32_t wanted = 1u << QPW_PROG_qpw_exec | 1u << QPW_PROG_qpw_fork;
    int r;

    qpw_executables_init(e);
    __atomic_and_fetch(&k->control->flags, ~QPW_CONTROL_EXECUTABLES, __ATOMIC_RELEASE);
    r = qpw_tracepoint_id(tracepoints[0].event);
    if (r < 0)
        return qpw_fail(err, r, "cannot follow execve: %s", attach_reason(r));
    if (!k->config.exec_path || !k->config.fork_child)
        return qpw_fail(err, -EOPNOTSUPP, "cannot follow execve: the tracepoints' records were not readable at attach");
    r = qpw_instance_complete(k, wanted, err);
    if (r < 0)
        return r;
    r = map_slots(k, e);
    for (int i = 0; r == 0 && i < PROGRAMS; i++) {
        e->event_fd[i] = open_event(k->prog_fd[tracepoints[i].program], tracepoints[i].event);
        r = e->event_fd[i] < 0 ? e->event_fd[i] : 0;
    }
    if (r < 0) {
        qpw_executables_detach(k, e);
        return qpw_fail(err, r, "cannot follow execve: %s", attach_reason(r));
    }
    qpw_executables_read(k, e);
    k->control->heartbeat_ns = qpw_clock_monotonic_ns();
    __atomic_or_fetch(&k->control->flags, QPW_CONTROL_EXECUTABLES, __ATOMIC_RELEASE);
    return 0;
}

void qpw_executables_detach(struct qpw_kernel *k, struct qpw_executables *e)
{
    if (k->control)
        __atomic_and_fetch(&k->control->flags, ~QPW_CONTROL_EXECUTABLES, __ATOMIC_RELEASE);
    for (int i = 0; i < PROGRAMS; i++)
        if (e->event_fd[i] >= 0)
            close(e->event_fd[i]);
    if (e->slots)
        munmap(e->slots, sizeof(*e->slots));
    qpw_executables_init(e);
}

/* ---- Paths ---- */

struct aged {
    uint64_t key, last_ns;
};

static int by_age(const void *a, const void *b)
{
    const struct aged *x = a, *y = b;

    return (x->last_ns > y->last_ns) - (x->last_ns < y->last_ns);
}

static unsigned read_ages(int fd, struct aged ages[QPW_EXES])
{
    uint64_t key, *before = NULL;
    struct qpw_exe exe;
    unsigned n = 0;

    while (n < QPW_EXES && bpf_map_get_next_key(fd, before, &key) == 0) {
        ages[n].key = key;
        before = &ages[n].key;
        if (bpf_map_lookup_elem(fd, &key, &exe) == 0)
            ages[n++].last_ns = exe.last_ns;
        else
            break; /* only the auditor deletes entries, so this cannot be followed by more */
    }
    return n;
}

void qpw_executables_make_room(struct qpw_kernel *k, struct qpw_executables *e)
{
    int fd = k->map_fd[QPW_MAP_exes];
    struct aged ages[QPW_EXES];
    unsigned n;

    if (!e->slots || read_ages(fd, ages) < FULL)
        return;
    qpw_executables_read(k, e);
    n = read_ages(fd, ages);
    qsort(ages, n, sizeof(*ages), by_age);
    for (unsigned i = 0; i < n / 2; i++)
        bpf_map_delete_elem(fd, &ages[i].key);
}

bool qpw_executable_path(const void *kernel, uint64_t exe, char *buf, size_t size)
{
    const struct qpw_kernel *k = kernel;
    struct qpw_exe found;

    if (!exe || bpf_map_lookup_elem(k->map_fd[QPW_MAP_exes], &exe, &found) < 0)
        return false;
    snprintf(buf, size, "%.*s", (int)sizeof(found.path), found.path);
    return true;
}
