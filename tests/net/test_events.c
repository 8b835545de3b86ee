/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Five nodes on one bridge, an auditor and a serve on each: what one of them finds, all others know at once. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "host/clock.h"
#include "netns.h"

TestSuite(events_net, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define NODES 5

static struct netns bridge, outside, ns[NODES];
static pid_t auditor[NODES], serve[NODES];
static char folder[64];

static void start_auditor(unsigned i)
{
    char policy[96], log[96], eve[96], state[96];
    char *argv[] = {(char *)PROGRAM, (char *)"attach", (char *)"e0", (char *)"--mode", (char *)"tc", (char *)"--no-tui", (char *)"--no-history",
                    (char *)"--policy", policy, (char *)"--alerts", eve, (char *)"--cluster", state, NULL};

    snprintf(policy, sizeof(policy), "%s/policy", folder);
    snprintf(log, sizeof(log), "%s/log%u", folder, i + 1);
    snprintf(eve, sizeof(eve), "%s/eve%u.json", folder, i + 1);
    snprintf(state, sizeof(state), "%s/state%u", folder, i + 1);
    auditor[i] = netns_start(&ns[i], log, argv);
}

/* Wait for the word that an auditor says when it is there: "attached", or "resumed". */
static void until_audited(unsigned i, const char *word)
{
    char log[96];

    snprintf(log, sizeof(log), "%s/log%u", folder, i + 1);
    netns_until_file(log, word, NETNS_DEADLINE_MS);
}

static void start_serve(unsigned i)
{
    char policy[96], keys[96], state[96], log[96];

    snprintf(policy, sizeof(policy), "%s/policy", folder);
    snprintf(keys, sizeof(keys), "%s/keys%u", folder, i + 1);
    snprintf(state, sizeof(state), "%s/state%u", folder, i + 1);
    snprintf(log, sizeof(log), "%s/serve%u.log", folder, i + 1);
    serve[i] = netns_start(&ns[i], log, (char *[]){(char *)PROGRAM, (char *)"serve", (char *)"--policy", policy, (char *)"--keys", keys,
                                                   (char *)"--state", state, NULL});
}

static void make(void)
{
    netns_need_root();
    snprintf(folder, sizeof(folder), "/tmp/qportwatch-events.XXXXXX");
    cr_assert(mkdtemp(folder));
    bridge = netns_new();
    outside = netns_new();
    netns_run(&bridge, "ip link add br0 type bridge && ip link set br0 up");
    netns_plug(&bridge, &outside, "10.87.0", 200);
    netns_run(&bridge, "printf 'policy test/events\\ninbound tcp 445 SMB\\n' >%s/policy", folder);
    for (unsigned i = 0; i < NODES; i++) {
        ns[i] = netns_new();
        netns_plug(&bridge, &ns[i], "10.87.0", i + 1);
        netns_run(&bridge, "echo \"peer node%u 10.87.0.%u $(" PROGRAM " cluster key --keys %s/keys%u --name node%u | sed -n 's/.* \\(key=.*\\)/\\1/p')\" "
                  ">>%s/policy", i + 1, i + 1, folder, i + 1, i + 1, folder);
    }
    for (unsigned i = 0; i < NODES; i++)
        start_auditor(i);
    for (unsigned i = 0; i < NODES; i++)
        until_audited(i, "attached");
    for (unsigned i = 0; i < NODES; i++)
        start_serve(i);
}

/* Wait until every node's file of each other node matches that pattern of grep. */
static void until_all_know(unsigned of, const char *pattern)
{
    for (unsigned i = 0; i < NODES; i++)
        if (i != of)
            netns_run(&ns[i], "for i in $(seq 3000); do grep -qs '%s' %s/state%u/events/node%u && exit 0; sleep 0.01; done; exit 1", pattern, folder,
                      i + 1, of + 1);
}

static void serve_unlisted(unsigned node, unsigned port)
{
    netns_run(&ns[node], "(echo answer | timeout 20 nc -l -N %u) >/dev/null 2>&1 & for i in $(seq 200); do ss -Hltn sport = %u | grep -q . && "
                         "exit 0; sleep 0.02; done; exit 1", port, port);
}

Test(events_net, an_answered_finding_is_known_to_all_nodes)
{
    static char text[1 << 16];
    uint64_t begun, known;

    make();
    for (unsigned i = 0; i < NODES; i++)
        until_all_know(i, "\"event_type\"");
    serve_unlisted(1, 7003);
    begun = qpw_clock_monotonic_ns();
    netns_run(&outside, "echo x | timeout 5 nc -N 10.87.0.2 7003");
    until_all_know(1, "\"dest_port\":7003.*answered");
    known = qpw_clock_monotonic_ns();
    cr_log_info("from before the exchange until all four peers had written it down: %u ms", (unsigned)((known - begun) / 1000000));
    netns_run(&ns[0], "for i in $(seq 300); do jq -e '.peers[] | select(.name == \"node2\") | .events.newest | contains(\"7003\")' %s/state1/status.json "
              ">/dev/null && exit 0; sleep 0.05; done; cat %s/state1/status.json; exit 1", folder, folder);
    netns_output(&ns[0], text, sizeof(text), PROGRAM " cluster status --cluster %s/state1 2>&1", folder);
    cr_expect(strstr(text, "7003"), "%s", text);
    /* A node that was killed and comes back tells on: nothing is missing, and nothing twice. */
    netns_stop(auditor[1], SIGKILL);
    start_auditor(1);
    until_audited(1, "resumed");
    serve_unlisted(1, 7004);
    netns_run(&outside, "echo x | timeout 5 nc -N 10.87.0.2 7004");
    until_all_know(1, "\"dest_port\":7004.*answered");
    netns_run(&ns[0], "n=$(wc -l <%s/state1/events/node2); head -n $n %s/eve2.json | cmp - %s/state1/events/node2", folder, folder, folder);
    netns_stop(serve[0], SIGTERM);
    start_serve(0);
    serve_unlisted(1, 7005);
    netns_run(&outside, "echo x | timeout 5 nc -N 10.87.0.2 7005");
    until_all_know(1, "\"dest_port\":7005.*answered");
    netns_run(&ns[0], "n=$(wc -l <%s/state1/events/node2); head -n $n %s/eve2.json | cmp - %s/state1/events/node2", folder, folder, folder);
    for (unsigned i = 0; i < NODES; i++) {
        cr_expect_eq(netns_stop(serve[i], SIGTERM), 0);
        netns_stop(auditor[i], SIGTERM);
    }
    netns_run(&bridge, "rm -rf %s", folder);
}
