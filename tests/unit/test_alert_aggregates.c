/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Aggregates: scans, many initiators, floods, unnamed neighbours, noise; the cap; and that none of them hides an
 * answer.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts.h"
#include "util/names.h"

#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND

static struct sink sink;

static void stop(struct qpw_engine *e)
{
    qpw_engine_free(e);
    sink_clear(&sink);
}

/* `n` ports from `port` on, tried by one source, `step_ns` apart. Static rows. */
static struct qpw_finding_row *ports(const char *source, unsigned port, unsigned n, unsigned outcome, uint64_t from_ns,
                                     uint64_t step_ns)
{
    static struct qpw_finding_row rows[2048];

    for (unsigned i = 0; i < n; i++)
        rows[i] = finding(IN, source, "10.0.0.1", port + i, outcome, (struct span){from_ns + i * step_ns, from_ns + i * step_ns});
    return rows;
}

/* `n` sources 10.X.Y.Z that try one port. */
static struct qpw_finding_row *sources(unsigned n, unsigned port, unsigned outcome, uint64_t from_ns, uint64_t step_ns)
{
    static struct qpw_finding_row rows[4096];
    char source[32];

    for (unsigned i = 0; i < n; i++) {
        snprintf(source, sizeof(source), "10.%u.%u.%u", 1 + i / 20000, i / 100 % 200, 1 + i % 100);
        rows[i] = finding(IN, source, "10.0.0.1", port, outcome, (struct span){from_ns + i * step_ns, from_ns + i * step_ns});
    }
    return rows;
}

Test(alert_groups, a_scan_offered_in_one_batch_is_one_record)
{
    struct qpw_engine *e = engine_for(&sink, NULL);

    qpw_engine_findings(e, ports("10.9.9.9", 1, 2000, QPW_OUTCOME_REFUSED, T0, 1000000), 2000, T0 + 2 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "scan/first");
    cr_expect_eq(sink.records[0].count, 2000);
    cr_expect(strstr(sink.records[0].text, "10.9.9.9 probed 2,000 unlisted ports of node1 (1-2000)"),
              "%s", sink.records[0].text);
    cr_expect(strstr(sink.records[0].text, "suppress inbound any any from=10.9.9.9 until="));
    stop(e);
}

Test(alert_groups, a_scan_offered_port_by_port_is_nine_alerts_and_a_scan)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row *rows = ports("10.9.9.9", 1, 200, QPW_OUTCOME_ATTEMPTED, T0, 1000000);

    for (unsigned i = 0; i < 200; i++)
        qpw_engine_findings(e, &rows[i], 1, rows[i].first_unix_ns);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 9);
    cr_expect_eq(sink_count(&sink, QPW_SIG_SCAN), 1);
    cr_expect_eq(sink.n, 10);
    qpw_engine_tick(e, T0 + 299 * SEC);
    cr_expect_eq(sink.n, 10);
    qpw_engine_tick(e, T0 + 301 * SEC);
    cr_assert_str_eq(sink_words(&sink, 10), "scan/summary");
    cr_expect_eq(sink.records[10].count, 200);
    cr_expect_eq(sink.records[10].suppressed, 190);
    cr_expect_eq(sink.records[10].sequence, 2);
    cr_expect_eq(sink.records[10].flow_id, sink.records[9].flow_id);
    stop(e);
}

Test(alert_groups, what_answers_within_a_scan_has_its_own_alert)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row *rows = ports("10.9.9.9", 1, 1000, QPW_OUTCOME_REFUSED, T0, 1000000);

    rows[700].value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, rows, 1000, T0 + 2 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, scan/first");
    cr_expect_eq(sink.records[0].row.key.port, 701);
    rows[300].value.outcome = QPW_OUTCOME_DATA; /* one of those folded answers later */
    qpw_engine_findings(e, rows, 1000, T0 + 3 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "inbound-data/first");
    cr_expect_eq(sink.records[2].sequence, 1);
    stop(e);
}

Test(alert_groups, a_slow_scan_is_seen_over_an_hour)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row *rows = ports("10.9.9.9", 1, 30, QPW_OUTCOME_ATTEMPTED, T0, 120 * SEC);

    for (unsigned i = 0; i < 30; i++) {
        qpw_engine_findings(e, &rows[i], 1, rows[i].first_unix_ns);
        qpw_engine_tick(e, rows[i].first_unix_ns);
    }
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 19);
    cr_expect_geq(sink_count(&sink, QPW_SIG_SCAN), 1);
    cr_expect_eq(sink.records[19].kind, QPW_RECORD_FIRST);
    stop(e);
}

Test(alert_groups, a_few_ports_a_day_are_no_scan)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row *rows = ports("10.9.9.9", 1, 40, QPW_OUTCOME_ATTEMPTED, T0, 1800 * SEC);

    for (unsigned i = 0; i < 40; i++)
        qpw_engine_findings(e, &rows[i], 1, rows[i].first_unix_ns);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 40);
    cr_expect_eq(sink.n, 40);
    stop(e);
}

Test(alert_groups, a_scan_that_ended_and_returns_is_told_again)
{
    struct qpw_engine *e = engine_for(&sink, NULL);

    qpw_engine_findings(e, ports("10.9.9.9", 1, 50, QPW_OUTCOME_ATTEMPTED, T0, 1000000), 50, T0 + SEC);
    for (unsigned h = 1; h < 30; h++)
        qpw_engine_tick(e, T0 + h * 600 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "scan/first");
    qpw_engine_findings(e, ports("10.9.9.9", 1000, 50, QPW_OUTCOME_ATTEMPTED, T0 + 20000 * SEC, 1000000), 50,
                        T0 + 20001 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "scan/first, scan/again");
    cr_expect_eq(sink.records[1].sequence, 2);
    cr_expect_eq(sink.records[1].count, 50);
    stop(e);
}

Test(alert_groups, the_node_scanning_others_is_worse)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row rows[40];
    char target[32];

    for (unsigned i = 0; i < 40; i++) {
        snprintf(target, sizeof(target), "10.3.0.%u", i + 1);
        rows[i] = finding(OUT, "10.0.0.1", target, 445, QPW_OUTCOME_ATTEMPTED, (struct span){T0 + i, T0 + i});
    }
    qpw_engine_findings(e, rows, 40, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "scan-outbound/first");
    cr_expect_eq(sink.records[0].signature->severity, QPW_SEVERITY_HIGH);
    stop(e);
}

Test(alert_groups, after_a_restart_the_scan_goes_on_under_its_number)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row *rows = ports("10.9.9.9", 1, 500, QPW_OUTCOME_ATTEMPTED, T0, 1000000);
    struct qpw_engine_past past;

    qpw_engine_findings(e, rows, 500, T0 + SEC);
    past = (struct qpw_engine_past){.flow_id = sink.records[0].flow_id, .written_unix_ns = T0 + SEC, .count = 500,
                                    .sequence = 1, .signature_id = 1000501, .outcome = QPW_OUTCOME_ATTEMPTED};
    stop(e);

    e = engine_for(&sink, NULL);
    cr_assert_eq(qpw_engine_restore(e, &past, UINT64_MAX / 2), 0);
    qpw_engine_findings(e, ports("10.9.9.9", 1, 500, QPW_OUTCOME_ATTEMPTED, T0, 1000000), 500, T0 + 5 * SEC);
    qpw_engine_tick(e, T0 + 400 * SEC);
    cr_expect_eq(sink.n, 0, "%s", sink_words(&sink, 0));
    qpw_engine_findings(e, ports("10.9.9.9", 1, 600, QPW_OUTCOME_ATTEMPTED, T0, 3000000), 600, T0 + 401 * SEC);
    qpw_engine_tick(e, T0 + 402 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "scan/summary");
    cr_expect_eq(sink.records[0].sequence, 2);
    cr_expect_eq(sink.records[0].count, 600);
    stop(e);
}

Test(alert_groups, many_initiators_become_one_alert_from_the_sixteenth_on)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row *rows = sources(40, 5000, QPW_OUTCOME_ATTEMPTED, T0, SEC);

    for (unsigned i = 0; i < 40; i++)
        qpw_engine_findings(e, &rows[i], 1, rows[i].first_unix_ns);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 15);
    cr_expect_eq(sink_count(&sink, QPW_SIG_MANY_INITIATORS), 1);
    cr_expect_eq(sink.records[15].count, 16);
    cr_expect_str_eq(sink.records[15].allow, "inbound tcp 5000 \"TODO: purpose\"");
    cr_expect(strstr(sink.records[15].text, "16 addresses tried tcp/5000 of node1 (10.0.0.1)"));
    cr_expect(strstr(sink.records[15].text, "From 10.1.0.0/24 (16)"), "%s", sink.records[15].text);
    stop(e);
}

Test(alert_groups, forged_sources_over_many_ports_are_one_flood)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row *rows = sources(4000, 1, QPW_OUTCOME_ATTEMPTED, T0, 100000);

    for (unsigned i = 0; i < 4000; i++) {
        rows[i].key.port = 1 + i % 1000;
        finding_renumber(&rows[i]);
    }
    qpw_engine_findings(e, rows, 4000, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "flood/first");
    cr_expect_eq(sink.records[0].count, 4000);
    stop(e);
}

static struct qpw_engine *without_peers(void)
{
    static struct qpw_prefix link = {.length = 120};
    struct qpw_engine_context context = plain_context();
    struct qpw_engine *e = engine_for(&sink, NULL);

    cr_assert_eq(qpw_address_parse("10.0.0.0", link.addr), 0);
    context.links = &link;
    context.n_links = 1;
    qpw_engine_context(e, &context, T0);
    return e;
}

Test(alert_groups, an_unnamed_neighbour_is_told_as_one_and_its_answers_apart)
{
    struct qpw_engine *e = without_peers();
    struct qpw_finding_row *rows = ports("10.0.0.7", 7000, 6, QPW_OUTCOME_ATTEMPTED, T0, 1000000);

    rows[5].value.outcome = QPW_OUTCOME_DATA;
    qpw_engine_findings(e, rows, 6, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/first, maybe-peer/first");
    cr_expect(strstr(sink.records[0].text, "If 10.0.0.7 is a node of this cluster: `peer NAME 10.0.0.7`"));
    cr_expect(strstr(sink.records[1].text, "as a scanner does"), "%s", sink.records[1].text);
    cr_expect_not(strstr(sink.records[1].text, "peer NAME"), "who only knocks is never to be named a peer");
    stop(e);
}

Test(alert_groups, a_neighbour_that_is_tried_as_well_may_be_a_peer)
{
    struct qpw_engine *e = without_peers();
    struct qpw_finding_row rows[8];

    for (unsigned i = 0; i < 8; i++)
        rows[i] = i % 2 ? finding(IN, "10.0.0.7", "10.0.0.1", 7000 + i, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0})
                        : finding(OUT, "10.0.0.1", "10.0.0.7", 7000 + i, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});
    qpw_engine_findings(e, rows, 8, T0 + SEC);
    cr_assert_eq(sink_count(&sink, QPW_SIG_MAYBE_PEER), 1, "%s", sink_words(&sink, 0));
    cr_expect(strstr(sink_last(&sink, QPW_SIG_MAYBE_PEER)->text, "`peer NAME 10.0.0.7`"));
    stop(e);
}

/*
 * Answered exchanges beyond their quota are stored as attempted, so an aggregate must not claim that none was answered.
 */
Test(alert_groups, where_answers_were_lost_none_is_denied)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_snapshot s = {.unix_ns = T0 + SEC, .n_findings = 20};

    s.findings = ports("10.0.1.7", 7000, 20, QPW_OUTCOME_ATTEMPTED, T0, 1000000);
    s.losses[QPW_LOSS_ANSWERED_QUOTA] = 1200;
    qpw_engine_snapshot(e, &s, T0 + SEC);
    cr_assert_eq(sink_count(&sink, QPW_SIG_SCAN), 1, "%s", sink_words(&sink, 0));
    cr_expect(strstr(sink_last(&sink, QPW_SIG_SCAN)->text, "some of them may have been answered"), "%s",
              sink_last(&sink, QPW_SIG_SCAN)->text);
    cr_expect_not(strstr(sink_last(&sink, QPW_SIG_SCAN)->text, "none of them"));
    stop(e);
}

/*
 * One UDP service that answers forged sources: few records, and no finding keeps its slot because more is to be
 * reported.
 */
Test(alert_groups, forged_users_of_one_service_are_few_records_and_settled)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    static struct qpw_finding_row all[64][64];
    char source[16];
    size_t unsettled = 0;

    for (unsigned batch = 0; batch < 64; batch++) {
        struct qpw_finding_row *rows = all[batch];

        for (unsigned i = 0; i < 64; i++) {
            snprintf(source, sizeof(source), "11.%u.%u.9", batch, i);
            rows[i] = finding(IN, source, "10.0.0.1", 9999, QPW_OUTCOME_DATA, (struct span){T0 + batch * SEC / 4, T0 + batch * SEC / 4});
            rows[i].key.protocol = 17;
            finding_renumber(&rows[i]);
        }
        qpw_engine_findings(e, rows, 64, T0 + batch * SEC / 4);
        qpw_engine_tick(e, T0 + batch * SEC / 4);
    }
    qpw_engine_settled(e, &all[63][63]); /* the slot is needed: the aggregate is written soon */
    qpw_engine_tick(e, T0 + 600 * SEC);
    for (unsigned i = 0; i < 64 * 64; i++)
        unsettled += !qpw_engine_settled(e, &all[i / 64][i % 64]);
    cr_expect_leq(sink.n, 5, "%zu records of 4096 sources: %s", sink.n, sink_words(&sink, 0));
    cr_expect_eq(unsettled, 0, "%zu places cannot be freed", unsettled);
    stop(e);
}

Test(alert_groups, an_address_further_away_is_no_neighbour)
{
    struct qpw_engine *e = without_peers();

    qpw_engine_findings(e, ports("10.0.1.7", 7000, 6, QPW_OUTCOME_ATTEMPTED, T0, 1000000), 6, T0 + SEC);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 6);
    cr_expect_not(strstr(sink.records[0].text, "peer NAME"));
    stop(e);
}

Test(alert_groups, noise_is_told_once_a_day_for_each_port)
{
    struct qpw_engine *e = engine_for(&sink, NULL);

    for (unsigned s = 0; s < 2 * 86400; s += 600) {
        struct qpw_finding_row rows[2] = {
            finding(IN, "10.0.0.9", "10.0.0.255", 6771, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0 + s * SEC}),
            finding(IN, "10.0.0.8", "239.1.1.1", 1900, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0 + s * SEC})};

        rows[0].value.flags = rows[1].value.flags = QPW_FINDING_MULTICAST;
        rows[0].counts.connections = rows[1].counts.connections = 1 + s;
        qpw_engine_findings(e, rows, 2, T0 + s * SEC);
        qpw_engine_tick(e, T0 + s * SEC);
    }
    cr_expect_eq(sink_count(&sink, QPW_SIG_MULTICAST), 4);
    cr_expect_eq(sink.records[0].signature->severity, QPW_SEVERITY_INFO);
    stop(e);
}

Test(alert_groups, the_cap_delays_and_says_how_many_and_loses_none)
{
    struct qpw_engine_settings settings;
    struct qpw_engine_figures figures;
    struct qpw_finding_row *rows = ports("10.9.9.9", 1, 35, QPW_OUTCOME_ATTEMPTED, T0, 1000000);
    struct qpw_engine *e;
    uint64_t reported = 0;

    qpw_engine_defaults(&settings);
    settings.cap = 10;
    settings.scan_targets = settings.slow_scan_targets = settings.flood = settings.settle_s = 0;
    e = engine_for(&sink, &settings);
    rows[20].value.outcome = rows[21].value.outcome = QPW_OUTCOME_ANSWERED;
    qpw_engine_findings(e, rows, 35, T0 + SEC);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ANSWERED), 2, "what answered is never held back");
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 10);
    qpw_engine_get_figures(e, &figures);
    cr_expect_eq(figures.rate_limited, 23);
    cr_expect_eq(figures.waiting, 23);
    for (unsigned s = 2; s < 5; s++) {
        qpw_engine_tick(e, T0 + s * SEC);
        qpw_engine_findings(e, rows, 35, T0 + s * SEC);
    }
    qpw_engine_get_figures(e, &figures);
    cr_expect_eq(figures.waiting, 0);
    cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ATTEMPTED), 33);
    for (size_t i = 0; i < sink.n; i++)
        if (sink.records[i].signature == qpw_signature(QPW_SIG_HELD_BACK))
            reported += sink.records[i].count;
    cr_expect_eq(reported, 23);
    stop(e);
}

/* Return whether a record with many users is about that service. */
static bool of_service(const struct qpw_finding_row *row)
{
    for (size_t i = 0; i < sink.n; i++) {
        const struct seen *s = &sink.records[i];

        if (strncmp(s->signature ? s->signature->name : "", "further-", 8) == 0 && s->row.key.port == row->key.port &&
            s->row.key.direction == row->key.direction)
            return true;
    }
    return false;
}

/* Random input: each answered finding is covered by its own record or its service's, and none is "first" twice. */
Test(alert_groups, random_streams)
{
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct qpw_engine_settings settings;
        struct qpw_finding_row rows[400];
        struct qpw_engine_figures figures;
        struct qpw_engine *e;
        uint64_t now = T0, reported = 0;
        char source[32];

        srand(seed);
        qpw_engine_defaults(&settings);
        settings.cap = 1 + rand() % 20;
        e = engine_for(&sink, &settings);
        for (unsigned i = 0; i < 400; i++) {
            snprintf(source, sizeof(source), "10.1.%u.%u", rand() % 3, 1 + rand() % (1 + seed));
            rows[i] = finding(rand() % 5 ? IN : OUT, source, "10.0.0.1", 1 + rand() % (seed * 20),
                              1 + rand() % QPW_OUTCOME_DATA, (struct span){T0, T0});
            rows[i].value.flags = rand() % 20 ? 0 : QPW_FINDING_MULTICAST;
        }
        for (unsigned round = 0; round < 60; round++) {
            unsigned from = rand() % 400, n = 1 + rand() % (400 - from);

            now += (uint64_t)(rand() % 3000) * 100000000ull;
            for (unsigned i = from; i < from + n; i++) {
                struct qpw_finding_row *row = &rows[i];

                if (row->first_unix_ns == T0)
                    row->first_unix_ns = now - 1000;
                row->last_unix_ns = now;
                row->counts.connections += rand() % 3;
                if (rand() % 50 == 0 && row->value.outcome < QPW_OUTCOME_DATA)
                    row->value.outcome++;
            }
            sink.broken = rand() % 4 == 0;
            qpw_engine_findings(e, rows + from, n, now);
            qpw_engine_tick(e, now);
        }
        sink.broken = false;
        for (unsigned s = 0; s < 900; s++) { /* the disk works again: everything queued is written */
            now += SEC;
            qpw_engine_findings(e, rows, 400, now);
            qpw_engine_tick(e, now);
        }
        qpw_engine_get_figures(e, &figures);
        cr_expect_eq(figures.waiting, 0, "seed %u", seed);
        for (unsigned i = 0; i < 400; i++) {
            unsigned first = 0, answered = 0, sequence = 0;

            for (size_t r = 0; r < sink.n; r++) {
                if (sink.records[r].flow_id != rows[i].flow_id)
                    continue;
                first += sink.records[r].kind == QPW_RECORD_FIRST;
                answered += sink.records[r].outcome >= QPW_OUTCOME_ANSWERED;
                cr_expect_eq(sink.records[r].sequence, ++sequence, "seed %u", seed);
            }
            cr_expect(first <= 1, "seed %u row %u: first %u times", seed, i, first);
            cr_expect(rows[i].value.outcome < QPW_OUTCOME_ANSWERED || answered || of_service(&rows[i]),
                      "seed %u row %u: no record", seed, i);
        }
        for (size_t r = 0; r < sink.n; r++)
            if (sink.records[r].signature == qpw_signature(QPW_SIG_HELD_BACK))
                reported += sink.records[r].count;
        cr_expect_eq(reported, figures.rate_limited, "seed %u: %lu held, %lu told", seed, (unsigned long)figures.rate_limited,
                     (unsigned long)reported);
        stop(e);
    }
}
