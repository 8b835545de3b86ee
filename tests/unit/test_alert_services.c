/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The users of one answered service: the first is reported at once, the others in one record; a scan is one alert; a
 * day of a busy site.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts.h"
#include "facts/service.h"
#include "facts/severity.h"
#include "host/sockets.h"
#include "util/names.h"

#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND

static struct sink sink;

static struct qpw_engine *start(void)
{
    struct qpw_engine_settings settings;

    qpw_engine_defaults(&settings);
    settings.heartbeat_s = 1000000000;
    return engine_for(&sink, &settings);
}

static void stop(struct qpw_engine *e)
{
    qpw_engine_free(e);
    sink_clear(&sink);
}

/* Client `i` of a service: 10.1.X.Y with 40 in each /24. */
static struct qpw_finding_row client(unsigned i, unsigned port, unsigned outcome, uint64_t at_ns)
{
    char source[32];

    snprintf(source, sizeof(source), "10.1.%u.%u", i / 40, 1 + i % 40);
    return finding(IN, source, "10.0.0.1", port, outcome, (struct span){at_ns, at_ns});
}

TestSuite(alert_services);

Test(alert_services, eighty_one_clients_are_one_high_alert_and_one_record)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[81];

    for (unsigned i = 0; i < 81; i++) {
        rows[i] = client(i, 9999, QPW_OUTCOME_ANSWERED, T0 + i * 100000000ull);
        qpw_engine_findings(e, &rows[i], 1, rows[i].first_unix_ns);
    }
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first");
    cr_expect_eq(sink.records[0].written_ns, T0, "the first is not gathered");
    for (unsigned s = 9; s < 20; s++)
        qpw_engine_tick(e, T0 + s * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, further-initiators/first");
    cr_expect_eq(sink.records[1].count, 80);
    cr_expect_eq(sink.records[1].signature->severity, QPW_SEVERITY_MEDIUM);
    cr_expect(strstr(sink.records[1].text,
                     "80 further addresses were answered by node1 on tcp/9999: 240 packets, 17.7 kB since 10.1.0.1 was "
                     "reported as the first, most recently 10.1.2.1. From 10.1.1.0/24 (40), 10.1.0.0/24 (39), "
                     "10.1.2.0/24 (1)."), "%s", sink.records[1].text);
    cr_expect_str_eq(sink.records[1].allow, "inbound tcp 9999 \"TODO: purpose\" from=10.1.0.0/24,10.1.1.0/24,10.1.2.0/24");
    cr_expect(strstr(sink.records[1].text, sink.records[1].allow), "%s", sink.records[1].text);
    cr_expect(strstr(sink.records[1].line, "\"of_flow_id\""), "%s", sink.records[1].line);
    stop(e);
}

Test(alert_services, one_further_address_is_said_so)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[2] = {client(0, 9999, QPW_OUTCOME_ANSWERED, T0), client(1, 9999, QPW_OUTCOME_ANSWERED, T0 + SEC)};

    qpw_engine_findings(e, rows, 2, T0 + SEC);
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_eq(sink.n, 2);
    cr_expect(strstr(sink.records[1].text, "1 further address was answered by node1 on tcp/9999: "), "%s", sink.records[1].text);
    stop(e);
}

Test(alert_services, few_further_addresses_are_named_and_their_packets_are_theirs)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[2] = {client(0, 9999, QPW_OUTCOME_ANSWERED, T0), client(1, 9999, QPW_OUTCOME_ANSWERED, T0 + SEC)};

    qpw_engine_findings(e, rows, 2, T0 + SEC);
    rows[0].counts.rx_packets += 1000; /* the first one continues */
    rows[0].counts.connections++;
    rows[0].last_unix_ns = T0 + 2 * SEC;
    qpw_engine_findings(e, rows, 2, T0 + 2 * SEC);
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, further-initiators/first");
    cr_expect(strstr(sink.records[1].text, "on tcp/9999: 3 packets"), "%s", sink.records[1].text);
    cr_expect_str_eq(sink.records[1].allow, "inbound tcp 9999 \"TODO: purpose\" from=10.1.0.2");
    stop(e);
}

Test(alert_services, who_came_before_another_first_is_not_counted_after_it)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[42];

    for (unsigned i = 0; i < 42; i++)
        rows[i] = client(i, 9999, QPW_OUTCOME_ANSWERED, T0 + i);
    qpw_engine_findings(e, rows, 39, T0 + SEC);
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_eq(sink_last(&sink, QPW_SIG_FURTHER)->count, 38);
    for (unsigned i = 0; i < 39; i++)
        rows[i].value.flags = QPW_FINDING_SUPERSEDED;
    qpw_engine_findings(e, rows, 39, T0 + 21 * SEC);
    for (unsigned i = 39; i < 42; i++) {
        rows[i].first_unix_ns = rows[i].last_unix_ns = T0 + i * SEC;
        qpw_engine_findings(e, &rows[i], 1, T0 + i * SEC);
    }
    qpw_engine_tick(e, T0 + 400 * SEC);
    cr_assert_str_eq(sink_words(&sink, 3), "inbound-answered/first, further-initiators/summary");
    cr_expect_eq(sink.records[4].count, 2);
    cr_expect_not_null(strstr(sink.records[4].text, "2 further addresses were answered by node1 on tcp/9999: 6 packets"), "%s",
                       sink.records[4].text);
    cr_expect_not_null(strstr(sink.records[4].text, "since 10.1.0.40 was reported as the first"), "%s", sink.records[4].text);
    stop(e);
}

Test(alert_services, what_goes_on_is_one_summary_a_service_and_interval)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[81];

    for (unsigned i = 0; i < 81; i++)
        rows[i] = client(i, 9999, QPW_OUTCOME_DATA, T0 + i);
    for (unsigned s = 0; s <= 950; s++) { /* each one sends every fifteen seconds */
        for (unsigned i = 0; i < 81 && s % 15 == 0; i++) {
            rows[i].counts.connections = 1 + s / 15;
            rows[i].last_unix_ns = T0 + s * SEC + i;
        }
        if (s % 15 == 0)
            qpw_engine_findings(e, rows, 81, T0 + s * SEC + 100);
        qpw_engine_tick(e, T0 + s * SEC + 200);
    }
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/first, further-initiators/first, further-initiators/summary, "
                                           "further-initiators/summary, further-initiators/summary");
    cr_expect_eq(sink.records[4].count, 80);
    cr_expect_eq(sink.records[2].suppressed, 81 * 20);
    cr_expect_eq(sink.records[4].sequence, 4);
    stop(e);
}

Test(alert_services, one_user_alone_goes_on_under_its_own_number)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = client(0, 9999, QPW_OUTCOME_DATA, T0);

    qpw_engine_findings(e, &row, 1, T0);
    row.counts.connections = 7;
    row.last_unix_ns = T0 + 301 * SEC;
    qpw_engine_findings(e, &row, 1, T0 + 302 * SEC);
    qpw_engine_tick(e, T0 + 303 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/first, inbound-data/summary");
    stop(e);
}

Test(alert_services, each_service_has_its_first_at_once)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[6];

    for (unsigned i = 0; i < 6; i++)
        rows[i] = client(i, i < 3 ? 9999 : 9000 + i, QPW_OUTCOME_ANSWERED, T0 + i);
    rows[1].key.protocol = IPPROTO_UDP;
    rows[2].key.direction = OUT;
    for (unsigned i = 0; i < 6; i++)
        finding_renumber(&rows[i]);
    qpw_engine_findings(e, rows, 6, T0 + SEC);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ANSWERED), 5);
    cr_expect_eq(sink_count(&sink, QPW_SIG_OUT_ANSWERED), 1);
    cr_expect_eq(sink.n, 6);
    stop(e);
}

Test(alert_services, the_first_that_rises_is_an_escalation_and_the_others_are_not)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[3];

    for (unsigned i = 0; i < 3; i++)
        rows[i] = client(i, 9999, QPW_OUTCOME_ATTEMPTED, T0);
    qpw_engine_findings(e, rows, 3, T0 + 3 * SEC);
    cr_assert_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 3);
    for (unsigned i = 0; i < 3; i++)
        rows[i].value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, rows, 3, T0 + 4 * SEC);
    cr_assert_str_eq(sink_words(&sink, 3), "inbound-answered/escalation");
    for (unsigned i = 0; i < 3; i++)
        rows[i].value.outcome = QPW_OUTCOME_DATA;
    qpw_engine_findings(e, rows, 3, T0 + 5 * SEC);
    cr_assert_str_eq(sink_words(&sink, 4), "inbound-data/escalation");
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_str_eq(sink_words(&sink, 5), "further-initiators/first");
    cr_expect_eq(sink.records[5].count, 2);
    cr_expect_eq(sink.records[5].outcome, QPW_OUTCOME_DATA);
    stop(e);
}

static struct qpw_process who = {.match = QPW_MATCH_EXACT, .pid = 7, .name = "a", .exe = "/usr/bin/a"};

static void ask(void *data, const struct qpw_finding_row *row, struct qpw_process *ret)
{
    *ret = who;
}

/* Active FTP connections whose owner could not be determined are reported apart from those whose owner fits. */
Test(alert_services, companions_of_an_unknown_owner_are_told_apart_from_those_that_fit)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[6];

    for (unsigned i = 0; i < 6; i++) {
        rows[i] = client(i, 20048, QPW_OUTCOME_DATA, T0 + i * SEC);
        rows[i].key.verdict = QPW_VERDICT_IMPLIED;
        rows[i].value.reason = i < 2 ? QPW_REASON_OWNER_UNKNOWN : QPW_REASON_NONE;
        qpw_engine_findings(e, &rows[i], 1, rows[i].first_unix_ns);
    }
    for (unsigned s = 6; s < 30; s++)
        qpw_engine_tick(e, T0 + s * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "implied-owner-unknown/first, implied/first, further-initiators/first, "
                                           "further-companions/first");
    cr_expect_eq(sink.records[2].count, 1);
    cr_expect_eq(sink.records[2].signature->severity, QPW_SEVERITY_MEDIUM);
    cr_expect(strstr(sink.records[2].text, "belongs to the service it goes with, and that is not known."), "%s",
              sink.records[2].text);
    cr_expect_eq(sink.records[3].count, 3);
    cr_expect_eq(sink.records[3].signature->severity, QPW_SEVERITY_INFO);
    for (unsigned i = 0; i < 4; i++) {
        cr_expect_null(strstr(sink.records[i].text, "unexpected`"), "%s", sink.records[i].text);
        cr_expect_null(strstr(sink.records[i].text, "but not for this address"), "%s", sink.records[i].text);
    }
    stop(e);
}

/* Attempts at closed ports by a host with an FTP session: no alert for a few, a scan if there are many. */
Test(alert_services, refused_companions_are_no_records_of_their_own)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[20];

    for (unsigned i = 0; i < 20; i++) {
        rows[i] = finding(IN, "10.1.0.1", "10.0.0.1", 41000 + i, QPW_OUTCOME_REFUSED, (struct span){T0 + i * SEC, T0 + i * SEC});
        rows[i].key.verdict = QPW_VERDICT_IMPLIED;
        rows[i].value.reason = QPW_REASON_OWNER_UNKNOWN;
        qpw_engine_findings(e, &rows[i], 1, rows[i].first_unix_ns);
        qpw_engine_tick(e, rows[i].first_unix_ns);
        if (i == 4)
            cr_assert_eq(sink.n, 0, "%s", sink_words(&sink, 0));
    }
    for (unsigned s = 20; s < 40; s++)
        qpw_engine_tick(e, T0 + s * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "scan/first");
    stop(e);
}

Test(alert_services, another_program_on_the_same_port_is_reported_on_its_own)
{
    struct qpw_engine *e = start();
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row rows[4];

    context.process = ask;
    qpw_engine_context(e, &context, T0);
    for (unsigned i = 0; i < 4; i++) {
        rows[i] = client(i, 9999, QPW_OUTCOME_ANSWERED, T0 + i * SEC);
        strcpy(who.exe, i < 2 ? "/usr/bin/a" : "/tmp/b");
        if (i == 3)
            who.match = QPW_MATCH_NONE; /* unknown: aggregated with those of the port */
        qpw_engine_findings(e, &rows[i], 1, T0 + i * SEC);
    }
    who.match = QPW_MATCH_EXACT;
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, inbound-answered/first");
    cr_expect_eq(sink.records[1].flow_id, rows[2].flow_id);
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "further-initiators/first");
    cr_expect_eq(sink.records[2].count, 2);
    stop(e);
}

Test(alert_services, after_the_first_was_closed_the_next_is_the_first)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[3];

    for (unsigned i = 0; i < 3; i++)
        rows[i] = client(i, 9999, QPW_OUTCOME_ANSWERED, T0);
    qpw_engine_findings(e, rows, 2, T0 + SEC);
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, further-initiators/first");
    rows[0].value.flags = rows[1].value.flags = QPW_FINDING_SUPERSEDED;
    qpw_engine_findings(e, rows, 2, T0 + 21 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "inbound-answered/closed");
    rows[2].first_unix_ns = rows[2].last_unix_ns = T0 + 30 * SEC;
    qpw_engine_findings(e, rows, 3, T0 + 31 * SEC);
    cr_assert_str_eq(sink_words(&sink, 3), "inbound-answered/first");
    stop(e);
}

Test(alert_services, after_a_restart_the_record_goes_on_under_its_number)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[20];
    struct qpw_engine_past past[2];

    for (unsigned i = 0; i < 20; i++)
        rows[i] = client(i, 9999, QPW_OUTCOME_ANSWERED, T0 + i);
    qpw_engine_findings(e, rows, 10, T0 + SEC);
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_eq(sink.n, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct seen *s = &sink.records[i];

        past[i] = (struct qpw_engine_past){
            .flow_id = s->flow_id, .written_unix_ns = s->written_ns, .count = s->count, .sequence = s->sequence,
            .signature_id = s->signature->id, .outcome = s->outcome,
            .ends = {.port = 9999, .verdict = QPW_VERDICT_UNEXPECTED, .direction = IN}};
        memcpy(past[i].ends.initiator, s->row.key.initiator, 16);
        memcpy(past[i].ends.responder, s->row.key.responder, 16);
    }
    qpw_engine_free(e);
    e = start();
    qpw_engine_restore(e, &past[0], T0 + 60 * SEC);
    qpw_engine_restore(e, &past[1], T0 + 60 * SEC);
    for (unsigned i = 10; i < 20; i++)
        rows[i].first_unix_ns = rows[i].last_unix_ns = T0 + 50 * SEC;
    qpw_engine_findings(e, rows, 20, T0 + 60 * SEC);
    qpw_engine_tick(e, T0 + 100 * SEC);
    cr_expect_eq(sink.n, 2, "%s", sink_words(&sink, 2));
    qpw_engine_tick(e, T0 + 321 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "further-initiators/summary");
    cr_expect_eq(sink.records[2].sequence, 2);
    cr_expect_eq(sink.records[2].count, 19);
    cr_expect_eq(sink.records[2].suppressed, 10);
    stop(e);
}

Test(alert_services, places_wait_for_the_record_and_hurry_it)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[40];

    for (unsigned i = 0; i < 40; i++)
        rows[i] = client(i, 9999, QPW_OUTCOME_ANSWERED, T0 + i);
    qpw_engine_findings(e, rows, 20, T0 + SEC);
    cr_expect(qpw_engine_settled(e, &rows[0]));
    cr_expect_not(qpw_engine_settled(e, &rows[5]), "its record is not written");
    qpw_engine_tick(e, T0 + 12 * SEC);
    cr_expect(qpw_engine_settled(e, &rows[5]));
    qpw_engine_findings(e, rows, 40, T0 + 13 * SEC); /* twenty more */
    for (unsigned i = 20; i < 40; i++)
        rows[i].last_unix_ns = T0 + 14 * SEC;
    cr_expect_not(qpw_engine_settled(e, &rows[30]));
    qpw_engine_tick(e, T0 + 23 * SEC);
    cr_expect(qpw_engine_settled(e, &rows[30]), "not only after the whole interval");
    cr_assert_str_eq(sink_words(&sink, 1), "further-initiators/first, further-initiators/summary");
    cr_expect_eq(sink.records[2].count, 39);
    stop(e);
}

Test(alert_services, at_the_end_nothing_waits)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[3];

    rows[0] = client(0, 9999, QPW_OUTCOME_ANSWERED, T0);
    rows[1] = client(1, 9999, QPW_OUTCOME_ANSWERED, T0);
    rows[2] = client(2, 7777, QPW_OUTCOME_ATTEMPTED, T0);
    qpw_engine_findings(e, rows, 3, T0 + 1);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first");
    qpw_engine_finish(e, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 1), "inbound-attempted/first, further-initiators/first");
    stop(e);
}

Test(alert_services, what_cannot_be_written_is_gathered_on)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[9];

    for (unsigned i = 0; i < 9; i++)
        rows[i] = client(i, 9999, QPW_OUTCOME_ANSWERED, T0);
    sink.broken = true;
    qpw_engine_findings(e, rows, 5, T0 + 1);
    qpw_engine_tick(e, T0 + 30 * SEC);
    cr_assert_eq(sink.n, 0);
    sink.broken = false;
    qpw_engine_findings(e, rows, 9, T0 + 31 * SEC);
    qpw_engine_tick(e, T0 + 42 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, further-initiators/first");
    cr_expect_eq(sink.records[1].count, 8);
    stop(e);
}

Test(alert_services, the_text_has_the_command_line_and_whether_the_program_was_seen_before)
{
    struct qpw_engine *e = start();
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row rows[3];

    context.process = ask;
    qpw_engine_context(e, &context, T0);
    strcpy(who.exe, "/usr/bin/python3.11");
    strcpy(who.name, "python3");
    strcpy(who.user, "root");
    strcpy(who.unit, "web.service");
    strcpy(who.command, "python3 -m http.server `9999`\nx");
    who.started_unix_ns = T0 - 60 * SEC;
    for (unsigned i = 0; i < 3; i++)
        rows[i] = client(i, 9000 + i, QPW_OUTCOME_DATA, T0 + i);
    rows[0].program_seen = QPW_PROGRAM_NEW;
    rows[1].program_seen = QPW_PROGRAM_BEFORE;
    qpw_engine_findings(e, rows, 3, T0 + SEC);
    cr_expect(strstr(sink.records[0].text,
                     "node1 (10.0.0.1) served 10.1.0.1 on tcp/9000 (python3, pid 7, root, web.service): 3 packets, 222 B. The "
                     "policy (/etc/qportwatch/policy) has no inbound rule for it. Command: `python3 -m http.server '9999' x`, "
                     "started 2026-02-28 23:59:00Z. This program was not seen on this node before. To allow it: "
                     "`inbound tcp 9000 python3 from=10.1.0.1`"), "%s", sink.records[0].text);
    cr_expect(strstr(sink.records[0].line, "\"program_before\":[\"no\"]"));
    cr_expect_not(strstr(sink.records[1].text, "not seen on this node"));
    cr_expect(strstr(sink.records[1].line, "\"program_before\":[\"yes\"]"));
    cr_expect_not(strstr(sink.records[2].line, "program_before"), "what nobody has looked for is not said");
    rows[0] = client(7, 9007, QPW_OUTCOME_DATA, T0 + 2 * SEC);
    rows[0].program_seen = QPW_PROGRAM_NEW;
    qpw_engine_programs_unknown(e, 1);
    qpw_engine_context(e, &context, T0 + 2 * SEC);
    qpw_engine_findings(e, rows, 1, T0 + 2 * SEC);
    cr_assert_eq(sink.n, 4);
    cr_expect(strstr(sink.records[3].text, "This program was not seen on this node before, as far as is known: the program of 1 "
                                           "earlier exchange was not found. To allow it"), "%s", sink.records[3].text);
    cr_expect(strstr(sink.records[3].line, "\"program_before\":[\"unknown\"]"), "%s", sink.records[3].line);
    stop(e);
}

Test(alert_services, many_that_are_answered_in_a_moment_are_not_reported_as_unanswered)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[80];

    for (unsigned i = 0; i < 80; i++)
        rows[i] = client(i, 9100, QPW_OUTCOME_ATTEMPTED, T0 + i);
    qpw_engine_findings(e, rows, 80, T0 + SEC / 10);
    for (unsigned i = 0; i < 60; i++)
        rows[i].value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, rows, 60, T0 + SEC);
    qpw_engine_tick(e, T0 + 3 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, many-initiators/first");
    cr_expect_eq(sink.records[1].count, 20);
    for (unsigned i = 0; i < 80; i++)
        rows[i].value.outcome = QPW_OUTCOME_DATA;
    qpw_engine_findings(e, rows, 80, T0 + 4 * SEC);
    qpw_engine_tick(e, T0 + 14 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "inbound-data/escalation, further-initiators/first");
    cr_expect_eq(sink.records[3].count, 79);
    stop(e);
    e = start();
    for (unsigned i = 0; i < 80; i++)
        rows[i].value.outcome = QPW_OUTCOME_ATTEMPTED;
    qpw_engine_findings(e, rows, 80, T0 + SEC / 10);
    for (unsigned i = 0; i < 80; i++)
        rows[i].value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, rows, 80, T0 + SEC);
    qpw_engine_tick(e, T0 + 3 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first");
    stop(e);
}

/* An exchange that the node opens to one of many responders on a port. */
static struct qpw_finding_row node_opens(unsigned responder, unsigned outcome, enum qpw_program_seen seen, uint64_t at_ns)
{
    struct qpw_finding_row row = client(responder, 8443, outcome, at_ns);
    uint8_t node[16];

    memcpy(node, row.key.responder, 16);
    memcpy(row.key.responder, row.key.initiator, 16);
    memcpy(row.key.initiator, node, 16);
    row.key.direction = OUT;
    row.program_seen = seen;
    finding_renumber(&row);
    return row;
}

Test(alert_services, a_new_program_has_an_alert_of_its_own_whoever_else_uses_the_port)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[] = {node_opens(0, QPW_OUTCOME_DATA, QPW_PROGRAM_UNKNOWN, T0),
                                     node_opens(1, QPW_OUTCOME_DATA, QPW_PROGRAM_BEFORE, T0 + 1),
                                     node_opens(2, QPW_OUTCOME_ANSWERED, QPW_PROGRAM_NEW, T0 + 2)};

    qpw_engine_findings(e, rows, 3, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "outbound-data/first, outbound-answered-new/first");
    cr_expect_eq(sink.records[1].signature->severity, QPW_SEVERITY_HIGH);
    rows[2].value.outcome = QPW_OUTCOME_DATA;
    qpw_engine_findings(e, rows, 3, T0 + 2 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "outbound-data-new/escalation");
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_str_eq(sink_words(&sink, 3), "further-responders/first");
    stop(e);
}

Test(alert_services, a_program_that_is_found_to_be_new_later_raises_its_exchange_once)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[] = {node_opens(0, QPW_OUTCOME_DATA, QPW_PROGRAM_UNKNOWN, T0),
                                     node_opens(1, QPW_OUTCOME_DATA, QPW_PROGRAM_UNKNOWN, T0 + 1)};

    qpw_engine_findings(e, rows, 2, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "outbound-data/first");
    rows[0].program_seen = rows[1].program_seen = QPW_PROGRAM_NEW;
    for (unsigned i = 0; i < 3; i++)
        qpw_engine_findings(e, rows, 2, T0 + (2 + i) * SEC);
    cr_assert_str_eq(sink_words(&sink, 1), "outbound-data-new/escalation, outbound-data-new/first");
    stop(e);
}

/* One scan: `n` ports from 1, port by port as events arrive; some match a companion or a wide rule only. */
static void scan(struct qpw_engine *e, const char *source, unsigned n, uint64_t from_ns, uint64_t step_ns)
{
    for (unsigned i = 0; i < n; i++) {
        struct qpw_finding_row row = finding(IN, source, "10.0.0.1", 1 + i, QPW_OUTCOME_REFUSED,
                                             (struct span){from_ns + i * step_ns, from_ns + i * step_ns});

        if (i % 5 < 2) {
            row.key.verdict = QPW_VERDICT_IMPLIED;
            row.value.rule = 3;
        } else if (i % 5 == 2) {
            row.key.verdict = QPW_VERDICT_WEAK;
            row.value.rule = 4;
        } else if (i == 503) {
            row.value.outcome = QPW_OUTCOME_ANSWERED;
        }
        finding_renumber(&row);
        qpw_engine_findings(e, &row, 1, row.first_unix_ns);
        if (i % 50 == 0)
            qpw_engine_tick(e, row.first_unix_ns);
    }
}

Test(alert_services, a_scan_is_one_alert_and_one_for_what_answered)
{
    struct qpw_engine *e = start();

    scan(e, "10.9.9.9", 1000, T0, 2000000);
    for (unsigned s = 2; s < 6; s++)
        qpw_engine_tick(e, T0 + s * SEC);
    cr_expect_eq(sink_count(&sink, QPW_SIG_SCAN), 1);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ANSWERED), 1);
    cr_expect_eq(sink.n, 2, "%s", sink_words(&sink, 0));
    qpw_engine_tick(e, T0 + 302 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "scan/summary");
    cr_expect_eq(sink.records[2].count, 999, "the one that answered is none of those that did not");
    stop(e);
}

Test(alert_services, a_scan_of_ports_that_only_a_wide_rule_covers_is_one)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row rows[100];

    for (unsigned i = 0; i < 100; i++) {
        rows[i] = finding(IN, "10.9.9.9", "10.0.0.1", 40000 + i, QPW_OUTCOME_REFUSED, (struct span){T0 + i, T0 + i});
        rows[i].key.verdict = QPW_VERDICT_WEAK;
        rows[i].value.rule = 4;
        finding_renumber(&rows[i]);
    }
    qpw_engine_findings(e, rows, 9, T0 + SEC);
    qpw_engine_tick(e, T0 + 5 * SEC);
    cr_expect_eq(sink.n, 0, "a few are no concern");
    qpw_engine_findings(e, rows, 100, T0 + 6 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "scan/first");
    stop(e);
}

Test(alert_services, an_attempt_waits_for_its_company_and_no_longer)
{
    struct qpw_engine *e = start();
    struct qpw_finding_row row = client(0, 9999, QPW_OUTCOME_ATTEMPTED, T0);

    qpw_engine_findings(e, &row, 1, T0);
    qpw_engine_tick(e, T0 + SEC);
    cr_expect_eq(sink.n, 0);
    cr_expect_not(qpw_engine_settled(e, &row));
    qpw_engine_tick(e, T0 + 2 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-attempted/first");
    cr_expect(qpw_engine_settled(e, &row));
    qpw_engine_tick(e, T0 + 400 * SEC);
    cr_expect_eq(sink.n, 1);
    stop(e);
}

/* ---- A day of a busy site ---- */

#define SITE 4096
static struct qpw_finding_row site[SITE];
static unsigned every[SITE]; /* interval in seconds between exchanges; 0: one exchange */
static size_t n_site;

struct times {
    unsigned at_s, every_s;
};

static struct qpw_finding_row *on_site(unsigned direction, const char *from, const char *to, unsigned port,
                                       unsigned outcome, struct times times)
{
    site[n_site] = finding(direction, from, to, port, outcome, (struct span){T0 + times.at_s * SEC, T0 + times.at_s * SEC});
    every[n_site] = times.every_s;
    return &site[n_site++];
}

static void make_implied(struct qpw_finding_row *row)
{
    row->key.verdict = QPW_VERDICT_IMPLIED;
    row->value.rule = 3;
    finding_renumber(row);
}

/*
 * 81 monitors of an exporter, 12 backup clients, 40 targets of an agent, 150 users of a companion, three scans of 600
 * ports with two answers each, 30 hosts that broadcast on 8 ports, 60 lone attempts.
 */
static void build_site(void)
{
    char a[32];

    n_site = 0;
    for (unsigned i = 0; i < 81; i++) {
        snprintf(a, sizeof(a), "10.1.%u.%u", i / 40, 1 + i % 40);
        on_site(IN, a, "10.0.0.1", 9100, QPW_OUTCOME_DATA, (struct times){60 + i, 15});
    }
    for (unsigned i = 0; i < 12; i++) {
        snprintf(a, sizeof(a), "10.2.0.%u", 1 + i);
        on_site(IN, a, "10.0.0.1", 10000, QPW_OUTCOME_DATA, (struct times){3600 + 600 * i, 1800});
    }
    for (unsigned i = 0; i < 40; i++) {
        snprintf(a, sizeof(a), "10.3.0.%u", 1 + i);
        on_site(OUT, "10.0.0.1", a, 8443, QPW_OUTCOME_DATA, (struct times){200 + 37 * i, 300});
    }
    for (unsigned i = 0; i < 150; i++) {
        snprintf(a, sizeof(a), "10.4.%u.%u", i / 100, 1 + i % 100);
        make_implied(on_site(IN, a, "10.0.0.1", 20048, QPW_OUTCOME_DATA, (struct times){400 + 200 * i, 3600}));
    }
    for (unsigned s = 0; s < 3; s++)
        for (unsigned i = 0; i < 600; i++) {
            struct qpw_finding_row *row = on_site(IN, "10.9.9.9", "10.0.0.1", 1000 + s * 600 + i, QPW_OUTCOME_REFUSED,
                                                  (struct times){20000 + 20000 * s + i / 100});

            if (i % 3 == 0)
                make_implied(row);
            else if (i == 100 || i == 200)
                row->value.outcome = QPW_OUTCOME_ANSWERED;
        }
    for (unsigned i = 0; i < 240; i++) {
        snprintf(a, sizeof(a), "10.5.0.%u", 1 + i / 8);
        on_site(IN, a, "10.5.0.255", 5353 + i % 8, QPW_OUTCOME_ATTEMPTED, (struct times){100 + i, 60})->value.flags = QPW_FINDING_MULTICAST;
    }
    for (unsigned i = 0; i < 60; i++) {
        snprintf(a, sizeof(a), "10.6.%u.1", i);
        on_site(IN, a, "10.0.0.1", 30000 + i, QPW_OUTCOME_ATTEMPTED, (struct times){500 + 1400 * i});
    }
}

/* Deliver a snapshot every five minutes, and events as they occur. */
static void live_a_day(struct qpw_engine *e)
{
    static struct qpw_finding_row known[SITE];

    for (unsigned s = 0; s < 86400; s += 5) {
        size_t n = 0;

        for (size_t i = 0; i < n_site; i++) {
            uint64_t begun = (site[i].first_unix_ns - T0) / SEC;

            if (begun > s)
                continue;
            if (every[i]) {
                site[i].counts.connections = 1 + (s - begun) / every[i];
                site[i].last_unix_ns = site[i].first_unix_ns + (site[i].counts.connections - 1) * every[i] * SEC;
            }
            if (begun + 5 > s || s % 300 == 0)
                known[n++] = site[i];
        }
        qpw_engine_findings(e, known, n, T0 + s * SEC);
        qpw_engine_tick(e, T0 + s * SEC);
    }
    qpw_engine_finish(e, T0 + 86400 * SEC);
}

/* Return whether a record covers this answered finding: its own or that of its service. */
static bool is_reported(const struct qpw_finding_row *row)
{
    struct qpw_service service, of;

    cr_assert(qpw_finding_service(row, &service));
    for (size_t i = 0; i < sink.n; i++) {
        const struct seen *s = &sink.records[i];
        bool further = s->signature == qpw_signature(QPW_SIG_FURTHER) || s->signature == qpw_signature(QPW_SIG_FURTHER_OUT) ||
                       s->signature == qpw_signature(QPW_SIG_FURTHER_INFO);

        if (s->flow_id == row->flow_id && s->outcome >= QPW_OUTCOME_ANSWERED)
            return true;
        if (further && qpw_finding_service(&s->row, &of) && !memcmp(&of, &service, sizeof(of)))
            return true;
    }
    return false;
}

Test(alert_services, a_day_of_a_busy_site)
{
    struct qpw_engine *e = start();
    size_t high = 0;

    build_site();
    live_a_day(e);
    for (size_t i = 0; i < sink.n; i++)
        high += sink.records[i].signature->severity == QPW_SEVERITY_HIGH;
    for (size_t i = 0; i < n_site; i++)
        cr_expect(!qpw_finding_answered(&site[i]) || is_reported(&site[i]), "port %u", site[i].key.port);
    /* Exporter, backup, and two of each scan. One record per user would be 35,991 records a day. */
    cr_expect_lt(sink.n, 35991 / 10 / 4, "%zu records", sink.n);
    cr_expect_eq(high, 8);
    cr_expect_eq(sink_last(&sink, QPW_SIG_FURTHER_OUT)->count, 39);
    cr_expect_eq(sink_last(&sink, QPW_SIG_FURTHER_INFO)->count, 149);
    cr_expect_leq(sink_count(&sink, QPW_SIG_SCAN), 6, "three, each with its last summary");
    cr_expect_eq(sink_count(&sink, QPW_SIG_MULTICAST), 8);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 60);
    stop(e);
}
