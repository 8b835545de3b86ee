/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * feed.h - hands frames to the BPF programs, one test run each, with the capture's clock and lengths.
 */
#ifndef QPW_REPLAY_FEED_H
#define QPW_REPLAY_FEED_H

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/packet.h"
#include "instance/object.h"
#include "replay/link.h"
#include "util/error.h"

/* What of a frame is handed over: the parser looks no further than this into it, and short runs are quick. */
#define QPW_FEED_BYTES QPW_COPIED_BYTES
/* The longest that the kernel asks for: an IPv6 packet at TC. */
#define QPW_FEED_MIN 54u

struct qpw_feed {
    struct qpw_kernel *kernel; /* the caller's */
    struct bpf_test_run_opts opts;
    int rx_fd;
    int tx_fd;
    bool rx_is_tc;
    uint8_t short_frame[QPW_FEED_MIN];
};

/* The programs that frames are fed to, bits by enum qpw_program: the verifier takes its time for each. */
uint32_t qpw_feed_programs(bool mode_tc);

/* mode_tc: rx frames go through the program of TC ingress instead of XDP. kernel was loaded for a replay. */
void qpw_feed_init(struct qpw_feed *feed, struct qpw_kernel *kernel, bool mode_tc);

/* Runs one frame. 0, or a negative errno with err. */
int qpw_feed_frame(struct qpw_feed *feed, const struct qpw_capture_frame *frame, bool tx, struct qpw_error *err);

#endif
