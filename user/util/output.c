/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(const struct qpw_output *o, int code, struct qpw_error *err)
{
    return qpw_fail(err, code, "%s cannot be written: %s", o->name, strerror(-code));
}

static void forget(struct qpw_output *o)
{
    free(o->path);
    free(o->temporary);
    o->path = o->temporary = NULL;
}

/* Give the new file the old one's owner and mode or, without an old one, the default mode. */
static void set_owner_and_mode(int fd, const struct stat *old)
{
    mode_t mask;

    if (old) {
        if (fchown(fd, old->st_uid, old->st_gid) < 0 && fchown(fd, -1, old->st_gid) < 0)
            errno = 0; /* not permitted for a foreign file: it belongs to this user from now on */
        fchmod(fd, old->st_mode & 0777);
        return;
    }
    mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
}

/* Set `temporary` to ".NAME.ENDING" in path's folder. False: out of memory. */
static bool name_beside(struct qpw_output *o, const char *ending)
{
    const char *slash = strrchr(o->path, '/'), *base = slash ? slash + 1 : o->path;

    free(o->temporary);
    if (asprintf(&o->temporary, "%.*s.%.200s.%s", (int)(base - o->path), o->path, base, ending) < 0)
        o->temporary = NULL;
    return o->temporary != NULL;
}

/*
 * Open an unnamed file in path's folder, which vanishes if the command is killed. Returns a descriptor or a negative
 * errno.
 */
static int open_nameless(const struct qpw_output *o)
{
    const char *slash = strrchr(o->path, '/');
    char *folder = slash ? strndup(o->path, slash - o->path + 1) : strdup(".");
    int fd = folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    int r = fd < 0 ? -errno : fd;

    free(folder);
    return r;
}

/*
 * Open a temporary file on path's file system; `temporary` is its name, unless it is unnamed. Returns 0 or a negative
 * errno.
 */
static int open_beside(struct qpw_output *o, const struct stat *old)
{
    int fd = access("/proc/self/fd", X_OK) == 0 ? open_nameless(o) : -1, r;

    if (fd < 0) { /* O_TMPFILE is not supported everywhere, for example on NFS */
        if (!name_beside(o, "XXXXXX"))
            return -ENOMEM;
        fd = mkostemp(o->temporary, O_CLOEXEC);
        if (fd < 0)
            return -errno;
    }
    set_owner_and_mode(fd, old);
    o->file = fdopen(fd, "w+");
    if (o->file)
        return 0;
    r = -errno;
    close(fd);
    if (o->temporary)
        unlink(o->temporary);
    return r;
}

/* Link the unnamed file to a temporary name, just before it replaces path. Returns 0 or a negative errno. */
static int give_name(struct qpw_output *o)
{
    char from[64], ending[24];
    int r = -EEXIST;

    snprintf(from, sizeof(from), "/proc/self/fd/%d", fileno(o->file));
    for (unsigned i = 0; r == -EEXIST && i < 100; i++) {
        snprintf(ending, sizeof(ending), "%d-%u", getpid(), i);
        if (!name_beside(o, ending))
            return -ENOMEM;
        if (linkat(AT_FDCWD, from, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        r = -errno;
    }
    free(o->temporary); /* the last name tried is not ours to remove */
    o->temporary = NULL;
    return r;
}

/*
 * Open something that is no regular file, or in whose folder no file can be created. Does not wait for a FIFO's reader.
 */
static int open_as_it_is(struct qpw_output *o, const char *name, struct qpw_error *err)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);

    forget(o);
    if (fd < 0)
        return errno == ENXIO ? qpw_fail(err, -ENXIO, "%s cannot be written: nobody reads this FIFO", o->name)
                              : cannot(o, -errno, err);
    fcntl(fd, F_SETFL, 0);
    o->file = fdopen(fd, "w");
    if (o->file)
        return 0;
    close(fd);
    return cannot(o, -ENOMEM, err);
}

static int open_named(struct qpw_output *o, const char *name, struct qpw_error *err)
{
    struct stat old, link;
    bool there = stat(name, &old) == 0;
    int r;

    if (there ? !S_ISREG(old.st_mode) : lstat(name, &link) == 0)
        return open_as_it_is(o, name, err);
    if (there && access(name, W_OK) < 0)
        return cannot(o, -errno, err);
    o->path = there ? realpath(name, NULL) : strdup(name); /* follow a link rather than replace it */
    r = o->path ? open_beside(o, there ? &old : NULL) : -ENOMEM;
    if (there && (r == -EACCES || r == -EPERM || r == -EROFS))
        return open_as_it_is(o, name, err);
    if (r == 0)
        return 0;
    forget(o);
    return cannot(o, r, err);
}

int qpw_output_open(const char *name, struct qpw_output *ret, struct qpw_error *err)
{
    struct qpw_output o = {.file = stdout, .name = "standard output"};
    int r = 0;

    if (name && strcmp(name, "-")) {
        snprintf(o.name, sizeof(o.name), "%s", name);
        r = open_named(&o, name, err);
    }
    if (r == 0)
        *ret = o;
    return r;
}

/* Overwrite the file in place, because a file that is a mount point cannot be replaced. */
static int copy_over(FILE *from, const char *path)
{
    char buf[65536];
    FILE *to = fopen(path, "we");
    size_t n;
    int r = 0;

    if (!to)
        return -errno;
    rewind(from);
    while (r == 0 && (n = fread(buf, 1, sizeof(buf), from)) > 0)
        r = fwrite(buf, 1, n, to) == n ? 0 : -errno;
    if (r == 0 && ferror(from))
        r = -EIO;
    if (fclose(to) != 0 && r == 0)
        r = -errno;
    return r;
}

void qpw_output_write(struct qpw_output *o, const char *text, size_t size)
{
    if ((fwrite(text, 1, size, o->file) != size || fflush(o->file) != 0) && !o->error)
        o->error = -errno;
}

/* Check that everything was written. If only the fact of an earlier error is known, repeat a write to get its errno. */
static int state_of(struct qpw_output *o)
{
    bool failed = ferror(o->file);
    int r = fflush(o->file) != 0 ? -errno : 0;

    if (o->error)
        return o->error;
    if (failed && r == 0)
        r = o->path && write(fileno(o->file), "\n", 1) < 0 ? -errno : -EIO;
    return r;
}

int qpw_output_close(struct qpw_output *o, bool keep, struct qpw_error *err)
{
    int r = state_of(o);

    if (r == 0 && keep && o->path) {
        if (fsync(fileno(o->file)) < 0)
            r = -errno;
        else if (!o->temporary)
            r = give_name(o);
        if (r == 0 && rename(o->temporary, o->path) < 0)
            r = errno == EBUSY ? copy_over(o->file, o->path) : -errno;
    }
    if (o->temporary)
        unlink(o->temporary); /* renamed already unless something failed */
    if (o->file != stdout && fclose(o->file) != 0 && r == 0)
        r = -errno;
    forget(o);
    return r < 0 ? cannot(o, r, err) : 0;
}
