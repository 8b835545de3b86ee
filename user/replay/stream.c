/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/stream.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdatomic.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "replay/ahead.h"
#include "util/file.h"
#include "util/text.h"

#define GZ_BYTES (256u * 1024)
#define FILE_BYTES (64u * 1024) /* stays in the CPU's cache between the copy into it and those out of it */

struct qpw_stream {
    gzFile gz;
    int fd; /* gz's */
    FILE *file;
    uint64_t size;
    uint64_t delivered; /* uncompressed bytes passed to `file` */
    uint8_t first[4];
    unsigned n_first;
    bool plain, regular, ended; /* plain: not compressed; ended: the reader has reached the end */
    struct qpw_ahead *ahead;    /* NULL: none; while there is one, the next three are its thread's */
    struct sha256_ctx sha;      /* of the file, if plain as it is read, otherwise at the end */
    int zlib_error;
    _Atomic uint64_t position;
};

static size_t read_gz(void *data, uint8_t *to, size_t size)
{
    struct qpw_stream *s = data;
    int n = gzread(s->gz, to, size > GZ_BYTES ? GZ_BYTES : (unsigned)size);
    z_off_t position = gzoffset(s->gz);

    gzerror(s->gz, &s->zlib_error);
    s->position = position < 0 ? 0 : (uint64_t)position;
    if (n <= 0)
        return 0; /* reported by qpw_stream_problem(); to the reader the data simply ends here */
    if (s->plain)
        sha256_update(&s->sha, (size_t)n, to);
    return (size_t)n;
}

/*
 * Read behind the first bytes. Once one buffer of a regular file has been read, start to read ahead: what is opened for
 * its first frame alone needs no thread; and a pipe, which may stay silent for ever, is never waited for by one.
 */
static size_t read_on(struct qpw_stream *s, uint8_t *to, size_t size)
{
    size_t n;

    if (s->ended)
        return 0; /* even if the file has grown: the sum is of what was read */
    if (s->regular && !s->ahead && s->delivered > s->n_first)
        s->ahead = qpw_ahead_start(read_gz, s);
    n = s->ahead ? qpw_ahead_take(s->ahead, to, size) : read_gz(s, to, size);
    s->delivered += n;
    s->ended = n == 0;
    return n;
}

static ssize_t read_some(void *cookie, char *buf, size_t size)
{
    struct qpw_stream *s = cookie;

    /* Bytes seen by peek come first. */
    if (s->delivered < s->n_first) {
        size_t left = s->n_first - (size_t)s->delivered, take = size < left ? size : left;

        memcpy(buf, s->first + s->delivered, take);
        s->delivered += take;
        return (ssize_t)take;
    }
    return (ssize_t)read_on(s, (uint8_t *)buf, size);
}

/* Support only the query of the position, which is all that ftello() needs. */
static int tell(void *cookie, off64_t *position, int whence)
{
    struct qpw_stream *s = cookie;

    if (whence != SEEK_CUR || *position != 0)
        return -1;
    *position = (off64_t)s->delivered;
    return 0;
}

static int open_path(struct qpw_stream *s, const char *path, struct qpw_error *err)
{
    struct stat st;

    s->fd = qpw_file_open_stream(path, err);
    s->regular = s->fd >= 0 && fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode);
    s->size = s->regular ? (uint64_t)st.st_size : 0;
    return s->fd;
}

int qpw_stream_open(const char *path, struct qpw_stream **ret, struct qpw_error *err)
{
    static const cookie_io_functions_t functions = {.read = read_some, .seek = tell};
    struct qpw_stream *s = calloc(1, sizeof(*s));
    int fd, n;

    if (!s)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    fd = open_path(s, path, err);
    if (fd < 0) {
        free(s);
        return fd;
    }
    s->gz = gzdopen(fd, "rb");
    if (!s->gz) {
        close(fd);
        free(s);
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    }
    gzbuffer(s->gz, GZ_BYTES);
    n = gzread(s->gz, s->first, sizeof(s->first));
    gzerror(s->gz, &s->zlib_error);
    s->n_first = n > 0 ? (unsigned)n : 0;
    s->plain = gzdirect(s->gz);
    sha256_init(&s->sha);
    if (s->plain)
        sha256_update(&s->sha, s->n_first, s->first);
    s->file = fopencookie(s, "r", functions);
    if (!s->file) {
        qpw_stream_close(s);
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    }
    setvbuf(s->file, NULL, _IOFBF, FILE_BYTES);
    __fsetlocking(s->file, FSETLOCKING_BYCALLER); /* one thread reads it, several times a frame */
    *ret = s;
    return 0;
}

bool qpw_stream_is_rereadable(const char *path)
{
    struct stat st;
    int held = qpw_file_held(path);

    if (held >= 0)
        return fstat(held, &st) == 0 && S_ISREG(st.st_mode);
    /* A missing file is no pipe; opening it will report the error. */
    return strcmp(path, "-") && (stat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

FILE *qpw_stream_file(struct qpw_stream *s)
{
    return s->file;
}

void qpw_stream_give_file(struct qpw_stream *s)
{
    s->file = NULL;
}

unsigned qpw_stream_peek(const struct qpw_stream *s, uint8_t first[4])
{
    memcpy(first, s->first, s->n_first);
    return s->n_first;
}

/* Hash the file on disk, which is compressed. Returns whether all of it could be read. */
static bool hash_compressed(struct qpw_stream *s, uint8_t *buf, size_t size)
{
    off_t at = 0;
    ssize_t n;

    while ((n = pread(s->fd, buf, size, at)) > 0) {
        sha256_update(&s->sha, (size_t)n, buf);
        at += n;
    }
    return n == 0;
}

void qpw_stream_digest(struct qpw_stream *s, char ret[65])
{
    static const size_t size = FILE_BYTES;
    uint8_t digest[SHA256_DIGEST_SIZE], *buf = s->regular ? malloc(size) : NULL;
    bool known;

    while (buf && s->plain && read_on(s, buf, size) > 0)
        continue; /* what the reader of a damaged file has left is hashed on the way */
    known = s->plain ? s->ended && s->zlib_error == Z_OK : buf && hash_compressed(s, buf, size);
    free(buf);
    ret[0] = '\0';
    if (!known)
        return;
    sha256_digest(&s->sha, sizeof(digest), digest);
    qpw_hex(digest, sizeof(digest), ret);
}

const char *qpw_stream_problem(struct qpw_stream *s)
{
    if (s->ahead && !s->ended)
        return NULL; /* it would be one of what the caller has not come to */
    switch (s->zlib_error) {
    case Z_OK:
    case Z_STREAM_END: return NULL;
    case Z_BUF_ERROR: return "the compressed data is cut off";
    case Z_DATA_ERROR: return "the compressed data is damaged";
    case Z_ERRNO: return "reading failed";
    default: return "uncompressing failed";
    }
}

uint64_t qpw_stream_position(struct qpw_stream *s)
{
    return s->position;
}

uint64_t qpw_stream_size(const struct qpw_stream *s)
{
    return s->size;
}

void qpw_stream_close(struct qpw_stream *s)
{
    if (!s)
        return;
    if (s->file)
        fclose(s->file);
    qpw_ahead_stop(s->ahead);
    gzclose_r(s->gz);
    free(s);
}
