/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every JSON document begins with the same keys, whichever command wrote it. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"

TestSuite(documents, .timeout = NETNS_TIMEOUT_S);

#define FTP "../shared/captures/zeek-ftp-ipv4.pcap"

static char output[4 << 20];

/* Return whether it is a time such as "2026-11-23T21:56:47.123456Z". */
static bool is_time(const json_t *value)
{
    unsigned n[7];
    char z;

    return sscanf(json_is_string(value) ? json_string_value(value) : "", "%4u-%2u-%2uT%2u:%2u:%2u.%6u%c", &n[0], &n[1],
                  &n[2], &n[3], &n[4], &n[5], &n[6], &z) == 8 && z == 'Z';
}

/* Expect the node's answer in a document about a node, and none in one about a policy or the program. */
static void expect_answer(const json_t *d, const char *schema)
{
    static const char *const about_nodes[] = {"qportwatch.status/1", "qportwatch.report/1", "qportwatch.findings/1",
                                              "qportwatch.policy-test/1", "qportwatch.listeners/1",
                                              "qportwatch.connections/1", "qportwatch.statement/1"};
    static const char *const states[] = {"CLEAN", "PROBED", "ACTION NEEDED", "BLIND", "DETAIL LOST"};
    json_t *answer = json_object_get(d, "answer");
    bool about_node = false, known = false;

    for (size_t i = 0; i < sizeof(about_nodes) / sizeof(*about_nodes); i++)
        about_node |= !strcmp(schema, about_nodes[i]);
    cr_expect_eq(answer != NULL, about_node, "%s", schema);
    if (!answer)
        return;
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        known |= !strcmp(node_text(answer, "state"), states[i]);
    cr_expect(known, "%s: %s", schema, node_text(answer, "state"));
    cr_expect_str_not_empty(node_text(answer, "text"), "%s", schema);
    cr_expect(json_object_get(answer, "since") && json_object_get(answer, "worst"), "%s", schema);
    cr_expect(json_is_array(json_object_get(answer, "also")), "%s", schema);
}

/* Run a command and return its document, which the caller releases. policy: its name, NULL if the document is not about one. */
static json_t *document(const struct netns *ns, int status, const char *schema, const char *policy,
                        const char *arguments)
{
    json_error_t error;
    json_t *d, *p;

    cr_expect_eq(netns_output(ns, output, sizeof(output), QPW_BUILD "/qportwatch %s 2>/dev/null", arguments), status,
                 "%s",
                 arguments);
    d = json_loads(output, 0, &error);
    cr_assert(d, "%s: %s in %.200s", arguments, error.text, output);
    cr_expect_str_eq(node_text(d, "schema"), schema, "%s", arguments);
    cr_expect_str_not_empty(node_text(d, "version"), "%s", arguments);
    cr_expect_str_not_empty(node_text(d, "host"), "%s", arguments);
    cr_expect(json_is_array(node_value(d, "interfaces")), "%s", arguments);
    cr_expect(is_time(node_value(d, "from")) && is_time(node_value(d, "to")), "%s", arguments);
    expect_answer(d, schema);
    p = node_value(d, "policy");
    if (!policy) {
        cr_expect(json_is_null(p), "%s", arguments);
        return d;
    }
    cr_expect_str_eq(node_text(p, "name"), policy, "%s", arguments);
    cr_expect_eq(strlen(node_text(p, "digest")), 71u, "%s", arguments);
    cr_expect(json_object_get(p, "source_digest"), "%s", arguments);
    return d;
}

Test(documents, of_policies_and_of_the_program)
{
    struct netns here;

    netns_need_root();
    here = netns_here();
    json_decref(document(&here, 0, "qportwatch.policy/1", "qumulo/aws", "policy show --json aws"));
    json_decref(document(&here, 0, "qportwatch.policy/1", "qumulo/aws", "policy export --json aws"));
    json_decref(document(&here, 0, "qportwatch.policy-check/1", "qumulo/azure", "policy check --json azure"));
    json_decref(document(&here, 3, "qportwatch.policy-diff/1", "qumulo/azure", "policy diff --json aws azure"));
    json_decref(document(&here, 0, "qportwatch.signatures/1", NULL, "alerts --signatures --json"));
    json_decref(document(&here, 0, "qportwatch.bench/1", NULL, "bench --quick --rounds 1 --cases vlan --json"));
    netns_close(&here);
}

Test(documents, of_captures)
{
    struct netns here;
    json_t *d;

    netns_need_root();
    if (access(FTP, R_OK) < 0)
        cr_skip_test("%s is not there", FTP);
    here = netns_here();
    d = document(&here, 0, "qportwatch.policy-test/1", "qumulo/aws",
                 "policy test aws --local 199.233.217.249 --json " FTP);
    cr_expect_str_eq(node_text(d, "from"), "2012-02-21T16:52:41.968492Z", "the capture's time");
    cr_expect_str_eq(node_text(d, "old_policy"), "qumulo/on-prem");
    json_decref(d);
    d = document(&here, 0, "qportwatch.report/1", "qumulo/on-prem",
                 "replay --platform on-prem --local 199.233.217.249 --json "
                 FTP);
    cr_expect_str_eq(node_text(d, "from"), "2012-02-21T16:52:41.968492Z");
    json_decref(d);
    json_decref(document(&here, 0, "qportwatch.findings/1", "qumulo/on-prem",
                         "replay --platform on-prem --local 199.233.217.249 --findings --json " FTP));
    netns_close(&here);
}

/* Expect that what the tables are for adds up to what they take. */
static void expect_memory_by_use(json_t *status)
{
    json_int_t sum = 0;
    const char *name;
    json_t *bytes;

    json_object_foreach(json_object_get(status, "memory"), name, bytes)
        sum += json_integer_value(bytes);
    cr_expect_eq(sum, node_number(status, "memory_bytes"), "%lld of %lld", (long long)sum,
                 (long long)node_number(status, "memory_bytes"));
    cr_expect_gt(node_number(status, "memory.connections"), 10 << 20);
}

/* Expect what serve left in the auditor's directory in documents of its own, and in the report in all formats. */
static void expect_cluster(struct node *n)
{
    static const char *const commands[] = {"status", "report"};
    char path[256], arguments[400], schema[64];
    json_t *d;

    node_write(n, "status.json",
               "{\"schema\":\"qportwatch.cluster-status/1\",\"node\":\"node1\",\"at\":\"2026-01-01T00:00:00Z\",\"peers\":[{\"name\":\"node2\"}]}", path,
               sizeof(path));
    node_write(n, "found.json",
               "{\"schema\":\"qportwatch.found/1\",\"at\":\"2026-01-01T00:00:00Z\",\"found\":[{\"id\":\"0000000000000001\",\"signature\":\"cluster-blind\","
               "\"what\":\"blind-device\",\"subject\":\"node2\",\"text\":\"node2 is blind on e7\",\"since\":\"2026-01-01T00:00:00Z\"}]}",
               path, sizeof(path));
    for (size_t i = 0; i < 2; i++) {
        snprintf(arguments, sizeof(arguments), "cluster %s --json --cluster %s", commands[i], n->folder);
        snprintf(schema, sizeof(schema), "qportwatch.cluster-%s/1", commands[i]);
        d = document(&n->node, 3, schema, NULL, arguments);
        cr_expect_str_eq(node_text(d, "peers.0.name"), "node2");
        json_decref(d);
    }
    d = document(&n->node, 0, "qportwatch.report/1", "test/documents", "report --json");
    cr_expect_str_eq(node_text(d, "cluster.peers.0.name"), "node2");
    cr_expect_str_eq(node_text(d, "cluster.found.0.severity"), "high");
    json_decref(d);
    netns_output(&n->node, output, sizeof(output), QPW_BUILD "/qportwatch report");
    cr_expect(strstr(output, "CLUSTER") && strstr(output, "node2 is blind on e7"), "%s", output);
    netns_output(&n->node, output, sizeof(output), QPW_BUILD "/qportwatch report --format html");
    cr_expect(strstr(output, "<h2 id=\"cluster\">") && strstr(output, "node2 is blind on e7"), "%.3000s", output);
    netns_output(&n->node, output, sizeof(output), QPW_BUILD "/qportwatch top --once --tab cluster");
    cr_expect(strstr(output, "node2 is blind on e7"), "%s", output);
    netns_output(&n->node, output, sizeof(output), QPW_BUILD "/qportwatch report --anonymize %s/key 2>/dev/null", n->folder);
    cr_expect(strstr(output, "left out: its sentences name nodes and addresses") && !strstr(output, "node2") && !strstr(output, "on e7"), "%s", output);
}

Test(documents, of_what_is_attached_and_of_nothing)
{
    static const char policy[] = "policy test/documents\ninbound tcp 445 SMB\n";
    char path[128], arguments[256];
    struct node n;
    json_t *d;

    node_open(&n);
    d = document(&n.node, 3, "qportwatch.status/1", NULL, "status --json");
    cr_expect(json_is_false(node_value(d, "attached")));
    cr_expect(strstr(node_text(d, "why"), "not attached in this network namespace"));
    cr_expect(json_is_null(node_value(d, "auditor.pid")));
    cr_expect(json_is_true(node_value(d, "auditor.stale")));
    json_decref(d);
    d = document(&n.node, 0, "qportwatch.listeners/1", "qumulo/on-prem", "listeners --platform on-prem --json");
    cr_expect_str_eq(node_text(d, "answer.state"), "BLIND");
    cr_expect(strstr(node_text(d, "answer.text"), "not attached in this network namespace"));
    json_decref(d);
    node_write(&n, "policy", policy, path, sizeof(path));
    node_attach(&n, "node0 --policy %s --cluster %s --sensor-name n\xe4he", path, n.folder); /* not UTF-8 */
    d = document(&n.node, 0, "qportwatch.status/1", "test/documents", "status --json");
    cr_expect_str_eq(node_text(d, "host"), "n?he", "the name that the alerts have");
    cr_expect(json_is_true(node_value(d, "attached")));
    cr_expect_str_eq(node_text(d, "interfaces.0.name"), "node0");
    cr_expect(strstr(node_text(d, "command"), " --sensor-name n?he"), "what is not UTF-8 costs no more than itself: %s",
              node_text(d, "command"));
    expect_memory_by_use(d);
    json_decref(d);
    json_decref(document(&n.node, 0, "qportwatch.report/1", "test/documents", "report --json"));
    d = document(&n.node, 0, "qportwatch.listeners/1", "test/documents", "listeners --json");
    cr_expect_str_eq(node_text(d, "answer.state"), "CLEAN");
    json_decref(d);
    json_decref(document(&n.node, 0, "qportwatch.connections/1", "test/documents", "connections --json"));
    d = document(&n.node, 0, "qportwatch.statement/1", "test/documents", "statement --samples");
    cr_expect_str_eq(node_text(d, "node"), "n?he");
    cr_expect_eq(node_number(d, "policy.rules") > 0, true);
    cr_expect_str_eq(node_text(d, "cover.devices.0.name"), "node0");
    json_decref(d);
    netns_run(&n.node, QPW_BUILD "/qportwatch statement >%s/statement.json", n.folder);
    snprintf(arguments, sizeof(arguments), "cluster compare --json %s/statement.json", n.folder);
    json_decref(document(&n.node, 0, "qportwatch.cluster-compare/1", NULL, arguments));
    expect_cluster(&n);
    netns_output(&n.node, output, sizeof(output), QPW_BUILD "/qportwatch report --format html");
    cr_expect(strstr(output, " data-answer=\"CLEAN\">CLEAN: "), "%.3000s", output);
    json_decref(document(&n.node, 0, "qportwatch.report/1", "test/documents", "top --once --json"));
    d = document(&n.node, 0, "qportwatch.policy-diff/1", "test/documents", "policy diff --json");
    cr_expect_eq(json_array_size(node_value(d, "differences")), 0, "in force against its file");
    json_decref(d);
    cr_expect_eq(netns_output(&n.node, output, sizeof(output), QPW_BUILD "/qportwatch top --once --lines --tab ports"), 0, "ends");
    cr_expect(strstr(output, "n?he "), "%.200s", output);
    snprintf(arguments, sizeof(arguments), "policy test --json %s", path);
    d = document(&n.node, 0, "qportwatch.policy-test/1", "test/documents", arguments);
    cr_expect_str_eq(node_text(d, "interfaces.0"), "node0");
    json_decref(d);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}
