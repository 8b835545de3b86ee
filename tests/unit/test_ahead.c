/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Captures longer than what is read ahead: every frame, the file's sum and an end, whatever happens to the file. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "pcapfile.h"
#include "replay/ahead.h"
#include "replay/capture.h"
#include "util/text.h"

#define FRAME 1009u /* so that no block ends where a frame does */
#define MANY 5000u  /* 5 MB: some 20 blocks, more than wait at a time */

static struct pcapfile f;
static struct qpw_capture_frame frame;
static struct qpw_error err;
static struct qpw_capture *c;

static uint8_t byte_of(unsigned number, unsigned at)
{
    return (uint8_t)((number * 2654435761u + at * 40503u) >> 13);
}

static void write_frames(unsigned n)
{
    static uint8_t bytes[FRAME];

    pcapfile_start(&f, PCAPFILE_ETHERNET);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < FRAME; k++)
            bytes[k] = byte_of(i, k);
        pcapfile_record(&f, 1.6e9 + i, bytes, FRAME, FRAME);
    }
    pcapfile_end(&f);
}

static void sum_of(const char *path, char ret[65])
{
    static uint8_t bytes[8u << 20];
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    FILE *file = fopen(path, "re");

    sha256_init(&sha);
    sha256_update(&sha, fread(bytes, 1, sizeof(bytes), file), bytes);
    cr_assert(feof(file));
    fclose(file);
    sha256_digest(&sha, sizeof(digest), digest);
    qpw_hex(digest, sizeof(digest), ret);
}

static void open_it(const char *path)
{
    cr_assert_eq(qpw_capture_open(path, &c, &err), 0, "%s", err.text);
}

/* Read up to `most` frames and compare their bytes; *ret_last is what the last call returned. */
static unsigned read_frames(unsigned most, int *ret_last)
{
    unsigned n = 0;

    *ret_last = 1;
    while (n < most && (*ret_last = qpw_capture_next(c, &frame, &err)) > 0) {
        cr_assert_eq(frame.length, FRAME);
        for (unsigned k = 0; k < FRAME; k += 97)
            cr_assert_eq(frame.data[k], byte_of(n, k), "frame %u, byte %u", n, k);
        n++;
    }
    return n;
}

static void end_with_sum(const char *sum)
{
    char digest[65];

    qpw_capture_digest(c, digest);
    cr_expect_str_eq(digest, sum);
    qpw_capture_close(c);
}

Test(ahead, every_frame_and_the_sum_of_the_file)
{
    static const unsigned counts[] = {0, 1, 63, 64, 65, 260, 2071, 2072, MANY};
    char sum[65];
    int last;

    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        write_frames(counts[i]);
        sum_of(f.path, sum);
        open_it(f.path);
        cr_expect_eq(read_frames(MANY + 1, &last), counts[i]);
        cr_expect_eq(last, 0, "%s", err.text);
        cr_expect_eq(qpw_capture_position(c), qpw_capture_size(c));
        end_with_sum(sum);
        unlink(f.path);
    }
}

/* The sum is that of the whole file, though the frames end where it is damaged, at its end or near its beginning. */
Test(ahead, damaged_files_have_their_own_sum)
{
    static const off_t places[] = {24 + 16, 24 + (FRAME + 16) * 2000, 24 + (FRAME + 16) * (MANY - 1)};
    char sum[65];
    int last, fd;

    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        write_frames(MANY);
        fd = open(f.path, O_WRONLY | O_CLOEXEC);
        cr_assert_eq(pwrite(fd, "\xff\xff\xff\xff", 4, places[i] - (i ? 0 : 16) + 8), 4);
        close(fd);
        sum_of(f.path, sum);
        open_it(f.path);
        cr_expect_eq(read_frames(MANY, &last), i ? (unsigned)(places[i] / (FRAME + 16)) : 0);
        cr_expect_eq(last, -EIO);
        end_with_sum(sum);
        unlink(f.path);
    }
    write_frames(MANY);
    cr_assert_eq(truncate(f.path, 24 + (FRAME + 16) * 4000 + 5), 0);
    sum_of(f.path, sum);
    open_it(f.path);
    cr_expect_eq(read_frames(MANY, &last), 4000);
    cr_expect_eq(last, -EIO);
    end_with_sum(sum);
    unlink(f.path);
}

static void zip(char path[80])
{
    static uint8_t bytes[8u << 20];
    FILE *file = fopen(f.path, "re");
    unsigned n = (unsigned)fread(bytes, 1, sizeof(bytes), file);
    gzFile gz;

    snprintf(path, 80, "%s.gz", f.path);
    gz = gzopen(path, "wb1");
    cr_assert_eq(gzwrite(gz, bytes, n), (int)n);
    cr_assert_eq(gzclose(gz), Z_OK);
    fclose(file);
}

/* Of a compressed file the sum is that of its compressed bytes; it needs no name any more. */
Test(ahead, compressed)
{
    struct stat st;
    char path[80], sum[65];
    int last;

    write_frames(MANY);
    zip(path);
    sum_of(path, sum);
    open_it(path);
    unlink(path);
    cr_expect_eq(read_frames(MANY + 1, &last), MANY);
    cr_expect_eq(last, 0, "%s", err.text);
    end_with_sum(sum);

    zip(path);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(truncate(path, st.st_size / 2), 0);
    sum_of(path, sum);
    open_it(path);
    cr_expect_lt(read_frames(MANY + 1, &last), MANY);
    cr_expect_eq(last, -EIO);
    cr_expect_not_null(strstr(err.text, "compressed data is cut off"), "%s", err.text);
    end_with_sum(sum);
    unlink(path);
    unlink(f.path);
}

/* Closed at any point, with the thread waiting for room or in the middle of a file, nothing hangs or leaks. */
Test(ahead, closed_early)
{
    static const unsigned counts[] = {0, 1, 62, 64, 65, 70, 400, 3000, MANY - 1};
    int last;

    write_frames(MANY);
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        open_it(f.path);
        cr_expect_eq(read_frames(counts[i], &last), counts[i]);
        qpw_capture_close(c);
    }
    unlink(f.path);
}

static void append(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

/* A file that grows ends where it was met to end; one that shrinks is cut. Either has the sum of what was read. */
Test(ahead, files_that_change)
{
    static const uint8_t record[16] = {1, [8] = 60, [12] = 60};
    char sum[65], digest[65];
    int last;

    write_frames(MANY);
    sum_of(f.path, sum);
    open_it(f.path);
    cr_expect_eq(read_frames(MANY + 1, &last), MANY);
    cr_expect_eq(last, 0);
    append(f.path, record, sizeof(record));
    cr_expect_eq(qpw_capture_next(c, &frame, &err), 0);
    end_with_sum(sum);
    unlink(f.path);

    write_frames(MANY);
    open_it(f.path);
    cr_expect_eq(read_frames(100, &last), 100);
    cr_assert_eq(truncate(f.path, 0), 0);
    cr_expect_lt(read_frames(0, &last), MANY);
    while ((last = qpw_capture_next(c, &frame, &err)) > 0)
        continue;
    cr_expect_leq(last, 0);
    qpw_capture_digest(c, digest);
    cr_expect_eq(strlen(digest), 64);
    qpw_capture_close(c);
    unlink(f.path);
}

static int ends[2];

static void *write_file(void *damage)
{
    static uint8_t bytes[8u << 20];
    FILE *file = fopen(f.path, "re");
    size_t n = fread(bytes, 1, sizeof(bytes), file), at = 0;
    ssize_t written = 1;

    fclose(file);
    if (damage)
        memset(bytes + 24 + 8, 0xff, 4);
    for (; at < n && written > 0; at += (size_t)written)
        written = write(ends[1], bytes + at, n - at);
    if (!damage)
        close(ends[1]);
    return NULL;
}

static void open_pipe(pthread_t *thread, const char *damage)
{
    char path[32];

    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_eq(pthread_create(thread, NULL, write_file, (void *)damage), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    open_it(path);
    close(ends[0]);
}

/* A pipe read to its end has a sum. One that is damaged has none, and nobody waits for the rest of it. */
Test(ahead, pipes)
{
    pthread_t thread;
    char sum[65];
    int last;

    write_frames(MANY);
    sum_of(f.path, sum);
    open_pipe(&thread, NULL);
    cr_expect_eq(read_frames(MANY + 1, &last), MANY);
    cr_expect_eq(last, 0, "%s", err.text);
    end_with_sum(sum);
    pthread_join(thread, NULL);

    open_pipe(&thread, "damage");
    cr_expect_eq(read_frames(MANY, &last), 0);
    cr_expect_eq(last, -EIO);
    end_with_sum("");
    pthread_join(thread, NULL);
    close(ends[1]);
    unlink(f.path);
}

static size_t never(void *data, uint8_t *to, size_t size)
{
    return 0;
}

/* Without a thread the file is read all the same. */
Test(ahead, no_thread)
{
    struct rlimit most, none;
    char sum[65];
    int last;

    write_frames(MANY);
    sum_of(f.path, sum);
    cr_assert_eq(chmod(f.path, 0644), 0);
    cr_assert_eq(getrlimit(RLIMIT_NPROC, &most), 0);
    none = (struct rlimit){0, most.rlim_max};
    if (geteuid() == 0)
        cr_assert_eq(setresuid(65534, 65534, 0), 0); /* the limit is not one of root's */
    cr_assert_eq(setrlimit(RLIMIT_NPROC, &none), 0);
    cr_assert_null(qpw_ahead_start(never, NULL));
    open_it(f.path);
    cr_expect_eq(read_frames(MANY + 1, &last), MANY);
    cr_expect_eq(last, 0, "%s", err.text);
    end_with_sum(sum);
    cr_assert_eq(setrlimit(RLIMIT_NPROC, &most), 0); /* for the leak checker's own thread */
    if (getuid() == 65534)
        cr_assert_eq(setresuid(0, 0, 0), 0);
    unlink(f.path);
}
