/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The history of a node with real traffic, across a killed auditor and restarts. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "database.h"
#include "netns.h"

#define PINGS 40

static char path[128];

static int64_t number(const char *sql)
{
    return database_number(path, sql);
}

static void ping(struct node *n)
{
    netns_run(&n->client, "ping -q -f -c %d -w 60 10.7.0.1 >/dev/null", PINGS);
}

static int64_t packets(struct node *n)
{
    char command[512], text[64];

    snprintf(command, sizeof(command), "%s/qportwatch report --json | jq .totals.packets", QPW_BUILD);
    cr_assert_eq(netns_output(&n->node, text, sizeof(text), "%s", command), 0, "%s", text);
    return atoll(text);
}

/* Return whether the writer's lock is free: it ends with the auditor, however that ends. */
static bool is_free(void *argument)
{
    char command[200];

    (void)argument;
    snprintf(command, sizeof(command), "flock -n %s-lock true", path);
    return system(command) == 0;
}

Test(history, goes_on_over_kills_and_restarts)
{
    static char text[65536];
    int64_t before, after, kept;
    struct node n;

    node_open(&n);
    snprintf(path, sizeof(path), "%s/history.db", n.folder);
    for (unsigned i = 0; i < 3; i++) {
        node_attach(&n, "node0 --mode tc --keep --interval 1 --history %s", path);
        ping(&n);
        if (i == 1) { /* killed; the kernel continues to count */
            cr_expect_eq(node_stop(&n, SIGKILL), 128 + SIGKILL);
            ping(&n);
            cr_assert(netns_until(is_free, NULL, NETNS_DEADLINE_MS));
            continue;
        }
        before = packets(&n);
        cr_expect_eq(node_stop(&n, SIGTERM), 0);
        after = packets(&n);
        kept = number("SELECT sum(rx_packets + tx_packets) FROM slot");
        cr_expect(before <= kept && kept <= after, "round %u: %lld in the history, %lld before and %lld after its end", i,
                  (long long)kept, (long long)before, (long long)after);
    }
    cr_expect_eq(number("SELECT count(*) FROM epoch"), 1, "one attachment is one epoch");
    cr_expect_geq(number("SELECT sum(rx_packets) FROM slot JOIN key ON key.id = slot.key WHERE protocol = 1 AND port = 8"), 4 * PINGS);
    cr_expect_eq(number("SELECT count(*) FROM policy"), 1);
    cr_expect_geq(number("SELECT count(*) FROM change WHERE text LIKE 'Process %'"), 3);
    node_command(&n, NULL, 0, "detach");
    node_nothing_left(&n);
    /* After everything was detached. */
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), QPW_BUILD "/qportwatch report --since 1d --history %s --json | jq .totals.packets", path), 0);
    cr_expect_eq(atoll(text), number("SELECT sum(rx_packets + tx_packets) FROM slot"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "history --history %s", path), 0);
    cr_expect(strstr(text, "observed ") && strstr(text, "CONNECTIONS"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "policy log --history %s", path), 0);
    cr_expect(strstr(text, "@1 ") && strstr(text, "qumulo/on-prem"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "policy unused --since 365d --history %s", path), 1, "most of a year was not seen");
    cr_expect_eq(node_command(&n, text, sizeof(text), "policy test --without in-tcp-445 --history %s", path), 0, "%s", text);
    node_close(&n);
}

/* Every face reports a history that cannot be written, and the audit continues. */
Test(history, that_cannot_be_written_is_said)
{
    json_t *status;
    struct node n;
    FILE *file;

    node_open(&n);
    snprintf(path, sizeof(path), "%s/notes", n.folder);
    file = fopen(path, "w");
    cr_assert(file && fputs("notes\n", file) >= 0 && fclose(file) == 0);
    node_attach(&n, "node0 --mode tc --interval 1 --history %s", path);
    netns_until_file(n.log, "the history is not being written: ", NETNS_DEADLINE_MS);
    status = node_status(&n, NULL);
    cr_expect_str_eq(node_text(status, "history.state"), "stopped");
    cr_expect(strstr(node_text(status, "history.why"), "not a database"), "%s", node_text(status, "history.why"));
    json_decref(status);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    cr_expect_eq(access(path, F_OK), 0);
    node_close(&n);
}
