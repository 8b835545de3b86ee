/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/jiffies.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "instance/kernel_words.h"
#include "host/clock.h"

#define CALIBRATION_TICKS 5u       /* upper limit */
#define CALIBRATION_ENOUGH 2u      /* of those between two readings as near as this: */
#define CALIBRATION_NEAR_NS 20000u

/* Load a program that returns half of jiffies64, because a test run returns only 32 bits. */
static int load_reader(int upper)
{
    struct bpf_insn code[] = {
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64},
        {.code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = upper ? 32 : 0},
        {.code = BPF_JMP | BPF_EXIT},
    };

    return bpf_prog_load(BPF_PROG_TYPE_XDP, "qpw_jiffies", "GPL", code, 3, NULL);
}

static int read_half(int fd, uint32_t *ret)
{
    static const char frame[64];
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);

    if (bpf_prog_test_run_opts(fd, &run) < 0)
        return -errno;
    *ret = run.retval;
    return 0;
}

/*
 * Wait for the next tick. Returns its number, a time before it, and how long before it that may have been: the tick was
 * between two readings, of which the later one is late where this process lost the CPU in between.
 */
static int next_tick(int fd, uint32_t *ret_tick, uint64_t *ret_ns, uint64_t *ret_within)
{
    uint64_t now = qpw_clock_monotonic_ns(), before;
    uint32_t first = 0, tick = 0;
    int r = read_half(fd, &first);

    if (r < 0)
        return r;
    do {
        before = now;
        now = qpw_clock_monotonic_ns();
        r = read_half(fd, &tick);
        if (r < 0)
            return r;
    } while (tick == first);
    *ret_tick = tick;
    *ret_ns = before;
    *ret_within = qpw_clock_monotonic_ns() - before;
    return 0;
}

int qpw_jiffies_calibrate(struct qpw_config *config, struct qpw_error *err)
{
    int low = load_reader(0), high = load_reader(1), r = low < 0 ? low : high < 0 ? high : 0;
    uint64_t before = 0, within = 0, nearest = UINT64_MAX;
    uint32_t tick = 0, upper = 0;
    struct timespec resolution;
    int64_t ahead, best = INT64_MIN;
    bool at_once, better;
    unsigned near = 0;

    if (r < 0) {
        r = qpw_fail(err, r, "cannot load a BPF program: %s%s", strerror(-r),
                     qpw_kernel_remedy(r, " (root, or CAP_BPF and CAP_NET_ADMIN, is needed)"));
        goto out;
    }
    /* A coarse clock's resolution is exactly one tick, whereas ticks counted on a busy machine are inexact. */
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) < 0) {
        r = qpw_fail(err, -errno, "cannot read the resolution of the kernel's clock: %s", strerror(errno));
        goto out;
    }
    config->tick_ns = (uint64_t)resolution.tv_sec * 1000000000u + (uint64_t)resolution.tv_nsec;
    r = read_half(high, &upper);
    for (unsigned i = 0; !r && i < CALIBRATION_TICKS && near < CALIBRATION_ENOUGH; i++) {
        r = next_tick(low, &tick, &before, &within);
        ahead = (int64_t)(tick * config->tick_ns) - (int64_t)before;
        at_once = within <= CALIBRATION_NEAR_NS;
        /* The kernel itself may be late with a tick, so the earliest is best; if none was seen at once, the nearest. */
        better = at_once ? !near || ahead > best : !near && within < nearest;
        near += at_once;
        if (r || !better)
            continue;
        best = ahead;
        nearest = within;
        config->jiffies_base = (uint64_t)upper << 32 | tick;
        config->base_ns = before; /* not after the tick: the programs' clock must not be ahead of user space's */
    }
    if (r < 0)
        r = qpw_fail(err, r, "cannot read the kernel's tick: %s", strerror(-r));
out:
    if (low >= 0)
        close(low);
    if (high >= 0)
        close(high);
    return r;
}
