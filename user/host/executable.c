/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/proc_reader.h"

#define DELETED " (deleted)" /* appended by d_path() for a file that was replaced or removed */
#define INTERPRETERS 5       /* nested interpreters; the kernel's own limit (BINPRM_BUF_SIZE, fs/exec.c) */

static bool is_deleted(const char *exe)
{
    size_t length = strlen(exe), end = strlen(DELETED);

    return length > end && !strcmp(exe + length - end, DELETED);
}

const char *qpw_executable_bare(const char *exe, char *buf, size_t size)
{
    snprintf(buf, size, "%.*s", (int)(strlen(exe) - (is_deleted(exe) ? strlen(DELETED) : 0)), exe);
    return buf;
}

/* Resolve the links of a path, or only those of its folder if the file itself no longer exists. */
static void follow(const char *path, char ret[PATH_MAX])
{
    char folder[PATH_MAX], *slash;

    if (realpath(path, ret))
        return;
    snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (!slash || slash == folder || (*slash = '\0', !realpath(folder, ret)) ||
        strlen(ret) + strlen(slash + 1) + 2 > PATH_MAX) {
        snprintf(ret, PATH_MAX, "%s", path);
        return;
    }
    strcat(strcat(ret, "/"), slash + 1);
}

/*
 * Open a regular file and nothing else: the path may be under a stranger's control, and opening a device has side
 * effects.
 */
static int open_regular(const char *path)
{
    int path_fd = open(path, O_PATH | O_CLOEXEC), fd = -1;
    char link[64];
    struct stat st;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
    if (path_fd >= 0 && fstat(path_fd, &st) == 0 && S_ISREG(st.st_mode))
        fd = open(link, O_RDONLY | O_CLOEXEC);
    if (path_fd >= 0)
        close(path_fd);
    return fd;
}

/* Read the interpreter's path from a script's first line. False: not a script, or unreadable. */
static bool read_interpreter(const char *path, char ret[PATH_MAX])
{
    int fd = open_regular(path);
    char line[257];
    ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
    char *name;

    if (fd >= 0)
        close(fd);
    if (length < 3 || memcmp(line, "#!", 2))
        return false;
    line[length] = '\0';
    name = line + 2 + strspn(line + 2, " \t");
    name[strcspn(name, " \t\n")] = '\0';
    follow(name, ret);
    return *name == '/';
}

/* Resolve a path's links. script: also follow "#!" lines, as execve(2) of that path would have. */
static void resolve_here(const char *path, bool script, char ret[PATH_MAX])
{
    char next[PATH_MAX];

    follow(path, ret);
    for (int i = 0; script && i < INTERPRETERS && read_interpreter(ret, next); i++)
        memcpy(ret, next, PATH_MAX);
}

struct question {
    bool script;
    char path[PATH_MAX];
};

int qpw_proc_answer_resolve(struct qpw_helper_work *work)
{
    const struct question *q = work->question;

    if (work->size != sizeof(*q) || strnlen(q->path, sizeof(q->path)) == sizeof(q->path))
        return -EINVAL;
    resolve_here(q->path, q->script, work->answer);
    work->answer_size = PATH_MAX;
    return 0;
}

/* Ask the helper first, because a folder on the way may be readable by its owner alone. */
static void resolve(const char *path, bool script, char ret[PATH_MAX])
{
    struct qpw_helper_reply reply = {.bytes = ret, .room = PATH_MAX};
    struct question q = {.script = script};

    snprintf(q.path, sizeof(q.path), "%s", path);
    if (!qpw_proc_ask(QPW_PROC_RESOLVE, &q, sizeof(q), &reply) || reply.result < 0 || reply.size != PATH_MAX)
        resolve_here(path, script, ret);
    ret[PATH_MAX - 1] = '\0';
}

static const char *last(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool same_folder(const char *a, const char *b)
{
    return last(a) - a == last(b) - b && !memcmp(a, b, last(a) - a);
}

static enum qpw_executes by_path(const struct qpw_process *p, const char *path)
{
    char exe[sizeof(p->exe)], wanted[PATH_MAX], real[PATH_MAX];

    qpw_executable_bare(p->exe, exe, sizeof(exe));
    if (!strcmp(exe, path))
        return QPW_EXECUTES_IT;
    if (*exe != '/')
        return p->ended && !strcmp(last(exe), last(path)) ? QPW_EXECUTES_UNSURE : QPW_EXECUTES_OTHER;
    resolve(path, /* script= */ false, wanted);
    if (p->ended)
        resolve(exe, /* script= */ true, real);
    else
        snprintf(real, sizeof(real), "%s", exe); /* already resolved by /proc */
    if (!strcmp(real, wanted))
        return QPW_EXECUTES_IT;
    return is_deleted(p->exe) && strcmp(wanted, path) && same_folder(exe, wanted) ? QPW_EXECUTES_UNSURE
                                                                                  : QPW_EXECUTES_OTHER;
}

enum qpw_executes qpw_executes(const struct qpw_process *p, const char *path)
{
    enum qpw_executes word = by_path(p, path);

    return word == QPW_EXECUTES_IT && p->exe_replaced ? QPW_EXECUTES_UNSURE : word;
}
