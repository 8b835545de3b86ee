/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `bench`: each case measures what its name means, and its JSON has the documented form. The cost of a packet is never
 * asserted here, because a stopwatch in a test mostly measures how busy the machine is.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/bench.h"
#include "bpf/tag.h"
#include "cpu.h"
#include "netns.h"
#include "snapshot/conns.h"

static const char *const names[] = {"known-tcp", "known-udp", "known-64k", "new-connection", "udp-open", "vlan",
                                    "qinq",      "ipv6",      "ipv6-ext",  "fragment",       "peer",
                                    "scan-64k",  "scan-new",  "flood-syn", "reload",         "two-cpus",
                                    "rescan",    "new-connection-64k", "short-connection"};
enum { NAMES = sizeof(names) / sizeof(*names) };

/* Run `qportwatch bench ARGUMENTS` with its output in out. Returns its exit status. */
static int bench(const char *arguments, char *out, size_t size)
{
    char command[256];
    size_t n;
    FILE *f;

    snprintf(command, sizeof(command), QPW_BUILD "/qportwatch bench %s 2>&1", arguments);
    f = popen(command, "r");
    cr_assert(f != NULL);
    n = fread(out, 1, size - 1, f);
    out[n] = 0;
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(bench, json_has_every_case_on_both_hooks, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    static char out[65536];
    json_t *root, *machine, *floors, *cases;
    json_error_t error;

    cr_assert_eq(bench("--json --rounds 1", out, sizeof(out)), 0, "%s", out);
    root = json_loads(out, 0, &error);
    cr_assert(root != NULL, "%s", error.text);
    machine = json_object_get(root, "machine");
    cr_assert_eq(json_integer_value(json_object_get(machine, "snapshot_meters")), 5000);
    cr_assert(json_number_value(json_object_get(machine, "snapshot_ms")) > 0);
    cr_assert(json_number_value(json_object_get(json_object_get(root, "sockets"), "bare_ns")) > 0);
    cr_assert(json_number_value(json_object_get(json_object_get(root, "sockets"), "noted_ns")) > 0);
    floors = json_object_get(root, "floors");
    for (size_t i = 0; i < 4; i++) {
        static const char *const floor[] = {"pass", "array", "hash", "tc-empty"};

        cr_assert(json_number_value(json_object_get(floors, floor[i])) > 0, "%s", floor[i]);
    }
    cases = json_object_get(root, "cases");
    for (size_t n = 0; n < 2 * NAMES; n++) {
        const char *hook = n % 2 ? "tc" : "xdp";
        size_t found = 0, i;
        json_t *c;

        json_array_foreach(cases, i, c) {
            if (strcmp(json_string_value(json_object_get(c, "name")), names[n / 2]) ||
                strcmp(json_string_value(json_object_get(c, "hook")), hook))
                continue;
            found++;
            cr_assert(json_number_value(json_object_get(c, "ns")) > 0);
            cr_assert(json_number_value(json_object_get(c, "best")) <= json_number_value(json_object_get(c, "ns")));
            cr_assert(json_is_real(json_object_get(c, "vs_array")) && json_is_real(json_object_get(c, "net")));
        }
        if (!strcmp(names[n / 2], "two-cpus") && libbpf_num_possible_cpus() < 2)
            continue;
        cr_assert_eq(found, 1, "%s on %s: %zu times", names[n / 2], hook, found);
    }
    json_decref(root);
}

Test(bench, only_the_cases_asked_for, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    static char out[65536];
    json_t *root;

    cr_assert_eq(bench("--json --rounds 1 --cases known-tcp,vlan", out, sizeof(out)), 0, "%s", out);
    root = json_loads(out, 0, NULL);
    cr_assert_eq(json_array_size(json_object_get(root, "cases")), 4);
    json_decref(root);
}

/* A core's share follows from the cost of known packets: it is four times as much at 100 Gbit/s as at 25. */
Test(bench, says_what_share_of_a_core_a_full_link_needs, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    static char out[65536];
    double net, packets = 10e9 / 8 / 1538;
    json_t *root, *shares;

    cr_assert_eq(bench("--json --rounds 1 --cases known-udp", out, sizeof(out)), 0, "%s", out);
    root = json_loads(out, 0, NULL);
    cr_expect_eq(json_array_size(json_object_get(root, "core_share")), 0, "no case that it follows from");
    json_decref(root);
    cr_assert_eq(bench("--json --rounds 1 --cases known-tcp", out, sizeof(out)), 0, "%s", out);
    root = json_loads(out, 0, NULL);
    shares = json_object_get(root, "core_share");
    cr_assert_eq(json_array_size(shares), 6);
    for (size_t i = 0; i < 6; i++) {
        static const int links[] = {10, 25, 100};
        json_t *one = json_array_get(shares, i);

        net = json_number_value(json_object_get(json_array_get(json_object_get(root, "cases"), i / 3), "net"));
        cr_expect_eq(json_integer_value(json_object_get(one, "gbit_per_second")), links[i % 3]);
        cr_expect_str_eq(json_string_value(json_object_get(one, "hook")), i < 3 ? "xdp" : "tc");
        cr_expect_float_eq(json_number_value(json_object_get(one, "share")), net * packets * links[i % 3] / 10 / 1e9, 1e-6);
    }
    json_decref(root);
}

/* The verifier's log goes to standard error, so that the document on standard output stays whole. */
Test(bench, verbose_shows_the_verifiers_log, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    static const char *const programs[] = {"qpw_xdp_rx", "qpw_tc_rx", "qpw_tc_tx", "bench_pass", "bench_empty"};
    static char out[65536];
    const char *document;
    char begins[80];
    json_t *root;

    cr_assert_eq(bench("--json --rounds 1 --cases vlan -v", out, sizeof(out)), 0, "%s", out);
    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
        snprintf(begins, sizeof(begins), "prog '%s': -- BEGIN PROG LOAD LOG --\n", programs[i]);
        cr_expect(strstr(out, begins), "%s: %s", programs[i], out);
    }
    cr_expect(strstr(out, "\nprocessed "), "%s", out);
    document = strstr(out, "\n{\n");
    cr_assert(document != NULL, "%s", out);
    root = json_loads(document, 0, NULL);
    cr_expect_eq(json_array_size(json_object_get(root, "cases")), 2, "%s", document);
    json_decref(root);
}

Test(bench, live_counts_packets_and_leaves_nothing, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    static char out[65536];
    json_t *root, *live;

    cr_assert_eq(bench("--json --live --rounds 1 --cases known-tcp", out, sizeof(out)), 0, "%s", out);
    root = json_loads(out, 0, NULL);
    live = json_object_get(root, "live");
    cr_assert(json_number_value(json_object_get(live, "empty_pps")) > 0);
    cr_assert(json_number_value(json_object_get(live, "audit_pps")) > 0);
    json_decref(root);
    struct netns here = netns_here();
    cr_assert_eq(netns_ifindex(&here, "qpwbench0"), 0);
    cr_assert_eq(netns_ifindex(&here, "qpwbench1"), 0);
    netns_close(&here);
}

Test(bench, says_what_is_wrong_with_its_options)
{
    char out[4096];

    cr_assert_eq(bench("--cases known-tcp,nonsense", out, sizeof(out)), 2);
    cr_assert(strstr(out, "nonsense") != NULL, "%s", out);
    cr_assert_eq(bench("--rounds 0", out, sizeof(out)), 2);
    cr_assert_eq(bench("surplus", out, sizeof(out)), 2);
}

static void count_one(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *n)
{
    (void)key;
    (void)conn;
    ++*(size_t *)n;
}

/* Return the number of connections of that class. */
static size_t entries(const struct qpw_bench_rig *rig, enum qpw_conn_class conn_class)
{
    size_t n = 0;

    cr_assert_eq(qpw_conns_walk(&rig->kernel, conn_class, count_one, &n), 0);
    return n;
}

/* Return the sum of a statistic over all CPUs. */
static uint64_t statistic(const struct qpw_bench_rig *rig, uint32_t index)
{
    uint64_t values[256], sum = 0;

    cr_assert(libbpf_num_possible_cpus() <= 256);
    cr_assert_eq(bpf_map_lookup_elem(rig->kernel.map_fd[QPW_MAP_losses], &index, values), 0);
    for (int i = 0; i < libbpf_num_possible_cpus(); i++)
        sum += values[i];
    return sum;
}

/*
 * The "known" cases are known connections: established by a handshake, and no others are opened while they are
 * measured.
 */
Test(bench, known_connections_are_known, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    struct qpw_bench_rig rig;
    struct qpw_error err = {{0}};
    double ns;

    cr_assert_eq(qpw_bench_rig_open(&rig, 1, &err), 0, "%s", err.text);
    for (size_t i = 0; i < qpw_bench_n_cases; i++) {
        const struct qpw_bench_case *c = &qpw_bench_cases[i];

        if (c->tc || (strcmp(c->name, "known-64k") && strcmp(c->name, "known-udp")))
            continue;
        cr_assert_eq(qpw_bench_prime(&rig, c, &err), 0, "%s", err.text);
        uint64_t opened = statistic(&rig, QPW_STAT_OPENED(QPW_CLASS_HALF));

        cr_assert_eq(qpw_bench_sample_case(&rig, c, -1, &ns, &err), 0, "%s", err.text);
        cr_assert_eq(statistic(&rig, QPW_STAT_OPENED(QPW_CLASS_HALF)), opened, "%s", c->name);
    }
    cr_assert_eq(entries(&rig, QPW_CLASS_EST), QPW_BENCH_FLOWS);
    cr_assert_eq(entries(&rig, QPW_CLASS_DGRAM), 1);
    qpw_bench_rig_close(&rig);
}

/* Of the two cases of the node's answers, one finds the owner of each, the other finds none. */
Test(bench, answers_have_an_owner_where_it_is_looked_for, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    struct qpw_bench_rig rig;
    struct qpw_error err = {{0}};
    struct qpw_half *set = malloc(sizeof(*set));
    double ns;

    cr_assert_eq(qpw_bench_rig_open(&rig, 1, &err), 0, "%s", err.text);
    for (size_t i = 0; i < qpw_bench_n_cases; i++) {
        const struct qpw_bench_case *c = &qpw_bench_cases[i];
        unsigned owned = 0, all = 0;

        if (c->what != QPW_DO_ANSWER && c->what != QPW_DO_ANSWER_UNOWNED)
            continue;
        cr_assert_eq(qpw_bench_sample_case(&rig, c, -1, &ns, &err), 0, "%s", err.text);
        for (uint32_t n = 0; n < rig.kernel.config.half_sets; n++) {
            cr_assert_eq(bpf_map_lookup_elem(rig.kernel.map_fd[QPW_MAP_conns_half], &n, set), 0);
            for (unsigned way = 0; way < QPW_HALF_WAYS; way++) {
                all += set->mark[way] != 0;
                owned += set->mark[way] && set->entry[way].conn.owner;
            }
        }
        cr_expect_gt(all, 0, "%s", c->name);
        cr_expect_eq(owned, c->what == QPW_DO_ANSWER ? all : 0, "%s: %u of %u", c->name, owned, all);
    }
    free(set);
    qpw_bench_rig_close(&rig);
}

static const struct qpw_bench_case *case_of(const char *name)
{
    const struct qpw_bench_case *c = qpw_bench_cases;

    while (strcmp(c->name, name))
        c++;
    return c;
}

/* Pin this thread as `bench` does: flows are per CPU, so migrating midway would send some twice and others never. */
static void stay_on_this_cpu(void)
{
    cr_assert(cpu_stay());
}

/*
 * A short connection is complete: handshake, payload both ways, closed by both ends, and it makes no other connection.
 */
Test(bench, short_connections_are_whole, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    struct qpw_bench_rig rig;
    struct qpw_error err = {{0}};
    struct qpw_half *set = malloc(sizeof(*set));
    unsigned closed = 0, all = 0;
    double ns = 0;

    stay_on_this_cpu();
    cr_assert_eq(qpw_bench_rig_open(&rig, 1, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_bench_sample_case(&rig, case_of("short-connection"), -1, &ns, &err), 0, "%s", err.text);
    cr_expect_gt(ns, 0);
    cr_expect_eq(statistic(&rig, QPW_STAT_OPENED(QPW_CLASS_EST)), 1024);
    cr_expect_eq(statistic(&rig, QPW_STAT_CLOSED(QPW_CLASS_EST)), 1024);
    for (uint32_t n = 0; n < rig.kernel.config.half_sets; n++) {
        cr_assert_eq(bpf_map_lookup_elem(rig.kernel.map_fd[QPW_MAP_conns_half], &n, set), 0);
        for (unsigned way = 0; way < QPW_HALF_WAYS; way++) {
            all += set->mark[way] != 0;
            closed += set->mark[way] && set->entry[way].conn.state == QPW_STATE_CLOSED &&
                      set->entry[way].conn.outcome == QPW_OUTCOME_DATA;
        }
    }
    cr_expect_eq(all, 1024);
    cr_expect_eq(closed, 1024);
    free(set);
    qpw_bench_rig_close(&rig);
}

/* The cache answers no packet of a rescan: each one stores its number in its own entry, as far as there are entries. */
Test(bench, a_rescan_is_no_news_but_not_cached, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    struct qpw_bench_rig rig;
    struct qpw_error err = {{0}};
    struct qpw_half *set = malloc(sizeof(*set));
    unsigned same = 0, all = 0;
    uint32_t isn = 0;
    double ns;

    stay_on_this_cpu();
    cr_assert_eq(qpw_bench_rig_open(&rig, 1, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_bench_sample_case(&rig, case_of("rescan"), -1, &ns, &err), 0, "%s", err.text);
    for (uint32_t n = 0; n < rig.kernel.config.half_sets; n++) {
        cr_assert_eq(bpf_map_lookup_elem(rig.kernel.map_fd[QPW_MAP_conns_half], &n, set), 0);
        for (unsigned way = 0; way < QPW_HALF_WAYS; way++) {
            if (set->mark[way] && set->entry[way].conn.isn > isn)
                isn = set->entry[way].conn.isn;
            all += set->mark[way] != 0;
        }
    }
    for (uint32_t n = 0; n < rig.kernel.config.half_sets; n++) {
        cr_assert_eq(bpf_map_lookup_elem(rig.kernel.map_fd[QPW_MAP_conns_half], &n, set), 0);
        for (unsigned way = 0; way < QPW_HALF_WAYS; way++)
            same += set->mark[way] && set->entry[way].conn.isn == isn;
    }
    cr_expect_gt(all, 60000, "%u", all);
    cr_expect_eq(same, all, "%u of %u have the last sweep's number", same, all);
    free(set);
    qpw_bench_rig_close(&rig);
}

/* What is taken out between samples is half-open: the established that stand in their sets are known from then on, too. */
Test(bench, the_established_are_not_forgotten, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    struct qpw_half *set = malloc(sizeof(*set));
    struct qpw_bench_rig rig;
    struct qpw_error err = {{0}};
    unsigned held = 0, all = 0;
    double ns;

    stay_on_this_cpu();
    cr_assert_eq(qpw_bench_rig_open(&rig, 1, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_bench_prime(&rig, case_of("known-tcp"), &err), 0, "%s", err.text);
    cr_assert_eq(qpw_bench_sample_case(&rig, case_of("flood-syn"), -1, &ns, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_bench_forget_half_open(&rig, &err), 0, "%s", err.text);
    for (uint32_t n = 0; n < rig.kernel.config.half_sets; n++) {
        cr_assert_eq(bpf_map_lookup_elem(rig.kernel.map_fd[QPW_MAP_conns_half], &n, set), 0);
        for (unsigned way = 0; way < QPW_HALF_WAYS; way++)
            all += set->mark[way] != 0;
        held += (unsigned)__builtin_popcount(set->held);
    }
    cr_expect_eq(held, 1);
    cr_expect_eq(all, 1);
    free(set);
    qpw_bench_rig_close(&rig);
}

/* Return whether the cache alone answers a packet of the case's connection, whose entry is deleted behind its back. */
static bool goes_by_cache(void *argument)
{
    struct qpw_bench_rig *rig = argument;
    const struct qpw_bench_case *c = case_of("known-udp");
    struct qpw_error err = {{0}};
    struct qpw_conn_key key;
    uint64_t opened;
    double ns;

    cr_assert_eq(qpw_bench_prime(rig, c, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_bench_sample_case(rig, c, -1, &ns, &err), 0, "%s", err.text);
    cr_assert_eq(bpf_map_get_next_key(rig->kernel.map_fd[QPW_MAP_conns_dgram], NULL, &key), 0);
    cr_assert_eq(bpf_map_delete_elem(rig->kernel.map_fd[QPW_MAP_conns_dgram], &key), 0);
    opened = statistic(rig, QPW_STAT_OPENED(QPW_CLASS_HALF));
    cr_assert_eq(qpw_bench_sample_case(rig, c, -1, &ns, &err), 0, "%s", err.text);
    return statistic(rig, QPW_STAT_OPENED(QPW_CLASS_HALF)) == opened;
}

/* Known connections are cached however often others changed that share a bucket of the incarnations with them. */
Test(bench, known_is_cached_after_any_number_of_changes, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S)
{
    static const uint32_t numbers[] = {0, 65535, 70000, 0xfffffff0};
    struct qpw_bench_rig rig;
    struct qpw_error err = {{0}};

    cr_assert_eq(qpw_bench_rig_open(&rig, 1, &err), 0, "%s", err.text);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        for (size_t n = 0; n < QPW_INCARNATIONS; n++)
            rig.kernel.incarnations->other[n] = rig.kernel.incarnations->open[n].syn = numbers[i];
        /* The same when an entry's time has just expired. */
        cr_assert(netns_until(goes_by_cache, &rig, NETNS_DEADLINE_MS), "%u", numbers[i]);
    }
    qpw_bench_rig_close(&rig);
}
