/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * feed.h - pass frames to the BPF programs by test runs, with the capture's clock and lengths: many frames a run, or one
 * each, where the kernel has no helper that writes into an XDP packet (before Linux 5.18).
 */
#ifndef QPW_REPLAY_FEED_H
#define QPW_REPLAY_FEED_H

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/packet.h"
#include "instance/object.h"
#include "replay/batches.h"
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
    struct qpw_batches *batches; /* NULL: one each; otherwise their thread's are opts and the next three */
    struct qpw_replay_frame *frames; /* shared with the program that takes many */
    int many_fd;
    uint8_t packet[QPW_FEED_BYTES]; /* of such a run */
};

/* Return the programs that frames are passed to, as bits by enum qpw_program; others need not be verified. */
uint32_t qpw_feed_programs(bool mode_tc);

/*
 * Initialise the feed, which must stay where it is; the caller closes it. mode_tc: run frames through the code of TC
 * ingress instead of XDP. The kernel must have been loaded for a replay. Returns 0, or a negative errno with err filled.
 */
int qpw_feed_open(struct qpw_feed *feed, struct qpw_kernel *kernel, bool mode_tc, struct qpw_error *err);
void qpw_feed_close(struct qpw_feed *feed);

/*
 * Run one frame, or let it wait for others; the frame is the caller's again. Returns 0, or a negative errno with err
 * filled.
 */
int qpw_feed_frame(struct qpw_feed *feed, const struct qpw_capture_frame *frame, bool tx, struct qpw_error *err);

/*
 * Run the frames that wait, all of them: before anything is read of what they leave behind. Returns as
 * qpw_feed_frame() does.
 */
int qpw_feed_flush(struct qpw_feed *feed, struct qpw_error *err);

#endif
