/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The campaign's judgement of a full ring: it has a cause where the auditor was kept from running while a ring full of
 * events came, and has none otherwise.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "tests/campaign/waits.h"

#define MS 1000000ull
#define FULL 800u /* frames that can make more events than the ring holds */

static struct waits w;

static void enter(uint64_t ms, uint64_t frames, uint64_t kept_ms)
{
    waits_enter(&w, (struct waits_sample){1000 * MS + ms * MS, frames, kept_ms * MS});
}

static bool explains(uint64_t lost)
{
    struct waits_cause cause;
    bool is = waits_explain(&w, lost, &cause);

    cr_expect_eq(is, cause.to_ns > cause.from_ns);
    cr_expect_leq(cause.kept_ns, cause.to_ns - cause.from_ns);
    return is;
}

static void start(void)
{
    memset(&w, 0, sizeof(w));
    enter(0, 0, 0);
}

Test(waits, nothing_is_explained_without_samples)
{
    memset(&w, 0, sizeof(w));
    cr_expect_not(explains(1));
    enter(0, 0, 0);
    cr_expect_not(explains(1));
}

Test(waits, an_auditor_that_waits_explains_what_comes_meanwhile)
{
    start();
    enter(100, FULL / 2, 100);
    cr_expect_not(explains(1), "half of what the ring holds");
    enter(200, FULL, 200);
    cr_expect(explains(1));
    cr_expect(explains(100));
    cr_expect_not(explains(200), "more than came");
}

Test(waits, an_auditor_that_sleeps_or_is_busy_explains_nothing)
{
    start();
    enter(100, FULL, 0);
    enter(200, 2 * FULL, 50);
    cr_expect_not(explains(1));
}

/* The kernel counts a wait when it has ended. */
Test(waits, a_wait_that_is_counted_late_lies_before_its_end)
{
    struct waits_cause cause;

    start();
    enter(100, 0, 0);
    enter(150, FULL / 2, 0);
    enter(200, FULL, 0);
    cr_expect_not(explains(1), "it still waits, or sleeps");
    enter(220, FULL, 110);
    cr_expect(waits_explain(&w, 1, &cause));
    cr_expect_eq(cause.from_ns, 1100 * MS);
    cr_expect_eq(cause.to_ns, 1220 * MS);
    cr_expect_eq(cause.kept_ns, 110 * MS);
    cr_expect_eq(cause.frames, FULL);
}

/* A long wait does not explain what came after it. */
Test(waits, a_wait_before_explains_nothing)
{
    start();
    enter(290, 0, 0);
    enter(300, 0, 300);
    enter(310, FULL, 300);
    enter(600, FULL, 300);
    cr_expect_not(explains(1));
}

Test(waits, the_oldest_samples_are_forgotten)
{
    start();
    enter(100, FULL, 100);
    cr_expect(explains(1));
    for (unsigned i = 0; i < WAITS_SAMPLES; i++)
        enter(200 + 10 * i, FULL, 100);
    cr_expect_not(explains(1));
}

/* Without an auditor, and while a signal stops it, all the time counts; of a process its wait for a processor does. */
Test(waits, samples_are_taken_of_processes)
{
    uint64_t now = qpw_clock_monotonic_ns(), then = now;

    memset(&w, 0, sizeof(w));
    waits_take(&w, now, 0, 0, false);
    waits_take(&w, now += 100 * MS, FULL, 0, false);
    cr_expect(explains(1));
    waits_take(&w, now += WAITS_EVERY_NS - 1, FULL, getpid(), false);
    cr_expect_eq(w.n, 2, "too early");
    waits_take(&w, now += 100 * MS, 2 * FULL, getpid(), true);
    cr_expect_eq(w.samples[2].kept_ns, now - then);
    waits_take(&w, now += 1000 * MS, 2 * FULL, getpid(), false);
    waits_take(&w, now += 100 * MS, 4 * FULL, getpid(), false);
    cr_expect_lt(w.samples[4].kept_ns - w.samples[3].kept_ns, 50 * MS, "it ran all the time");
}
