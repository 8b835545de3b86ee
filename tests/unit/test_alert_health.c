/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Alerts about peers and the auditor itself: silence, ports, families, coverage, losses, reloads, suppressions,
 * heartbeat.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "alerts.h"

static struct sink sink;

static struct qpw_meter_row meters[4];
static struct qpw_snapshot snapshot;
static struct qpw_peer_info peers[] = {[1] = {.name = "node2", .in_force = 1}, [2] = {.name = "node3", .in_force = 1},
                                       [3] = {.name = "self", .in_force = 1, .own = 1}};
static struct qpw_policy policy;

static struct qpw_meter_row peer_meter(unsigned peer, unsigned port, uint64_t packets, uint64_t first_ns)
{
    return (struct qpw_meter_row){.key = {.kind = QPW_KIND_PORT,
                                          .protocol = IPPROTO_TCP,
                                          .direction = QPW_DIR_INBOUND,
                                          .scope = QPW_SCOPE_PEER,
                                          .verdict = QPW_VERDICT_PEER,
                                          .port = port,
                                          .iface = 1,
                                          .peer = peer},
                                  .counts = {.connections = 1, .rx_packets = packets, .rx_bytes = 100 * packets},
                                  .first_unix_ns = first_ns};
}

static struct qpw_engine *with_peers(const struct qpw_engine_settings *settings)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_engine *e = engine_for(&sink, settings);

    context.peers = peers;
    context.n_peers = sizeof(peers) / sizeof(*peers);
    context.policy = &policy;
    qpw_engine_context(e, &context, T0);
    meters[0] = peer_meter(1, 2000, 10, T0);
    meters[1] = peer_meter(2, 2000, 10, T0);
    snapshot = (struct qpw_snapshot){.unix_ns = T0, .from_unix_ns = T0, .meters = meters, .n_meters = 2};
    return e;
}

static void stop(struct qpw_engine *e)
{
    qpw_engine_free(e);
    sink_clear(&sink);
}

/* Feed a snapshot every ten seconds until to_s; peer 2 keeps sending. */
static void let_pass(struct qpw_engine *e, uint64_t from_s, uint64_t to_s)
{
    for (uint64_t s = from_s; s < to_s; s += 10) {
        meters[1].counts.rx_packets++;
        qpw_engine_snapshot(e, &snapshot, T0 + s * SEC);
        qpw_engine_tick(e, T0 + s * SEC);
    }
}

Test(alert_health, a_peer_gone_silent_is_told_once_and_so_is_its_return)
{
    struct qpw_engine *e = with_peers(NULL);

    let_pass(e, 0, 290);
    cr_expect_eq(sink.n, 0);
    let_pass(e, 290, 2000);
    cr_assert_str_eq(sink_words(&sink, 0), "peer-silent/first");
    cr_expect(strstr(sink.records[0].text, "peer node2 for 5 min,"), "%s", sink.records[0].text);
    meters[0].counts.rx_packets++;
    let_pass(e, 2000, 2100);
    cr_assert_str_eq(sink_words(&sink, 0), "peer-silent/first, peer-back/again");
    cr_expect(strstr(sink.records[1].text, "Peer node2 is seen again after 33 min 20 s"), "%s", sink.records[1].text);
    stop(e);
}

Test(alert_health, what_the_node_sends_to_a_dead_peer_is_no_sign_of_life)
{
    struct qpw_engine *e = with_peers(NULL);

    for (uint64_t s = 0; s < 400; s += 10) {
        meters[0].counts.tx_packets++;
        let_pass(e, s, s + 10);
    }
    cr_expect_str_eq(sink_words(&sink, 0), "peer-silent/first");
    stop(e);
}

Test(alert_health, after_a_restart_a_silent_peer_is_not_told_again_but_its_return_is)
{
    struct qpw_engine *e = with_peers(NULL);
    struct qpw_engine_past past;

    let_pass(e, 0, 310);
    past = (struct qpw_engine_past){.flow_id = sink.records[0].flow_id, .written_unix_ns = sink.records[0].written_ns,
                                    .sequence = 1, .signature_id = 1000601};
    stop(e);
    e = with_peers(NULL);
    cr_assert_eq(qpw_engine_restore(e, &past, UINT64_MAX / 2), 0);
    let_pass(e, 400, 2000);
    cr_expect_eq(sink.n, 0, "%s", sink_words(&sink, 0));
    meters[0].counts.rx_packets++;
    let_pass(e, 2000, 2010);
    cr_expect_str_eq(sink_words(&sink, 0), "peer-back/again");
    stop(e);
}

Test(alert_health, a_port_no_peer_used_before_is_told_once_after_the_time_of_learning)
{
    struct qpw_engine *e = with_peers(NULL);

    qpw_engine_snapshot(e, &snapshot, T0 + SEC);
    meters[2] = peer_meter(1, 3000, 5, T0 + 100 * SEC); /* while learning */
    snapshot.n_meters = 3;
    qpw_engine_snapshot(e, &snapshot, T0 + 110 * SEC);
    cr_expect_eq(sink.n, 0);
    meters[3] = peer_meter(2, 31337, 5, T0 + 4000 * SEC);
    snapshot.n_meters = 4;
    for (unsigned i = 0; i < 3; i++)
        qpw_engine_snapshot(e, &snapshot, T0 + 4010 * SEC);
    cr_assert_eq(sink_count(&sink, QPW_SIG_PEER_PORT), 1);
    cr_expect(strstr(sink_last(&sink, QPW_SIG_PEER_PORT)->text, "Peer node3 used tcp/31337"));
    stop(e);
}

Test(alert_health, a_peer_over_the_wrong_family)
{
    struct qpw_engine *e = with_peers(NULL);
    struct qpw_engine_family families[] = {{1, true, false}, {2, true, true}, {3, true, false}};

    qpw_engine_families(e, families, 3, T0);
    cr_expect_eq(sink.n, 0, "nothing is required");
    policy.peer_family.family = 6;
    qpw_engine_families(e, families, 3, T0);
    qpw_engine_families(e, families, 3, T0 + 10 * SEC);
    cr_expect_eq(sink.n, 0, "it has had no time to be heard");
    qpw_engine_families(e, families, 3, T0 + 301 * SEC);
    qpw_engine_families(e, families, 3, T0 + 3600 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "peer-family/first");
    cr_expect(strstr(sink.records[0].text, "Peer node2 is seen, but not over IPv6, which the policy (/etc/qportwatch/policy) requires"));
    stop(e);
}

#define BY "ana (as root), pts/3: /usr/sbin/qportwatch reload --policy /etc/qportwatch/a-policy-of-a-long-name"

Test(alert_health, coverage_is_told_in_order_and_not_twice)
{
    struct qpw_coverage coverage[] = {
        {.unix_ns = T0 + 1, .sequence = 1, .kind = QPW_COVERAGE_ATTACHED, .iface = 1, .text = "native XDP.", .by = BY},
        {.unix_ns = T0 + 2, .sequence = 2, .kind = QPW_COVERAGE_AUDITOR_STARTED, .text = "pid 7"},
        {.unix_ns = T0 + 3, .sequence = 3, .kind = QPW_COVERAGE_AUDITOR_GAP, .text = "40 s."},
        {.unix_ns = T0 + 4, .sequence = 4, .kind = QPW_COVERAGE_HOOK_LOST, .iface = 1, .text = "gone"},
        {.unix_ns = T0 + 5, .sequence = 5, .kind = QPW_COVERAGE_RELOADED, .text = "told elsewhere"},
        {.unix_ns = T0 + 6, .sequence = 6, .kind = QPW_COVERAGE_INTERFACE_UP, .iface = 1, .text = "up"},
    };
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_snapshot s = {.unix_ns = T0, .from_unix_ns = T0, .coverage = coverage, .n_coverage = 3};

    qpw_engine_snapshot(e, &s, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "attached/first, auditor-started/first, auditor-gap/first");
    cr_expect(strstr(sink.records[0].line, "\"event_type\":\"engine\""));
    cr_expect(strstr(sink.records[2].line, "\"event_type\":\"alert\""));
    cr_expect_str_eq(sink.records[0].text, "Attached to eth0. native XDP. By " BY ".");
    cr_expect(strstr(sink.records[0].line, "{\"by\":\"" BY "\"}"), "%s", sink.records[0].line);
    cr_expect_null(strstr(sink.records[2].line, "{\"by\":"), "nobody did it: %s", sink.records[2].line);
    s.n_coverage = 6;
    sink.broken = true;
    qpw_engine_snapshot(e, &s, T0 + 2 * SEC);
    sink.broken = false;
    qpw_engine_snapshot(e, &s, T0 + 3 * SEC);
    qpw_engine_snapshot(e, &s, T0 + 4 * SEC);
    cr_expect_str_eq(sink_words(&sink, 3), "hook-lost/first, interface/first");
    stop(e);
}

Test(alert_health, coverage_already_in_the_log_is_not_told_again)
{
    struct qpw_coverage coverage[] = {{.unix_ns = T0 + 1, .sequence = 1, .kind = QPW_COVERAGE_ATTACHED, .iface = 1},
                                      {.unix_ns = T0 + 2, .sequence = 2, .kind = QPW_COVERAGE_AUDITOR_GAP}};
    struct qpw_engine_past past = {.coverage_unix_ns = T0 + 1};
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_snapshot s = {.coverage = coverage, .n_coverage = 2};

    cr_assert_eq(qpw_engine_restore(e, &past, UINT64_MAX / 2), 0);
    qpw_engine_snapshot(e, &s, T0 + SEC);
    cr_expect_str_eq(sink_words(&sink, 0), "auditor-gap/first");
    stop(e);
}

Test(alert_health, lost_detail_is_counted_and_said)
{
    struct qpw_detail_row details[] = {
        {.key = {.port = 80, .kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP, .direction = QPW_DIR_INBOUND},
         .packets = 5},
        {.key = {.port = 81, .kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP, .direction = QPW_DIR_INBOUND},
         .packets = 900},
        {.key = {.by_prefix = 1, .direction = QPW_DIR_INBOUND}, .packets = 905}};
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_snapshot s = {.details = details, .n_details = 3};

    s.losses[QPW_LOSS_FINDING_QUOTA] = 905;
    s.losses[QPW_LOSS_EVENT_RATE] = 50;
    qpw_engine_snapshot(e, &s, T0);
    cr_assert_str_eq(sink_words(&sink, 0), "detail-lost/first");
    cr_expect_eq(sink.records[0].count, 905);
    cr_expect(strstr(sink.records[0].text, "Most of them: inbound tcp/81 900, inbound tcp/80 5."), "%s",
              sink.records[0].text);
    s.losses[QPW_LOSS_FINDING_QUOTA] = 1000;
    qpw_engine_snapshot(e, &s, T0 + 100 * SEC);
    cr_expect_eq(sink.n, 1);
    s.losses[QPW_LOSS_ANSWERED_QUOTA] = 1;
    s.losses[QPW_LOSS_CONN_EST_FULL] = 4;
    qpw_engine_snapshot(e, &s, T0 + 301 * SEC);
    cr_assert_str_eq(sink_words(&sink, 1), "detail-lost/summary, answered-detail-lost/first, table-full/first");
    cr_expect_eq(sink.records[1].count, 95);
    cr_expect_eq(sink.records[2].signature->severity, QPW_SEVERITY_HIGH);
    cr_expect(strstr(sink.records[3].text, "established-full 4 times"));
    stop(e);
}

Test(alert_health, a_reload_tells_both_digests_and_what_it_opens_and_who_asked_for_it)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_engine_reload reload = {.old_digest = "sha256:aa", .new_digest = "sha256:bb",
                                       .changes = "\n  opens inbound tcp 3713 to everyone", .by = BY};

    qpw_engine_reloaded(e, &reload, T0);
    cr_assert_str_eq(sink_words(&sink, 0), "reloaded/first");
    cr_expect(strstr(sink.records[0].line, "{\"old_digest\":\"sha256:aa\"},{\"new_digest\":\"sha256:bb\"}"), "%s",
              sink.records[0].line);
    cr_expect_str_eq(sink.records[0].text, "The policy was reloaded:\n  opens inbound tcp 3713 to everyone\nBy " BY ".");
    cr_expect(strstr(sink.records[0].line, "{\"by\":\"" BY "\"},{\"policy_file\":\"/etc/qportwatch/policy\"}"), "%s",
              sink.records[0].line);
    sink.broken = true;
    reload.failure = "policy:3:1: unexpected 'inbuond'";
    qpw_engine_reloaded(e, &reload, T0 + SEC);
    sink.broken = false;
    qpw_engine_tick(e, T0 + 2 * SEC);
    qpw_engine_tick(e, T0 + 3 * SEC);
    cr_assert_str_eq(sink_words(&sink, 1), "reload-failed/first");
    cr_expect_eq(sink.records[1].seen_ns, T0 + SEC);
    cr_expect(strstr(sink.records[1].text, "policy:3:1: unexpected 'inbuond' By " BY "."), "%s", sink.records[1].text);
    stop(e);
}

Test(alert_health, a_heartbeat_a_minute)
{
    struct qpw_engine_settings settings;
    struct qpw_engine *e;
    json_t *o;

    qpw_engine_defaults(&settings);
    e = with_peers(&settings);
    for (unsigned s = 0; s <= 180; s++) {
        snapshot.unix_ns = T0 + s * SEC;
        qpw_engine_snapshot(e, &snapshot, T0 + s * SEC);
        qpw_engine_tick(e, T0 + s * SEC);
    }
    cr_assert_str_eq(sink_words(&sink, 0), "stats/stats, stats/stats, stats/stats");
    o = json_loads(sink.records[2].line, 0, NULL);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(o, "stats"), "uptime")), 180);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(json_object_get(o, "stats"), "decoder"), "pkts")),
                 20);
    json_decref(o);
    stop(e);
}

/* A policy with one suppression of inbound tcp from 10.9.9.9, up to that outcome, until then. */
static void suppress(struct qpw_suppression *line, unsigned outcome, int64_t until)
{
    static struct qpw_range range;

    cr_assert_eq(qpw_range_parse("10.9.9.9", &range, &(const char *){NULL}), 0);
    *line = (struct qpw_suppression){.text = "suppress inbound tcp any from=10.9.9.9 reason=\"own scanner\"",
                                     .name = "own",
                                     .reason = "own scanner",
                                     .until = until,
                                     .direction = QPW_DIR_INBOUND,
                                     .outcome = outcome,
                                     .flags = QPW_RULE_ANY_PORT | QPW_RULE_FROM,
                                     .protocols = {1ull << IPPROTO_TCP},
                                     .from = {&range, 1}};
    policy.suppressions = line;
    policy.n_suppressions = 1;
}

Test(alert_health, a_suppression_hides_and_counts_and_is_told)
{
    struct qpw_suppression line;
    struct qpw_engine_figures figures;
    struct qpw_finding_row rows[3] = {
        finding(QPW_DIR_INBOUND, "10.9.9.9", "10.0.0.1", 1, QPW_OUTCOME_REFUSED, (struct span){T0, T0}),
        finding(QPW_DIR_INBOUND, "10.9.9.9", "10.0.0.1", 2, QPW_OUTCOME_DATA, (struct span){T0, T0}),
        finding(QPW_DIR_INBOUND, "10.9.9.8", "10.0.0.1", 1, QPW_OUTCOME_REFUSED, (struct span){T0, T0})};
    struct qpw_engine *e;

    suppress(&line, QPW_OUTCOME_REFUSED, T0 / SEC + 1000);
    e = with_peers(NULL);
    cr_assert_str_eq(sink_words(&sink, 0), "suppression-added/first");
    for (unsigned i = 0; i < 5; i++)
        qpw_engine_findings(e, rows, 3, T0 + SEC);
    qpw_engine_tick(e, T0 + 2 * SEC);
    cr_assert_str_eq(sink_words(&sink, 1), "inbound-data/first, inbound-refused/first, suppressed/summary",
                     "what answered is shown although the line meets it");
    cr_expect_eq(sink.records[3].suppressed, 1);
    qpw_engine_get_figures(e, &figures);
    cr_expect_eq(figures.suppressed, 1);
    qpw_engine_tick(e, T0 + 1001 * SEC);
    qpw_engine_tick(e, T0 + 1002 * SEC);
    cr_assert_str_eq(sink_words(&sink, 4), "suppression-ended/summary");
    qpw_engine_findings(e, rows, 3, T0 + 1003 * SEC);
    cr_expect_str_eq(sink_words(&sink, 5), "inbound-refused/first", "what it hid is shown once it has ended");
    stop(e);
}

Test(alert_health, a_suppression_that_says_answered_hides_that_too)
{
    struct qpw_suppression line;
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.9.9.9", "10.0.0.1", 2, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});
    struct qpw_engine *e;

    suppress(&line, QPW_OUTCOME_ANSWERED, 0);
    e = with_peers(NULL);
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    cr_expect_str_eq(sink_words(&sink, 0), "suppression-added/first");
    row.value.outcome = QPW_OUTCOME_DATA;
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    cr_expect_str_eq(sink_words(&sink, 1), "inbound-data/first");
    stop(e);
}
