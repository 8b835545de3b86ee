/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench/render.h"

#include <bpf/libbpf.h>
#include <math.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench/snapshot.h"
#include "instance/cpus.h"
#include "snapshot/memory.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "words/table.h"
#include "words/words.h"

static const struct {
    enum qpw_bench_floor floor;
    const char *name, *what;
} floors[] = {
    {QPW_FLOOR_PASS, "pass", "an XDP program that does nothing (b0)"},
    {QPW_FLOOR_ARRAY, "array", "IPv4 parse and a per-CPU array counter (b1)"},
    {QPW_FLOOR_HASH, "hash", "IPv4 parse and a per-CPU hash counter (b2)"},
    {QPW_FLOOR_EMPTY, "tc-empty", "a TC program that does nothing"},
};

static void read_cpu_name(char *ret, size_t size)
{
    char line[256], *colon;
    FILE *f = fopen("/proc/cpuinfo", "re");

    snprintf(ret, size, "unknown CPU");
    while (f && fgets(line, sizeof(line), f)) {
        colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !colon)
            continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(ret, size, "%s", colon + 2);
        break;
    }
    if (f)
        fclose(f);
}

void qpw_bench_machine_of(const struct qpw_bench_rig *rig, struct qpw_bench_machine *ret)
{
    struct utsname name;

    memset(ret, 0, sizeof(*ret));
    read_cpu_name(ret->cpu, sizeof(ret->cpu));
    if (!uname(&name))
        snprintf(ret->kernel, sizeof(ret->kernel), "%s", name.release);
    ret->cpus = qpw_possible_cpus();
    ret->memory_bytes = qpw_kernel_memory(&rig->kernel, NULL);
    ret->starts = rig->starts;
    ret->load_ns = rig->load_ns;
    ret->policy_ns = rig->policy_ns;
    ret->snapshot_ns = rig->snapshot_ns;
    for (int i = 0; i < QPW_PROG_COUNT; i++)
        ret->size[i] = qpw_bench_program_size(rig, i);
}

/* ---- Text ---- */

static const char *ns_text(double ns, char *buf, size_t size)
{
    return qpw_words_figure(ns, 1, "", buf, size);
}

/* A row of the cost table. */
struct cost {
    const char *name, *what;
    const struct qpw_bench_samples *samples;
    double array, net; /* cost of an array counter to compare with, 0: none; cost without the wrapper, NAN: unknown */
    bool tc;
};

static int add_cost(struct qpw_table *t, const struct cost *c)
{
    char median[16], best[16], ratio[16], rest[16];
    double ns = qpw_bench_median(c->samples);
    const char *cells[] = {c->name, c->tc ? "tc" : "xdp", ns_text(ns, median, sizeof(median)),
                           ns_text(qpw_bench_best(c->samples), best, sizeof(best)),
                           c->array > 0 ? qpw_words_figure(ns / c->array, 2, "", ratio, sizeof(ratio)) : "",
                           isnan(c->net) ? "" : ns_text(c->net, rest, sizeof(rest)), c->what};

    return qpw_table_add(t, QPW_TEXT_PLAIN, cells);
}

static int print_costs(const struct qpw_printer *p, const struct qpw_bench_result *result)
{
    static const struct qpw_table_column columns[] = {{"PACKET"}, {"HOOK"}, {"MEDIAN", .right = true},
                                                      {"BEST", .right = true}, {"X ARRAY", .right = true},
                                                      {"NET", .right = true}, {"", .wrap = true}};
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, sizeof(columns) / sizeof(*columns)};
    double array = qpw_bench_median(&result->floors[QPW_FLOOR_ARRAY]);
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(floors) / sizeof(*floors); i++)
        r = add_cost(&t, &(struct cost){floors[i].name, floors[i].what, &result->floors[floors[i].floor], array, NAN,
                                        floors[i].floor == QPW_FLOOR_EMPTY});
    for (int tc = 0; r == 0 && tc < 2; tc++)
        r = add_cost(&t, &(struct cost){"wrapper", "generates many flows around the program",
                                        &result->floors[tc ? QPW_FLOOR_WRAP_TC : QPW_FLOOR_WRAP_XDP], 0, NAN, tc});
    for (size_t i = 0; r == 0 && i < qpw_bench_n_cases; i++) {
        const struct qpw_bench_case *c = &qpw_bench_cases[i];

        if (result->cases[i].n)
            r = add_cost(&t, &(struct cost){c->name, "", &result->cases[i], array, qpw_bench_net(result, i), c->tc});
    }
    if (r < 0)
        return r;
    return qpw_table_print(&t, p);
}

static int print_targets(const struct qpw_printer *p, const struct qpw_bench_machine *m,
                         const struct qpw_bench_result *result)
{
    static const struct qpw_table_column columns[] = {{"TARGET", .wrap = true}, {"MEASURED", .right = true},
                                                      {"LIMIT", .right = true}, {"AIM", .right = true}, {""}};
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, sizeof(columns) / sizeof(*columns)};
    struct qpw_bench_target targets[QPW_BENCH_MAX_TARGETS];
    size_t n = qpw_bench_targets(m, result, targets);
    char measured[24], limit[24], aim[24];
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct qpw_bench_target *target = &targets[i];
        const char *cells[] = {target->what, qpw_words_figure(target->value, 1, target->unit, measured, sizeof(measured)),
                               qpw_words_figure(target->must, 1, target->unit, limit, sizeof(limit)),
                               qpw_words_figure(target->aim, 1, target->unit, aim, sizeof(aim)),
                               target->value <= target->aim    ? "below the aim"
                               : target->value <= target->must ? "below the limit"
                                                               : "above the limit"};

        r = qpw_table_add(&t, target->value <= target->must ? QPW_TEXT_PLAIN : QPW_TEXT_BAD, cells);
    }
    qpw_print_end(p);
    if (r < 0)
        return r;
    return qpw_table_print(&t, p);
}

static int print_programs(const struct qpw_printer *p, const struct qpw_bench_machine *m)
{
    static const struct qpw_table_column columns[] = {{"PROGRAM"}, {"INSTRUCTIONS VERIFIED", .right = true},
                                                      {"SIZE", .right = true}, {"MACHINE CODE", .right = true}};
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, sizeof(columns) / sizeof(*columns)};
    char verified[24], size[24], code[24];
    int r = 0;

    for (int i = 0; r == 0 && i < QPW_PROG_COUNT; i++) {
        const char *cells[] = {qpw_program_name(i), qpw_words_count(m->size[i].verified, verified, sizeof(verified)),
                               qpw_words_bytes(m->size[i].xlated, size, sizeof(size)),
                               qpw_words_bytes(m->size[i].jited, code, sizeof(code))};

        if (m->size[i].xlated) /* otherwise it was not loaded */
            r = qpw_table_add(&t, QPW_TEXT_PLAIN, cells);
    }
    qpw_print_end(p);
    if (r < 0)
        return r;
    return qpw_table_print(&t, p);
}

/* What it comes to on a link that is full. */
static void print_share(const struct qpw_printer *p, const struct qpw_bench_result *result)
{
    char share[16], bytes[16], text[160];
    bool first = true;

    for (int tc = 0; tc < 2; tc++) {
        size_t used = 0;

        if (isnan(qpw_bench_core_share(result, tc, qpw_bench_links[0])))
            continue;
        for (size_t i = 0; i < qpw_bench_n_links && used < sizeof(text); i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s at %u GbE", i ? ", " : "",
                                     qpw_words_figure(100 * qpw_bench_core_share(result, tc, qpw_bench_links[i]), 1, "%",
                                                      share, sizeof(share)),
                                     qpw_bench_links[i]);
        qpw_print_item(p, first ? "share" : "", "%s: of one core, one direction being full of %s-byte packets of known connections: %s",
                       tc ? "tc" : "xdp", qpw_words_count(QPW_BENCH_MTU, bytes, sizeof(bytes)), text);
        first = false;
    }
}

static void print_machine(const struct qpw_printer *p, const struct qpw_bench_machine *m, const struct qpw_bench_live *live)
{
    char bytes[24], first[24], second[24], count[24];

    qpw_print_end(p);
    qpw_print_item(p, "memory", "%s in the kernel", qpw_words_bytes(m->memory_bytes, bytes, sizeof(bytes)));
    qpw_print_item(p, "start", "%s, median of %d: loading what attach loads in XDP mode (maps, qpw_xdp_rx, qpw_tc_tx) and, "
                   "while these are verified, the policy (%s)",
                   qpw_words_figure((double)m->load_ns / 1e6, 0, "ms", first, sizeof(first)), m->starts,
                   qpw_words_figure((double)m->policy_ns / 1e6, 0, "ms", second, sizeof(second)));
    qpw_print_item(p, "snapshot", "%s for %s",
                   qpw_words_figure((double)m->snapshot_ns / 1e6, 1, "ms", first, sizeof(first)),
                   qpw_words_many(QPW_BENCH_METERS, "meter", count, sizeof(count)));
    if (m->sockets.measured)
        qpw_print_item(p, "socket", "%s for socket() and close(), %s with the owner noted (%.2f x)",
                       qpw_words_figure(m->sockets.bare_ns, 0, "ns", first, sizeof(first)),
                       qpw_words_figure(m->sockets.noted_ns, 0, "ns", second, sizeof(second)),
                       m->sockets.noted_ns / m->sockets.bare_ns);
    if (live->measured)
        qpw_print_item(p, "live", "%s packets per second on a veth pair with 64-byte frames, %s with an empty program",
                       qpw_words_count((uint64_t)live->audit_pps, first, sizeof(first)),
                       qpw_words_count((uint64_t)live->empty_pps, second, sizeof(second)));
}

int qpw_bench_print(FILE *out, const struct qpw_bench_machine *m, const struct qpw_bench_result *result,
                    const struct qpw_bench_live *live, bool targets)
{
    struct qpw_printer p = qpw_printer_of(out);
    int r;

    p.indent = 0;
    qpw_print_line(&p, "%s, %d possible CPUs, Linux %s", m->cpu, m->cpus, m->kernel);
    qpw_print_line(&p, "nanoseconds per packet, %u rounds; net: without the empty program, or the wrapper, of its hook",
                   result->rounds);
    qpw_print_end(&p);
    r = print_costs(&p, result);
    if (r < 0)
        return r;
    r = targets ? print_targets(&p, m, result) : 0;
    if (r < 0)
        return r;
    r = print_programs(&p, m);
    if (r < 0)
        return r;
    print_machine(&p, m, live);
    print_share(&p, result);
    return 0;
}

/* ---- JSON ---- */

static json_t *json_machine(const struct qpw_bench_machine *m)
{
    json_t *programs = json_object();

    for (int i = 0; i < QPW_PROG_COUNT; i++)
        json_object_set_new(programs, qpw_program_name(i),
                            json_pack("{s:i,s:i,s:i}", "verified_instructions", (int)m->size[i].verified, "bytes",
                                      (int)m->size[i].xlated, "machine_code_bytes", (int)m->size[i].jited));
    return json_pack("{s:s,s:s,s:i,s:I,s:f,s:f,s:i,s:f,s:o}", "cpu", m->cpu, "kernel", m->kernel, "possible_cpus",
                     m->cpus, "kernel_memory_bytes", (json_int_t)m->memory_bytes, "load_ms", (double)m->load_ns / 1e6,
                     "policy_ms", (double)m->policy_ns / 1e6, "snapshot_meters", (int)QPW_BENCH_METERS, "snapshot_ms",
                     (double)m->snapshot_ns / 1e6, "programs", programs);
}

static json_t *json_cases(const struct qpw_bench_result *result)
{
    double array = qpw_bench_median(&result->floors[QPW_FLOOR_ARRAY]);
    json_t *cases = json_array();

    for (size_t i = 0; i < qpw_bench_n_cases; i++) {
        double ns = qpw_bench_median(&result->cases[i]);

        if (result->cases[i].n)
            json_array_append_new(cases, json_pack("{s:s,s:s,s:f,s:f,s:f,s:f}", "name", qpw_bench_cases[i].name, "hook",
                                                   qpw_bench_cases[i].tc ? "tc" : "xdp", "ns", ns, "best",
                                                   qpw_bench_best(&result->cases[i]), "vs_array",
                                                   array ? ns / array : 0.0, "net", qpw_bench_net(result, i)));
    }
    return cases;
}

static json_t *json_targets(const struct qpw_bench_machine *m, const struct qpw_bench_result *result)
{
    struct qpw_bench_target targets[QPW_BENCH_MAX_TARGETS];
    size_t n = qpw_bench_targets(m, result, targets);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct qpw_bench_target *t = &targets[i];

        json_array_append_new(list, json_pack("{s:s,s:f,s:f,s:f,s:s,s:b}", "target", t->what, "measured", t->value,
                                              "must", t->must, "aim", t->aim, "unit", t->unit, "met",
                                              t->value <= t->must));
    }
    return list;
}

static json_t *json_share(const struct qpw_bench_result *result)
{
    json_t *list = json_array();

    for (int tc = 0; tc < 2; tc++)
        for (size_t i = 0; i < qpw_bench_n_links; i++) {
            double share = qpw_bench_core_share(result, tc, qpw_bench_links[i]);

            if (!isnan(share))
                json_array_append_new(list, json_pack("{s:s,s:i,s:i,s:f}", "hook", tc ? "tc" : "xdp", "gbit_per_second",
                                                      (int)qpw_bench_links[i], "packet_bytes", (int)QPW_BENCH_MTU,
                                                      "share", share));
        }
    return list;
}

json_t *qpw_bench_json(const struct qpw_bench_machine *m, const struct qpw_bench_result *result,
                       const struct qpw_bench_live *live, bool targets)
{
    json_t *root = qpw_document("qportwatch.bench/1"), *values = json_object();

    for (size_t i = 0; i < sizeof(floors) / sizeof(*floors); i++)
        json_object_set_new(values, floors[i].name, json_real(qpw_bench_median(&result->floors[floors[i].floor])));
    json_object_set_new(root, "machine", json_machine(m));
    if (m->sockets.measured)
        json_object_set_new(root, "sockets", json_pack("{s:f,s:f}", "bare_ns", m->sockets.bare_ns, "noted_ns",
                                                       m->sockets.noted_ns));
    json_object_set_new(root, "floors", values);
    json_object_set_new(root, "cases", json_cases(result));
    json_object_set_new(root, "core_share", json_share(result));
    if (targets)
        json_object_set_new(root, "targets", json_targets(m, result));
    if (live->measured)
        json_object_set_new(root, "live", json_pack("{s:f,s:f}", "empty_pps", live->empty_pps, "audit_pps",
                                                    live->audit_pps));
    return root;
}
