/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rules for one finding: first, escalation, summary, again, closed; what is reported and what is not. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "alerts.h"
#include "host/sockets.h"

#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND

static struct sink sink;

static struct qpw_engine *start(void)
{
    return engine_for(&sink, NULL);
}

static void stop(struct qpw_engine *e)
{
    qpw_engine_free(e);
    sink_clear(&sink);
}

/* The parts of a row that its log record holds. */
static struct qpw_engine_ends ends_of(const struct qpw_finding_row *row)
{
    struct qpw_engine_ends ends = {
        .port = row->key.port, .verdict = row->key.verdict, .direction = row->key.direction};

    memcpy(ends.initiator, row->key.initiator, 16);
    memcpy(ends.responder, row->key.responder, 16);
    return ends;
}

TestSuite(alert_engine);

Test(alert_engine, a_first_attempt_is_told_at_once_and_says_which_line_would_allow_it)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0 + SEC});

    qpw_engine_findings(e, &row, 1, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-attempted/first");
    cr_expect_eq(sink.records[0].sequence, 1);
    cr_expect_eq(sink.records[0].flow_id, row.flow_id);
    cr_expect_eq(sink.records[0].seen_ns, T0);
    cr_expect_eq(sink.records[0].count, 1);
    cr_expect_str_eq(sink.records[0].allow, "inbound tcp 4444 \"TODO: purpose\" from=10.0.0.5");
    cr_expect_str_eq(
        sink.records[0].text,
        "10.0.0.5 tried tcp/4444 of node1 (10.0.0.1) and no answer was seen: 3 packets, 222 B. "
        "The policy (/etc/qportwatch/policy) has no inbound rule for it. The hooks are before the node's own firewall, which may have dropped it. To allow it: "
        "`inbound tcp 4444 \"TODO: purpose\" from=10.0.0.5`");
    stop(e);
}

Test(alert_engine, the_same_row_offered_again_tells_nothing)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});

    for (unsigned i = 0; i < 20; i++)
        qpw_engine_findings(e, &row, 1, T0 + i * SEC);
    cr_expect_eq(sink.n, 1);
    qpw_engine_findings(e, &row, 1, T0 + 4000 * SEC);
    cr_expect_eq(sink.n, 1, "nothing went on, so there is no summary");
    stop(e);
}

Test(alert_engine, each_rise_of_the_outcome_is_told_at_once)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});

    for (unsigned outcome = QPW_OUTCOME_ATTEMPTED; outcome <= QPW_OUTCOME_DATA; outcome++) {
        row.value.outcome = outcome;
        row.last_unix_ns += 1000000;
        qpw_engine_findings(e, &row, 1, row.last_unix_ns);
    }
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-attempted/first, inbound-refused/escalation, "
                                           "inbound-answered/escalation, inbound-data/escalation");
    cr_expect_eq(sink.records[3].sequence, 4);
    cr_expect_eq(sink.records[2].signature->severity, QPW_SEVERITY_HIGH);
    cr_expect_eq(sink.records[1].signature->severity, QPW_SEVERITY_LOW);
    stop(e);
}

Test(alert_engine, what_goes_on_is_one_summary_an_interval_with_the_number_suppressed)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_REFUSED, (struct span){T0, T0});

    qpw_engine_findings(e, &row, 1, T0);
    for (unsigned s = 1; s <= 650; s++) {
        row.counts.connections++;
        row.last_unix_ns = T0 + s * SEC;
        qpw_engine_findings(e, &row, 1, row.last_unix_ns);
    }
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-refused/first, inbound-refused/summary, inbound-refused/summary");
    cr_expect_eq(sink.records[1].count, 301);
    cr_expect_eq(sink.records[1].suppressed, 300);
    cr_expect_eq(sink.records[2].count, 601);
    cr_expect_eq(sink.records[2].suppressed, 300);
    stop(e);
}

Test(alert_engine, an_outbound_connection_names_its_destination)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(OUT, "10.0.0.1", "192.0.2.9", 6667, QPW_OUTCOME_DATA, (struct span){T0, T0});

    qpw_engine_findings(e, &row, 1, T0);
    cr_assert_str_eq(sink_words(&sink, 0), "outbound-data/first");
    cr_expect_str_eq(sink.records[0].allow, "outbound tcp 6667 \"TODO: purpose\" to=192.0.2.9");
    stop(e);
}

static void some_process(void *data, const struct qpw_finding_row *row, struct qpw_process *ret)
{
    *ret = *(const struct qpw_process *)data;
}

Test(alert_engine, the_process_is_named_and_remembered_when_its_socket_is_gone)
{
    struct qpw_engine *e = start();
    struct qpw_process process = {.match = QPW_MATCH_EXACT,
                                  .pid = 77,
                                  .name = "nc",
                                  .user = "root",
                                  .exe = "/usr/bin/nc",
                                  .unit = "evil.service"};
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});

    context.process = some_process;
    context.process_data = &process;
    qpw_engine_context(e, &context, T0);
    qpw_engine_findings(e, &row, 1, T0);
    process = (struct qpw_process){.match = QPW_MATCH_GONE};
    row.value.outcome = QPW_OUTCOME_DATA;
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    cr_assert_eq(sink.n, 2);
    for (unsigned i = 0; i < 2; i++) {
        cr_expect(strstr(sink.records[i].text, " (nc, pid 77, root, evil.service): 3 packets"), "%s",
                  sink.records[i].text);
        cr_expect(strstr(sink.records[i].line, "\"pid\":[\"77\"]"));
    }
    cr_expect_str_eq(sink.records[0].allow, "inbound tcp 4444 nc from=10.0.0.5");
    stop(e);
}

Test(alert_engine, what_the_kernel_itself_answers_is_said_to_be_so)
{
    struct qpw_engine *e = start();
    struct qpw_process process = {.match = QPW_MATCH_KERNEL};
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 20049, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});

    context.process = some_process;
    context.process_data = &process;
    qpw_engine_context(e, &context, T0);
    qpw_engine_findings(e, &row, 1, T0);
    cr_expect(strstr(sink.records[0].text, "node1 (10.0.0.1) answered 10.0.0.5 on tcp/20049 (kernel, no process): 3 packets"), "%s", sink.records[0].text);
    stop(e);
}

Test(alert_engine, a_row_that_names_the_port_for_others_is_said)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 22, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});

    row.value.rule = 1;
    qpw_engine_findings(e, &row, 1, T0);
    cr_expect(strstr(sink.records[0].text, "Rule ssh of the policy (/etc/qportwatch/policy) covers it, but not for this address"));
    stop(e);
}

Test(alert_engine, a_group_switched_off_is_allowed_by_its_own_statement)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "224.0.0.18", 0, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});

    row.key.kind = QPW_KIND_PROTOCOL;
    row.key.protocol = 112;
    row.value.rule = 2;
    finding_renumber(&row);
    qpw_engine_findings(e, &row, 1, T0);
    cr_expect_str_eq(sink_words(&sink, 0), "protocol/first");
    cr_expect_str_eq(sink.records[0].allow, "infra routing allowed");
    stop(e);
}

/* Return the signature for a row of that verdict and outcome, "" for none. */
static const char *told_as(unsigned verdict, unsigned outcome, unsigned reason, unsigned evidence)
{
    static char name[64];
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 40001, outcome, (struct span){T0, T0});

    row.key.verdict = verdict;
    row.value.reason = reason;
    row.value.evidence = evidence;
    snprintf(name, sizeof(name), "%s", qpw_signature_of(&row) ? qpw_signature(qpw_signature_of(&row))->name : "");
    return name;
}

Test(alert_engine, other_verdicts)
{
    cr_expect_str_eq(told_as(QPW_VERDICT_WEAK, QPW_OUTCOME_ATTEMPTED, 0, QPW_EVIDENCE_HANDSHAKE), "");
    cr_expect_str_eq(told_as(QPW_VERDICT_WEAK, QPW_OUTCOME_REFUSED, 0, QPW_EVIDENCE_HANDSHAKE), "");
    cr_expect_str_eq(told_as(QPW_VERDICT_WEAK, QPW_OUTCOME_ANSWERED, 0, QPW_EVIDENCE_HANDSHAKE), "weak-answered");
    cr_expect_str_eq(told_as(QPW_VERDICT_WEAK, QPW_OUTCOME_DATA, 0, QPW_EVIDENCE_HANDSHAKE), "weak-answered");
    cr_expect_str_eq(told_as(QPW_VERDICT_IMPLIED, QPW_OUTCOME_ATTEMPTED, 0, QPW_EVIDENCE_HANDSHAKE), "implied");
    cr_expect_str_eq(told_as(QPW_VERDICT_ALLOWED, QPW_OUTCOME_DATA, 0, QPW_EVIDENCE_HANDSHAKE), "");
    cr_expect_str_eq(told_as(QPW_VERDICT_PEER, QPW_OUTCOME_DATA, 0, QPW_EVIDENCE_HANDSHAKE), "");
    cr_expect_str_eq(told_as(QPW_VERDICT_TRANSIT, QPW_OUTCOME_DATA, 0, QPW_EVIDENCE_NONE), "");
    cr_expect_str_eq(told_as(QPW_VERDICT_UNDECIDED, QPW_OUTCOME_DATA, QPW_REASON_MIDSTREAM, QPW_EVIDENCE_NONE),
                     "no-handshake");
    cr_expect_str_eq(told_as(QPW_VERDICT_UNDECIDED, QPW_OUTCOME_ANSWERED, QPW_REASON_MIDSTREAM, QPW_EVIDENCE_NONE), "");
    cr_expect_str_eq(told_as(QPW_VERDICT_UNDECIDED, QPW_OUTCOME_DATA, QPW_REASON_INFERRED, QPW_EVIDENCE_INFERRED),
                     "inferred-both");
    cr_expect_str_eq(told_as(QPW_VERDICT_UNDECIDED, QPW_OUTCOME_ATTEMPTED, QPW_REASON_INFERRED, QPW_EVIDENCE_INFERRED),
                     "");
    cr_expect_str_eq(told_as(QPW_VERDICT_UNDECIDED, QPW_OUTCOME_DATA, QPW_REASON_JUST_ATTACHED, QPW_EVIDENCE_INFERRED),
                     "just-attached");
    cr_expect_str_eq(told_as(QPW_VERDICT_UNDECIDED, QPW_OUTCOME_ATTEMPTED, QPW_REASON_UNSOLICITED, QPW_EVIDENCE_NONE),
                     "");
}

Test(alert_engine, implied_companions_name_the_statement_that_makes_them_unexpected)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(OUT, "10.0.0.1", "10.0.0.53", 53, QPW_OUTCOME_DATA, (struct span){T0, T0});

    row.key.verdict = QPW_VERDICT_IMPLIED;
    row.value.rule = 3;
    finding_renumber(&row);
    qpw_engine_findings(e, &row, 1, T0);
    cr_assert_str_eq(sink_words(&sink, 0), "implied/first");
    cr_expect_eq(sink.records[0].signature->severity, QPW_SEVERITY_INFO);
    cr_expect(strstr(sink.records[0].text, "implied-dns-tcp"));
    row.counts.connections = 500;
    row.last_unix_ns = T0 + 3600 * SEC;
    qpw_engine_findings(e, &row, 1, T0 + 3600 * SEC);
    cr_expect_eq(sink.n, 1, "once a day");
    stop(e);
}

Test(alert_engine, router_advertisements_and_redirects_are_information)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "fe80::66", "ff02::1", 134, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});

    row.key.kind = QPW_KIND_ICMP;
    row.key.protocol = IPPROTO_ICMPV6;
    row.key.verdict = QPW_VERDICT_INFRA;
    row.value.flags = QPW_FINDING_MULTICAST;
    qpw_engine_findings(e, &row, 1, T0);
    row.key.port = 135;
    finding_renumber(&row);
    qpw_engine_findings(e, &row, 1, T0);
    row.key.port = 5;
    row.key.protocol = IPPROTO_ICMP;
    finding_renumber(&row);
    qpw_engine_findings(e, &row, 1, T0);
    cr_expect_str_eq(sink_words(&sink, 0), "router-advertisement/first, icmp-redirect/first");
    stop(e);
}

Test(alert_engine, a_superseded_finding_is_closed_once_if_it_was_told)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[2] = {finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0}),
                                      finding(IN, "10.0.0.6", "10.0.0.1", 4445, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0})};

    qpw_engine_findings(e, rows, 1, T0);
    rows[0].value.flags = rows[1].value.flags = QPW_FINDING_SUPERSEDED;
    qpw_engine_findings(e, rows, 2, T0 + SEC);
    qpw_engine_findings(e, rows, 2, T0 + 2 * SEC);
    cr_expect_str_eq(sink_words(&sink, 0), "inbound-attempted/first, inbound-attempted/closed");
    rows[1].value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, rows, 2, T0 + 3 * SEC);
    cr_expect_str_eq(sink_words(&sink, 2), "inbound-answered/first",
                     "what answered is told, whatever is thought of it now");
    stop(e);
}

/* An exchange that is a companion only until its owner is known: only its final verdict is reported. */
Test(alert_engine, what_was_a_companion_for_a_moment_is_not_told_as_one)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});

    row.key.verdict = QPW_VERDICT_IMPLIED;
    finding_renumber(&row);
    row.value.flags = QPW_FINDING_SUPERSEDED;
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    qpw_engine_findings(e, &row, 1, T0 + 10 * SEC);
    cr_expect_str_eq(sink_words(&sink, 0), "");
    row.value.flags = 0;
    qpw_engine_findings(e, &row, 1, T0 + 20 * SEC);
    cr_expect_str_eq(sink_words(&sink, 0), "implied/first", "of another that is one");
    stop(e);
}

Test(alert_engine, what_cannot_be_written_is_offered_again_and_written_later)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[3] = {finding(IN, "10.0.0.5", "10.0.0.1", 1001, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0}),
                                      finding(IN, "10.0.0.5", "10.0.0.1", 1002, QPW_OUTCOME_REFUSED, (struct span){T0 + 1, T0 + 1}),
                                      finding(IN, "10.0.0.5", "10.0.0.1", 1003, QPW_OUTCOME_DATA, (struct span){T0, T0})};
    struct qpw_engine_figures figures;

    sink.broken = true;
    for (unsigned i = 0; i < 60; i++) {
        qpw_engine_findings(e, rows, 3, T0 + i * SEC);
        qpw_engine_tick(e, T0 + i * SEC);
    }
    qpw_engine_get_figures(e, &figures);
    cr_expect(figures.blocked);
    cr_expect_eq(sink.n, 0);
    sink.broken = false;
    qpw_engine_findings(e, rows, 3, T0 + 60 * SEC);
    cr_expect_str_eq(sink_words(&sink, 0), "inbound-data/first, inbound-attempted/first, inbound-refused/first");
    qpw_engine_get_figures(e, &figures);
    cr_expect_not(figures.blocked);
    stop(e);
}

Test(alert_engine, after_a_restart_nothing_is_first_twice)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});
    struct qpw_engine_past past = {.flow_id = row.flow_id, .written_unix_ns = T0 + SEC / 50, .count = 1, .sequence = 3,
                                   .signature_id = 1000101, .outcome = QPW_OUTCOME_ATTEMPTED, .ends = ends_of(&row)};

    cr_assert_eq(qpw_engine_restore(e, &past, T0), 0);
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    cr_expect_eq(sink.n, 0);
    row.value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, &row, 1, T0 + 2 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/escalation");
    cr_expect_eq(sink.records[0].sequence, 4);
    stop(e);
}

/* A finding stays in the kernel's tables for days, so its log records count whatever their age. */
Test(alert_engine, after_a_restart_days_later_nothing_is_first_twice)
{
    struct qpw_finding_row row = finding(OUT, "10.0.0.1", "192.0.2.5", 8443, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_snapshot snapshot = {.findings = &row, .n_findings = 1};
    struct qpw_engine_past past = {.flow_id = row.flow_id, .written_unix_ns = T0 + SEC, .count = 1, .sequence = 1,
                                   .signature_id = 1000204, .outcome = QPW_OUTCOME_DATA, .ends = ends_of(&row)};
    struct qpw_engine *e = start();

    cr_assert_eq(qpw_engine_restore(e, &past, T0 + 3 * 86400 * SEC), 0);
    for (unsigned hour = 0; hour < 3; hour++)
        cr_assert_eq(qpw_engine_snapshot(e, &snapshot, T0 + (3 * 86400 + hour * 3600) * SEC), 0);
    cr_expect_str_eq(sink_words(&sink, 0), "");
    stop(e);
}

Test(alert_engine, of_two_events_read_at_once_only_the_later_is_told)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[2] = {finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0}),
                                      finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_REFUSED, (struct span){T0, T0})};

    qpw_engine_findings(e, rows, 2, T0 + SEC / 50);
    cr_expect_str_eq(sink_words(&sink, 0), "inbound-refused/first");
    stop(e);
}

Test(alert_engine, a_later_connection_that_is_answered_is_an_escalation)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_REFUSED, (struct span){T0, T0});

    row.counts.connections = 90;
    qpw_engine_findings(e, &row, 1, T0);
    row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0 + 50 * SEC, T0 + 50 * SEC});
    row.counts = (struct qpw_counts){0}; /* an event has no counts */
    qpw_engine_findings(e, &row, 1, T0 + 50 * SEC);
    row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0 + 400 * SEC});
    row.counts.connections = 100;
    qpw_engine_findings(e, &row, 1, T0 + 400 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0),
                     "inbound-refused/first, inbound-answered/escalation, inbound-answered/summary");
    cr_expect_eq(sink.records[2].suppressed, 10);
    stop(e);
}

Test(alert_engine, a_finding_begun_after_the_logs_last_word_on_it_is_told_again)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});
    struct qpw_engine_past past = {.flow_id = row.flow_id,
                                   .written_unix_ns = T0 - 500 * SEC,
                                   .count = 90,
                                   .sequence = 3,
                                   .signature_id = 1000104,
                                   .outcome = QPW_OUTCOME_DATA,
                                   .ends = ends_of(&row)};

    cr_assert_eq(qpw_engine_restore(e, &past, T0), 0);
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-attempted/again");
    cr_expect_eq(sink.records[0].sequence, 4);
    row.value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, &row, 1, T0 + 2 * SEC);
    cr_expect_str_eq(sink_words(&sink, 1), "inbound-answered/escalation");
    stop(e);
}

Test(alert_engine, frames_that_are_not_ip_are_told_by_their_ethertype)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = {.key = {.port = 0x8915,
                                          .kind = QPW_KIND_ETHERTYPE,
                                          .direction = QPW_DIR_NON_IP,
                                          .verdict = QPW_VERDICT_UNEXPECTED,
                                          .initiator = {[10] = 2, 0, 0, 0, 0, 0xaa},
                                          .responder = {[10] = 2, 0, 0, 0, 0, 0xbb}},
                                  .value = {.iface = 1, .outcome = QPW_OUTCOME_ATTEMPTED},
                                  .first_unix_ns = T0,
                                  .last_unix_ns = T0,
                                  .flow_id = 5};

    qpw_engine_findings(e, &row, 1, T0);
    cr_assert_str_eq(sink_words(&sink, 0), "ethertype/first");
    cr_expect(strstr(sink.records[0].text, "02:00:00:00:00:aa sent RoCE frames, which are not IP, to 02:00:00:00:00:bb"));
    cr_expect(strstr(sink.records[0].line, "\"src_mac\":\"02:00:00:00:00:aa\""));
    cr_expect(strstr(sink.records[0].line, "\"ether_type\":35093"));
    cr_expect_not(strstr(sink.records[0].line, "src_ip"));
    stop(e);
}

/* A flow_id is a short hash that anybody can compute: it links records, and must not suppress any. */
Test(alert_engine, findings_of_one_flow_id_are_two)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[2] = {finding(IN, "fd00::5", "fd00::1", 20048, QPW_OUTCOME_DATA, (struct span){T0, T0}),
                                      finding(IN, "fd00::6", "fd00::1", 4444, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0})};

    rows[0].key.verdict = QPW_VERDICT_IMPLIED;
    rows[1].flow_id = rows[0].flow_id;
    qpw_engine_findings(e, &rows[0], 1, T0);
    qpw_engine_findings(e, &rows[1], 1, T0);
    cr_expect_str_eq(sink_words(&sink, 0), "implied/first, inbound-attempted/first");
    rows[1].value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, rows, 2, T0 + SEC);
    cr_expect_str_eq(sink_words(&sink, 2), "inbound-answered/escalation");
    stop(e);
}

/* Nor does a log record of one finding count for the other. */
Test(alert_engine, the_logs_record_of_another_finding_hides_nothing)
{
    struct qpw_finding_row row = finding(IN, "10.0.0.6", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_engine_past past = {.flow_id = row.flow_id, .written_unix_ns = T0 + SEC, .count = 1, .sequence = 9,
                                   .signature_id = 1000104, .outcome = QPW_OUTCOME_DATA, .ends = ends_of(&row)};

    for (int way = 0; way < 5; way++) {
        struct qpw_engine_past other = past;
        struct qpw_engine *e = start();

        if (way == 0)
            other.ends.initiator[15] ^= 1;
        else if (way == 1)
            other.ends.port = 20048;
        else if (way == 2)
            other.ends.verdict = QPW_VERDICT_IMPLIED;
        else if (way == 3)
            other.ends.direction = OUT;
        else
            other.ends = (struct qpw_engine_ends){0};
        cr_assert_eq(qpw_engine_restore(e, &other, T0 + 2 * SEC), 0);
        qpw_engine_findings(e, &row, 1, T0 + 2 * SEC);
        cr_expect_str_eq(sink_words(&sink, 0), "inbound-data/first", "way %d", way);
        stop(e);
    }
}

/* A record with a time in the future suppresses nothing: the clock was set back, or the line was forged. */
Test(alert_engine, times_later_than_now_count_as_none)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_engine_past past = {.flow_id = row.flow_id, .written_unix_ns = T0 + 86400 * SEC, .count = 1,
                                   .sequence = 3, .signature_id = 1000104, .outcome = QPW_OUTCOME_DATA,
                                   .ends = ends_of(&row)};

    cr_assert_eq(qpw_engine_restore(e, &past, T0 + SEC), 0);
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/again");
    cr_expect_eq(sink.records[0].sequence, 4);
    stop(e);
}

/* A clock step in either direction neither restarts a finding nor ends its summaries. */
Test(alert_engine, a_step_of_the_clock_changes_no_interval)
{
    static const int64_t steps[] = {-86400 * (int64_t)SEC, 86400 * (int64_t)SEC, -10 * (int64_t)SEC};

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        struct qpw_engine *e = start();
        struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});

        row.counts.connections = 1;
        qpw_engine_findings(e, &row, 1, T0);
        cr_assert_eq(sink.n, 1);
        qpw_engine_clock_stepped(e, steps[i]);
        row.first_unix_ns += steps[i]; /* derived from the kernel's clock with the new offset */
        row.last_unix_ns += steps[i];
        qpw_engine_findings(e, &row, 1, T0 + steps[i] + SEC);
        cr_expect_eq(sink.n, 1, "step %zu", i);
        row.counts.connections = 5;
        qpw_engine_findings(e, &row, 1, T0 + steps[i] + 301 * SEC);
        cr_expect_str_eq(sink_words(&sink, 1), "inbound-data/summary", "step %zu", i);
        stop(e);
    }
}
