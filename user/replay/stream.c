/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/stream.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "util/file.h"
#include "util/text.h"

#define BUFFER_BYTES (256u * 1024)

struct qpw_stream {
    gzFile gz;
    FILE *file;
    uint64_t size;
    uint64_t delivered; /* uncompressed bytes passed to `file` */
    uint8_t first[4];
    unsigned n_first;
    struct sha256_ctx sha; /* of data that zlib passed through unchanged */
    bool plain, ended;     /* plain: not compressed; ended: the end was reached */
    int zlib_error;
};

static ssize_t read_some(void *cookie, char *buf, size_t size)
{
    struct qpw_stream *s = cookie;
    int n;

    /* Bytes seen by peek come first. */
    if (s->delivered < s->n_first) {
        size_t left = s->n_first - (size_t)s->delivered, take = size < left ? size : left;

        memcpy(buf, s->first + s->delivered, take);
        s->delivered += take;
        return (ssize_t)take;
    }
    n = gzread(s->gz, buf, size > BUFFER_BYTES ? BUFFER_BYTES : (unsigned)size);
    gzerror(s->gz, &s->zlib_error);
    if (n < 0)
        return 0; /* reported by qpw_stream_problem(); to the reader the data simply ends here */
    s->delivered += (uint64_t)n;
    s->ended = n == 0;
    if (s->plain)
        sha256_update(&s->sha, (size_t)n, (const uint8_t *)buf);
    return n;
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

static int open_path(const char *path, uint64_t *ret_size, struct qpw_error *err)
{
    struct stat st;
    int fd = qpw_file_open_stream(path, err);

    *ret_size = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return fd;
}

int qpw_stream_open(const char *path, struct qpw_stream **ret, struct qpw_error *err)
{
    static const cookie_io_functions_t functions = {.read = read_some, .seek = tell};
    struct qpw_stream *s = calloc(1, sizeof(*s));
    int fd, n;

    if (!s)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    fd = open_path(path, &s->size, err);
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
    gzbuffer(s->gz, BUFFER_BYTES);
    n = gzread(s->gz, s->first, sizeof(s->first));
    gzerror(s->gz, &s->zlib_error);
    s->n_first = n > 0 ? (unsigned)n : 0;
    s->plain = gzdirect(s->gz);
    sha256_init(&s->sha);
    sha256_update(&s->sha, s->n_first, s->first);
    s->file = fopencookie(s, "r", functions);
    if (!s->file) {
        qpw_stream_close(s);
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    }
    setvbuf(s->file, NULL, _IOFBF, BUFFER_BYTES);
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

/* Hash the file again from disk, if it was compressed or not read to its end. */
static bool read_again(const char *path, struct sha256_ctx *sha)
{
    static const size_t size = BUFFER_BYTES;
    FILE *f = qpw_stream_is_rereadable(path) ? fopen(path, "re") : NULL;
    uint8_t *buf = f ? malloc(size) : NULL;
    size_t n;
    bool done;

    sha256_init(sha);
    while (buf && (n = fread(buf, 1, size, f)) > 0)
        sha256_update(sha, n, buf);
    done = buf && !ferror(f);
    free(buf);
    if (f)
        fclose(f);
    return done;
}

void qpw_stream_digest(struct qpw_stream *s, const char *path, char ret[65])
{
    uint8_t digest[SHA256_DIGEST_SIZE];

    ret[0] = '\0';
    if (!(s->plain && s->ended) && !read_again(path, &s->sha))
        return;
    sha256_digest(&s->sha, sizeof(digest), digest);
    qpw_hex(digest, sizeof(digest), ret);
}

const char *qpw_stream_problem(struct qpw_stream *s)
{
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
    z_off_t position = gzoffset(s->gz);

    return position < 0 ? 0 : (uint64_t)position;
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
    gzclose_r(s->gz);
    free(s);
}
