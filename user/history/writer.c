/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "history/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "history/db.h"
#include "history/frame.h"
#include "host/confine.h"
#include "host/rights.h"

#define SERVER_FD 3
#define CLEAR_OF_IT 16
#define LOCK_TRIES 40 /* another writer may be about to exit */
#define LOCK_PAUSE_US 50000

/* ---- In the auditor ---- */

static _Noreturn void become(int end, const char *path, bool standard)
{
    char *argv[] = {"qportwatch", QPW_HISTORY_COMMAND, (char *)path, standard ? "standard" : NULL, NULL};
    int server = fcntl(end, F_DUPFD, CLEAR_OF_IT), null = open("/dev/null", O_RDWR);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    dup2(server, SERVER_FD);
    close_range(SERVER_FD + 1, ~0u, 0);
    setsid(); /* signals from the terminal are for the auditor only */
    execve("/proc/self/exe", argv, environ);
    _exit(QPW_EXIT_FAILED);
}

int qpw_history_start(const char *path, bool standard, pid_t *ret_pid, int *ret_fd, struct qpw_error *err)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return qpw_fail(err, -errno, "%s", strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    pid = fork();
    if (pid == 0)
        become(ends[1], path, standard);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return qpw_fail(err, -errno, "%s", strerror(errno));
    }
    *ret_pid = pid;
    *ret_fd = ends[0];
    return 0;
}

int qpw_history_send(int fd, int frame)
{
    char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &frame, sizeof(frame));
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

bool qpw_history_answer(int fd, struct qpw_history_result *ret, bool *ret_gone)
{
    ssize_t n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);

    *ret_gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    return n == (ssize_t)sizeof(*ret);
}

/* ---- In the writer process ---- */

static int receive(void)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *header;
    int frame = -1;
    ssize_t n;

    do
        n = recvmsg(SERVER_FD, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&frame, CMSG_DATA(header), sizeof(frame));
    return frame;
}

struct writer {
    struct qpw_history *history;
    const char *path;
    int lock_fd;        /* -1: not locked yet */
    struct stat folder; /* the only one it may write to; st_ino 0: not confined yet */
};

static bool fail(struct qpw_history_result *ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct qpw_history_result *ret, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(ret->why, sizeof(ret->why), format, args);
    va_end(args);
    return false;
}

/* Resolve the current folder of the file. False: it does not exist. */
static bool find_folder(const char *path, char ret[PATH_MAX], struct stat *ret_st)
{
    char *copy = strdup(path);
    bool there = copy && realpath(dirname(copy), ret) && stat(ret, ret_st) == 0;

    free(copy);
    return there;
}

/*
 * Create the file's folder if it is missing, and confine all writing to it; for a symbolic link, also to its target's
 * folder, where SQLite keeps the log.
 */
static bool confine_to_folder(struct writer *w, struct qpw_history_result *ret)
{
    char folder[PATH_MAX], target[PATH_MAX];
    const char *const folders[] = {folder, target};
    struct qpw_error err;
    struct stat st;
    int r;

    if (w->folder.st_ino)
        return true;
    if (qpw_db_make_folder(w->path, &err) < 0)
        return fail(ret, "%.180s", err.text);
    if (!find_folder(w->path, folder, &st))
        return fail(ret, "%.120s: its folder: %s", w->path, strerror(errno));
    if (!realpath(w->path, target) || !dirname(target)[1])
        strcpy(target, folder);
    if (!folder[1])
        return fail(ret, "%.120s: it takes a folder of its own, not /", w->path);
    r = qpw_confine_files(folders, 2, QPW_TCP_RPCBIND);
    if (r < 0)
        return fail(ret, "%.120s: writing cannot be limited to it (Landlock): %s", folder, strerror(-r));
    w->folder = st;
    return true;
}

/* Return whether it is another folder now: removed and created again, or mounted over. */
static bool has_other_folder(const struct writer *w)
{
    char folder[PATH_MAX];
    struct stat st;

    return w->folder.st_ino && (!find_folder(w->path, folder, &st) || st.st_ino != w->folder.st_ino || st.st_dev != w->folder.st_dev);
}

/* Allow one writer per file: auditors of two network namespaces would not know each other's epochs. */
static bool lock(struct writer *w, struct qpw_history_result *ret)
{
    char name[PATH_MAX];

    if (w->lock_fd >= 0)
        return true;
    snprintf(name, sizeof(name), "%s-lock", w->path);
    w->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (w->lock_fd < 0)
        return fail(ret, "%.180s: %s", name, strerror(errno));
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(w->lock_fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        usleep(LOCK_PAUSE_US);
    }
    close(w->lock_fd);
    w->lock_fd = -1;
    return fail(ret, "%.120s: another auditor writes it, of another network namespace; give this one a file of its own: --history FILE", w->path);
}

static void write_frame(struct writer *w, int fd, struct qpw_history_result *ret)
{
    struct qpw_frame_read frame;
    int r = qpw_frame_read(fd, &frame);

    *ret = (struct qpw_history_result){.state = QPW_HISTORY_STOPPED};
    if (r < 0)
        fail(ret, "what was counted cannot be read: %s", strerror(-r));
    else if (has_other_folder(w))
        fail(ret, "%.120s: its folder has been removed, or is another one now; it is written again within a minute", w->path);
    else if (confine_to_folder(w, ret) && lock(w, ret))
        qpw_history_write(w->history, &frame.input, ret);
    qpw_frame_clear(&frame);
}

/* Give up all privileges that no frame needs before the first one arrives. */
static int begin(struct writer *w)
{
    struct qpw_history_result result;

    signal(SIGXFSZ, SIG_IGN); /* exceeding the file size limit becomes a write error */
    umask(0027);
    prctl(PR_SET_NAME, "qportwatch-hist");
    if (qpw_rights_keep(NULL, 0) < 0)
        return -EPERM;
    confine_to_folder(w, &result); /* on failure, again with the first frame, whose answer can report it */
    return qpw_confine_writer();
}

int qpw_history_serve(int argc, char **argv)
{
    struct qpw_history_options options = {.path = argc > 2 ? argv[2] : "", .standard = argc > 3};
    struct writer w = {.history = qpw_history_new(&options), .path = options.path, .lock_fd = -1};
    struct qpw_history_result result;
    int frame;

    if (!w.history || begin(&w) < 0)
        return QPW_EXIT_FAILED;
    while ((frame = receive()) >= 0) {
        write_frame(&w, frame, &result);
        close(frame);
        if (send(SERVER_FD, &result, sizeof(result), MSG_NOSIGNAL) < 0)
            break;
        if (result.state == QPW_HISTORY_STOPPED && has_other_folder(&w))
            break; /* exit: the next process is confined to the new folder */
    }
    qpw_history_free(w.history);
    return QPW_EXIT_OK;
}
