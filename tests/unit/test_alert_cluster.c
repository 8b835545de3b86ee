/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Alerts about the cluster: what `serve` found, read as foreign input, reported once, and its end. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/found.h"
#include "alerts.h"
#include "util/names.h"

static struct sink sink;

static struct qpw_found item(uint64_t id, enum qpw_signature_name signature, const char *text)
{
    struct qpw_found f = {.id = id, .signature = signature, .what = "lost-between", .since_unix_ns = T0};

    snprintf(f.text, sizeof(f.text), "%s", text);
    snprintf(f.subject, sizeof(f.subject), "node%llu", (unsigned long long)id);
    return f;
}

static int offer(struct qpw_engine *e, struct qpw_found *items, size_t n, uint64_t second)
{
    struct qpw_found_list list = {.at_unix_ns = T0 + second * SEC, .items = items, .n = n};
    int r = qpw_engine_cluster(e, &list, T0 + second * SEC);

    qpw_engine_tick(e, T0 + second * SEC);
    return r;
}

static void stop(struct qpw_engine *e)
{
    qpw_engine_free(e);
    sink_clear(&sink);
}

Test(alert_cluster, is_reported_once_and_so_is_its_end)
{
    struct qpw_found items[] = {item(1, QPW_SIG_CLUSTER_LOST, "5 of 9 packets were lost"), item(2, QPW_SIG_CLUSTER_STALE, "node2 is stale")};
    struct qpw_engine *e = engine_for(&sink, NULL);

    for (uint64_t s = 0; s < 100; s += 10)
        cr_expect_eq(offer(e, items, 2, s), 0);
    cr_assert_str_eq(sink_words(&sink, 0), "cluster-lost/first, cluster-stale/first");
    cr_expect(strstr(sink.records[0].text, "Counted by both ends: 5 of 9 packets were lost."), "%s", sink.records[0].text);
    offer(e, items, 1, 100);
    cr_assert_str_eq(sink_words(&sink, 0), "cluster-lost/first, cluster-stale/first, cluster-over/again");
    cr_expect(strstr(sink.records[2].text, "No longer so: node2 is stale."), "%s", sink.records[2].text);
    offer(e, items, 2, 110);
    cr_expect_str_eq(sink_words(&sink, 3), "cluster-stale/again");
    stop(e);
}

Test(alert_cluster, what_lasts_is_reported_once_a_day)
{
    struct qpw_found f = item(1, QPW_SIG_CLUSTER_LOST, "lost");
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_snapshot nothing = {.unix_ns = T0, .from_unix_ns = T0};

    for (uint64_t s = 0; s < 100000; s += 600) {
        offer(e, &f, 1, s);
        qpw_engine_snapshot(e, &nothing, T0 + s * SEC); /* forgets old states */
    }
    cr_expect_eq(sink_count(&sink, QPW_SIG_CLUSTER_LOST), 2, "%s", sink_words(&sink, 0));
    stop(e);
}

Test(alert_cluster, after_a_restart_it_is_not_reported_again)
{
    struct qpw_found f = item(1, QPW_SIG_CLUSTER_LOST, "lost");
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_engine_past past;

    offer(e, &f, 1, 0);
    past = (struct qpw_engine_past){.flow_id = sink.records[0].flow_id, .written_unix_ns = T0, .sequence = 1, .signature_id = 1000652};
    stop(e);
    e = engine_for(&sink, NULL);
    cr_assert_eq(qpw_engine_restore(e, &past, T0 + SEC), 0);
    offer(e, &f, 1, 10);
    cr_expect_eq(sink.n, 0, "%s", sink_words(&sink, 0));
    offer(e, &f, 0, 20);
    cr_expect_str_eq(sink_words(&sink, 0), "cluster-over/again");
    stop(e);
}

Test(alert_cluster, a_list_that_flickers_cannot_flood_the_log)
{
    struct qpw_found items[QPW_FOUND_MOST];
    struct qpw_engine *e = engine_for(&sink, NULL);

    for (uint64_t s = 1; s < 500; s++) {
        for (size_t i = 0; i < QPW_FOUND_MOST; i++)
            items[i] = item(s * QPW_FOUND_MOST + i, QPW_SIG_CLUSTER_ODD, "odd");
        offer(e, items, QPW_FOUND_MOST, s);
    }
    cr_expect_leq(sink_count(&sink, QPW_SIG_CLUSTER_ODD) + sink_count(&sink, QPW_SIG_CLUSTER_OVER), 2 * 64, "two windows at most");
    stop(e);
}

Test(alert_cluster, a_scan_of_another_nodes_is_not_reported_here)
{
    struct qpw_found f = item(7, QPW_SIG_CLUSTER_SCAN, "10.0.0.9 probed node1, node2 and node3");
    struct qpw_engine *e = engine_for(&sink, NULL);

    f.elsewhere = true;
    offer(e, &f, 1, 0);
    cr_expect_eq(sink.n, 0);
    f.elsewhere = false;
    offer(e, &f, 1, 10);
    offer(e, &f, 0, 20);
    cr_expect_str_eq(sink_words(&sink, 0), "cluster-scan/first");
    stop(e);
}

Test(alert_cluster, that_nobody_compares_is_reported_once)
{
    struct qpw_engine *e = engine_for(&sink, NULL);

    qpw_engine_uncompared(e, 0, T0);
    cr_expect_eq(sink.n, 0);
    for (uint64_t s = 120; s < 600; s++)
        qpw_engine_uncompared(e, s * SEC, T0 + s * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "cluster-uncompared/first");
    cr_expect(strstr(sink.records[0].text, "has written nothing for 2 min:"), "%s", sink.records[0].text);
    qpw_engine_uncompared(e, 0, T0 + 700 * SEC);
    qpw_engine_uncompared(e, 0, T0 + 701 * SEC);
    cr_expect_str_eq(sink_words(&sink, 0), "cluster-uncompared/first, cluster-over/again");
    stop(e);
}

/* ---- The document ---- */

Test(found, is_read_as_it_was_written)
{
    struct qpw_found items[] = {item(1, QPW_SIG_CLUSTER_LOST, "lost"), item(0xfedcba9876543210, QPW_SIG_CLUSTER_SCAN, "scan")};
    struct qpw_found_list list = {.at_unix_ns = T0, .items = items, .n = 2, .left_out = 3}, back;
    json_t *document = qpw_found_json(&list);
    char *text = json_dumps(document, 0);
    struct qpw_error err;

    items[1].elsewhere = true;
    free(text);
    json_decref(document);
    document = qpw_found_json(&list);
    text = json_dumps(document, 0);
    cr_assert_eq(qpw_found_read(text, strlen(text), &back, &err), 0, "%s", err.text);
    cr_assert_eq(back.n, 2);
    cr_expect_eq(back.left_out, 3);
    cr_expect_eq(back.items[1].id, 0xfedcba9876543210);
    cr_expect_eq(back.items[1].signature, QPW_SIG_CLUSTER_SCAN);
    cr_expect_str_eq(back.items[1].text, "scan");
    cr_expect(back.items[1].elsewhere && !back.items[0].elsewhere);
    cr_expect_eq(back.items[0].since_unix_ns, T0);
    qpw_found_clear(&back);
    free(text);
    json_decref(document);
}

static void expect_refused(const char *text, const char *why)
{
    struct qpw_found_list list;
    struct qpw_error err = {""};

    cr_expect_eq(qpw_found_read(text, strlen(text), &list, &err), -EINVAL, "%s", text);
    cr_expect(strstr(err.text, why), "%s: %s", text, err.text);
    qpw_found_clear(&list);
}

#define HEAD "{\"schema\":\"qportwatch.found/1\",\"at\":\"2026-03-01T10:00:00Z\",\"found\":"
#define ITEM(id, signature, text) "[{\"id\":\"" id "\",\"signature\":\"" signature "\",\"text\":" text "}]}"

Test(found, refuses_what_serve_never_writes)
{
    struct qpw_found_list list;
    struct qpw_error err;
    char *large = malloc(QPW_FOUND_BYTES + 2);

    expect_refused("", "is not a document");
    expect_refused("[]", "is not a document");
    expect_refused("{\"schema\":\"qportwatch.found/2\"}", "is not a document");
    expect_refused("{\"schema\":\"qportwatch.found/1\",\"found\":[]}", "at:");
    expect_refused(HEAD "{}}", "is not a list");
    expect_refused(HEAD ITEM("12", "cluster-lost", "\"x\""), "16 hexadecimal");
    expect_refused(HEAD ITEM("0000000000000001", "inbound-data", "\"x\""), "about the cluster");
    expect_refused(HEAD ITEM("0000000000000001", "cluster-over", "\"x\""), "about the cluster");
    expect_refused(HEAD ITEM("0000000000000001", "cluster-lost", "7"), "other than a text");
    expect_refused(HEAD ITEM("0000000000000001", "cluster-lost", "\"\""), "no text");
    memset(large, ' ', QPW_FOUND_BYTES + 1);
    cr_expect_eq(qpw_found_read(large, QPW_FOUND_BYTES + 1, &list, &err), -EINVAL);
    qpw_found_clear(&list);
    free(large);
}

Test(found, texts_cannot_steer_a_terminal)
{
    static const char text[] = HEAD ITEM("0000000000000001", "cluster-lost", "\"a\\u001b[31mb\\nc\"");
    struct qpw_found_list list;
    struct qpw_error err;

    cr_assert_eq(qpw_found_read(text, strlen(text), &list, &err), 0, "%s", err.text);
    cr_expect_str_eq(list.items[0].text, "a?[31mb?c");
    qpw_found_clear(&list);
}
