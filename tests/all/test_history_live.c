/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The history over many kills and restarts of a real auditor, and what it knows of programs after a new attachment. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "database.h"
#include "netns.h"

#define ROUNDS 50
#define PINGS 10

static char path[128];

static int64_t number(const char *sql)
{
    return database_number(path, sql);
}

static int64_t asked(struct node *n, const char *what)
{
    char text[64];

    cr_assert_eq(netns_output(&n->node, text, sizeof(text), QPW_BUILD "/qportwatch report --json | jq '%s'", what), 0, "%s", text);
    return !strcmp(text, "true\n") ? 1 : atoll(text);
}

Test(history_live, fifty_restarts_lose_no_packet, .timeout = 1800)
{
    struct node n;
    int64_t kept, before, after;

    node_open(&n);
    snprintf(path, sizeof(path), "%s/history.db", n.folder);
    for (unsigned i = 0; i < ROUNDS; i++) {
        node_attach(&n, "node0 --mode tc --keep --interval 1 --history %s", path);
        netns_run(&n.client, "ping -q -f -c %d -w 60 10.7.0.1 >/dev/null", PINGS);
        node_stop(&n, i % 3 ? SIGKILL : SIGTERM);
        netns_run(&n.client, "ping -q -f -c %d -w 60 10.7.0.1 >/dev/null", PINGS);
    }
    node_attach(&n, "node0 --mode tc --keep --interval 1 --history %s", path);
    before = asked(&n, ".totals.packets");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    after = asked(&n, ".totals.packets");
    kept = number("SELECT sum(rx_packets + tx_packets) FROM slot");
    cr_expect(before <= kept && kept <= after, "%lld in the history, %lld before and %lld after its end", (long long)kept, (long long)before,
              (long long)after);
    cr_expect_geq(number("SELECT sum(rx_packets) FROM slot JOIN key ON key.id = slot.key WHERE protocol = 1 AND port = 8"), 2 * ROUNDS * PINGS);
    cr_expect_eq(number("SELECT count(*) FROM epoch"), 1);
    cr_expect_eq(number("SELECT 1 FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    node_command(&n, NULL, 0, "detach");
    node_nothing_left(&n);
    node_close(&n);
}

static bool is_found(void *argument)
{
    return asked(argument, "[.findings[] | select(.port == 4444 and .outcome == \"data\")] | length") > 0;
}

/* After a new attachment, whose maps are empty. */
static bool is_new(void *argument)
{
    return asked(argument, "[.findings[] | select(.port == 4444)][0].new_program") == 1;
}

Test(history_live, a_program_is_new_once, .timeout = 300)
{
    struct node n;
    pid_t server;

    node_open(&n);
    snprintf(path, sizeof(path), "%s/history.db", n.folder);
    server = netns_start(&n.node, "/dev/null", (char *[]){"ncat", "-l", "-k", "-e", "/bin/cat", "4444", NULL});
    for (unsigned i = 0; i < 2; i++) {
        node_attach(&n, "node0 --mode tc --interval 1 --history %s", path);
        netns_run(&n.client, "for i in 1 2 3 4 5; do echo hello | ncat -i 2 10.7.0.1 4444 && break; sleep 0.3; done >/dev/null 2>&1; true");
        cr_assert(netns_until(is_found, &n, NETNS_DEADLINE_MS));
        if (i == 0) {
            cr_expect(netns_until(is_new, &n, NETNS_DEADLINE_MS), "at first it is");
            cr_expect_eq(node_stop(&n, SIGTERM), 0);
        } else {
            cr_expect_not(is_new(&n), "a program that the history knows is not new");
        }
    }
    cr_expect_eq(number("SELECT count(*) FROM program WHERE path LIKE '%/ncat'"), 1);
    netns_stop(server, SIGKILL);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}
