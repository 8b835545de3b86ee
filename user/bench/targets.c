/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* targets.c - limits and aims for the cost of a packet, judged by one run's results. */
#include <stdarg.h>
#include <string.h>

#include "bench/snapshot.h"
#include "bench/render.h"
#include "words/numbers.h"

#define MIB 1.048576 /* MB */

struct list {
    struct qpw_bench_target *at;
    size_t n;
};

struct limits {
    double must, aim;
    const char *unit;
};

/* Add a measured value with its limits; format and the rest: what it is. */
static void add(struct list *l, double value, struct limits limits, const char *format, ...)
{
    struct qpw_bench_target *t = &l->at[l->n];
    va_list arguments;

    if (l->n == QPW_BENCH_MAX_TARGETS)
        return;
    t->value = value;
    t->must = limits.must;
    t->aim = limits.aim;
    t->unit = limits.unit;
    va_start(arguments, format);
    vsnprintf(t->what, sizeof(t->what), format, arguments);
    va_end(arguments);
    l->n++;
}

/* Return the index of a measured case, or -1. */
static int find(const struct qpw_bench_result *r, const char *name, int tc)
{
    for (size_t i = 0; i < qpw_bench_n_cases; i++)
        if (!strcmp(qpw_bench_cases[i].name, name) && qpw_bench_cases[i].tc == tc && r->cases[i].n)
            return (int)i;
    return -1;
}

static double ns_of(const struct qpw_bench_result *r, int index)
{
    return qpw_bench_median(&r->cases[index]);
}

/* Add how much more than the plain packet an uncommon shape may cost. */
static void add_shapes(struct list *l, const struct qpw_bench_result *r, int tc)
{
    static const struct {
        const char *name, *base;
    } shapes[] = {{"qinq", "known-tcp"}, {"ipv6-ext", "known-tcp"}, {"fragment", "known-udp"}};

    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        int at = find(r, shapes[i].name, tc), base = find(r, shapes[i].base, tc);

        if (at >= 0 && base >= 0)
            add(l, ns_of(r, at) - ns_of(r, base), (struct limits){25, 15, "ns"}, "%s (%s) more than %s", shapes[i].name,
                tc ? "tc" : "xdp", shapes[i].base);
    }
}

/* Add the cost net of the empty program or the wrapper. */
static void add_net(struct list *l, const struct qpw_bench_result *r)
{
    static const struct {
        const char *name;
        int tc;
        double must, aim;
    } cases[] = {{"known-tcp", 0, 15, 10},        {"known-tcp", 1, 15, 10},          {"ipv6", 0, 20, 14},
                 {"known-64k", 0, 35, 28},        {"new-connection", 0, 550, 400},   {"new-connection-64k", 0, 550, 400},
                 {"scan-new", 0, 800, 600},       {"rescan", 0, 600, 350},           {"flood-syn", 0, 650, 500},
                 {"short-connection", 0, 4300, 3500}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int at = find(r, cases[i].name, cases[i].tc);

        if (at >= 0)
            add(l, qpw_bench_net(r, (size_t)at), (struct limits){cases[i].must, cases[i].aim, "ns"}, "%s (%s), net",
                cases[i].name, cases[i].tc ? "tc" : "xdp");
    }
}

size_t qpw_bench_targets(const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                         struct qpw_bench_target ret[QPW_BENCH_MAX_TARGETS])
{
    struct list l = {ret, 0};
    double array = qpw_bench_median(&r->floors[QPW_FLOOR_ARRAY]);
    char count[32];
    int known = find(r, "known-tcp", 0), known_tc = find(r, "known-tcp", 1), at;

    if (known >= 0)
        add(&l, ns_of(r, known) / array, (struct limits){1.5, 1.2, "x"}, "known-tcp (xdp) against a parse and an array counter");
    add_net(&l, r);
    add_shapes(&l, r, 0);
    add_shapes(&l, r, 1);
    for (int tc = 0; tc < 2; tc++) {
        at = find(r, "two-cpus", tc);
        if (at >= 0 && (tc ? known_tc : known) >= 0)
            add(&l, ns_of(r, at) / ns_of(r, tc ? known_tc : known), (struct limits){1.2, 1, "x"},
                "two-cpus (%s) against one CPU", tc ? "tc" : "xdp");
    }
    at = find(r, "answer-owner", 1);
    if (at >= 0 && find(r, "answer", 1) >= 0)
        add(&l, ns_of(r, at) - ns_of(r, find(r, "answer", 1)), (struct limits){60, 40, "ns"}, "owner of a packet that opens a connection");
    if (m->sockets.measured) /* 1.5 us where socket() and close() take 4.28 */
        add(&l, 100 * (m->sockets.noted_ns / m->sockets.bare_ns - 1), (struct limits){35, 30, "%"}, "owner noted, of socket() and close()");
    add(&l, (double)m->memory_bytes / 1e6, (struct limits){MIB * (33.4 + 1.3 * m->cpus), MIB * (24 + m->cpus), "MB"},
        "kernel memory, %d possible CPUs", m->cpus);
    add(&l, (double)m->load_ns / 1e6, (struct limits){300, 150, "ms"}, "start: maps, qpw_xdp_rx, qpw_tc_tx and policy loaded");
    add(&l, (double)m->snapshot_ns / 1e6, (struct limits){20, 20, "ms"}, "snapshot of %s, %d possible CPUs",
        qpw_words_many(QPW_BENCH_METERS, "meter", count, sizeof(count)), m->cpus);
    return l.n;
}
