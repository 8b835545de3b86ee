/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench/render.h"

#include <bpf/libbpf.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench/picture.h"
#include "snapshot/collect_maps.h"
#include "util/document.h"
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
    ret->cpus = libbpf_num_possible_cpus();
    ret->memory_bytes = qpw_kernel_memory(&rig->kernel);
    ret->load_ns = rig->load_ns;
    ret->policy_ns = rig->policy_ns;
    ret->picture_ns = rig->picture_ns;
    for (int i = 0; i < QPW_PROG_COUNT; i++)
        ret->size[i] = qpw_bench_program_size(rig, i);
}

static void print_cases(FILE *out, const struct qpw_bench_result *r)
{
    double array = qpw_bench_median(&r->floors[QPW_FLOOR_ARRAY]);

    fprintf(out, "%-16s %-5s %8s %8s %8s %8s\n", "", "hook", "median", "best", "x array", "net");
    for (size_t i = 0; i < sizeof(floors) / sizeof(*floors); i++) {
        const struct qpw_bench_samples *s = &r->floors[floors[i].floor];
        double ns = qpw_bench_median(s);

        fprintf(out, "%-16s %-5s %8.1f %8.1f %8.2f %8s  %s\n", floors[i].name,
                floors[i].floor == QPW_FLOOR_EMPTY ? "tc" : "xdp", ns, qpw_bench_best(s), array ? ns / array : 0, "",
                floors[i].what);
    }
    for (int tc = 0; tc < 2; tc++) {
        const struct qpw_bench_samples *s = &r->floors[tc ? QPW_FLOOR_WRAP_TC : QPW_FLOOR_WRAP_XDP];

        fprintf(out, "%-16s %-5s %8.1f %8.1f %8s %8s  generates many flows around the program\n", "wrapper",
                tc ? "tc" : "xdp", qpw_bench_median(s), qpw_bench_best(s), "", "");
    }
    for (size_t i = 0; i < qpw_bench_n_cases; i++) {
        const struct qpw_bench_samples *s = &r->cases[i];

        if (s->n)
            fprintf(out, "%-16s %-5s %8.1f %8.1f %8.2f %8.1f\n", qpw_bench_cases[i].name,
                    qpw_bench_cases[i].tc ? "tc" : "xdp", qpw_bench_median(s), qpw_bench_best(s),
                    array ? qpw_bench_median(s) / array : 0, qpw_bench_net(r, i));
    }
}

static void print_targets(FILE *out, const struct qpw_bench_machine *m, const struct qpw_bench_result *r)
{
    struct qpw_bench_target targets[QPW_BENCH_MAX_TARGETS];
    size_t n = qpw_bench_targets(m, r, targets);

    fprintf(out, "\n%-56s %8s %8s %8s\n", "target", "measured", "limit", "aim");
    for (size_t i = 0; i < n; i++) {
        const struct qpw_bench_target *t = &targets[i];

        fprintf(out, "%-56s %8.1f %8.1f %8.1f %-4s %s\n", t->what, t->value, t->must, t->aim, t->unit,
                t->value <= t->aim ? "below the aim" : t->value <= t->must ? "below the limit" : "above the limit");
    }
}

void qpw_bench_print(FILE *out, const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                     const struct qpw_bench_live *live, bool targets)
{
    char bytes[24];

    fprintf(out, "%s, %d possible CPUs, Linux %s\n", m->cpu, m->cpus, m->kernel);
    fprintf(out, "nanoseconds per packet, %u rounds; net: without the empty program, or the wrapper, of its hook\n\n",
            r->rounds);
    print_cases(out, r);
    if (targets)
        print_targets(out, m, r);
    fprintf(out, "\nkernel memory %s\n", qpw_words_bytes(m->memory_bytes, bytes, sizeof(bytes)));
    fprintf(out, "start %.0f ms, median of %d: loading what attach loads in XDP mode (maps, qpw_xdp_rx, qpw_tc_tx) and,\n"
                 "while these are verified, the policy (%.0f ms)\n",
            (double)m->load_ns / 1e6, QPW_BENCH_STARTS, (double)m->policy_ns / 1e6);
    fprintf(out, "snapshot of %u meters: %.1f ms on %d possible CPUs\n", QPW_BENCH_METERS, (double)m->picture_ns / 1e6,
            m->cpus);
    for (int i = 0; i < QPW_PROG_COUNT; i++)
        fprintf(out, "%-14s %7u instructions verified, %6u bytes, %6u as machine code\n", qpw_program_name(i),
                m->size[i].verified, m->size[i].xlated, m->size[i].jited);
    if (m->sockets.measured)
        fprintf(out, "socket() and close(): %.0f ns, %.0f with the owner noted\n", m->sockets.bare_ns, m->sockets.noted_ns);
    if (live->measured)
        fprintf(out, "live on a veth pair, 64-byte frames: %.2f million packets per second, %.2f with an empty program\n",
                live->audit_pps / 1e6, live->empty_pps / 1e6);
}

static json_t *json_machine(const struct qpw_bench_machine *m)
{
    json_t *programs = json_object();

    for (int i = 0; i < QPW_PROG_COUNT; i++)
        json_object_set_new(programs, qpw_program_name(i),
                            json_pack("{s:i,s:i,s:i}", "verified_instructions", (int)m->size[i].verified, "bytes",
                                      (int)m->size[i].xlated, "machine_code_bytes", (int)m->size[i].jited));
    return json_pack("{s:s,s:s,s:i,s:I,s:f,s:f,s:i,s:f,s:o}", "cpu", m->cpu, "kernel", m->kernel, "possible_cpus",
                     m->cpus,
                     "kernel_memory_bytes", (json_int_t)m->memory_bytes, "load_ms", (double)m->load_ns / 1e6,
                     "policy_ms", (double)m->policy_ns / 1e6, "snapshot_meters", (int)QPW_BENCH_METERS,
                     "snapshot_ms", (double)m->picture_ns / 1e6, "programs", programs);
}

static json_t *json_cases(const struct qpw_bench_result *r)
{
    double array = qpw_bench_median(&r->floors[QPW_FLOOR_ARRAY]);
    json_t *cases = json_array();

    for (size_t i = 0; i < qpw_bench_n_cases; i++) {
        double ns = qpw_bench_median(&r->cases[i]);

        if (r->cases[i].n)
            json_array_append_new(cases, json_pack("{s:s,s:s,s:f,s:f,s:f,s:f}", "name", qpw_bench_cases[i].name,
                                                   "hook", qpw_bench_cases[i].tc ? "tc" : "xdp", "ns", ns, "best",
                                                   qpw_bench_best(&r->cases[i]), "vs_array", array ? ns / array : 0.0,
                                                   "net", qpw_bench_net(r, i)));
    }
    return cases;
}

static json_t *json_targets(const struct qpw_bench_machine *m, const struct qpw_bench_result *r)
{
    struct qpw_bench_target targets[QPW_BENCH_MAX_TARGETS];
    size_t n = qpw_bench_targets(m, r, targets);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct qpw_bench_target *t = &targets[i];

        json_array_append_new(list, json_pack("{s:s,s:f,s:f,s:f,s:s,s:b}", "target", t->what, "measured", t->value,
                                              "must", t->must, "aim", t->aim, "unit", t->unit, "met",
                                              t->value <= t->must));
    }
    return list;
}

json_t *qpw_bench_json(const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                       const struct qpw_bench_live *live, bool targets)
{
    json_t *root = qpw_document("qportwatch.bench/1"), *values = json_object();

    for (size_t i = 0; i < sizeof(floors) / sizeof(*floors); i++)
        json_object_set_new(values, floors[i].name, json_real(qpw_bench_median(&r->floors[floors[i].floor])));
    json_object_set_new(root, "machine", json_machine(m));
    if (m->sockets.measured)
        json_object_set_new(root, "sockets", json_pack("{s:f,s:f}", "bare_ns", m->sockets.bare_ns, "noted_ns",
                                                       m->sockets.noted_ns));
    json_object_set_new(root, "floors", values);
    json_object_set_new(root, "cases", json_cases(r));
    if (targets)
        json_object_set_new(root, "targets", json_targets(m, r));
    if (live->measured)
        json_object_set_new(root, "live", json_pack("{s:f,s:f}", "empty_pps", live->empty_pps, "audit_pps",
                                                    live->audit_pps));
    return root;
}
