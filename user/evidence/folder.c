/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evidence/folder.h"
#include "util/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0750
#define FILE_MODE 0640
#define FILES 24u

struct file {
    char name[64];
    char sum[2 * SHA256_DIGEST_SIZE + 1];
};

struct qpw_folder {
    char *path;
    int fd;
    bool made;
    struct file files[FILES];
    size_t n;
    /* The file being written. */
    FILE *out;
    int file;
    struct sha256_ctx sum;
    struct qpw_error why; /* of the first failure */
    int error;
};

static void failed(struct qpw_folder *f, int code, const char *name)
{
    if (f->error)
        return;
    f->error = code ? code : -EIO;
    qpw_fail(&f->why, f->error, "%s/%s: cannot be written: %s", f->path, name, strerror(-f->error));
}

static int fail_open(struct qpw_error *err, const char *path, const char *what, int code)
{
    return qpw_fail(err, code, "%s: %s: %s", path, what, strerror(-code));
}

/* Return whether the folder is empty, or a negative errno. */
static int is_empty(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 1;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        r = -errno;
        if (fd >= 0)
            close(fd);
        return r;
    }
    for (struct dirent *entry; r == 1 && (entry = readdir(dir));)
        r = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    closedir(dir);
    return r;
}

int qpw_folder_open(const char *path, struct qpw_folder **ret, struct qpw_error *err)
{
    struct qpw_folder *f = calloc(1, sizeof(*f));
    int r = 0, empty;

    if (!f || !(f->path = strdup(path))) {
        free(f);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    f->fd = f->file = -1;
    f->made = mkdir(path, FOLDER_MODE) == 0;
    if (!f->made && errno != EEXIST)
        r = fail_open(err, path, "cannot make the folder", -errno);
    if (r == 0 && (f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
        r = errno == ENOTDIR || errno == ELOOP ? qpw_fail(err, -ENOTDIR, "%s: not a folder; name a new one", path)
                                               : fail_open(err, path, "cannot be opened", -errno);
    empty = r == 0 ? is_empty(f->fd) : 1;
    if (empty < 0)
        r = fail_open(err, path, "cannot be read", empty);
    else if (!empty)
        r = qpw_fail(err, -ENOTEMPTY, "%s: not empty; evidence is never written over what is there: name a new folder", path);
    if (r == 0) {
        if (f->made)
            fchmod(f->fd, FOLDER_MODE); /* whatever the umask is */
        *ret = f;
        return 0;
    }
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    free(f);
    return r;
}

/* ---- A file: all data passes through the hash ---- */

static ssize_t write_through(void *cookie, const char *data, size_t size)
{
    struct qpw_folder *f = cookie;
    size_t done = 0;

    while (f->file >= 0 && done < size) {
        ssize_t n = write(f->file, data + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            failed(f, n < 0 ? -errno : -EIO, f->files[f->n].name);
            return 0;
        }
        done += (size_t)n;
    }
    if (f->file < 0)
        return 0;
    sha256_update(&f->sum, size, (const uint8_t *)data);
    return (ssize_t)size;
}

FILE *qpw_folder_begin(struct qpw_folder *f, const char *name)
{
    struct file *file = &f->files[f->n];

    if (f->n + 1 >= FILES) /* a programming error */
        abort();
    snprintf(file->name, sizeof(file->name), "%s", name);
    sha256_init(&f->sum);
    f->file = f->error ? -1 : openat(f->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (f->file < 0) {
        failed(f, -errno, name);
        file->name[0] = '\0'; /* the existing file is not ours to remove */
    } else {
        fchmod(f->file, FILE_MODE);
    }
    f->out = fopencookie(f, "w", (cookie_io_functions_t){.write = write_through});
    if (!f->out)
        abort(); /* out of memory */
    return f->out;
}

void qpw_folder_end(struct qpw_folder *f)
{
    struct file *file = &f->files[f->n];
    uint8_t digest[SHA256_DIGEST_SIZE];

    if (fclose(f->out) != 0)
        failed(f, -errno, file->name);
    f->out = NULL;
    if (f->file < 0)
        return;
    if (fsync(f->file) < 0)
        failed(f, -errno, file->name);
    close(f->file);
    f->file = -1;
    sha256_digest(&f->sum, sizeof(digest), digest);
    qpw_hex(digest, sizeof(digest), file->sum);
    f->n++;
}

static void write_sums(struct qpw_folder *f)
{
    size_t n = f->n;
    FILE *out = qpw_folder_begin(f, "SHA256SUMS");

    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s  %s\n", f->files[i].sum, f->files[i].name);
    qpw_folder_end(f);
}

int qpw_folder_close(struct qpw_folder *f, bool keep, struct qpw_error *err)
{
    int r;

    if (keep && !f->error)
        write_sums(f);
    r = f->error;
    if (r < 0 && err)
        *err = f->why;
    if (r < 0 || !keep) {
        for (size_t i = 0; i <= f->n; i++)
            if (f->files[i].name[0])
                unlinkat(f->fd, f->files[i].name, 0);
        if (f->made)
            rmdir(f->path);
    } else {
        fsync(f->fd);
    }
    close(f->fd);
    free(f->path);
    free(f);
    return r;
}
