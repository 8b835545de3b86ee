/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Batches of frames run by a thread of their own: each frame once and in order, errors, flushing, no thread. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "replay/batches.h"

#define FULL QPW_REPLAY_FRAMES
#define MANY (FULL * 1000u + 7)
#define NEVER UINT64_MAX

/* What the batches were that have run, read after a flush. */
static struct ran {
    uint64_t frames, batches;
    uint64_t fails_at; /* the first frame of the batch that fails */
    bool wrong;
    pthread_t thread;
} ran;

static struct qpw_error err;

static int note(void *data, const struct qpw_batch *batch, struct qpw_error *ret_err)
{
    struct ran *r = data;

    r->thread = pthread_self();
    r->wrong |= !batch->n || batch->n > FULL;
    if (r->frames == r->fails_at)
        return qpw_fail(ret_err, -EIO, "batch %d", (int)r->batches);
    for (uint32_t i = 0; i < batch->n; i++)
        r->wrong |= batch->frames[i].now_ns != r->frames++;
    r->batches++;
    return 0;
}

static struct qpw_batches *open_batches(uint64_t fails_at)
{
    struct qpw_batches *b;

    ran = (struct ran){.fails_at = fails_at};
    err = (struct qpw_error){""};
    b = qpw_batches_open(note, &ran);
    cr_assert_not_null(b);
    return b;
}

static int fill(struct qpw_batches *b, uint64_t from, uint64_t to)
{
    int r = 0;

    for (uint64_t i = from; r == 0 && i < to; i++) {
        qpw_batches_frame(b)->now_ns = i;
        r = qpw_batches_filled(b, &err);
    }
    return r;
}

Test(batches, each_frame_once_and_in_order)
{
    struct qpw_batches *b = open_batches(NEVER);

    cr_expect_eq(fill(b, 0, MANY), 0);
    cr_expect_eq(qpw_batches_flush(b, &err), 0);
    cr_expect_eq(ran.frames, MANY);
    cr_expect_eq(ran.batches, 1001);
    cr_expect_not(ran.wrong);
    cr_expect_not(pthread_equal(ran.thread, pthread_self()));
    qpw_batches_close(b);
}

/* After a flush everything has run, however little there was; nothing waits where there is nothing. */
Test(batches, flushed)
{
    static const uint32_t counts[] = {0, 1, 2, FULL - 1, FULL, FULL + 1, 0, 4 * FULL, 5 * FULL, 3};
    struct qpw_batches *b = open_batches(NEVER);
    uint64_t n = 0;

    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        cr_expect_eq(fill(b, n, n + counts[i]), 0);
        n += counts[i];
        cr_expect_eq(qpw_batches_flush(b, &err), 0);
        cr_expect_eq(qpw_batches_flush(b, &err), 0);
        cr_expect_eq(ran.frames, n);
    }
    cr_expect_not(ran.wrong);
    qpw_batches_close(b);
}

/* The batch behind one that failed is not run, and the caller learns of it, at the latest when it flushes. */
Test(batches, failing)
{
    struct qpw_batches *b = open_batches(10 * FULL);

    cr_expect_eq(fill(b, 0, MANY), -EIO);
    cr_expect_str_eq(err.text, "batch 10");
    cr_expect_eq(ran.frames, 10 * FULL);
    cr_expect_eq(qpw_batches_flush(b, &err), -EIO);
    cr_expect_eq(ran.batches, 10);
    qpw_batches_close(b);

    b = open_batches(0);
    cr_expect_eq(fill(b, 0, 5), 0);
    cr_expect_eq(qpw_batches_flush(b, &err), -EIO);
    cr_expect_str_eq(err.text, "batch 0");
    qpw_batches_close(b);
}

Test(batches, closed_with_frames_left)
{
    struct qpw_batches *b = open_batches(NEVER);

    cr_expect_eq(fill(b, 0, 3 * FULL + 5), 0);
    qpw_batches_close(b);
    cr_expect_eq(ran.frames, 3 * FULL);
    qpw_batches_close(NULL);
}

Test(batches, no_thread)
{
    struct rlimit most, none;
    struct qpw_batches *b;

    cr_assert_eq(getrlimit(RLIMIT_NPROC, &most), 0);
    none = (struct rlimit){0, most.rlim_max};
    if (geteuid() == 0)
        cr_assert_eq(setresuid(65534, 65534, 0), 0); /* the limit is not one of root's */
    cr_assert_eq(setrlimit(RLIMIT_NPROC, &none), 0);
    b = open_batches(NEVER);
    cr_expect_eq(fill(b, 0, MANY), 0);
    cr_expect_eq(qpw_batches_flush(b, &err), 0);
    cr_expect_eq(ran.frames, MANY);
    cr_expect(pthread_equal(ran.thread, pthread_self()));
    cr_expect_not(ran.wrong);
    qpw_batches_close(b);
    cr_assert_eq(setrlimit(RLIMIT_NPROC, &most), 0); /* for the leak checker's own thread */
    if (getuid() == 65534)
        cr_assert_eq(setresuid(0, 0, 0), 0);
}
