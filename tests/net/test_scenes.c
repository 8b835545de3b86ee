/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Five nodes that serve: one scan of all, and a record that an intruder takes out of a log. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "nodes.h"

TestSuite(scenes, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define NODES 5

static bool is_everywhere(void *argument)
{
    return nodes_count_all(argument, "scan") == NODES && nodes_count_all(argument, "cluster-scan") >= 1;
}

/* Return whether node2 has kept a head of node1's log. */
static bool is_heard(void *argument)
{
    const struct nodes *c = argument;

    return netns_output(&c->bridge, NULL, 0, "[ -s %s/node2/state/heads/node1 ]", c->folder) == 0;
}

/* Whether node2 has kept the newest record of node1's log as an event. */
static bool is_kept(void *argument)
{
    const struct nodes *c = argument;

    return netns_output(&c->bridge, NULL, 0, "tail -n 1 %s/node1/eve.json | grep -qxFf - %s/node2/state/events/node1", c->folder, c->folder) == 0;
}

/* What serve found stays found when it reads policy and keys again: found.json is never without it. */
static void reload(const struct nodes *c)
{
    netns_run(&c->bridge, "cd %s/node1 && for i in $(seq 1200); do jq -e '.found[] | select(.signature == \"cluster-scan\")' state/found.json "
                          ">/dev/null && exit 0; sleep 0.05; done; exit 1", c->folder);
    kill(c->serve[0], SIGHUP);
    netns_run(&c->bridge, "cd %s/node1 && at=$(jq -r .at state/found.json) && for i in $(seq 600); do "
                          "jq -e '.found[] | select(.signature == \"cluster-scan\")' state/found.json >/dev/null || exit 1; "
                          "grep -q 'read again' serve.log && [ \"$(jq -r .at state/found.json)\" != \"$at\" ] && exit 0; sleep 0.05; done; exit 2",
              c->folder);
}

/* A reload of the auditor that changes its policy is one of serve, too. */
static void reload_both(const struct nodes *c)
{
    netns_run(&c->ns[0], "cd %s && echo 'inbound tcp 8123 later' >>policy && " PROGRAM " reload >/dev/null && for i in $(seq 1200); do "
                         "[ $(grep -c 'read again' node1/serve.log) = 2 ] && exit 0; sleep 0.05; done; cat node1/serve.log; exit 1", c->folder);
}

/* Number the lines of a log again, and sum them again, as whoever knows the format can. */
static const char rechain[] =
    "import hashlib, re, sys\n"
    "before, number = '0' * 64, 0\n"
    "for line in open(sys.argv[1]).read().splitlines():\n"
    "    number += 1\n"
    "    place = re.search('(\"chain\":\\\\[?\")[^\"]*\"', line)\n"
    "    value = '%s%d:%%s\"' % (place[1], number)\n"
    "    unsealed = line.replace(place[0], value % before)\n"
    "    after = hashlib.sha256(unsealed.encode()).hexdigest()\n"
    "    print(unsealed.replace(value % before, value % after))\n"
    "    before = after\n";

static int verify(const struct nodes *c, const char *peers, const char *log, char *out, size_t size)
{
    return netns_output(&c->bridge, out, size, PROGRAM " alerts --verify %s%s%s %s/%s", *peers ? "--peers " : "", *peers ? c->folder : "",
                        peers, c->folder, log);
}

Test(scenes, a_scan_of_all_is_one_alert_and_a_cut_log_is_noticed)
{
    static const char heads[] = "/node2/state/heads/node1", events[] = "/node2/state/events/node1";
    struct nodes c;
    char out[4096];

    nodes_open(&c, NODES);
    nodes_start(&c);
    for (size_t i = 0; i < NODES; i++)
        nodes_until_good(&c, i, NODES - 1);
    for (size_t i = 1; i <= NODES; i++)
        netns_run(&c.outside, "nc -z -w 1 10.88.0.%zu 7000-7014 || true", i);
    cr_assert(netns_until(is_everywhere, &c, NETNS_DEADLINE_MS), "scan %zu, cluster-scan %zu", nodes_count_all(&c, "scan"),
              nodes_count_all(&c, "cluster-scan"));
    reload(&c);
    reload_both(&c);
    cr_assert(netns_until(is_heard, &c, NETNS_DEADLINE_MS), "node2 does not hear of node1's log");
    cr_expect_eq(nodes_count_all(&c, "cluster-scan"), 1);
    nodes_expect_only(&c, (const char *const[]){"cluster-scan", NULL});
    cr_expect_eq(verify(&c, heads, "node1/eve.json", out, sizeof(out)), 0, "%s", out);

    netns_run(&c.bridge, "sed 2d %s/node1/eve.json >%s/deleted.json", c.folder, c.folder); /* its heads are an hour apart */
    cr_expect_eq(verify(&c, heads, "deleted.json", out, sizeof(out)), 3, "a line deleted: %s", out);
    netns_run(&c.bridge, "cat >%s/rechain.py <<'EOF'\n%s\nEOF\npython3 %s/rechain.py %s/deleted.json >%s/rechained.json", c.folder, rechain,
              c.folder, c.folder, c.folder);
    cr_expect_eq(verify(&c, "", "rechained.json", out, sizeof(out)), 0, "a new chain holds by itself: %s", out);
    cr_expect_eq(verify(&c, heads, "rechained.json", out, sizeof(out)), 3, "but a neighbour heard of another: %s", out);
    cr_expect(strstr(out, "BROKEN"), "%s", out);
    cr_expect(strstr(out, "that peers kept"), "%s", out);

    cr_assert(netns_until(is_kept, &c, NETNS_DEADLINE_MS), "node2 does not keep node1's events");
    cr_expect_eq(verify(&c, events, "node1/eve.json", out, sizeof(out)), 0, "%s", out);
    netns_run(&c.bridge, "cd %s && (head -n -2 node1/eve.json; tail -n 1 node1/eve.json) >young.json && python3 rechain.py young.json >anew.json",
              c.folder);
    cr_expect_eq(verify(&c, "", "anew.json", out, sizeof(out)), 0, "a new chain holds by itself: %s", out);
    cr_expect_eq(verify(&c, events, "anew.json", out, sizeof(out)), 3, "a record younger than the last head is missing: %s", out);
    cr_expect(strstr(out, "2 of ") && strstr(out, "that peers kept are not in it"), "%s", out);
    nodes_close(&c);
}
