/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* feed.h - pass frames to the BPF programs, one test run each, with the capture's clock and lengths. */
#ifndef QPW_REPLAY_FEED_H
#define QPW_REPLAY_FEED_H

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/packet.h"
#include "instance/object.h"
#include "replay/link.h"
#include "util/error.h"

/* Bytes of a frame that are passed on: the parser looks no further, and short runs are fast. */
#define QPW_FEED_BYTES QPW_COPIED_BYTES
/* The longest minimum that the kernel requires: an IPv6 packet at TC. */
#define QPW_FEED_MIN 54u

struct qpw_feed {
    struct qpw_kernel *kernel; /* owned by the caller */
    struct bpf_test_run_opts opts;
    int rx_fd;
    int tx_fd;
    bool rx_is_tc;
    uint8_t short_frame[QPW_FEED_MIN];
};

/* Return the programs that frames are passed to, as bits by enum qpw_program; others need not be verified. */
uint32_t qpw_feed_programs(bool mode_tc);

/*
 * Initialise the feed. mode_tc: run received frames through the TC ingress program instead of XDP. The kernel must have
 * been loaded for a replay.
 */
void qpw_feed_init(struct qpw_feed *feed, struct qpw_kernel *kernel, bool mode_tc);

/* Run one frame. Returns 0, or a negative errno with err filled. */
int qpw_feed_frame(struct qpw_feed *feed, const struct qpw_capture_frame *frame, bool tx, struct qpw_error *err);

#endif
