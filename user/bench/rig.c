/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench/rig.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/snapshot.h"
#include "bpf/tag.h"
#include "host/clock.h"
#include "instance/cpus.h"
#include "instance/kernel_words.h"
#include "policy/compile/compile.h"
#include "policy/lang/policy.h"
#include "util/cleanup.h"

extern const char qpw_bench_object[], qpw_bench_object_end[];

#define IFINDEX_LO 1 /* the device of test runs that name none */

static const char *const floor_names[QPW_FLOOR_COUNT] = {"bench_pass",     "bench_count_array", "bench_count_hash",
                                                         "bench_wrap_xdp", "bench_empty",       "bench_wrap_tc",
                                                         "bench_send"};

static int open_floors(struct qpw_bench_rig *rig, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "qportwatch_bench",
                .kernel_log_level = qpw_verifier_log_level());
    struct bpf_program *program;

    rig->floors = bpf_object__open_mem(qpw_bench_object, (size_t)(qpw_bench_object_end - qpw_bench_object), &options);
    if (!rig->floors)
        return qpw_fail(err, -errno, "cannot open the embedded BPF object of the floors: %s", strerror(errno));
    bpf_object__for_each_program(program, rig->floors)
        /* The same flags as of the program under test, which it calls. */
        if (bpf_program__type(program) == BPF_PROG_TYPE_XDP)
            bpf_program__set_flags(program, qpw_kernel_xdp_flags(&rig->kernel));
    if (bpf_map__reuse_fd(bpf_object__find_map_by_name(rig->floors, "owners"), rig->kernel.map_fd[QPW_MAP_owners]) < 0 ||
        bpf_object__load(rig->floors) < 0)
        return qpw_fail(err, -errno, "cannot load the BPF programs of the floors: %s", strerror(errno));
    for (int i = 0; i < QPW_FLOOR_COUNT; i++)
        rig->floor_fd[i] = bpf_program__fd(bpf_object__find_program_by_name(rig->floors, floor_names[i]));
    rig->flows_fd = bpf_object__find_map_fd_by_name(rig->floors, "bench_flows");
    rig->target_fd[0] = bpf_object__find_map_fd_by_name(rig->floors, "bench_xdp");
    rig->target_fd[1] = bpf_object__find_map_fd_by_name(rig->floors, "bench_tc");
    return 0;
}

/* Let b2 count in an existing row, as b1 does. */
static int fill_floors(struct qpw_bench_rig *rig, struct qpw_error *err)
{
    static const uint32_t port = QPW_BENCH_TCP_PORT;
    int n = qpw_possible_cpus(), r = 0;
    void *values = n > 0 ? calloc((size_t)n, 16) : NULL;

    if (!values)
        return qpw_fail(err, -ENOMEM, "out of memory");
    if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(rig->floors, "bench_hash"), &port, values, BPF_ANY) < 0)
        r = qpw_fail(err, -errno, "cannot make the hash floor's row: %s", strerror(errno));
    free(values);
    return r;
}

/* Write the built-in policy, with a peer, into the kernel. */
static int write_policy(struct qpw_bench_rig *rig, struct qpw_error *err)
{
    struct qpw_compile_context context = {.now = time(NULL)};
    QPW_CLEANUP(qpw_policy_clear) struct qpw_policy policy = {0};
    QPW_CLEANUP(qpw_registry_clear) struct qpw_registry names = {0};
    QPW_CLEANUP(qpw_compiled_clear) struct qpw_compiled compiled = {0};
    int r;

    r = qpw_policy_parse_builtin(QPW_POLICY_DEFAULT_PLATFORM, &policy, err);
    if (r < 0)
        return r;
    r = qpw_policy_add_peer(&policy, "bench=198.51.100.0/24", "bench", err);
    if (r < 0)
        return r;
    r = qpw_policy_compile(&policy, &context, &names, &compiled, err);
    if (r < 0)
        return r;
    return qpw_kernel_set_policy(&rig->kernel, &compiled, &names, err);
}

static int write_node(struct qpw_bench_rig *rig, struct qpw_error *err)
{
    static const struct qpw_iface iface = {.ifindex = IFINDEX_LO, .number = 1, .mac = {2, 0, 0, 0, 0, 1}};
    uint8_t local4[16] = {[10] = 0xff, [11] = 0xff, [12] = QPW_BENCH_LOCAL4 >> 24, [13] = QPW_BENCH_LOCAL4 >> 16 & 255,
                          [14] = QPW_BENCH_LOCAL4 >> 8 & 255, [15] = QPW_BENCH_LOCAL4 & 255};
    const uint8_t *const locals[] = {local4, qpw_bench_local6};
    int r = qpw_kernel_set_iface(&rig->kernel, &iface);

    for (size_t i = 0; r == 0 && i < sizeof(locals) / sizeof(*locals); i++)
        r = qpw_kernel_set_local(&rig->kernel, locals[i], 128, QPW_LOCAL_ADDRESS, /* present= */ true);
    return r < 0 ? qpw_fail(err, r, "cannot write the node's addresses into the kernel: %s", strerror(-r)) : 0;
}

static int ignore_event(void *context, void *data, size_t size)
{
    return 0;
}

struct start {
    uint64_t whole_ns;
    uint64_t policy_ns;
};

/*
 * Load what `attach` loads for an Ethernet interface in XDP mode, in its order: the maps, the programs of XDP ingress
 * and TC egress, and the policy while these are being verified. The caller closes it.
 */
static int time_start(struct start *ret, struct qpw_bench_rig *rig, struct qpw_error *err)
{
    struct qpw_load_options options = {.programs = 1u << QPW_PROG_qpw_xdp_rx | 1u << QPW_PROG_qpw_tc_tx};
    uint64_t start = qpw_clock_monotonic_ns(), begun;
    int r = qpw_kernel_begin(&options, &rig->kernel, err);

    if (r < 0)
        return r;
    begun = qpw_clock_monotonic_ns();
    r = write_policy(rig, err);
    if (r < 0)
        return r;
    ret->policy_ns = qpw_clock_monotonic_ns() - begun;
    r = qpw_kernel_finish(&rig->kernel, err);
    if (r < 0)
        return r;
    ret->whole_ns = qpw_clock_monotonic_ns() - start;
    return 0;
}

static int by_whole(const void *a, const void *b)
{
    const struct start *x = a, *y = b;

    return (x->whole_ns > y->whole_ns) - (x->whole_ns < y->whole_ns);
}

/* Time several starts, and snapshots of many meters before the last instance is discarded. */
static int time_starts(struct qpw_bench_rig *rig, unsigned n, struct qpw_error *err)
{
    struct start starts[QPW_BENCH_STARTS];
    int r = 0;

    for (size_t i = 0; !r && i < n; i++) {
        r = time_start(&starts[i], rig, err);
        if (!r && i == n - 1)
            r = qpw_bench_snapshot(&rig->kernel, &rig->snapshot_ns, err);
        qpw_kernel_close(&rig->kernel);
    }
    if (r)
        return r;
    qsort(starts, n, sizeof(*starts), by_whole);
    rig->load_ns = starts[n / 2].whole_ns;
    rig->policy_ns = starts[n / 2].policy_ns;
    return 0;
}

static int prepare(struct qpw_bench_rig *rig, struct qpw_error *err)
{
    int r = time_starts(rig, rig->starts, err);

    if (r < 0)
        return r;
    r = qpw_kernel_load(&(struct qpw_load_options){0}, &rig->kernel, err);
    if (r < 0)
        return r;
    r = write_policy(rig, err);
    if (r < 0)
        return r;
    r = write_node(rig, err);
    if (r < 0)
        return r;
    r = open_floors(rig, err);
    if (r < 0)
        return r;
    r = fill_floors(rig, err);
    if (r < 0)
        return r;
    rig->events = ring_buffer__new(rig->kernel.map_fd[QPW_MAP_events], ignore_event, NULL, NULL);
    return rig->events ? 0 : qpw_fail(err, -errno, "cannot map the ring of events: %s", strerror(errno));
}

int qpw_bench_rig_open(struct qpw_bench_rig *rig, unsigned starts, struct qpw_error *err)
{
    struct qpw_bench_rig fresh = {.starts = starts < QPW_BENCH_STARTS ? starts : QPW_BENCH_STARTS};
    int r;

    qpw_kernel_init(&fresh.kernel);
    r = prepare(&fresh, err);
    if (r < 0) {
        qpw_bench_rig_close(&fresh);
        return r;
    }
    *rig = fresh;
    return 0;
}

void qpw_bench_rig_close(struct qpw_bench_rig *rig)
{
    ring_buffer__free(rig->events);
    bpf_object__close(rig->floors);
    qpw_kernel_close(&rig->kernel);
    memset(rig, 0, sizeof(*rig));
}

int qpw_bench_send(int prog_fd, const struct qpw_bench_frame *frame, uint32_t repeat, double *ret_ns,
                   struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->data, .data_size_in = frame->length, .repeat = (int)repeat);

    if (bpf_prog_test_run_opts(prog_fd, &run) < 0)
        return qpw_fail(err, -errno, "a test run of a BPF program failed: %s", strerror(errno));
    if (ret_ns)
        *ret_ns = run.duration + 0.5;
    return 0;
}

int qpw_bench_wrap(struct qpw_bench_rig *rig, bool tc, int prog_fd, const struct qpw_bench_flows *flows,
                   struct qpw_error *err)
{
    int n = qpw_possible_cpus(), r = 0;
    struct qpw_bench_flows *values;
    uint32_t zero = 0;

    if (n < 0)
        return qpw_fail(err, n, "cannot tell the number of possible CPUs: %s", strerror(-n));
    values = calloc((size_t)n, sizeof(*values));
    if (!values)
        return qpw_fail(err, -ENOMEM, "out of memory");
    for (int i = 0; i < n; i++)
        values[i] = *flows;
    if (bpf_map_update_elem(rig->flows_fd, &zero, values, BPF_ANY) < 0 ||
        bpf_map_update_elem(rig->target_fd[tc], &zero, &prog_fd, BPF_ANY) < 0)
        r = qpw_fail(err, -errno, "cannot set the wrapper's flows: %s", strerror(errno));
    free(values);
    return r;
}

void qpw_bench_drain(struct qpw_bench_rig *rig)
{
    ring_buffer__consume(rig->events);
}

int qpw_bench_hide_established(struct qpw_bench_rig *rig, struct qpw_error *err)
{
    struct qpw_incarnations *all = rig->kernel.incarnations;

    rig->live = calloc(QPW_INCARNATIONS, sizeof(*rig->live));
    if (!rig->live)
        return qpw_fail(err, -ENOMEM, "out of memory");
    for (uint32_t bucket = 0; bucket < QPW_INCARNATIONS; bucket++) {
        rig->live[bucket] = all->open[bucket].live;
        all->open[bucket].live = 0;
    }
    return 0;
}

void qpw_bench_show_established(struct qpw_bench_rig *rig)
{
    for (uint32_t bucket = 0; bucket < QPW_INCARNATIONS; bucket++)
        rig->kernel.incarnations->open[bucket].live = rig->live[bucket];
    free(rig->live);
    rig->live = NULL;
}

int qpw_bench_forget_half_open(struct qpw_bench_rig *rig, struct qpw_error *err)
{
    struct qpw_half *set = malloc(sizeof(*set));
    int r = set ? 0 : qpw_fail(err, -ENOMEM, "out of memory"), fd = rig->kernel.map_fd[QPW_MAP_conns_half];

    for (uint32_t number = 0; r == 0 && number < rig->kernel.config.half_sets; number++) {
        if (bpf_map_lookup_elem(fd, &number, set) < 0) {
            r = qpw_fail(err, -errno, "cannot read the half-open connections: %s", strerror(errno));
            break;
        }
        for (unsigned way = 0; way < QPW_HALF_WAYS; way++)
            if (!(set->held >> way & 1))
                set->mark[way] = 0;
        if (bpf_map_update_elem(fd, &number, set, BPF_EXIST) < 0)
            r = qpw_fail(err, -errno, "cannot empty the half-open connections: %s", strerror(errno));
    }
    free(set);
    return r;
}

struct qpw_bench_size qpw_bench_program_size(const struct qpw_bench_rig *rig, enum qpw_program program)
{
    struct bpf_prog_info info = {0};
    uint32_t size = sizeof(info);
    struct qpw_bench_size ret = {0};

    if (bpf_obj_get_info_by_fd(rig->kernel.prog_fd[program], &info, &size) < 0)
        return ret;
    ret.verified = info.verified_insns;
    ret.xlated = info.xlated_prog_len;
    ret.jited = info.jited_prog_len;
    return ret;
}
