/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/sockets_index.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/proc_reader.h"
#include "host/process.h"
#include "host/sockets_diag.h"
#include "util/array.h"

/*
 * Budget of CPU time, after which a reading of /proc is abandoned as incomplete. Not wall-clock time, so that a busy
 * machine does not hide processes.
 */
#define INDEX_TIME_NS 250000000ull
#define FAMILY 32u /* processes searched per family */
#define OWNERS_A_PART (QPW_HELPER_BYTES / sizeof(struct qpw_socket_owner))

void qpw_process_index_free(struct qpw_process_index *index)
{
    if (!index)
        return;
    free(index->owners);
    free(index);
}

/*
 * Sort by inode. Of several holders, systemd comes last, because it keeps sockets for services; otherwise the oldest
 * process first.
 */
static int by_inode(const void *a, const void *b)
{
    const struct qpw_socket_owner *x = a, *y = b;

    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    if ((x->pid == 1) != (y->pid == 1))
        return x->pid == 1 ? 1 : -1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static bool add_owner(struct qpw_process_index *index, uint32_t inode, int pid)
{
    struct qpw_socket_owner *slot = QPW_ADD(index->owners, index->count);

    if (!slot)
        return false;
    *slot = (struct qpw_socket_owner){.inode = inode, .pid = pid};
    index->count++;
    return true;
}

/* Return this thread's CPU time in nanoseconds. */
static uint64_t thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool takes_too_long(const struct qpw_process_index *index)
{
    return thread_ns() - index->begun_cpu_ns >= INDEX_TIME_NS;
}

/* Add the sockets of one descriptor table. False if it exists but could not be read completely. */
static bool read_table(struct qpw_process_index *index, int pid, const char *path)
{
    char target[64];
    struct dirent *entry;
    bool whole = true;
    unsigned inode;
    ssize_t length;
    DIR *dir;

    dir = opendir(path);
    if (!dir)
        return errno == ENOENT || errno == ESRCH;
    while (whole && (entry = readdir(dir))) {
        length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        if (length <= 0)
            continue;
        target[length] = '\0';
        if (sscanf(target, "socket:[%u]", &inode) == 1)
            whole = add_owner(index, inode, pid);
        whole = whole && !takes_too_long(index);
    }
    closedir(dir);
    return whole;
}

/* Read the threads' own descriptor tables (unshare(2) with CLONE_FILES), which the process's table does not show. */
static bool read_threads(struct qpw_process_index *index, int pid)
{
    char path[64];
    struct dirent *entry;
    bool whole = true;
    struct stat st;
    DIR *dir;
    int tid;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    if (stat(path, &st) < 0 || st.st_nlink <= 3) /* one subfolder per thread */
        return true;
    dir = opendir(path);
    if (!dir)
        return errno == ENOENT || errno == ESRCH;
    while (whole && (entry = readdir(dir))) {
        tid = atoi(entry->d_name);
        if (tid <= 0 || tid == pid || syscall(SYS_kcmp, pid, tid, KCMP_FILES, 0, 0) == 0)
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", pid, tid);
        whole = read_table(index, pid, path) && !takes_too_long(index);
    }
    closedir(dir);
    return whole;
}

/* Add the sockets of one process. False if it exists but could not be read completely. */
static bool read_descriptors(struct qpw_process_index *index, int pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    return read_table(index, pid, path) && read_threads(index, pid);
}

static void begin(struct qpw_process_index *index)
{
    index->count = 0;
    index->started_ns = qpw_clock_monotonic_ns();
    index->begun_cpu_ns = thread_ns();
}

static void end(struct qpw_process_index *index)
{
    index->ended_ns = qpw_clock_monotonic_ns();
    index->taken_ns = thread_ns() - index->begun_cpu_ns;
}

/* Read all processes; the result is unsorted. */
static void read_all_here(struct qpw_process_index *index)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    begin(index);
    index->complete = proc && qpw_proc_is_whole();
    while (proc && (entry = readdir(proc))) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (!read_descriptors(index, atoi(entry->d_name)))
            index->complete = false;
        if (takes_too_long(index)) {
            index->complete = false;
            break;
        }
    }
    if (proc)
        closedir(proc);
    end(index);
}

/* Append a thread's children (proc(5), CONFIG_PROC_CHILDREN) to the n in `family`: the youngest, as many as fit. */
static size_t add_children(int pid, const char *tid, int family[FAMILY], size_t n)
{
    char path[64];
    int child, young[FAMILY];
    size_t seen = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", pid, tid);
    f = fopen(path, "re");
    if (!f)
        return n;
    while (fscanf(f, "%d", &child) == 1)
        young[seen++ % FAMILY] = child;
    fclose(f);
    for (size_t back = 1; back <= seen && back <= FAMILY && n < FAMILY; back++)
        family[n++] = young[(seen - back) % FAMILY];
    return n;
}

/* Read a process and its descendants; the result is unsorted. */
static void read_family_here(struct qpw_process_index *index, int pid)
{
    int family[FAMILY] = {pid};
    size_t n = 1;

    begin(index);
    index->complete = false;
    for (size_t i = 0; i < n; i++) {
        char path[64];
        struct dirent *entry;
        DIR *threads;

        read_descriptors(index, family[i]);
        snprintf(path, sizeof(path), "/proc/%d/task", family[i]);
        threads = opendir(path);
        while (threads && n < FAMILY && (entry = readdir(threads)))
            if (isdigit((unsigned char)entry->d_name[0]))
                n = add_children(family[i], entry->d_name, family, n);
        if (threads)
            closedir(threads);
    }
    end(index);
}

/* pid 0: all processes; otherwise that one and its descendants. */
static void read_here(struct qpw_process_index *index, int pid)
{
    if (pid)
        read_family_here(index, pid);
    else
        read_all_here(index);
}

/* The final part of the helper's answer, after the owners. */
struct figures {
    uint64_t started_ns, ended_ns, taken_ns, complete;
};

int qpw_proc_answer_sockets(struct qpw_helper_work *work)
{
    static struct qpw_process_index index;
    struct figures figures;
    size_t n;
    int pid;

    if (work->size != sizeof(pid))
        return -EINVAL;
    memcpy(&pid, work->question, sizeof(pid));
    if (pid < 0)
        return -EINVAL;
    read_here(&index, pid);
    for (size_t i = 0; i < index.count; i += n) {
        n = index.count - i < OWNERS_A_PART ? index.count - i : OWNERS_A_PART;
        qpw_helper_part(work, &index.owners[i], n * sizeof(*index.owners));
    }
    figures = (struct figures){index.started_ns, index.ended_ns, index.taken_ns, index.complete};
    memcpy(work->answer, &figures, sizeof(figures));
    work->answer_size = sizeof(figures);
    return 0;
}

struct taking {
    struct qpw_process_index *index;
    bool all; /* no allocation failed */
};

static void take_owners(void *arg, const void *bytes, size_t size)
{
    struct taking *t = arg;
    struct qpw_socket_owner one;

    for (size_t at = 0; at + sizeof(one) <= size; at += sizeof(one)) {
        memcpy(&one, (const char *)bytes + at, sizeof(one));
        t->all &= add_owner(t->index, one.inode, one.pid);
    }
}

/* Let the helper read. False: no helper answered. */
static bool ask_to_read(struct qpw_process_index *index, int pid)
{
    struct taking taking = {index, true};
    struct figures figures;
    struct qpw_helper_reply reply = {.bytes = &figures, .room = sizeof(figures), .part = take_owners, .part_arg = &taking};

    index->count = 0;
    if (!qpw_proc_ask(QPW_PROC_SOCKETS, &pid, sizeof(pid), &reply) || reply.result < 0 || reply.size != sizeof(figures))
        return false;
    index->started_ns = figures.started_ns;
    index->ended_ns = figures.ended_ns;
    index->taken_ns = figures.taken_ns;
    index->complete = figures.complete && taking.all;
    return true;
}

static void read_sorted(struct qpw_process_index *index, int pid)
{
    if (!ask_to_read(index, pid))
        read_here(index, pid);
    if (index->count)
        qsort(index->owners, index->count, sizeof(*index->owners), by_inode);
}

void qpw_index_read(struct qpw_process_index *index)
{
    read_sorted(index, 0);
}

void qpw_index_read_family(struct qpw_process_index *index, int pid)
{
    read_sorted(index, pid);
}

size_t qpw_index_find(const struct qpw_process_index *index, uint32_t inode)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (index->owners[middle].inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->count && index->owners[low].inode == inode ? low : index->count;
}

int qpw_index_search(const struct qpw_process_index *index, uint32_t inode)
{
    size_t at = qpw_index_find(index, inode);

    return at < index->count ? index->owners[at].pid : 0;
}
