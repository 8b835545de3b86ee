/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* measure.c - rounds over all cases, so that disturbances affect all of them alike. */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "host/clock.h"
#include "util/cleanup.h"

struct spinner {
    pthread_t thread;
    int cpu;
    atomic_bool stop;
};

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/* Spin at the lowest priority, because an idle virtual CPU is slow to wake up. */
static void *spin(void *argument)
{
    struct spinner *s = argument;
    struct sched_param none = {0};

    pin(s->cpu);
    pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed))
        ;
    return NULL;
}

double qpw_bench_net(const struct qpw_bench_result *result, size_t index)
{
    const struct qpw_bench_case *c = &qpw_bench_cases[index];
    enum qpw_bench_floor floor = qpw_bench_is_wrapped(c) ? (c->tc ? QPW_FLOOR_WRAP_TC : QPW_FLOOR_WRAP_XDP)
                                                         : (c->tc ? QPW_FLOOR_EMPTY : QPW_FLOOR_PASS);

    if (c->what == QPW_DO_SHORT)
        return qpw_bench_median(&result->cases[index]) -
               QPW_BENCH_SHORT_RECEIVED * qpw_bench_median(&result->floors[floor]) -
               QPW_BENCH_SHORT_SENT * qpw_bench_median(&result->floors[QPW_FLOOR_WRAP_TC]);
    return qpw_bench_median(&result->cases[index]) - qpw_bench_median(&result->floors[floor]);
}

const unsigned qpw_bench_links[] = {10, 25, 100};
const size_t qpw_bench_n_links = sizeof(qpw_bench_links) / sizeof(*qpw_bench_links);

double qpw_bench_core_share(const struct qpw_bench_result *r, bool tc, unsigned gbit)
{
    static const enum qpw_bench_do preferred[] = {QPW_DO_FLOWS, QPW_DO_ONE};
    double packets = gbit * 1e9 / 8 / (QPW_BENCH_MTU + QPW_BENCH_FRAMING);

    for (size_t k = 0; k < sizeof(preferred) / sizeof(*preferred); k++)
        for (size_t i = 0; i < qpw_bench_n_cases; i++) {
            const struct qpw_bench_case *c = &qpw_bench_cases[i];

            if (c->what == preferred[k] && c->tc == tc && c->shape == QPW_SHAPE_PLAIN && !c->peer &&
                c->protocol == IPPROTO_TCP && r->cases[i].n)
                return qpw_bench_net(r, i) * packets / 1e9;
        }
    return NAN;
}

/* Choose two CPUs that this process may use: *ret_cpu, and *ret_other or -1. */
static void pick_cpus(int *ret_cpu, int *ret_other)
{
    cpu_set_t allowed;

    *ret_cpu = 0;
    *ret_other = -1;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
        return;
    for (int i = CPU_SETSIZE - 1, found = 0; i >= 0 && found < 2; i--)
        if (CPU_ISSET(i, &allowed))
            *(found++ ? ret_other : ret_cpu) = i;
}

/* What to measure, and how often. */
struct plan {
    const bool *wanted; /* by case */
    unsigned rounds;
    uint64_t end_ns;    /* CLOCK_MONOTONIC; 0: no budget */
    int other;          /* a CPU besides the measuring one; -1: none */
};

static int round_of(struct qpw_bench_rig *rig, const struct plan *plan, struct qpw_bench_result *result,
                    struct qpw_error *err)
{
    int r = 0;

    for (int i = 0; i < QPW_FLOOR_MEASURED && !r; i++)
        r = qpw_bench_sample_floor(rig, i, &result->floors[i].ns[result->floors[i].n++], err);
    for (size_t i = 0; i < qpw_bench_n_cases && !r; i++) {
        const struct qpw_bench_case *c = &qpw_bench_cases[i];

        if (!plan->wanted[i] || (c->what == QPW_DO_TWO_CPUS && plan->other < 0))
            continue;
        r = qpw_bench_sample_case(rig, c, plan->other, &result->cases[i].ns[result->cases[i].n++], err);
        qpw_bench_drain(rig);
    }
    return r;
}

static int prime(struct qpw_bench_rig *rig, const bool *wanted, struct qpw_error *err)
{
    bool many = false; /* shared by all cases of many known connections */
    int r = 0;

    for (size_t i = 0; i < qpw_bench_n_cases && !r; i++) {
        const struct qpw_bench_case *c = &qpw_bench_cases[i];
        bool is_many = c->what == QPW_DO_FLOWS || c->what == QPW_DO_RELOAD || c->what == QPW_DO_OPEN_MANY;

        if (!wanted[i] || (is_many && many))
            continue;
        many |= is_many;
        r = qpw_bench_prime(rig, c, err);
    }
    return r;
}

/* Run all rounds; except for the first, none starts that would probably end after the budget. */
static int run_rounds(struct qpw_bench_rig *rig, const struct plan *plan, struct qpw_bench_result *result,
                      struct qpw_error *err)
{
    uint64_t start = qpw_clock_monotonic_ns(), now = start;
    int r = 0;

    while (!r && result->rounds < plan->rounds && result->rounds < QPW_BENCH_MAX_ROUNDS) {
        if (plan->end_ns && result->rounds && now + (now - start) / result->rounds > plan->end_ns)
            break;
        r = round_of(rig, plan, result, err);
        result->rounds++;
        now = qpw_clock_monotonic_ns();
    }
    return r;
}

/* Measure while another thread keeps the CPU's frequency up. */
static int run_all(struct qpw_bench_rig *rig, struct plan *plan, struct qpw_bench_result *result, struct qpw_error *err)
{
    struct spinner spinner = {0};
    int r;

    pick_cpus(&spinner.cpu, &plan->other);
    pin(spinner.cpu);
    r = -pthread_create(&spinner.thread, NULL, spin, &spinner);
    if (r < 0)
        return qpw_fail(err, r, "cannot start a thread: %s", strerror(-r));
    r = prime(rig, plan->wanted, err);
    if (r == 0)
        r = run_rounds(rig, plan, result, err);
    atomic_store(&spinner.stop, true);
    pthread_join(spinner.thread, NULL);
    return r;
}

int qpw_bench_run(struct qpw_bench_rig *rig, const bool *wanted, unsigned rounds, uint64_t budget_ns,
                  struct qpw_bench_result *ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_freep) struct qpw_bench_result *result = calloc(1, sizeof(*result));
    QPW_CLEANUP(qpw_freep) struct qpw_bench_samples *cases = calloc(qpw_bench_n_cases, sizeof(*cases));
    uint64_t start = qpw_clock_monotonic_ns();
    struct plan plan = {wanted, rounds, budget_ns ? start + budget_ns : 0, -1};
    cpu_set_t before;
    int r;

    if (!result || !cases)
        return qpw_fail(err, -ENOMEM, "out of memory"); /* NOLINT(clang-analyzer-unix.Malloc): clang 14 does not see what QPW_CLEANUP() frees */
    result->cases = cases;
    sched_getaffinity(0, sizeof(before), &before);
    r = run_all(rig, &plan, result, err);
    sched_setaffinity(0, sizeof(before), &before);
    if (r < 0)
        return r;
    *ret = *result;
    ret->cases = QPW_TAKE(cases);
    return 0;
}
