/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `serve` finds about the cluster becomes records of the auditor's own log, whatever is in its file. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/found.h"
#include "auditor.h"
#include "evelog.h"
#include "host/clock.h"

TestSuite(found, .timeout = NETNS_TIMEOUT_S);

/* Put a list in place as serve does: written beside, then renamed. items: signatures, each with its name as subject. */
static void put(const struct node *n, const enum qpw_signature_name *signatures, size_t count)
{
    struct qpw_found items[8] = {0};
    struct qpw_found_list list = {.at_unix_ns = qpw_clock_unix_ns(), .items = items, .n = count};
    char path[128], beside[160];
    json_t *document;

    for (size_t i = 0; i < count; i++) {
        items[i] = (struct qpw_found){.id = i + 1, .signature = signatures[i], .what = "test", .subject = "node2",
                                      .text = "node2 is not as it should be", .since_unix_ns = list.at_unix_ns};
    }
    snprintf(path, sizeof(path), "%s/" QPW_FOUND_FILE, n->folder);
    snprintf(beside, sizeof(beside), "%s.new", path);
    document = qpw_found_json(&list);
    cr_assert_eq(json_dump_file(document, beside, 0), 0);
    cr_assert_eq(rename(beside, path), 0);
    json_decref(document);
}

Test(found, is_reported_in_the_nodes_own_log)
{
    static const enum qpw_signature_name both[] = {QPW_SIG_CLUSTER_BLIND, QPW_SIG_CLUSTER_STALE};
    struct evelog log = {0};
    struct node n;
    char path[128], eve[128];

    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
    put(&n, both, 2);
    node_attach(&n, "node0 --alerts %s --cluster %s", eve, n.folder);
    EVELOG_UNTIL(eve, .name = "cluster-blind");
    EVELOG_UNTIL(eve, .name = "cluster-stale");
    node_write(&n, QPW_FOUND_FILE, "{\"schema\":\"qportwatch.found/1\",\"at\":7}", path, sizeof(path));
    netns_until_file(n.log, "what 'qportwatch serve' found is not reported", NETNS_DEADLINE_MS);
    put(&n, both, 1);
    EVELOG_UNTIL(eve, .name = "cluster-over");
    cr_assert_eq(node_stop(&n, SIGINT), 0);
    evelog_add(&log, eve);
    evelog_assert_sound(&log);
    cr_expect_eq(EVELOG_COUNT(&log, .name = "cluster-blind"), 1);
    cr_expect_eq(EVELOG_COUNT(&log, .name = "cluster-stale"), 1);
    cr_expect_str_eq(evelog_fact(evelog_last(&log, &(struct evelog_filter){.name = "cluster-stale"}), "subject"), "node2");
    evelog_clear(&log);
    node_nothing_left(&n);
    node_close(&n);
}
