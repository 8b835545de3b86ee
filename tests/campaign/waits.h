/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * waits.h - how long the auditor was kept from running, beside what came meanwhile: whether the ring of events may have
 * been full though the auditor did all that it could.
 */
#ifndef TESTS_CAMPAIGN_WAITS_H
#define TESTS_CAMPAIGN_WAITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WAITS_SAMPLES 8192u
#define WAITS_EVERY_NS 2000000ull

/* At the time at_ns: the frames witnessed so far, and for how long the auditor has been kept from running so far. */
struct waits_sample {
    uint64_t at_ns, frames, kept_ns;
};

struct waits {
    struct waits_sample samples[WAITS_SAMPLES]; /* the oldest are overwritten */
    uint64_t n;
    pid_t pid; /* of the auditor at the newest sample */
    uint64_t delay_ns; /* how long that process had waited for a processor by then */
};

/* A stretch of time that explains it. */
struct waits_cause {
    uint64_t from_ns, to_ns, frames, kept_ns;
};

/*
 * Take a sample, if the newest is old enough. pid: of the auditor, 0: none is there; stopped: by a signal. Both are time
 * in which it is kept from running, as is what the kernel says in /proc/PID/schedstat of its waiting for a processor.
 */
void waits_take(struct waits *w, uint64_t now_ns, uint64_t frames, pid_t pid, bool stopped);

/*
 * Enter a sample. The kernel counts a wait when it has ended, so what the sample has more than the earlier ones lies
 * immediately before it: theirs are raised accordingly.
 */
void waits_enter(struct waits *w, struct waits_sample sample);

/*
 * Return whether `lost` events may have found the ring full because the auditor was kept from running: for three
 * quarters of the shortest stretch in which as many events can have come as the ring holds, and those. *ret: that
 * stretch; of several the one in which it was kept for longest.
 */
bool waits_explain(const struct waits *w, uint64_t lost, struct waits_cause *ret);

#endif
