/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a version whose maps have other structures to this one, under traffic: a program of its own, built with members moved and
 * added (other-layout).
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor.h"
#include "netns.h"
#include "stream.h"
#include "traffic.h"

#define PROGRAM QPW_BUILD "/qportwatch"
#define OTHER QPW_BUILD "/other-layout"

TestSuite(upgrade, .timeout = NETNS_TIMEOUT_S);

/* `attach node0 --keep` of one of the two, which logs its alerts at eve. */
static void attach(struct node *n, const char *program, const char *mode, const char *eve)
{
    n->auditor = netns_start(&n->node, n->log, (char *[]){(char *)program, "attach", "node0", "--mode", (char *)mode, "--no-tui", "--interval", "1",
                             "--keep", "--config", "/dev/null", "--alerts", (char *)eve, NULL});
}

static void expect_same(json_t *before, json_t *after, const char *name)
{
    char *was = json_dumps(json_object_get(before, name), JSON_ENCODE_ANY | JSON_SORT_KEYS), *is = json_dumps(json_object_get(after, name), JSON_ENCODE_ANY | JSON_SORT_KEYS);

    cr_expect_str_eq(is, was, "%s: %s is not %s", name, is, was);
    free(was);
    free(is);
}

static void upgrade(const char *mode)
{
    static const char *const kept[] = {"state", "first", "owner", "outcome", "initiator"};
    json_t *before, *after, *gap;
    struct stream stream;
    struct node n;
    char eve[128], text[256];
    int64_t sent;
    size_t i;

    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
    attach(&n, OTHER "/build/qportwatch", mode, eve);
    netns_until_file(n.log, "node0: attached", NETNS_DEADLINE_MS);
    traffic_serve_tcp(&n.node, "10.7.0.1", 4444);
    traffic_serve_tcp(&n.node, "10.7.0.1", 445);
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 4444, .up = 10, .down = 10});
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 445, .up = 10, .down = 10});
    stream_start(&stream, &n.client, "10.7.0.1", 9999);
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), OTHER "/build/qportwatch ack inbound tcp/4444 --reason old"), 0, "%s", text);
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), OTHER "/build/qportwatch report --json >%s/before"
                              " && " PROGRAM " status", n.folder), 1, "%s", text);
    cr_expect(strstr(text, "was loaded by another version of qportwatch"), "%s", text);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    snprintf(text, sizeof(text), "%s/before", n.folder);
    before = json_load_file(text, 0, NULL);
    cr_assert(before);

    attach(&n, PROGRAM, mode, eve);
    netns_until_file(n.log, "carried over; unseen meanwhile: nothing", NETNS_DEADLINE_MS);
    node_note(&n, "node0");
    sent = stream_end(&stream);
    after = node_report(&n);
    cr_expect_eq(stream_counted(after, 9999), sent, "%s: %ld counted of %ld", mode, (long)stream_counted(after, 9999), (long)sent);
    cr_expect_gt(sent, stream_counted(before, 9999), "traffic went on meanwhile");
    cr_expect_geq(node_number(after, "totals.packets"), node_number(before, "totals.packets"));
    cr_expect_str_eq(node_text(after, "from"), node_text(before, "from"));
    for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        expect_same(node_finding(before, 4444), node_finding(after, 4444), kept[i]);
    cr_expect_str_eq(node_text(node_finding(after, 4444), "state"), "acknowledged");
    cr_expect_eq(node_number(node_finding(after, 4444), "bytes"), node_number(node_finding(before, 4444), "bytes"));
    json_array_foreach (node_value(after, "coverage.gaps"), i, gap)
        cr_expect_str_eq(json_string_value(json_object_get(gap, "why")), "auditor-gap", "%s: packets passed unseen", mode);
    json_decref(before);
    json_decref(after);
    cr_expect_eq(node_command(&n, NULL, 0, "detach"), 0);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

Test(upgrade, of_a_version_with_other_structures)
{
    struct netns here;
    char text[4096];

    netns_need_root();
    here = netns_here();
    cr_assert_eq(netns_output(&here, text, sizeof(text), "tests/all/other-layout " OTHER), 0, "%s", text);
    netns_close(&here);
    upgrade("tc");
    upgrade("xdp");
}
