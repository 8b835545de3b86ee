/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/event_files.h"
#include "host/clock.h"
#include "host/netns.h"
#include "util/file.h"

/* Return an open file description lock: testing for another holder does not affect it (Linux 3.15). */
static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

#define ROUNDS 100 /* attempts while the last holder is removing the file, or a sweeper is testing it */
#define SWEPT_US 10000
#define HELD_NS 1000000000ull /* longer than a sweeper holds a lock to remove it */

#define AUDITED "audited" /* exists once an auditor has run since boot */
#define LOCK_ENDING ".lock"
#define SOCKET_ENDING ".sock"
#define READERS_ENDING ".readers"

/* Of the files beside a lock, which end with it. */
static const char *const beside[] = {SOCKET_ENDING, READERS_ENDING, ".events0", ".events1"};
#define EVENTS 2 /* the first of these among them */
#define BESIDE (sizeof(beside) / sizeof(*beside))

static void name_file(char *ret, size_t size, const char *ending)
{
    snprintf(ret, size, "%" PRIu64 "%s", qpw_netns_inode(), ending);
}

static void set_address(struct sockaddr_un *ret, const char *ending)
{
    char name[64];

    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    name_file(name, sizeof(name), ending);
    snprintf(ret->sun_path, sizeof(ret->sun_path), QPW_LOCK_FOLDER "/%s", name);
}

void qpw_lock_address(struct sockaddr_un *ret)
{
    set_address(ret, SOCKET_ENDING);
}

void qpw_lock_readers_address(struct sockaddr_un *ret)
{
    set_address(ret, READERS_ENDING);
}

const char *qpw_event_file_path(unsigned which, char buf[QPW_EVENT_FILE_PATH])
{
    char name[64];

    name_file(name, sizeof(name), beside[EVENTS + which]);
    snprintf(buf, QPW_EVENT_FILE_PATH, QPW_LOCK_FOLDER "/%s", name);
    return buf;
}

/* Fail for a file of ours that is of another type: do not remove it. */
static int not_ours(const char *name, const char *kind, struct qpw_error *err)
{
    return qpw_fail(err, -EINVAL, "%s%s%s: is %s; remove it, it will be made again", QPW_LOCK_FOLDER, *name ? "/" : "", name, kind);
}

/* Return 0 if the open file is regular. It was opened with O_NONBLOCK, because opening a FIFO would block. */
static int check_regular(int fd, const char *name, struct qpw_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return qpw_fail(err, -errno, "%s/%s: %s", QPW_LOCK_FOLDER, name, strerror(errno));
    return S_ISREG(st.st_mode) ? 0 : not_ours(name, qpw_file_kind(st.st_mode), err);
}

/* Open the folder. It must be exclusively root's; otherwise its contents could be anyone's. -ENOENT: there is none. */
static int open_folder(struct qpw_error *err)
{
    struct stat st;
    int fd = open(QPW_LOCK_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return not_ours("", "a link, or no directory", err);
    if (fd < 0)
        return qpw_fail(err, -errno, "%s: %s", QPW_LOCK_FOLDER, strerror(errno));
    r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && (st.st_uid != 0 || (st.st_mode & 022))) {
        close(fd);
        return qpw_fail(err, -EPERM, "%s: others than root may write to it (owner %u, mode %04o); remove it; it will be made "
                        "again", QPW_LOCK_FOLDER, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
    }
    if (r < 0) {
        close(fd);
        return qpw_fail(err, r, "%s: %s", QPW_LOCK_FOLDER, strerror(-r));
    }
    return fd;
}

uint64_t qpw_lock_folder_id(void)
{
    struct stat st;

    return stat(QPW_LOCK_FOLDER, &st) == 0 ? (uint64_t)st.st_dev << 40 ^ st.st_ino : 0;
}

bool qpw_lock_was_audited(void)
{
    return access(QPW_LOCK_FOLDER "/" AUDITED, F_OK) == 0;
}

void qpw_lock_note_audited(void)
{
    int folder = open_folder(NULL), fd = folder < 0 ? -1 : openat(folder, AUDITED, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
}

/* Return whether the name still refers to the open file: its last holder may have removed it. */
static bool is_current(int folder, const char *name, int fd)
{
    struct stat now, ours;

    return fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &ours) == 0 && now.st_ino == ours.st_ino &&
           now.st_dev == ours.st_dev;
}

/* Read the holder's pid and the pid namespace that it belongs to. */
static struct qpw_pid read_holder(int fd)
{
    char text[64] = "", *end = text;
    pid_t own = 0;

    if (pread(fd, text, sizeof(text) - 1, 0) > 0)
        own = (pid_t)strtol(text, &end, 10);
    return qpw_pid_of(own, strtoull(end, NULL, 10));
}

static int write_holder(int fd)
{
    char text[64];
    int length = snprintf(text, sizeof(text), "%d %" PRIu64 "\n", (int)getpid(), qpw_pid_namespace());

    return ftruncate(fd, 0) < 0 || pwrite(fd, text, length, 0) != length ? -errno : 0;
}

/*
 * Open the lock file. Return a descriptor; -EAGAIN: the folder was removed meanwhile; or another negative errno with
 * err filled.
 */
static int open_lock(int folder, const char *name, struct qpw_error *err)
{
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600), r;

    if (fd < 0)
        switch (errno) {
        case ENOENT: return -EAGAIN;
        case ELOOP: return not_ours(name, "a link", err);
        case EISDIR: return not_ours(name, "a directory", err);
        case ENXIO: return not_ours(name, "a socket", err);
        default: return qpw_fail(err, -errno, "%s/%s: %s", QPW_LOCK_FOLDER, name, strerror(errno));
        }
    r = check_regular(fd, name, err);
    if (r == 0)
        return fd;
    close(fd);
    return r;
}

/* Try once. -EAGAIN: the folder or the file was removed meanwhile. */
static int try_take(int *ret_fd, struct qpw_pid *ret_holder, struct qpw_error *err)
{
    char name[64];
    struct flock lock = whole_file();
    int folder, fd, r = 0;

    if (mkdir(QPW_LOCK_FOLDER, 0700) < 0 && errno != EEXIST)
        return qpw_fail(err, -errno, "making %s for the auditor's lock: %s", QPW_LOCK_FOLDER, strerror(errno));
    folder = open_folder(err);
    if (folder < 0)
        return folder == -ENOENT ? -EAGAIN : folder;
    name_file(name, sizeof(name), LOCK_ENDING);
    fd = open_lock(folder, name, err);
    if (fd < 0)
        r = fd;
    else if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
        r = errno == EAGAIN || errno == EACCES ? -EADDRINUSE : qpw_fail(err, -errno, "%s/%s: %s", QPW_LOCK_FOLDER, name, strerror(errno));
    else if (!is_current(folder, name, fd))
        r = -EAGAIN;
    else if ((r = write_holder(fd)) < 0)
        qpw_fail(err, r, "writing %s/%s: %s", QPW_LOCK_FOLDER, name, strerror(-r));
    if (r == -EADDRINUSE)
        *ret_holder = read_holder(fd);
    close(folder);
    if (r < 0 && fd >= 0)
        close(fd);
    *ret_fd = r < 0 ? -1 : fd;
    return r;
}

/*
 * Remove a lock that nobody holds, with the files beside it; a process that opens it at this moment notices by
 * is_current().
 */
static void remove_unheld(int folder, const char *name)
{
    struct flock lock = whole_file();
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    size_t stem = strlen(name) - strlen(LOCK_ENDING);
    char other[NAME_MAX + 1];

    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0 && is_current(folder, name, fd)) {
        for (size_t i = 0; i < BESIDE; i++) {
            snprintf(other, sizeof(other), "%.*s%s", (int)stem, name, beside[i]);
            unlinkat(folder, other, 0);
        }
        unlinkat(folder, name, 0);
    }
    if (fd >= 0)
        close(fd);
}

/* Remove locks left by killed auditors, of this network namespace or others. */
static void sweep(void)
{
    int folder = open_folder(NULL);
    DIR *list = folder < 0 ? NULL : fdopendir(folder);
    struct dirent *entry;
    size_t length;

    while (list && (entry = readdir(list))) {
        length = strlen(entry->d_name);
        if (length > strlen(LOCK_ENDING) && !strcmp(entry->d_name + length - strlen(LOCK_ENDING), LOCK_ENDING))
            remove_unheld(folder, entry->d_name);
    }
    if (list)
        closedir(list); /* closes the folder's descriptor, too */
    else if (folder >= 0)
        close(folder);
}

/* Return whether that process holds the lock; false for a sweeper, or if the pid is not written yet. */
static bool is_alive(struct qpw_pid holder)
{
    return holder.here > 0 && (kill(holder.here, 0) == 0 || errno == EPERM);
}

int qpw_lock_take(int *ret_fd, struct qpw_pid *ret_holder, struct qpw_error *err)
{
    uint64_t until_ns = qpw_clock_monotonic_ns() + HELD_NS;
    int r = -EAGAIN;

    *ret_holder = (struct qpw_pid){0};
    for (int i = 0; i < ROUNDS && (r == -EAGAIN || (r == -EADDRINUSE && !is_alive(*ret_holder))); i++) {
        if (r == -EADDRINUSE && qpw_clock_monotonic_ns() > until_ns)
            break; /* a live holder outside this pid namespace; waiting it out takes long when many do */
        if (r == -EADDRINUSE)
            usleep(SWEPT_US);
        r = try_take(ret_fd, ret_holder, err);
    }
    if (r == 0)
        sweep();
    if (r == -EAGAIN)
        qpw_fail(err, r, "%s: it keeps being removed; its lock cannot be taken", QPW_LOCK_FOLDER);
    return r;
}

void qpw_lock_release(int fd)
{
    char name[64];
    int folder = open_folder(NULL);

    if (folder >= 0) {
        for (size_t i = 0; i < BESIDE; i++) {
            name_file(name, sizeof(name), beside[i]);
            unlinkat(folder, name, 0);
        }
        name_file(name, sizeof(name), LOCK_ENDING);
        unlinkat(folder, name, 0); /* while it is held: a process that opened it meanwhile notices by is_current() */
        close(folder);
    }
    close(fd);
}

int qpw_lock_held(struct qpw_pid *ret_holder)
{
    struct flock lock = whole_file();
    char name[64];
    int folder = open_folder(NULL), fd, r;

    *ret_holder = (struct qpw_pid){0};
    if (folder < 0)
        return folder == -ENOENT ? 0 : folder;
    name_file(name, sizeof(name), LOCK_ENDING);
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        r = errno == ENOENT ? 0 : -errno;
    else if ((r = check_regular(fd, name, NULL)) < 0)
        ;
    else if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        r = -errno;
    else
        r = lock.l_type != F_UNLCK;
    if (r == 1)
        *ret_holder = read_holder(fd);
    if (fd >= 0)
        close(fd);
    close(folder);
    return r;
}

const char *qpw_lock_way_out(struct qpw_pid holder, char *buf, size_t size)
{
    if (holder.here)
        snprintf(buf, size, "'kill -9 %d' ends it", (int)holder.here);
    else
        snprintf(buf, size, "end it in its own pid namespace, or stop its container or service");
    return buf;
}
