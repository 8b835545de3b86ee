/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
#include <netinet/in.h>
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

#define INDEX_AGE_NS 1000000000ull
/* CPU time, so that a busy machine hides nobody: */
#define INDEX_TIME_NS 250000000ull /* a reading of /proc is given up after so much and is then incomplete */
#define INDEX_DEAR_NS 50000000ull
#define INDEX_SHARE 20             /* readings may take a twentieth of the time, */
#define INDEX_CREDIT_NS 250000000ll /* and so much at once after a rest */

#define OWNERS_A_PART (QPW_HELPER_BYTES / sizeof(struct owner))

struct owner {
    uint32_t inode;
    int pid;
};

struct qpw_process_index {
    struct owner *owners; /* by inode, the preferred process first */
    size_t count, cap;
    uint64_t started_ns;
    uint64_t ended_ns;   /* 0: never read */
    uint64_t begun_cpu_ns; /* CPU time of this thread at the start */
    uint64_t taken_ns;   /* CPU time of the last reading */
    int64_t credit_ns;   /* CPU time that may still be spent on readings, as of ended_ns */
    bool complete;
};

void qpw_process_index_free(struct qpw_process_index *index)
{
    if (!index)
        return;
    free(index->owners);
    free(index);
}

/* ---- The index: which process holds which socket ---- */

/* Several often hold one socket: the service before systemd, which keeps sockets for it; then the oldest process. */
static int by_inode(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;

    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    if ((x->pid == 1) != (y->pid == 1))
        return x->pid == 1 ? 1 : -1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static bool add_owner(struct qpw_process_index *index, uint32_t inode, int pid)
{
    struct owner *more;

    if (index->count == index->cap) {
        size_t cap = index->cap ? 2 * index->cap : 1024;

        more = realloc(index->owners, cap * sizeof(*more));
        if (!more)
            return false;
        index->owners = more;
        index->cap = cap;
    }
    index->owners[index->count++] = (struct owner){.inode = inode, .pid = pid};
    return true;
}

/* CPU time of this thread. */
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

/* Reads the sockets in one table of descriptors. False if it could not be read wholly, although it is there. */
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

/* A thread may have a table of its own (CLONE_FILES, unshare(2)), which that of its process does not show. */
static bool read_threads(struct qpw_process_index *index, int pid)
{
    char path[64];
    struct dirent *entry;
    bool whole = true;
    struct stat st;
    DIR *dir;
    int tid;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    if (stat(path, &st) < 0 || st.st_nlink <= 3) /* one folder a thread */
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

/* Reads the sockets of one process. False if it could not be read wholly, although the process is there. */
static bool read_descriptors(struct qpw_process_index *index, int pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    return read_table(index, pid, path) && read_threads(index, pid);
}

/* Unsorted. */
static void read_here(struct qpw_process_index *index)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    index->count = 0;
    index->started_ns = qpw_clock_monotonic_ns();
    index->begun_cpu_ns = thread_ns();
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
    index->ended_ns = qpw_clock_monotonic_ns();
    index->taken_ns = thread_ns() - index->begun_cpu_ns;
}

/* What the helper says of its reading, behind the owners. */
struct figures {
    uint64_t started_ns, ended_ns, taken_ns, complete;
};

int qpw_proc_answer_sockets(struct qpw_helper_work *work)
{
    static struct qpw_process_index index;
    struct figures figures;
    size_t n;

    read_here(&index);
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
    bool all; /* there was memory for them */
};

static void take_owners(void *arg, const void *bytes, size_t size)
{
    struct taking *t = arg;
    struct owner one;

    for (size_t at = 0; at + sizeof(one) <= size; at += sizeof(one)) {
        memcpy(&one, (const char *)bytes + at, sizeof(one));
        t->all &= add_owner(t->index, one.inode, one.pid);
    }
}

/* False: nobody else could be asked. */
static bool ask_to_read(struct qpw_process_index *index)
{
    struct taking taking = {index, true};
    struct figures figures;
    struct qpw_helper_reply reply = {.bytes = &figures, .room = sizeof(figures), .part = take_owners, .part_arg = &taking};

    index->count = 0;
    if (!qpw_proc_ask(QPW_PROC_SOCKETS, NULL, 0, &reply) || reply.result < 0 || reply.size != sizeof(figures))
        return false;
    index->started_ns = figures.started_ns;
    index->ended_ns = figures.ended_ns;
    index->taken_ns = figures.taken_ns;
    index->complete = figures.complete && taking.all;
    return true;
}

static void read_processes(struct qpw_process_index *index)
{
    if (!ask_to_read(index))
        read_here(index);
    if (index->count)
        qsort(index->owners, index->count, sizeof(*index->owners), by_inode);
}

/* The place of the first that holds it, index->count: none. */
static size_t place(const struct qpw_process_index *index, uint32_t inode)
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

static int search(const struct qpw_process_index *index, uint32_t inode)
{
    size_t at = place(index, inode);

    return at < index->count ? index->owners[at].pid : 0;
}

int qpw_process_holder(struct qpw_sockets *s, uint32_t inode, uint64_t asked_ns, bool sparing)
{
    struct qpw_process_index *index = s->index;
    uint64_t now = qpw_clock_monotonic_ns();
    int64_t credit;
    bool young, dear;
    int pid = 0;

    if (!index) {
        index = s->index = calloc(1, sizeof(*index));
        if (!index)
            return -1;
    }
    credit = index->ended_ns ? index->credit_ns + (int64_t)((now - index->ended_ns) / INDEX_SHARE) : INDEX_CREDIT_NS;
    if (credit > INDEX_CREDIT_NS)
        credit = INDEX_CREDIT_NS;
    young = index->ended_ns && now - index->ended_ns < INDEX_AGE_NS;
    dear = index->taken_ns > INDEX_DEAR_NS;
    if (young || (index->ended_ns && credit <= 0))
        pid = search(index, inode);
    if (!pid && credit > 0 && !(sparing && young && dear)) {
        read_processes(index);
        index->credit_ns = credit - (int64_t)index->taken_ns;
        pid = search(index, inode);
    }
    if (pid)
        return pid;
    return index->complete && index->started_ns >= asked_ns ? 0 : -1;
}

/* ---- The process of an exchange ---- */

/* The listener that a connection which has no file (not accepted yet, or being closed) came from. */
static bool find_listener(struct qpw_sockets *s, const struct qpw_conn_key *key, struct qpw_diag_socket *ret)
{
    struct qpw_conn_key bound = *key;

    memset(bound.remote, 0, sizeof(bound.remote));
    bound.remote_port = 0;
    return qpw_diag_find(s, &bound, ret) == 0 && ret->inode;
}

static bool is_live(uint8_t state)
{
    return state == QPW_TCP_ESTABLISHED || state == QPW_TCP_CLOSE_WAIT || state == QPW_TCP_SYN_RECV;
}

int qpw_sockets_process(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                        struct qpw_process *ret)
{
    struct qpw_process p = {.match = QPW_MATCH_NONE};
    struct qpw_diag_socket socket, again;
    uint64_t asked_ns = qpw_clock_monotonic_ns();
    bool exact, inbound;
    int rc, pid;

    *ret = p;
    if ((key->protocol != IPPROTO_TCP && key->protocol != IPPROTO_UDP) || !key->local_port)
        return 0;
    ret->match = QPW_MATCH_GONE;
    rc = qpw_diag_find(s, key, &socket);
    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    exact = qpw_diag_is_exact(key, &socket);
    inbound = direction != QPW_DIR_OUTBOUND;
    if (!exact && !inbound && key->protocol == IPPROTO_TCP)
        return 0; /* only somebody who listens on the port that the closed connection went out from */
    pid = socket.inode ? qpw_process_holder(s, socket.inode, asked_ns, exact && inbound) : 0;
    if (pid <= 0 && exact && inbound && find_listener(s, key, &again)) {
        /* Not accepted yet or about to be, closed meanwhile, or /proc not to be read again yet: its listener is. */
        socket = again;
        pid = qpw_process_holder(s, socket.inode, asked_ns, false);
        exact = false;
    }
    if (pid > 0) {
        p.match = exact ? QPW_MATCH_EXACT : QPW_MATCH_LISTENER;
        if (qpw_process_describe(pid, &p))
            *ret = p;
        return 0;
    }
    if (pid < 0) {
        ret->match = QPW_MATCH_NONE;
        ret->why = qpw_proc_is_whole() ? NULL : "no right to look into every process";
        return 0;
    }
    /* No process holds it. If the socket is still there, the kernel itself does. */
    if (!socket.inode)
        ret->match = is_live(socket.state) ? QPW_MATCH_KERNEL : QPW_MATCH_GONE;
    else if (qpw_diag_find(s, key, &again) == 0 && (again.inode == socket.inode || !exact)) {
        ret->match = QPW_MATCH_KERNEL;
        ret->uid = socket.uid;
    }
    return 0;
}

/* ---- All who hold it ---- */

static void fill_holders(struct qpw_sockets *s, uint32_t inode, uint64_t asked_ns, bool sparing,
                         struct qpw_socket_holders *ret)
{
    int first = qpw_process_holder(s, inode, asked_ns, sparing);
    const struct qpw_process_index *index = s->index;

    if (first < 0)
        return;
    ret->all = index->complete;
    for (size_t i = place(index, inode); i < index->count && index->owners[i].inode == inode; i++) {
        if (ret->n && ret->pid[ret->n - 1] == index->owners[i].pid)
            continue;
        if (ret->n == QPW_SOCKET_HOLDERS) {
            ret->all = false;
            break;
        }
        ret->pid[ret->n++] = index->owners[i].pid;
    }
}

int qpw_sockets_holders(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                        bool sparing, struct qpw_socket_holders *ret)
{
    uint64_t asked_ns = qpw_clock_monotonic_ns();
    struct qpw_diag_socket socket, listener;
    int rc;

    *ret = (struct qpw_socket_holders){0};
    if ((key->protocol != IPPROTO_TCP && key->protocol != IPPROTO_UDP) || !key->local_port)
        return 0;
    rc = qpw_diag_find(s, key, &socket);
    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    ret->exact = qpw_diag_is_exact(key, &socket);
    if (!ret->exact && direction == QPW_DIR_OUTBOUND && key->protocol == IPPROTO_TCP)
        return 0; /* only somebody who listens on the port that the closed connection went out from */
    ret->open = true;
    if (socket.inode)
        fill_holders(s, socket.inode, asked_ns, sparing, ret);
    if (!ret->n && ret->exact && direction != QPW_DIR_OUTBOUND && find_listener(s, key, &listener)) {
        ret->listener = true; /* not accepted yet, or closed meanwhile */
        fill_holders(s, listener.inode, asked_ns, sparing, ret);
    } else if (!ret->n && !socket.inode) {
        ret->all = is_live(socket.state);
        ret->open = ret->all;
    }
    if (!ret->n && ret->all) /* else it has been closed while /proc was read */
        ret->open = qpw_diag_find(s, key, &listener) == 0 && (listener.inode == socket.inode || !ret->exact);
    return 0;
}
