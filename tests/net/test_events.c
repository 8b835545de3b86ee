/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Five nodes on one bridge, an auditor and a serve on each: what one of them finds, all others know at once. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "auditor.h"
#include "host/clock.h"
#include "nodes.h"

TestSuite(events_net, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define NODES 5

/* Wait until every node's file of each other node matches that pattern of grep. */
static void until_all_know(const struct nodes *c, size_t of, const char *pattern)
{
    for (size_t i = 0; i < c->n; i++)
        if (i != of)
            netns_run(&c->bridge, "for i in $(seq 3000); do grep -qs '%s' %s/node%zu/state/events/node%zu && exit 0; sleep 0.01; done; exit 1",
                      pattern, c->folder, i + 1, of + 1);
}

/* Let node2 answer at a port that no rule lists, and the outside host ask there. */
static void exchange(const struct nodes *c, unsigned port)
{
    netns_run(&c->ns[1], "(echo answer | timeout 20 nc -l -N %u) >/dev/null 2>&1 & for i in $(seq 200); do ss -Hltn sport = %u | grep -q . && "
                         "exit 0; sleep 0.02; done; exit 1", port, port);
    netns_run(&c->outside, "echo x | timeout 5 nc -N 10.88.0.2 %u", port);
}

/* Nothing is missing in what node1 keeps of node2, and nothing twice: it is the beginning of node2's log. */
static void expect_whole(const struct nodes *c)
{
    netns_run(&c->bridge, "cd %s && n=$(wc -l <node1/state/events/node2); head -n $n node2/eve.json | cmp - node1/state/events/node2", c->folder);
}

Test(events_net, an_answered_finding_is_known_to_all_nodes)
{
    static char text[1 << 16];
    uint64_t begun, known;
    struct nodes c;

    nodes_open(&c, NODES);
    nodes_start(&c);
    for (size_t i = 0; i < NODES; i++)
        until_all_know(&c, i, "\"event_type\"");
    begun = qpw_clock_monotonic_ns();
    exchange(&c, 7003);
    until_all_know(&c, 1, "\"dest_port\":7003.*answered");
    known = qpw_clock_monotonic_ns();
    cr_log_info("from before the exchange until all four peers had written it down: %u ms", (unsigned)((known - begun) / 1000000));
    netns_run(&c.bridge, "cd %s && for i in $(seq 300); do jq -e '.peers[] | select(.name == \"node2\") | .events.newest | contains(\"7003\")' "
              "node1/state/status.json >/dev/null && exit 0; sleep 0.05; done; cat node1/state/status.json; exit 1", c.folder);
    netns_output(&c.ns[0], text, sizeof(text), PROGRAM " cluster status --cluster %s/node1/state 2>&1", c.folder);
    cr_expect(strstr(text, "7003"), "%s", text);
    nodes_kill(&c.auditor[1]); /* and comes back: it tells on */
    nodes_attach(&c, 1);
    exchange(&c, 7004);
    until_all_know(&c, 1, "\"dest_port\":7004.*answered");
    expect_whole(&c);
    nodes_kill(&c.auditor[1]);
    netns_run(&c.ns[1], PROGRAM " detach"); /* writes its record into the log itself */
    nodes_attach(&c, 1);
    until_all_know(&c, 1, "\"module\":\"detached\"");
    expect_whole(&c);
    cr_expect_eq(netns_stop(c.serve[0], SIGTERM), 0);
    nodes_serve(&c, 0);
    exchange(&c, 7005);
    until_all_know(&c, 1, "\"dest_port\":7005.*answered");
    expect_whole(&c);
    nodes_close(&c);
}
