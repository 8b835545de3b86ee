/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_bench.c - qportwatch bench: measure the cost of a packet on this machine. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/live.h"
#include "bench/render.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/verbose.h"
#include "instance/kernel_words.h"
#include "util/near.h"
#include "util/usage.h"

enum { KEY_LIVE = 0x100, KEY_TARGETS };

struct options {
    bool json;
    bool quick;
    bool live;
    bool targets;
    bool verbose;
    unsigned rounds;
    bool *wanted; /* [qpw_bench_n_cases] */
};

static const struct argp_option argp_options[] = {
    QPW_FORMAT_OPTIONS,
    {"quick", 'q', NULL, 0, "Fewer rounds: takes seconds, figures vary more", 0},
    {"live", KEY_LIVE, NULL, 0, "Also packets per second through a veth pair, against an empty XDP program", 0},
    {"targets", KEY_TARGETS, NULL, 0, "Also compare with the limits and aims of this project, set on its own machine", 0},
    {"rounds", 'r', "N", 0, "Rounds over all cases (25)", 0},
    {"cases", 'c', "NAME[,NAME…]", 0, "Only these cases; the floors are always measured", 0},
    QPW_VERBOSE_OPTION,
    {0},
};

/* Select cases by name. Returns NULL, or the name that matches none. */
static const char *choose(struct options *o, char *names)
{
    memset(o->wanted, 0, qpw_bench_n_cases * sizeof(*o->wanted));
    for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
        bool found = false;

        for (size_t i = 0; i < qpw_bench_n_cases; i++)
            if (!strcmp(qpw_bench_cases[i].name, name))
                o->wanted[i] = found = true;
        if (!found)
            return name;
    }
    return NULL;
}

static void __attribute__((noreturn)) unknown_case(const struct argp_state *state, const char *name)
{
    struct qpw_near near = qpw_near_to(name, strlen(name));
    char hint[80];

    for (size_t i = 0; i < qpw_bench_n_cases; i++)
        qpw_near_offer(&near, qpw_bench_cases[i].name);
    qpw_near_hint(&near, hint, sizeof(hint));
    qpw_usage_error(state, "--cases %s: no such case%s", name, *hint ? hint : "; 'bench --quick' shows them all");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    const char *unknown;

    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case QPW_KEY_FORMAT:
        o->json = qpw_format_is_json(state, arg);
        return 0;
    case 'q':
        o->quick = true;
        return 0;
    case KEY_LIVE:
        o->live = true;
        return 0;
    case KEY_TARGETS:
        o->targets = true;
        return 0;
    case QPW_KEY_VERBOSE:
        o->verbose = true;
        return 0;
    case 'r':
        o->rounds = (unsigned)qpw_usage_number(state, "--rounds", arg, 1, QPW_BENCH_MAX_ROUNDS, "number");
        return 0;
    case 'c':
        unknown = choose(o, arg);
        if (unknown)
            unknown_case(state, unknown);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int measure(const struct options *o, struct qpw_error *err)
{
    unsigned rounds = o->rounds ? o->rounds : o->quick ? QPW_BENCH_ROUNDS_QUICK : QPW_BENCH_ROUNDS;
    struct qpw_bench_live live = {0};
    struct qpw_bench_machine machine;
    struct qpw_bench_result result;
    struct qpw_bench_rig rig;
    json_t *json;
    int r;

    r = qpw_bench_rig_open(&rig, rounds, err);
    if (r < 0)
        return r;
    qpw_bench_machine_of(&rig, &machine);
    r = qpw_bench_run(&rig, o->wanted, rounds, o->quick ? QPW_BENCH_BUDGET_QUICK_NS : 0, &result, err);
    if (r == 0 && o->live && (r = qpw_bench_run_live(&rig, &live, err)) < 0)
        free(result.cases);
    if (r == 0 && (r = qpw_bench_run_sockets(&rig, &machine.sockets, err)) < 0)
        free(result.cases);
    qpw_bench_rig_close(&rig);
    if (r < 0)
        return r;
    if (o->json) {
        json = qpw_bench_json(&machine, &result, &live, o->targets);
        json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        putchar('\n');
        json_decref(json);
    } else if (qpw_bench_print(stdout, &machine, &result, &live, o->targets) < 0) {
        r = qpw_fail(err, -ENOMEM, "out of memory");
    }
    free(result.cases);
    return r;
}

int qpw_cmd_bench(int argc, char **argv)
{
    static const struct argp argp = {
        argp_options, parse, NULL,
        "Measures what one packet costs on this machine, with the programs that `attach` loads. Frames are sent "
        "through them with BPF_PROG_TEST_RUN; nothing is attached, except with --live to a veth pair in a network "
        "namespace of its own."
        "\vnet is a case without what the empty program of its hook costs or, with many flows, without the "
        "wrapper that makes them. Trust the ratios of one run more than single nanoseconds.",
        NULL, NULL, NULL};
    struct options o = {.wanted = malloc(qpw_bench_n_cases * sizeof(bool))};
    struct qpw_error err = {{0}};
    int r;

    if (!o.wanted) {
        fprintf(stderr, "qportwatch bench: out of memory\n");
        return QPW_EXIT_FAILED;
    }
    for (size_t i = 0; i < qpw_bench_n_cases; i++)
        o.wanted[i] = true;
    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (o.verbose)
        qpw_verifier_log_show(stderr);
    r = measure(&o, &err);
    free(o.wanted);
    if (r < 0) {
        fprintf(stderr, "qportwatch bench: %s\n", err.text);
        return QPW_EXIT_FAILED;
    }
    return QPW_EXIT_OK;
}
