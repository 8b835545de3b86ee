/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The campaign: exchanges and faults from a seed, compared with known truth (campaign.h).
 *
 * CAMPAIGN_SECONDS (120), CAMPAIGN_SEED (fixed; "random": drawn), CAMPAIGN_FAULT (the only kind of fault),
 * CAMPAIGN_SKIP (steps to leave out). Without CAMPAIGN_MODE each mode gets a third of the time.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"
#include "host/clock.h"

#define DEFAULT_SECONDS 120
#define DEFAULT_SEED 20260301
#define CHECK_MS 4000
#define ALERTS_EVERY 4 /* checks */
#define ROOM_FOR_FINDINGS 4000 /* the kernel holds 8,192, and from three quarters on the settled ones are let go */

TestSuite(campaign, .timeout = 0); /* set by alarm() below */

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && value[0] ? value : otherwise;
}

static uint64_t seed_of(void)
{
    const char *text = setting("CAMPAIGN_SEED", "");
    uint64_t seed = DEFAULT_SEED;

    if (!strcmp(text, "random"))
        cr_assert(getrandom(&seed, sizeof(seed), 0) == sizeof(seed));
    else if (text[0])
        seed = strtoull(text, NULL, 0);
    return seed >> (!strcmp(text, "random") ? 32 : 0);
}

static void wait_until(struct campaign *c, uint64_t then_ns)
{
    uint64_t now = qpw_clock_monotonic_ns();

    if (now < then_ns)
        campaign_wait(c, (unsigned)((then_ns - now) / 1000000));
}

/* Mount a file system for the log that can be filled, in a mount namespace that ends with this process. */
static void mount_log(struct campaign *c)
{
    char path[96], size[32];

    snprintf(path, sizeof(path), "%s/log", c->dir);
    snprintf(size, sizeof(size), "size=%lu", LOG_BYTES);
    cr_assert(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                  mkdir(path, 0700) == 0 && mount("log", path, "tmpfs", 0, size) == 0, "%s: %s", path, strerror(errno));
}

static bool is_possible(const struct campaign *c, const struct step *s)
{
    return s->fault || (s->kind && (!s->kind->node_asks || qpw_clock_monotonic_ns() > c->window_end_ns));
}

static void run(struct campaign *c, const struct schedule *s)
{
    uint64_t start = qpw_clock_monotonic_ns(), next_check = start + CHECK_MS * 1000000ull;
    const bool wordy = atoi(setting("CAMPAIGN_VERBOSE", "0"));

    for (size_t i = 0; i < s->n; i++) {
        const struct step *step = &s->steps[i];
        struct rng r = {step->seed};

        if (!step->kind && !step->fault)
            continue; /* left out */
        wait_until(c, start + step->at_ms * 1000000ull);
        c->step = step->number;
        if (c->book->n_findings > ROOM_FOR_FINDINGS)
            fault_restart(c, &(struct rng){~step->seed});
        if (is_possible(c, step)) {
            if (wordy || step->fault)
                fprintf(stderr, "step %u at %u ms: %s\n", step->number, step->at_ms,
                        step->fault ? step->fault->name : step->kind->name);
            if (step->fault) {
                step->fault->run(c, &r);
                c->faults_done[step->fault - faults]++;
            } else {
                step->kind->run(c, &r);
            }
            campaign_drain(c);
        }
        if (qpw_clock_monotonic_ns() < next_check && !step->fault)
            continue;
        check_now(c);
        if (c->checks % ALERTS_EVERY == 0)
            check_alerts(c, false);
        next_check = qpw_clock_monotonic_ns() + CHECK_MS * 1000000ull;
    }
}

static void say(const struct campaign *c, unsigned seconds, size_t steps)
{
    static const char *const modes[] = {"xdp", "tc", "clsact"};

    fprintf(stderr, "campaign: mode %s, seed %llu, %u s: %zu steps, %zu exchanges (%u not as planned), %llu frames, "
                    "%llu alert records, %llu owners, %llu commands, judged anew %u times; %llu checks of %llu "
                    "invariants, all held; faults:", modes[c->mode], (unsigned long long)c->seed, seconds, steps,
            c->book->n_exchanges, c->trouble, (unsigned long long)c->wire.frames, (unsigned long long)c->records,
            (unsigned long long)c->owners, (unsigned long long)c->commands, c->rejudged,
            (unsigned long long)c->checks, (unsigned long long)c->invariants);
    for (unsigned i = 0; faults[i].name; i++)
        if (c->faults_done[i])
            fprintf(stderr, " %s %u", faults[i].name, c->faults_done[i]);
    if (c->ring_full)
        fprintf(stderr, "; %llu events found the ring full while the auditor was kept from running",
                (unsigned long long)c->ring_full);
    fprintf(stderr, "\n");
}

static void campaign(enum mode mode)
{
    static struct campaign c;
    static const char *const modes[] = {"xdp", "tc", "clsact"};
    const char *only = setting("CAMPAIGN_MODE", "");
    unsigned seconds = (unsigned)atoi(setting("CAMPAIGN_SECONDS", "0"));
    struct schedule schedule;
    struct rng early;
    const char *fault;
    char path[96];

    if (only[0] && strcmp(only, modes[mode]))
        cr_skip_test("not the mode that was asked for");
    seconds = seconds ? seconds : DEFAULT_SECONDS;
    seconds = only[0] ? seconds : seconds / 3;
    netns_need_root();
    c = (struct campaign){.mode = mode, .seed = seed_of(), .policy = policies[0]};
    alarm(10 * seconds + 600); /* a campaign that hangs must fail */
    fprintf(stderr, "campaign: mode %s, seed %llu, %u s\n", modes[mode], (unsigned long long)c.seed, seconds);
    snprintf(c.dir, sizeof(c.dir), "/tmp/qportwatch-campaign.XXXXXX");
    cr_assert(mkdtemp(c.dir));
    mount_log(&c);
    snprintf(path, sizeof(path), "%s/syslog", c.dir);
    collector_open(&c.collector, path);
    fault = setting("CAMPAIGN_FAULT", "");
    schedule_draw(&schedule, c.seed, seconds, fault[0] ? fault : NULL);
    schedule_skip(&schedule, setting("CAMPAIGN_SKIP", ""));
    c.book = book_new();
    place_make(&c.place);
    wire_open(&c.wire, &c.place);
    early.state = c.seed;
    book_policy(c.book, c.policy);
    kinds_open_early(&c, &early);
    auditor_start(&c);

    run(&c, &schedule);
    kinds_close_all(&c);
    check_now(&c);
    wait_until(&c, qpw_clock_monotonic_ns() + 3000000000ull);
    check_now(&c);
    auditor_stop(&c, SIGTERM);
    check_alerts(&c, true);
    check_log_schema(&c);
    check_nothing_left(&c);
    say(&c, seconds, schedule.n);

    snprintf(path, sizeof(path), "%s/log", c.dir);
    cr_assert(umount(path) == 0, "%s: %s", path, strerror(errno));
    netns_run(&c.place.ns[NODE], "rm -rf %s", c.dir);
    collector_close(&c.collector);
    wire_close(&c.wire);
    place_end(&c.place);
    book_free(c.book);
    schedule_free(&schedule);
}

Test(campaign, xdp)
{
    campaign(MODE_XDP);
}

Test(campaign, tc)
{
    campaign(MODE_TC);
}

Test(campaign, clsact)
{
    campaign(MODE_CLSACT);
}
