/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/feed.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "util/cleanup.h"

#define FRAMES_BYTES (QPW_REPLAY_FRAMES * sizeof(struct qpw_replay_frame))
#define FRAME_HEAD offsetof(struct qpw_replay_frame, data)
_Static_assert(sizeof(struct qpw_replay_frame) % 8 == 0, "values of an array stand at multiples of 8 bytes");

uint32_t qpw_feed_programs(bool mode_tc)
{
    if (mode_tc)
        return 1u << QPW_PROG_qpw_replay_tc;
    if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_store_bytes, NULL) == 1)
        return 1u << QPW_PROG_qpw_replay_xdp;
    return 1u << QPW_PROG_qpw_xdp_rx | 1u << QPW_PROG_qpw_tc_tx;
}

/* Return the minimum length of a test run's frame: an Ethernet header and, at TC, the IP header that it announces. */
static uint32_t least(const struct qpw_capture_frame *frame, bool tc)
{
    unsigned type = frame->length >= 14 ? (unsigned)(frame->data[12] << 8 | frame->data[13]) : 0;

    if (tc && type == ETHERTYPE_IP)
        return 34;
    return tc && type == ETHERTYPE_IPV6 ? 54 : 14;
}

static int run(struct qpw_feed *feed, int prog_fd, struct qpw_error *err)
{
    int r;

    do {
        feed->opts.data_size_out = 0; /* written by the last run; as an input it would be a limit */
        r = bpf_prog_test_run_opts(prog_fd, &feed->opts);
    } while (r == -EINTR);
    if (r < 0)
        return qpw_fail(err, r, "the kernel refuses a test run of %u bytes: %s", feed->opts.data_size_in, strerror(-r));
    return 0;
}

/* Run a batch through the program that takes many. */
static int run_batch(void *data, const struct qpw_batch *batch, struct qpw_error *err)
{
    struct qpw_feed *feed = data;
    int r;

    for (uint32_t i = 0; i < batch->n; i++)
        memcpy(&feed->frames[i], &batch->frames[i], FRAME_HEAD + batch->frames[i].captured);
    feed->frames[batch->n - 1].is_last = 1;
    r = run(feed, feed->many_fd, err);
    if (r == 0 && feed->opts.retval != batch->n)
        r = qpw_fail(err, -EIO, "the kernel took %u frames of %u", feed->opts.retval, batch->n);
    return r;
}

static int open_many(struct qpw_feed *feed, struct qpw_error *err)
{
    int fd = feed->kernel->map_fd[QPW_MAP_replay_frames];
    void *frames = mmap(NULL, FRAMES_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (frames == MAP_FAILED)
        return qpw_fail(err, -errno, "cannot share the frames of a replay with the kernel: %s", strerror(errno));
    feed->frames = frames;
    feed->kernel->control->replay_padded = 1;
    feed->opts.data_in = feed->packet;
    feed->opts.data_size_in = sizeof(feed->packet);
    feed->batches = qpw_batches_open(run_batch, feed);
    return feed->batches ? 0 : qpw_fail(err, -ENOMEM, "out of memory");
}

int qpw_feed_open(struct qpw_feed *feed, struct qpw_kernel *kernel, bool mode_tc, struct qpw_error *err)
{
    *feed = (struct qpw_feed){
        .kernel = kernel,
        .opts = {.sz = sizeof(feed->opts), .repeat = 1},
        .rx_fd = kernel->prog_fd[mode_tc ? QPW_PROG_qpw_tc_rx : QPW_PROG_qpw_xdp_rx],
        .tx_fd = kernel->prog_fd[QPW_PROG_qpw_tc_tx],
        .rx_is_tc = mode_tc,
        .many_fd = kernel->prog_fd[mode_tc ? QPW_PROG_qpw_replay_tc : QPW_PROG_qpw_replay_xdp],
    };
    return feed->many_fd < 0 ? 0 : open_many(feed, err);
}

void qpw_feed_close(struct qpw_feed *feed)
{
    qpw_batches_close(QPW_TAKE(feed->batches));
    if (feed->frames)
        munmap(feed->frames, FRAMES_BYTES);
    feed->frames = NULL;
}

int qpw_feed_flush(struct qpw_feed *feed, struct qpw_error *err)
{
    return feed->batches ? qpw_batches_flush(feed->batches, err) : 0;
}

/* Let a frame wait for others. */
static int keep(struct qpw_feed *feed, const struct qpw_capture_frame *frame, uint32_t length, bool tx,
                struct qpw_error *err)
{
    struct qpw_replay_frame *to = qpw_batches_frame(feed->batches);

    to->now_ns = frame->time_ns;
    to->bytes = frame->counted;
    to->wire = frame->wire;
    to->captured = length;
    to->tx = tx;
    to->is_last = 0;
    memcpy(to->data, frame->data, length);
    return qpw_batches_filled(feed->batches, err);
}

int qpw_feed_frame(struct qpw_feed *feed, const struct qpw_capture_frame *frame, bool tx, struct qpw_error *err)
{
    struct qpw_control *control = feed->kernel->control;
    uint32_t length = frame->length < QPW_FEED_BYTES ? frame->length : QPW_FEED_BYTES;
    uint32_t least_bytes = least(frame, tx || feed->rx_is_tc);

    if (feed->batches)
        return keep(feed, frame, length, tx, err);
    control->replay_now_ns = frame->time_ns;
    control->replay_bytes = frame->counted;
    control->replay_wire = frame->wire;
    control->replay_captured = length;
    control->replay_padded = length < least_bytes;
    feed->opts.data_in = frame->data;
    feed->opts.data_size_in = length;
    if (length < least_bytes) {
        memset(feed->short_frame, 0, sizeof(feed->short_frame));
        memcpy(feed->short_frame, frame->data, length);
        feed->opts.data_in = feed->short_frame;
        feed->opts.data_size_in = least_bytes;
    }
    return run(feed, tx ? feed->tx_fd : feed->rx_fd, err);
}
