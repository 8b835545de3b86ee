/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cgroup_unit.h"
#include "host/clock.h"
#include "host/pid_namespace.h"
#include "host/proc_reader.h"
#include "util/name_table.h"
#include "util/text.h"

#define INITIAL_PID_NAMESPACE "pid:[4026531836]" /* PROC_PID_INIT_INO, include/linux/proc_ns.h; fixed since Linux 3.8 */
/* A flag in /proc/PID/stat (include/linux/sched.h); set before memory and descriptors are released. */
#define PF_EXITING 0x4u

QPW_NAME_TABLE(qpw_match_name, value, QPW_MATCHES, QPW_MATCH_COUNT, "invalid")

static ssize_t read_text(int pid, const char *file, char *buf, size_t size)
{
    char path[64];
    ssize_t length;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    length = read(fd, buf, size - 1);
    close(fd);
    buf[length > 0 ? length : 0] = '\0';
    return length;
}

/*
 * Read /etc/passwd itself, because the name service could query a directory server over the very network that is
 * audited.
 */
void qpw_user_name(uint32_t uid, char *buf, size_t size)
{
    FILE *file = fopen("/etc/passwd", "re");
    struct passwd entry, *found;
    char text[1024];

    snprintf(buf, size, "%u", uid);
    while (file && fgetpwent_r(file, &entry, text, sizeof(text), &found) == 0) {
        if (entry.pw_uid != uid)
            continue;
        snprintf(buf, size, "%s", entry.pw_name);
        break;
    }
    if (file)
        fclose(file);
}

/*
 * Read the fields of /proc/PID/stat after the command, which may itself contain blanks and parentheses (proc(5)).
 * False: the process or its first thread is exiting or gone.
 */
static bool read_stat(int pid, struct qpw_process *p)
{
    unsigned long long ticks = 0;
    unsigned flags = 0;
    char text[1024], *after;
    long hertz = sysconf(_SC_CLK_TCK);

    if (read_text(pid, "stat", text, sizeof(text)) <= 0)
        return false;
    after = strrchr(text, ')');
    /* state ppid … flags … starttime, fields 3, 4, 9 and 22 */
    if (after && hertz > 0 &&
        sscanf(after + 1, " %*c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &p->parent_pid, &flags, &ticks) == 3)
        p->started_unix_ns = qpw_clock_boot_to_unix_ns(ticks * (1000000000ull / (unsigned long long)hertz));
    return !(flags & PF_EXITING);
}

static void read_command_line(int pid, struct qpw_process *p)
{
    ssize_t length = read_text(pid, "cmdline", p->command, sizeof(p->command));

    for (ssize_t i = 0; i + 1 < length; i++)
        if (!p->command[i])
            p->command[i] = ' ';
    qpw_text_clean(p->command);
}

/*
 * Return whether the process or thread at `who` (below /proc) shares that namespace ("user", "mnt") with this process;
 * true also if unknown.
 */
static bool is_among_us(const char *who, const char *namespace)
{
    char path[80], ours[64], theirs[64];
    ssize_t length, other;

    snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace);
    length = readlink(path, ours, sizeof(ours));
    snprintf(path, sizeof(path), "%s/ns/%s", who, namespace);
    other = readlink(path, theirs, sizeof(theirs));
    return length <= 0 || other <= 0 || (length == other && !memcmp(ours, theirs, (size_t)length));
}

/* Use cached attributes, so that a network or FUSE server cannot make us wait. */
static bool identify(const char *path, uint64_t *ret_device, uint64_t *ret_inode)
{
    struct statx st;

    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &st) < 0)
        return false;
    *ret_device = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
    *ret_inode = st.stx_ino;
    return true;
}

static bool is_file(const char *path, const struct qpw_process *p)
{
    uint64_t device, inode;

    return identify(path, &device, &inode) && device == p->exe_device && inode == p->exe_inode;
}

static void put_before(const char *words, struct qpw_process *p)
{
    char exe[sizeof(p->exe)];

    memcpy(exe, p->exe, sizeof(exe));
    snprintf(p->exe, sizeof(p->exe), "%s%.*s", words, (int)(sizeof(exe) - strlen(words) - 1), exe);
}

/*
 * Find a folder of /proc that leads to the process's memory: its own or, once its first thread has exited and left an
 * empty entry, that of a live thread. Returns the length of the executable's path, in buf; at most 0: none.
 */
static ssize_t find_exe(int pid, char who[48], char *buf, size_t size)
{
    char path[80];
    struct dirent *entry;
    ssize_t length;
    DIR *threads;

    snprintf(who, 48, "/proc/%d", pid);
    snprintf(path, sizeof(path), "%s/exe", who);
    length = readlink(path, buf, size);
    if (length > 0)
        return length;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    threads = opendir(path);
    while (threads && length <= 0 && (entry = readdir(threads))) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(who, 48, "/proc/%d/task/%.16s", pid, entry->d_name);
        snprintf(path, sizeof(path), "%s/exe", who);
        length = readlink(path, buf, size);
    }
    if (threads)
        closedir(threads);
    return length;
}

/*
 * Return whether a deleted executable may have been the file at that path in our mount namespace, as when a package is
 * upgraded under a service with private mounts. False if it was on another file system than the path's folder, as a
 * file mounted over it would be.
 */
static bool may_have_been_here(const struct qpw_process *p)
{
    char folder[sizeof(p->exe)], *slash;
    uint64_t device, inode;

    memcpy(folder, p->exe, sizeof(folder));
    slash = strrchr(folder, '/');
    if (!slash)
        return false;
    slash[slash == folder] = '\0';
    return identify(folder, &device, &inode) && device == p->exe_device;
}

/*
 * Read the executable's path and mark it if it may be forged: in a private user namespace anybody, in a private mount
 * namespace root, can mount over any path or set the executable's name (prctl(2)). A container's paths are its own, and
 * are shown beside its name.
 */
static void read_exe(int pid, struct qpw_process *p)
{
    static const char deleted[] = " (deleted)";
    char who[48], path[80];
    ssize_t length = find_exe(pid, who, p->exe, sizeof(p->exe) - 1);

    p->exe[length > 0 ? length : 0] = '\0';
    p->exe_device = p->exe_inode = 0;
    p->exe_replaced = false;
    if (length <= 0)
        return;
    snprintf(path, sizeof(path), "%s/exe", who);
    identify(path, &p->exe_device, &p->exe_inode);
    if (!is_among_us(who, "user"))
        put_before("(user namespace) ", p);
    else if (!p->container && !is_among_us(who, "mnt") && !is_file(p->exe, p)) {
        p->exe_replaced = qpw_text_ends(p->exe, (size_t)length, deleted) && may_have_been_here(p);
        put_before(p->exe_replaced ? "" : "(mount namespace) ", p);
    }
    qpw_text_clean(p->exe);
}

/* Let the helper describe the process. False: no helper answered, and *p is unchanged. */
static bool ask_to_describe(int pid, struct qpw_process *p, bool *ret_there)
{
    struct qpw_process found;
    struct qpw_helper_reply reply = {.bytes = &found, .room = sizeof(found)};

    if (!qpw_proc_ask(QPW_PROC_DESCRIBE, &pid, sizeof(pid), &reply) || reply.result < 0 || reply.size != sizeof(found))
        return false;
    found.match = p->match;
    found.why = p->why;
    *p = found;
    *ret_there = reply.result;
    return true;
}

bool qpw_process_describe(int pid, struct qpw_process *p)
{
    char path[64], text[4096];
    struct stat st;
    bool there;

    if (ask_to_describe(pid, p, &there))
        return there;
    snprintf(path, sizeof(path), "/proc/%d", pid);
    if (stat(path, &st) < 0 || read_text(pid, "comm", p->name, sizeof(p->name)) < 0)
        return false;
    p->name[strcspn(p->name, "\n")] = '\0'; /* ends with a line break, and is cut at one within the name */
    qpw_text_clean(p->name);
    p->pid = pid;
    p->uid = st.st_uid;
    qpw_user_name(p->uid, p->user, sizeof(p->user));
    if (read_text(pid, "cgroup", text, sizeof(text)) > 0)
        qpw_cgroup_unit(text, p->unit, sizeof(p->unit));
    qpw_text_clean(p->unit);
    p->container = strchr(p->unit, ' ') != NULL; /* a unit's name contains no blank */
    read_exe(pid, p);
    /*
     * Memory is released before descriptors: a process that still shows sockets but no executable will not use them
     * again.
     */
    if (!read_stat(pid, p) && !p->exe[0])
        return false;
    read_command_line(pid, p);
    if (p->parent_pid > 0 && read_text(p->parent_pid, "comm", p->parent, sizeof(p->parent)) > 0) {
        p->parent[strcspn(p->parent, "\n")] = '\0';
        qpw_text_clean(p->parent);
    }
    return true;
}

bool qpw_proc_is_initial(void)
{
    char target[64];
    ssize_t length = readlink("/proc/self/ns/pid", target, sizeof(target) - 1);

    if (length <= 0)
        return false; /* no /proc */
    target[length] = '\0';
    return !strcmp(target, INITIAL_PID_NAMESPACE);
}

bool qpw_proc_is_whole(void)
{
    struct qpw_helper_reply reply = {0};
    char target[64];

    if (qpw_proc_ask(QPW_PROC_WHOLE, NULL, 0, &reply))
        return reply.result == 1;
    /* Process 1 is the hardest to inspect: that takes CAP_SYS_PTRACE, and hidepid hides it altogether. */
    return qpw_proc_is_initial() && readlink("/proc/1/exe", target, sizeof(target)) > 0;
}

int qpw_process_shares(int pid, const char *namespace)
{
    struct qpw_proc_namespace question = {.pid = pid};
    struct qpw_helper_reply reply = {0};
    struct stat theirs, ours;
    char path[64];

    memcpy(question.kind, namespace, strnlen(namespace, sizeof(question.kind) - 1));
    if (qpw_proc_ask(QPW_PROC_SAME, &question, sizeof(question), &reply))
        return reply.result;
    if (!qpw_pid_proc_is_ours())
        return access("/proc/self", F_OK) < 0 ? -ENOENT : -EXDEV; /* that number is another process there */
    snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, namespace);
    if (stat(path, &theirs) < 0)
        return -errno;
    snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace);
    if (stat(path, &ours) < 0)
        return -errno;
    return theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

int qpw_process_text(int pid, const char *file, char *buf, size_t size)
{
    struct qpw_proc_file question = {.pid = pid};
    struct qpw_helper_reply reply = {.bytes = buf, .room = size - 1};
    ssize_t length;

    memcpy(question.name, file, strnlen(file, sizeof(question.name) - 1));
    if (qpw_proc_ask(QPW_PROC_TEXT, &question, sizeof(question), &reply)) {
        buf[reply.size] = '\0';
        return reply.result < 0 ? reply.result : (int)reply.size;
    }
    *buf = '\0';
    length = read_text(pid, file, buf, size);
    return (int)length;
}

int qpw_process_exe(int pid, char *buf, size_t size)
{
    struct qpw_helper_reply reply = {.bytes = buf, .room = size};
    char who[48];
    ssize_t length;

    if (qpw_proc_ask(QPW_PROC_EXE, &pid, sizeof(pid), &reply))
        return reply.result < 0 ? reply.result : (int)reply.size;
    length = find_exe(pid, who, buf, size);
    return length <= 0 ? -ESRCH : (int)length;
}
