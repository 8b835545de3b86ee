/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/feed.h"

#include <errno.h>
#include <net/ethernet.h>
#include <string.h>

uint32_t qpw_feed_programs(bool mode_tc)
{
    return 1u << (mode_tc ? QPW_PROG_qpw_tc_rx : QPW_PROG_qpw_xdp_rx) | 1u << QPW_PROG_qpw_tc_tx;
}

void qpw_feed_init(struct qpw_feed *feed, struct qpw_kernel *kernel, bool mode_tc)
{
    *feed = (struct qpw_feed){
        .kernel = kernel,
        .opts = {.sz = sizeof(feed->opts), .repeat = 1},
        .rx_fd = kernel->prog_fd[mode_tc ? QPW_PROG_qpw_tc_rx : QPW_PROG_qpw_xdp_rx],
        .tx_fd = kernel->prog_fd[QPW_PROG_qpw_tc_tx],
        .rx_is_tc = mode_tc,
    };
}

/* Return the minimum length of a test run's frame: an Ethernet header and, at TC, the IP header that it announces. */
static uint32_t least(const struct qpw_capture_frame *frame, bool tc)
{
    unsigned type = frame->length >= 14 ? (unsigned)(frame->data[12] << 8 | frame->data[13]) : 0;

    if (tc && type == ETHERTYPE_IP)
        return 34;
    return tc && type == ETHERTYPE_IPV6 ? 54 : 14;
}

int qpw_feed_frame(struct qpw_feed *feed, const struct qpw_capture_frame *frame, bool tx, struct qpw_error *err)
{
    struct qpw_control *control = feed->kernel->control;
    uint32_t length = frame->length < QPW_FEED_BYTES ? frame->length : QPW_FEED_BYTES;
    uint32_t least_bytes = least(frame, tx || feed->rx_is_tc);
    int rc;

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
    do {
        feed->opts.data_size_out = 0; /* written by the last run; as an input it would be a limit */
        rc = bpf_prog_test_run_opts(tx ? feed->tx_fd : feed->rx_fd, &feed->opts);
    } while (rc == -EINTR);
    if (rc < 0)
        return qpw_fail(err, rc, "the kernel refuses a test run of %u bytes: %s", feed->opts.data_size_in,
                        strerror(-rc));
    return 0;
}
