/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A cluster of 264 nodes from files: everything is compared, what was planted is found, and time and memory are reported. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auditor.h"
#include "cluster/statement.h"

TestSuite(cluster_large, .timeout = NETNS_TIMEOUT_S);

#define NODES 264u
#define SAMPLED 64u
#define LOSSY 17u /* sends to the node behind it, of which half arrives */
#define OTHER 100u /* has another policy in force */

static const char since[] = "2026-01-01T00:00:00.000000Z", at[] = "2026-01-03T00:00:00.000000Z";

static json_t *increments(unsigned first, unsigned each)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < QPW_SAMPLES; i++)
        json_array_append_new(list, json_integer(i ? each : first));
    return list;
}

static bool is_lossy(unsigned from, unsigned to)
{
    return from == LOSSY && to == LOSSY + 1;
}

static json_t *pairs(unsigned node)
{
    json_t *list = json_array(), *by;
    char name[32];

    for (unsigned peer = 0; peer < NODES; peer++) {
        if (peer == node)
            continue;
        by = json_array();
        for (unsigned service = 0; service < 6; service++)
            json_array_append_new(by, json_pack("[s,i,s,i,i,i]", "tcp", 3700 + (int)(service / 2), service % 2 ? "inbound" : "outbound", 50,
                                                20000000, 20000000));
        snprintf(name, sizeof(name), "node%u", peer);
        json_array_append_new(list, json_pack("{s:s,s:[i,I],s:[i,I],s:i,s:o,s:[[s,s]]}", "peer", name, "tx", 120000000, (json_int_t)60000000000,
                                              "rx", 120000000, (json_int_t)60000000000, "apart", 12, "by", by, "macs",
                                              "02:00:00:00:00:01", at));
    }
    return list;
}

/* Of the nodes next to each other, so that both ends sample the other. */
static json_t *samples(unsigned node)
{
    json_t *list = json_array(), *times = json_array();
    char name[32];

    for (unsigned i = 0; i < QPW_SAMPLES; i++)
        json_array_append_new(times, json_integer(i ? 1000000 : 5000000000 + node * 1000000000LL));
    for (unsigned i = 0; i < SAMPLED; i++) {
        unsigned peer = (node + NODES + (i < SAMPLED / 2 ? i - SAMPLED / 2 : i - SAMPLED / 2 + 1)) % NODES;

        snprintf(name, sizeof(name), "node%u", peer);
        json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "peer", name, "tx", increments(1000000, 1000), "rx",
                                              increments(900000, is_lossy(peer, node) ? 500 : 1000)));
    }
    return json_pack("{s:o,s:o,s:o,s:[{s:s,s:o,s:o}],s:i}", "at", times, "reading", increments(40, 40), "pairs", list, "devices", "name", "bond0",
                     "tx", increments(1, 60000), "rx", increments(1, 60000), "left_out", NODES - 1 - SAMPLED);
}

static json_t *ports(void)
{
    json_t *list = json_array();

    for (int i = 0; i < 60; i++)
        json_array_append_new(list, json_pack("[s,i,s,s,s,s,s,s,i]", "tcp", 100 + i, "inbound", "allowed", "in-tcp", "answered", since, at, 0));
    return list;
}

static json_t *neighbours(unsigned node)
{
    json_t *list = json_array();
    char addr[32], mac[24];

    for (unsigned i = 0; i < NODES; i++) {
        snprintf(addr, sizeof(addr), "10.0.%u.%u", 1 + i / 200, 1 + i % 200);
        snprintf(mac, sizeof(mac), "02:00:00:00:%02x:%02x", i / 200, 1 + i % 200);
        if (i != node)
            json_array_append_new(list, json_pack("[s,s,s]", addr, mac, at));
    }
    return list;
}

static void write_statement(const char *folder, unsigned node)
{
    char name[32], epoch[64], addr[32], mac[24], path[128], digest[QPW_STATEMENT_DIGEST];
    json_t *d;

    snprintf(name, sizeof(name), "node%u", node);
    snprintf(epoch, sizeof(epoch), "00000000-0000-0000-0000-%012u:1767225600", node);
    snprintf(addr, sizeof(addr), "10.0.%u.%u", 1 + node / 200, 1 + node % 200);
    snprintf(mac, sizeof(mac), "02:00:00:00:%02x:%02x", node / 200, 1 + node % 200);
    d = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:{s:I,s:i},s:{s:s,s:s,s:i},s:{s:s}}", "schema", QPW_STATEMENT_SCHEMA, "version", "0.1.0", "from",
                  since, "node", name, "epoch", epoch, "seq", 1, "at", at, "clock", "boot_us", (json_int_t)(5120000000 + node * 1000000000LL),
                  "error_us", 500, "policy", "name", "qumulo/on-prem", "digest", node == OTHER ? "sha256:bb" : "sha256:aa", "rules", 36,
                  "answer", "state", "CLEAN");
    json_object_update_new(
        d, json_pack("{s:{s:[{s:s,s:s,s:b,s:s}],s:b},s:[{s:s,s:s,s:b,s:s}],s:o,s:o,s:o,s:o}", "cover", "devices", "name", "bond0", "mode", "tc",
                     "first", 1, "mac", mac, "exact", 1, "local", "addr", addr, "dev", "bond0", "floating", 0, "mac", mac, "pairs", pairs(node),
                     "ports", ports(), "neigh", neighbours(node), "samples", samples(node)));
    json_object_set_new(d, "digest", json_string(qpw_statement_digest(d, digest)));
    snprintf(path, sizeof(path), "%s/%03u.json", folder, node);
    cr_assert_eq(json_dump_file(d, path, JSON_COMPACT), 0);
    json_decref(d);
}

Test(cluster_large, of_264_nodes_from_files)
{
    char folder[] = "/tmp/qportwatch-large.XXXXXX", command[256];
    struct timespec begin, end;
    struct rusage usage;
    json_t *d, *one;
    size_t states[2] = {0}, i;
    int status;

    cr_assert(mkdtemp(folder));
    for (unsigned node = 0; node < NODES; node++)
        write_statement(folder, node);
    snprintf(command, sizeof(command), "cd %s && " QPW_BUILD "/qportwatch cluster compare --json *.json >out", folder);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    status = system(command);
    clock_gettime(CLOCK_MONOTONIC, &end);
    getrusage(RUSAGE_CHILDREN, &usage);
    cr_expect_eq(WEXITSTATUS(status), 3);
    snprintf(command, sizeof(command), "%s/out", folder);
    d = json_load_file(command, 0, NULL);
    cr_assert(d);
    cr_log_warn("264 statements: %.1f s, of which %.1f s of a CPU; %ld MiB at most",
                (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
                (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6, usage.ru_maxrss / 1024);
    cr_expect_lt(usage.ru_maxrss, 1024 * 1024, "KiB");
    cr_expect_eq(json_array_size(node_value(d, "nodes")), NODES);
    cr_expect_eq(json_array_size(node_value(d, "pairs")), NODES * (NODES - 1));
    json_array_foreach (node_value(d, "pairs"), i, one) {
        states[0] += !strcmp(node_text(one, "state"), "conserved");
        states[1] += !strcmp(node_text(one, "state"), "not sampled");
        cr_expect_eq(node_number(one, "opened"), 150);
        cr_expect_eq(node_number(one, "agreed"), 150);
    }
    cr_expect_eq(states[0], NODES * SAMPLED - 1, "%zu", states[0]);
    cr_expect_eq(states[1], NODES * (NODES - 1 - SAMPLED), "%zu", states[1]);
    cr_expect_eq(json_array_size(node_value(d, "differences")), 2u);
    cr_expect_str_eq(node_text(d, "differences.0.what"), "lost-between");
    cr_expect_str_eq(node_text(d, "differences.0.nodes.0"), "node17");
    cr_expect_str_eq(node_text(d, "differences.1.what"), "other-policy");
    cr_expect_str_eq(node_text(d, "differences.1.nodes.0"), "node100");
    json_decref(d);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}
