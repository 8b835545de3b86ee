/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report's model and its renderers, from snapshots made by hand and at random. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/fail_on.h"
#include "host/sockets.h"
#include "bench/render.h"
#include "report/render.h"
#include "page.h"
#include "util/since.h"
#include "util/names.h"
#include "words/life.h"

#define T0 1790000000000000000ull /* 2026-09-21 14:13:20 UTC */
#define SECOND 1000000000ull

static struct qpw_snapshot s;
static struct qpw_report r;

static void teardown(void)
{
    qpw_report_clear(&r);
    qpw_snapshot_clear(&s);
}

TestSuite(report, .fini = teardown);

/* ---- Snapshots ---- */

static struct qpw_meter_row *meter(unsigned verdict, unsigned direction, unsigned protocol, unsigned port,
                                   uint64_t rx, uint64_t tx)
{
    struct qpw_meter_row *row;

    s.meters = realloc(s.meters, (s.n_meters + 1) * sizeof(*s.meters));
    row = &s.meters[s.n_meters++];
    memset(row, 0, sizeof(*row));
    row->key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = protocol, .direction = direction,
                                      .scope = QPW_SCOPE_OTHER, .verdict = verdict, .port = port, .iface = 1};
    row->counts = (struct qpw_counts){1, rx, 100 * rx, tx, 1000 * tx};
    row->first_unix_ns = T0 + SECOND;
    return row;
}

static struct qpw_finding_row *finding(unsigned verdict, unsigned direction, unsigned port, const char *initiator,
                                       unsigned outcome, unsigned last_seconds)
{
    struct qpw_finding_row *row;

    s.findings = realloc(s.findings, (s.n_findings + 1) * sizeof(*s.findings));
    row = &s.findings[s.n_findings++];
    memset(row, 0, sizeof(*row));
    row->key = (struct qpw_finding_key){.port = port, .kind = QPW_KIND_PORT, .protocol = 6, .direction = direction,
                                        .verdict = verdict};
    cr_assert_eq(qpw_address_parse(initiator, row->key.initiator), 0);
    cr_assert_eq(qpw_address_parse("10.1.0.12", row->key.responder), 0);
    row->value = (struct qpw_finding){.outcome = outcome, .evidence = QPW_EVIDENCE_HANDSHAKE, .iface = 1,
                                      .initiator_port = 40000, .scope = QPW_SCOPE_OTHER};
    row->counts = (struct qpw_counts){1, 2, 120, 1, 60};
    row->first_unix_ns = T0 + SECOND;
    row->last_unix_ns = T0 + last_seconds * SECOND;
    row->flow_id = qpw_finding_flow_id(&row->key);
    return row;
}

static void rule(const char *name, unsigned verdict)
{
    if (!s.n_rules)
        s.rules = calloc(64, sizeof(*s.rules)), s.n_rules = 1;
    snprintf(s.rules[s.n_rules].name, sizeof(s.rules->name), "%s", name);
    s.rules[s.n_rules].direction = QPW_DIR_INBOUND;
    s.rules[s.n_rules].verdict = verdict;
    s.rules[s.n_rules++].in_force = 1;
}

static void peer(const char *name)
{
    if (!s.n_peers)
        s.peers = calloc(64, sizeof(*s.peers)), s.n_peers = 1, s.peer_seen = calloc(64, sizeof(*s.peer_seen));
    snprintf(s.peers[s.n_peers].name, sizeof(s.peers->name), "%s", name);
    s.peers[s.n_peers++].in_force = 1;
}

static void coverage(unsigned kind, unsigned iface, unsigned seconds)
{
    s.coverage = realloc(s.coverage, (s.n_coverage + 1) * sizeof(*s.coverage));
    s.coverage[s.n_coverage] = (struct qpw_coverage){.unix_ns = T0 + seconds * SECOND, .sequence = s.n_coverage + 1,
                                                     .kind = kind, .iface = iface};
    s.n_coverage++;
}

static void base(void)
{
    s.from_unix_ns = T0;
    s.unix_ns = T0 + 3723 * SECOND;
    s.mono_ns = 5000 * SECOND;
    s.control.heartbeat_ns = s.mono_ns;
    s.lock = QPW_LOCK_HELD;
    s.auditor = (struct qpw_pid){4711, 4711};
    s.meta.rx_hook[1] = s.meta.tx_hook[1] = QPW_HOOK_TCX;
    strcpy(s.host, "node1");
    strcpy(s.meta.policy_name, "qumulo/on-prem");
    strcpy(s.meta.policy_digest, "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    s.ifaces = calloc(2, sizeof(*s.ifaces));
    s.n_ifaces = 1;
    s.ifaces[0].iface.number = 1;
    s.ifaces[0].attached = s.ifaces[0].up = true;
    strcpy(s.ifaces[0].name, "eth0");
    s.ifaces[0].hook = QPW_HOOK_TCX;
}

static void make(void)
{
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
}

static char *text(unsigned columns, bool colour, bool all)
{
    struct qpw_render_options options = {.columns = columns, .colour = colour, .all = all};
    char *buf = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&buf, &size);

    cr_assert_eq(qpw_report_text(&r, &options, out), 0);
    fclose(out);
    return buf;
}

static json_t *json(void)
{
    char *buf = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&buf, &size);
    json_error_t error;
    json_t *document;

    cr_assert_eq(qpw_report_json(&r, &(struct qpw_render_options){0}, out), 0);
    fclose(out);
    document = json_loads(buf, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(document, "%s: %s", error.text, buf);
    free(buf);
    return document;
}

static void assert_has(const char *haystack, const char *needle)
{
    cr_assert_not_null(strstr(haystack, needle), "'%s' is not in:\n%s", needle, haystack);
}

/* ---- Model ---- */

Test(report, both_identities_hold)
{
    uint64_t verdicts = 0, directions = 0;

    base();
    meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, 445, 10, 20);
    meter(QPW_VERDICT_PEER, QPW_DIR_OUTBOUND, 6, 3712, 1, 2);
    meter(QPW_VERDICT_TRANSIT, QPW_DIR_TRANSIT, 17, 0, 5, 0)->key.reason = QPW_REASON_NOT_LOCAL;
    meter(QPW_VERDICT_UNDECIDED, QPW_DIR_UNDECODABLE, 0, 0, 7, 0)->key.reason = QPW_REASON_IP_IHL;
    meter(QPW_VERDICT_INFRA, QPW_DIR_NON_IP, 0, 0x806, 3, 3)->key.kind = QPW_KIND_ETHERTYPE;
    make();
    cr_assert_eq(r.totals.all.packets, 51);
    for (int i = 0; i < QPW_VERDICT_COUNT; i++)
        verdicts += r.totals.by_verdict[i].packets;
    for (int i = 0; i < QPW_DIR_COUNT; i++)
        directions += r.totals.by_direction[i].packets;
    cr_assert_eq(verdicts, 51);
    cr_assert_eq(directions, 51);
    cr_assert_eq(r.totals.undecided[QPW_REASON_IP_IHL].packets, 7);
    cr_assert_eq(r.totals.transit[QPW_REASON_NOT_LOCAL].packets, 5);
    cr_assert_eq(r.totals.undecided[QPW_REASON_NOT_LOCAL].packets, 0);
}

Test(report, rows_that_differ_in_reason_or_peer_are_one_meter)
{
    base();
    meter(QPW_VERDICT_UNDECIDED, QPW_DIR_UNKNOWN, 6, 0, 1, 0)->key.reason = QPW_REASON_MIDSTREAM;
    meter(QPW_VERDICT_UNDECIDED, QPW_DIR_UNKNOWN, 6, 0, 2, 3)->key.reason = QPW_REASON_TAIL;
    meter(QPW_VERDICT_PEER, QPW_DIR_INBOUND, 6, 3712, 1, 0)->key.peer = 1;
    meter(QPW_VERDICT_PEER, QPW_DIR_INBOUND, 6, 3712, 9, 0)->key.peer = 2;
    meter(QPW_VERDICT_PEER, QPW_DIR_INBOUND, 6, 3712, 9, 0)->key.iface = 2;
    make();
    cr_assert_eq(r.n_meters, 3);
    cr_assert_eq(r.meters[0].counts.rx_packets + r.meters[0].counts.tx_packets, 6, "most bytes first");
    cr_assert_eq(r.meters[1].counts.rx_packets, 10);
    cr_assert_eq(r.meters[1].counts.connections, 2);
    cr_assert_eq(r.meters[2].key.iface, 2);
}

Test(report, most_worrying_first)
{
    base();
    finding(QPW_VERDICT_IMPLIED, QPW_DIR_OUTBOUND, 88, "10.1.0.12", QPW_OUTCOME_DATA, 100);
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 23, "10.9.0.1", QPW_OUTCOME_REFUSED, 90);
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 4444, "10.9.0.2", QPW_OUTCOME_ANSWERED, 10);
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 4445, "10.9.0.2", QPW_OUTCOME_DATA, 20);
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_OUTBOUND, 6667, "10.1.0.12", QPW_OUTCOME_DATA, 50);
    finding(QPW_VERDICT_WEAK, QPW_DIR_INBOUND, 40000, "10.9.0.3", QPW_OUTCOME_DATA, 60);
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 1, "10.9.0.9", QPW_OUTCOME_DATA, 99)->value.flags =
        QPW_FINDING_SUPERSEDED;
    make();
    cr_assert_eq(r.found.n_rows, 7);
    cr_assert_eq(r.found.rows[0]->key.port, 4445, "the later of two alike");
    cr_assert_eq(r.found.rows[1]->key.port, 4444);
    cr_assert_eq(r.found.rows[2]->key.port, 6667);
    cr_assert_eq(r.found.rows[3]->key.port, 23);
    cr_assert_eq(r.found.rows[4]->key.verdict, QPW_VERDICT_WEAK);
    cr_assert_eq(r.found.rows[5]->key.verdict, QPW_VERDICT_IMPLIED);
    cr_assert_eq(r.found.rows[6]->key.port, 1, "superseded last");
    cr_assert_eq(r.found.unexpected, 4);
    cr_assert_eq(r.found.answered, 3);
    cr_assert_eq(r.found.n_lines, 6);
}

Test(report, scans_are_one_line_and_answered_findings_never)
{
    char address[32];

    base();
    for (unsigned port = 1; port <= 100; port++)
        finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, port, "10.9.0.1", port % 2 ? QPW_OUTCOME_REFUSED
                                                                                   : QPW_OUTCOME_ATTEMPTED, port);
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 50000, "10.9.0.1", QPW_OUTCOME_ANSWERED, 3);
    for (unsigned i = 1; i <= 20; i++) {
        snprintf(address, sizeof(address), "10.8.0.%u", i);
        finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 23, address, QPW_OUTCOME_ATTEMPTED, 200);
    }
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 7, "10.7.0.1", QPW_OUTCOME_ATTEMPTED, 300);
    for (unsigned port = 1; port <= 9; port++)
        finding(QPW_VERDICT_IMPLIED, QPW_DIR_OUTBOUND, port, "10.1.0.12", QPW_OUTCOME_ATTEMPTED,
                port)->key.responder[15] =
            port < 9 ? 1 : 2;
    make();
    cr_assert_eq(r.found.n_lines, 6);
    cr_assert_eq(r.found.lines[4].first->key.port, 9, "by the remote end, not by the node");
    cr_assert_eq(r.found.lines[5].findings, 8);
    cr_assert_eq(r.found.lines[0].first->key.port, 50000);
    cr_assert_eq(r.found.lines[0].findings, 1);
    cr_assert_eq(r.found.lines[1].first->key.port, 7);
    cr_assert_eq(r.found.lines[2].findings, 20);
    cr_assert_eq(r.found.lines[2].initiators, 20);
    cr_assert_eq(r.found.lines[2].ports, 1);
    cr_assert_eq(r.found.lines[3].findings, 100);
    cr_assert_eq(r.found.lines[3].ports, 100);
    cr_assert_eq(r.found.lines[3].initiators, 1);
    cr_assert_eq(r.found.lines[3].counts.rx_packets, 200);
    cr_assert_eq(r.found.n_rows, 131, "all of them stay in the list");
}

/*
 * The worst finding of the headline is first; acknowledged ones are aggregated like open ones, answered before scans.
 */
Test(report, severity_orders_the_lines_and_past_ones_are_folded)
{
    static const struct qpw_life known = {.step = QPW_LIFE_ACKNOWLEDGED, .outcome = QPW_OUTCOME_DATA, .unix_ns = 2, .who = "alice"};
    static struct qpw_life later;
    char text[320];

    later = known;
    later.unix_ns = 7200000000000u;
    base();
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 4444, "10.9.0.2", QPW_OUTCOME_DATA, 10)->value.flags = QPW_FINDING_MULTICAST;
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_OUTBOUND, 6000, "10.1.0.12", QPW_OUTCOME_DATA, 50)->program_seen = QPW_PROGRAM_NEW;
    finding(QPW_VERDICT_WEAK, QPW_DIR_INBOUND, 40000, "10.9.0.3", QPW_OUTCOME_DATA, 60);
    for (unsigned port = 1; port <= 100; port++)
        finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, port, "10.9.0.1", QPW_OUTCOME_REFUSED, port)->acknowledged =
            port == 7 ? &later : &known;
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 9100, "10.8.0.1", QPW_OUTCOME_DATA, 5)->acknowledged = &known;
    make();
    cr_assert_not_null(r.answer.worst);
    cr_expect_eq(r.answer.worst->key.port, 6000);
    cr_assert_geq(r.found.n_lines, 1u);
    cr_expect_eq(r.found.lines[0].first, r.answer.worst, "tcp/%u", r.found.lines[0].first->key.port);
    cr_expect_eq(r.found.n_acknowledged, 101);
    cr_assert_eq(r.found.n_past, 2, "a service and a scan: %zu", r.found.n_past);
    cr_expect_eq(r.found.n_past_acknowledged, 2);
    cr_expect_eq(r.found.past[0].first->key.port, 9100, "answered before refused");
    cr_expect_eq(r.found.past[1].findings, 100);
    cr_expect(!strncmp(qpw_words_line_step(r.s, &r.found.past[1], text, sizeof(text)), "latest at ", 10), "%s", text);
    cr_expect(!strncmp(qpw_words_line_step(r.s, &r.found.past[0], text, sizeof(text)), "at ", 3), "%s", text);
}

Test(report, peers_with_their_ports_and_silent_ones)
{
    base();
    peer("node2");
    peer("node3");
    peer("self");
    s.peers[3].own = 1;
    peer("gone");
    s.peers[4].in_force = 0;
    for (unsigned port = 1; port <= 8; port++)
        meter(QPW_VERDICT_PEER, QPW_DIR_INBOUND, 6, 3000 + port, port, 0)->key.peer = 1;
    meter(QPW_VERDICT_PEER, QPW_DIR_INBOUND, 6, 3008, 100, 0)->key.peer = 1;
    s.meters[s.n_meters - 1].key.iface = 2;
    s.peer_seen[1] = (struct qpw_peer_seen){T0 + 5 * SECOND, false, true};
    make();
    cr_assert_eq(r.n_peers, 2);
    cr_assert_str_eq(r.peers[0].info->name, "node2");
    cr_assert_eq(r.peers[0].n_ports, 8);
    cr_assert_eq(r.peers[0].busiest[0].port, 3008);
    cr_assert_eq(r.peers[0].busiest[0].sum.packets, 108, "of both interfaces");
    cr_assert_eq(r.peers[0].busiest[1].port, 3007);
    cr_assert_eq(r.peers[0].busiest[5].port, 3003);
    cr_assert_eq(r.peers[0].counts.rx_packets, 136);
    cr_assert(r.peers[0].v6 && !r.peers[0].v4 && !r.peers[0].silent);
    cr_assert_eq(r.peers[0].last_unix_ns, T0 + 5 * SECOND);
    cr_assert_str_eq(r.peers[1].info->name, "node3");
    cr_assert(r.peers[1].silent);
}

Test(report, policy_rows_that_carried_and_that_did_not)
{
    base();
    rule("smb", QPW_VERDICT_ALLOWED);
    rule("nfs", QPW_VERDICT_ALLOWED);
    rule("s3", QPW_VERDICT_ALLOWED);
    rule("old", QPW_VERDICT_ALLOWED);
    s.rules[4].in_force = 0;
    rule("older", QPW_VERDICT_ALLOWED);
    s.rules[5].in_force = 0;
    meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, 445, 10, 10)->key.rule = 1;
    meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, 2049, 20, 10)->key.rule = 2;
    meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, 99, 1, 0)->key.rule = 4;
    meter(QPW_VERDICT_UNDECIDED, QPW_DIR_INBOUND, 6, 9000, 50, 0)->key.rule = 3; /* only consistent with s3 */
    make();
    cr_assert_eq(r.n_rules, 4);
    cr_assert_str_eq(r.rules[0].info->name, "nfs");
    cr_assert_eq(r.rules[0].counts.rx_packets, 20);
    cr_assert_str_eq(r.rules[1].info->name, "smb");
    cr_assert_str_eq(r.rules[2].info->name, "old");
    cr_assert_str_eq(r.rules[3].info->name, "s3");
    cr_assert_eq(r.rules[3].counts.rx_packets, 0);
}

Test(report, gaps_in_the_coverage)
{
    base();
    coverage(QPW_COVERAGE_ATTACHED, 1, 0);
    coverage(QPW_COVERAGE_INTERFACE_GONE, 1, 100);
    coverage(QPW_COVERAGE_INTERFACE_BACK, 1, 160);
    coverage(QPW_COVERAGE_HOOK_LOST, 1, 300);
    make();
    cr_assert_eq(r.n_gaps, 2);
    cr_assert_eq(r.gaps[0].from_unix_ns, T0 + 100 * SECOND);
    cr_assert_eq(r.gaps[0].to_unix_ns, T0 + 160 * SECOND);
    cr_assert_eq(r.gaps[0].kind, QPW_COVERAGE_INTERFACE_GONE);
    cr_assert(!r.gaps[1].open, "our programs are back in the hooks");
    qpw_report_clear(&r);

    s.ifaces[0].attached = false;
    make();
    cr_assert_eq(r.n_gaps, 2);
    cr_assert(r.gaps[1].open);
    qpw_report_clear(&r);
    s.n_coverage = 1;
    make();
    cr_assert_eq(r.n_gaps, 1, "taken out, and nobody wrote it down");
    cr_assert(r.gaps[0].open);
    qpw_report_clear(&r);
    s.replay = true;
    make();
    cr_assert_eq(r.n_gaps, 0);
}

/* Packets counted without an auditor are neither judged nor reported: a gap of its own kind, also while it lasts. */
Test(report, times_without_an_auditor_are_gaps)
{
    char *out;

    base();
    coverage(QPW_COVERAGE_ATTACHED, 1, 0);
    coverage(QPW_COVERAGE_INTERFACE_GONE, 1, 150);
    coverage(QPW_COVERAGE_AUDITOR_GAP, 0, 200);
    s.coverage[s.n_coverage - 1].since_unix_ns = T0 + 140 * SECOND;
    coverage(QPW_COVERAGE_INTERFACE_BACK, 1, 210);
    make();
    cr_assert_eq(r.n_gaps, 2);
    cr_expect_eq(r.gaps[0].kind, QPW_COVERAGE_AUDITOR_GAP, "oldest first");
    cr_expect_eq(r.gaps[0].from_unix_ns, T0 + 140 * SECOND);
    cr_expect_eq(r.gaps[0].to_unix_ns, T0 + 200 * SECOND);
    cr_expect_not(r.gaps[0].open);
    out = text(160, false, false);
    assert_has(out, "no auditor (counted) from ");
    cr_expect(!strstr(out, "gaps           none"), "%s", out);
    free(out);
    qpw_report_clear(&r);

    s.lock = QPW_LOCK_FREE;
    make();
    cr_assert_eq(r.n_gaps, 3);
    cr_expect_eq(r.gaps[2].kind, QPW_COVERAGE_AUDITOR_GAP);
    cr_expect(r.gaps[2].open);
    cr_expect_eq(r.gaps[2].from_unix_ns, s.unix_ns - (s.mono_ns - s.control.heartbeat_ns));
}

Test(report, since_leaves_out_what_is_older)
{
    base();
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 23, "10.9.0.1", QPW_OUTCOME_ANSWERED, 10);
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 24, "10.9.0.1", QPW_OUTCOME_ANSWERED, 100);
    meter(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 6, 23, 4, 2);
    coverage(QPW_COVERAGE_INTERFACE_GONE, 1, 1);
    coverage(QPW_COVERAGE_INTERFACE_BACK, 1, 2);
    cr_assert_eq(qpw_report_make(&s, T0 + 50 * SECOND, &r), 0);
    cr_assert_eq(r.found.n_rows, 1);
    cr_assert_eq(r.found.rows[0]->key.port, 24);
    cr_assert_eq(r.n_gaps, 0);
    cr_assert_eq(r.totals.all.packets, 6);
}

/* The answer covers everything open: the body gives the number that the time window leaves out. */
Test(report, answer_and_body_of_a_time_agree)
{
    char *out;

    base();
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 23, "10.9.0.1", QPW_OUTCOME_ANSWERED, 10);
    cr_assert_eq(qpw_report_make(&s, T0 + 50 * SECOND, &r), 0);
    out = text(100, false, false);
    assert_has(out, "ACTION NEEDED: 1 service answered");
    assert_has(out, "0 unexpected, 0 of them answered since then, 1 more open from before; ");
    free(out);
}

Test(report, empty_picture)
{
    char *out;

    make();
    out = text(80, false, false);
    assert_has(out, "answer      BLIND: no auditor is running\n");
    cr_expect(!strstr(out, "1970"), "%s", out);
    free(out);
    json_decref(json());
}

static char *html(void);
static void assert_well_formed(const char *page);

/* ---- Random snapshots ---- */

static void random_picture(unsigned seed)
{
    unsigned meters, findings;

    srand(seed);
    base();
    for (int i = 0; i < rand() % 10; i++)
        rule("rule-name", QPW_VERDICT_ALLOWED);
    for (int i = 0; i < rand() % 10; i++)
        peer("peer-name");
    meters = rand() % 300;
    for (unsigned i = 0; i < meters; i++) {
        struct qpw_meter_row *row = meter(rand() % QPW_VERDICT_COUNT, rand() % QPW_DIR_COUNT, rand() % 256,
                                          rand() % 65536,
                                          rand() % 1000000, rand() % 1000);

        row->key.kind = rand() % 5;
        row->key.reason = rand() % QPW_REASON_COUNT;
        row->key.scope = rand() % QPW_SCOPE_COUNT;
        row->key.rule = rand() % 12;
        row->key.peer = rand() % 12;
        row->key.iface = rand() % 3;
    }
    findings = rand() % 200;
    for (unsigned i = 0; i < findings; i++) {
        struct qpw_finding_row *row = finding(rand() % QPW_VERDICT_COUNT, rand() % QPW_DIR_COUNT, rand() % 20,
                                              rand() % 2 ? "fd00:1234:5678:9abc:def0:1234:5678:9abc" : "10.9.0.1",
                                              rand() % QPW_OUTCOME_COUNT, rand() % 90000);

        row->key.kind = rand() % 5;
        row->key.protocol = rand() % 256;
        row->key.initiator[15] = rand() % 20;
        row->value.flags = rand() % 8;
        row->value.reason = rand() % QPW_REASON_COUNT;
        row->value.rule = rand() % 12;
        row->value.peer = rand() % 12;
        row->counts.rx_packets = (uint64_t)rand() << 31;
    }
    s.details = calloc(8, sizeof(*s.details));
    for (s.n_details = 0; s.n_details < 8; s.n_details++)
        s.details[s.n_details].key = (struct qpw_detail_key){.port = rand(), .kind = rand() % 5,
                                                             .by_prefix = rand() % 2};
    for (int i = 0; i < rand() % 30; i++)
        coverage(rand() % QPW_COVERAGE_COUNT, rand() % 3, i);
    for (int i = 0; i < QPW_LOSS_COUNT; i++)
        s.losses[i] = rand() % 3;
}

static int64_t integer(json_t *o, const char *key)
{
    json_t *value = json_object_get(o, key);

    cr_assert(json_is_integer(value), "%s", key);
    return json_integer_value(value);
}

static void assert_identities(json_t *document)
{
    json_t *totals = json_object_get(document, "totals"), *value;
    int64_t packets = integer(totals, "packets"), verdicts = 0, directions = 0, meters = 0;
    const char *key;
    size_t i;

    json_object_foreach(json_object_get(totals, "by_verdict"), key, value)
        verdicts += json_integer_value(value);
    json_object_foreach(json_object_get(totals, "by_direction"), key, value)
        directions += json_integer_value(value);
    json_array_foreach(json_object_get(document, "meters"), i, value)
        meters += integer(value, "rx_packets") + integer(value, "tx_packets");
    cr_assert_eq(verdicts, packets);
    cr_assert_eq(directions, packets);
    cr_assert_eq(meters, packets);
    cr_assert_eq(json_object_size(json_object_get(totals, "by_direction")), 6);
}

static void assert_width(const char *out, unsigned columns)
{
    for (const char *line = out; *line; line = strchrnul(line, '\n'), line += *line != 0) {
        size_t length = strcspn(line, "\n");

        cr_assert_leq(length, columns, "%zu columns: %.*s", length, (int)length, line);
        for (size_t i = 0; i < length; i++)
            cr_assert(line[i] >= ' ' && line[i] <= '~', "not printable ASCII: %.*s", (int)length, line);
        cr_assert(!length || line[length - 1] != ' ', "trailing space: %.*s|", (int)length, line);
    }
}

Test(report, any_picture_keeps_the_identities_and_the_width)
{
    static const unsigned widths[] = {80, 100, 200};
    uint64_t listed, lines;
    char *out;
    json_t *document;

    for (unsigned seed = 1; seed <= 60; seed++) {
        random_picture(seed);
        make();
        document = json();
        assert_identities(document);
        cr_assert_eq(json_array_size(json_object_get(document, "findings")), s.n_findings);
        json_decref(document);
        for (size_t i = 1; i < r.found.n_rows; i++)
            cr_assert(r.found.rows[i - 1]->key.verdict != r.found.rows[i]->key.verdict || !qpw_finding_rank(r.found.rows[i]) ||
                      qpw_finding_severity(r.found.rows[i - 1]) <= qpw_finding_severity(r.found.rows[i]));
        for (size_t i = lines = listed = 0; i < r.found.n_rows; i++)
            listed += qpw_finding_rank(r.found.rows[i]) > 0;
        for (size_t i = 0; i < r.found.n_lines; i++)
            lines += r.found.lines[i].findings;
        cr_assert_eq(lines, listed, "each finding is in one line");
        for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
            out = text(widths[i], false, seed % 2);
            assert_width(out, widths[i]);
            free(out);
        }
        out = html();
        assert_well_formed(out);
        free(out);
        teardown();
        memset(&s, 0, sizeof(s));
    }
}

/* ---- Text ---- */

static void staged_picture(void)
{
    base();
    rule("smb", QPW_VERDICT_ALLOWED);
    rule("ftp", QPW_VERDICT_ALLOWED);
    peer("node2");
    peer("node3");
    meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, 445, 12345, 54321)->key.rule = 1;
    meter(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 6, 4444, 30, 20);
    meter(QPW_VERDICT_PEER, QPW_DIR_OUTBOUND, 6, 3712, 70, 80)->key.peer = 1;
    meter(QPW_VERDICT_UNDECIDED, QPW_DIR_UNKNOWN, 6, 0, 3, 0)->key.reason = QPW_REASON_MIDSTREAM;
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 4444, "10.9.0.7", QPW_OUTCOME_DATA, 65);
    coverage(QPW_COVERAGE_ATTACHED, 1, 0);
    s.unwatched = calloc(1, sizeof(*s.unwatched));
    s.n_unwatched = 1;
    strcpy(s.unwatched[0].name, "eth1");
    s.unwatched[0].rx_packets = 1234567;
    qpw_snapshot_note(&s, &(struct qpw_note){.kind = QPW_NOTE_RDMA, .count = 42, .name = "mlx5_0", .detail = "1"});
    s.losses[QPW_LOSS_EVENT_RATE] = 17;
    s.peer_seen[1] = (struct qpw_peer_seen){T0 + 3000 * SECOND, true, false};
    make();
}

Test(report, text_says_it_on_one_screen)
{
    char *out;
    int lines = 0;

    staged_picture();
    out = text(80, false, false);
    assert_has(out, "qportwatch report for node1\n");
    assert_has(out, "2026-09-21 14:13:20 to 15:15:23 UTC (1 h 2 min)");
    assert_has(out, "monitored   eth0: TC");
    assert_has(out, "policy      qumulo/on-prem, sha256:0123456789ab");
    assert_has(out, "answer      ACTION NEEDED: 1 service answered on a port the policy does not\n"
               "              allow (inbound tcp/4444), since 14:13:21\n"
               "  findings    1 unexpected, 1 of them answered; <0.1 % of packets undecided\n");
    assert_has(out, "VERDICTS  66,869 packets, 55.6 MB");
    assert_has(out, "unexpected       50  <0.1 %  23.0 kB  no policy rule matches\n");
    assert_has(out, "allowed      66,666  99.7 %  55.5 MB");
    assert_has(out, "inbound 99.8 %, outbound 0.2 %, unknown <0.1 %, transit 0 %");
    assert_has(out, "UNEXPECTED  1 finding, 1 answered, most serious first\n");
    assert_has(out, "high  data     in   tcp/4444  10.9.0.7   10.1.0.12        3  14:14:25\n");
    assert_has(out, "node2  15:03:20    7.00 kB  80.0 kB  IPv4  tcp/3712 out\n");
    assert_has(out, "silent      node3\n");
    assert_has(out, "used        smb 66,666\n");
    assert_has(out, "not used    ftp\n");
    assert_has(out, "by reason   midstream 3\n");
    assert_has(out, "gaps           none\n");
    assert_has(out, "not monitored  eth1 (1.23 M packets received, 0 sent)\n");
    assert_has(out, "lost           none (17 events delayed, not lost)\n");
    assert_has(out, "14:13:20       attached eth0\n");
    assert_has(out, "mlx5_0 port 1 has carried 42 packets");
    cr_assert_null(strchr(out, '\033'), "no escape sequences without colour");
    for (char *c = out; *c; c++)
        lines += *c == '\n';
    cr_assert_leq(lines, 50);
    free(out);
}

Test(report, text_stays_on_a_screen_however_much_there_is)
{
    char *out, name[32];
    int lines = 0;

    base();
    s.rules = calloc(3000, sizeof(*s.rules));
    for (s.n_rules = 1; s.n_rules < 3000; s.n_rules++) {
        snprintf(s.rules[s.n_rules].name, sizeof(s.rules->name), "row-%zu", s.n_rules);
        s.rules[s.n_rules].in_force = 1;
    }
    for (unsigned i = 1; i < 60; i++)
        peer(memcpy(name, "silent", 7));
    for (unsigned port = 1; port < 900; port++) {
        finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, port, "10.9.0.1", QPW_OUTCOME_DATA, port);
        meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, port, port, 0)->key.rule = port;
        coverage(port % 2 ? QPW_COVERAGE_INTERFACE_GONE : QPW_COVERAGE_INTERFACE_BACK, 1, port);
    }
    make();
    out = text(80, false, false);
    for (char *c = out; *c; c++)
        lines += *c == '\n';
    cr_assert_leq(lines, 75, "%d lines:\n%s", lines, out);
    assert_has(out, "row-899 899");
    assert_has(out, "889 more\n");
    assert_has(out, "2060 more\n");
    assert_has(out, "and 887 more lines (shown with --all; complete in --json)");
    free(out);
    out = text(80, false, true);
    assert_has(out, "row-2999\n");
    free(out);
}

Test(report, text_has_colour_only_where_asked)
{
    char *out;

    staged_picture();
    out = text(80, true, false);
    assert_has(out, "\033[1;31mACTION NEEDED: 1 service");
    free(out);
}

/* Findings before --since, or none because tables were full: the unexpected packets still prevent a clean answer. */
Test(report, unexpected_packets_without_a_finding_are_no_clean_answer)
{
    char *out;

    base();
    meter(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 6, 4444, 10, 20);
    make();
    out = text(80, false, false);
    assert_has(out, "answer      DETAIL LOST: unexpected packets were counted without a finding");
    free(out);
}

Test(report, text_without_anything_unexpected_says_so)
{
    char *out;

    base();
    meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, 445, 10, 20);
    make();
    out = text(80, false, false);
    assert_has(out, "answer      CLEAN: nothing unexpected since 14:13:20\n");
    assert_has(out, "UNEXPECTED  none\n");
    assert_has(out, "No peers defined: traffic from other cluster nodes is reported like any other.");
    free(out);
}

/* ---- HTML ---- */

static char *html(void)
{
    char *buf = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&buf, &size);

    cr_assert_eq(qpw_report_html(&r, &(struct qpw_render_options){0}, out), 0);
    fclose(out);
    return buf;
}

static void assert_well_formed(const char *page)
{
    xmlFreeDoc(page_read(page));
}

Test(report, html_begins_with_the_answer)
{
    char *out, *answer;
    htmlDocPtr page;

    staged_picture();
    out = html();
    page = page_read(out);
    answer = page_text(page, "string(//p[@data-answer = 'ACTION NEEDED'])");
    assert_has(answer, "ACTION NEEDED: 1 service answered on a port");
    cr_expect_eq(page_number(page, "count(//table[@class = 'findings']//tr[th = 'tcp/4444'][td = '10.9.0.7'])"), 1);
    free(answer);
    xmlFreeDoc(page);
    free(out);
}

/* Another program on the same port gets a line of its own; with an unknown program a finding joins the first line. */
Test(report, each_program_on_a_port_has_its_line)
{
    static const uint64_t exes[] = {0, 7, 7, 9, 0, 9, 11};

    base();
    for (unsigned i = 0; i < 7; i++) {
        char from[32];

        snprintf(from, sizeof(from), "10.9.0.%u", i + 1);
        finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 9100, from, QPW_OUTCOME_DATA, 10 + i)->value.owner.exe = exes[i];
        s.findings[i].first_unix_ns = T0 + (i + 1) * SECOND;
    }
    make();
    cr_assert_eq(r.found.n_lines, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct qpw_finding_line *line = &r.found.lines[i];
        uint64_t exe = line->members[0]->value.owner.exe ? line->members[0]->value.owner.exe : 7;

        cr_expect_eq(line->findings, exe == 7 ? 4 : exe == 9 ? 2 : 1, "%zu of %zu", line->findings, (size_t)exe);
    }
}

/* Many findings of one service are one line, as serious as the worst of them. */
Test(report, each_finding_of_a_folded_line_can_be_had)
{
    htmlDocPtr page;
    char *out;

    base();
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_OUTBOUND, 8443, "10.9.0.1", QPW_OUTCOME_DATA, 10);
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_OUTBOUND, 8443, "10.9.0.2", QPW_OUTCOME_DATA, 20)->program_seen = QPW_PROGRAM_NEW;
    finding(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 23, "10.9.0.3", QPW_OUTCOME_REFUSED, 30);
    make();
    out = text(160, false, false);
    assert_has(out, "  --all lists each finding of a folded line\n");
    cr_expect_null(strstr(out, "10.9.0.2 "), "%s", out);
    free(out);
    out = text(160, false, true);
    assert_has(out, "\n  high      data   out  tcp/8443  10.9.0.2 ");
    assert_has(out, "\n  medium    data   out  tcp/8443  10.9.0.1 ");
    cr_expect_null(strstr(out, "--all"), "%s", out);
    free(out);
    out = html();
    page = page_read(out);
    cr_expect_eq(page_number(page, "count(//table[@class = 'findings']/tbody/tr[1][td[1] = 'high'][td[2] = 'unexpected'])"), 1);
    cr_expect_eq(page_number(page, "count(//summary[. = '2 findings'])"), 1);
    cr_expect_eq(page_number(page, "count(//table[@class = 'members']//tr[td[1] = 'medium'][td[2] = 'data'][th = 'tcp/8443'][td[3] = '10.9.0.1'])"), 1);
    cr_expect_eq(page_number(page, "count(//table[@class = 'members']//tr[td[1] = 'high'][td[2] = 'data'][th = 'tcp/8443'][td[3] = '10.9.0.2'])"), 1);
    xmlFreeDoc(page);
    free(out);
}

Test(report, html_keeps_utf8_and_what_steers_does_not_reach_it)
{
    char *out;

    staged_picture();
    strcpy(s.host, "Zürich-東京");
    strcpy(s.rules[2].name, "a\033[2J\xe2\x80\xae\xff");
    out = html();
    assert_well_formed(out);
    assert_has(out, "<h1>Zürich-東京</h1>");
    assert_has(out, ">a?[2J?\?<");
    free(out);
}

static bool owner(void *arg, const struct qpw_finding_row *finding, struct qpw_process *ret)
{
    *ret = (struct qpw_process){.match = QPW_MATCH_EXACT, .pid = 11331, .name = "ncat", .user = "root",
                                .exe = "/usr/bin/ncat", .unit = "docker 0123456789ab", .container = true,
                                .started_unix_ns = 1790000000000000000ull};
    return true;
}

/* Every format has the same details as the finding's alert. */
Test(report, findings_carry_severity_signature_owner_and_the_line_that_would_allow_them)
{
    htmlDocPtr page;
    struct qpw_render_options options = {.columns = 120, .owner = owner};
    char *buf = NULL;
    size_t size;
    FILE *out;
    json_t *document, *o;

    staged_picture();
    out = open_memstream(&buf, &size);
    cr_assert_eq(qpw_report_html(&r, &options, out), 0);
    fclose(out);
    page = page_read(buf);
    cr_expect_eq(page_number(page, "count(//td[@class = 'bad'][. = 'high'])"), 1);
    cr_expect_eq(page_number(page, "count(//td[. = 'ncat[11331]'])"), 1);
    cr_expect_eq(page_number(page, "count(//td/code[. = 'inbound tcp 4444 ncat from=10.9.0.7'])"), 1);
    cr_expect_eq(page_number(page, "count(//dd[. = '/usr/bin/ncat'] | //dd[. = 'docker 0123456789ab'] | //dd[. = 'exact'])"), 3);
    xmlFreeDoc(page);
    free(buf);
    out = open_memstream(&buf, &size);
    cr_assert_eq(qpw_report_text(&r, &options, out), 0);
    fclose(out);
    assert_has(buf, "  ncat[11331]\n");
    free(buf);
    out = open_memstream(&buf, &size);
    cr_assert_eq(qpw_report_json(&r, &options, out), 0);
    fclose(out);
    document = json_loads(buf, 0, NULL);
    free(buf);
    o = json_array_get(json_object_get(document, "findings"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(o, "severity")), "high");
    cr_expect_str_eq(json_string_value(json_object_get(o, "state")), "open");
    cr_expect_not_null(json_string_value(json_object_get(o, "signature")));
    cr_expect_str_eq(json_string_value(json_object_get(o, "allow")), "inbound tcp 4444 ncat from=10.9.0.7");
    cr_expect_eq(integer(o, "bytes"), 180);
    cr_expect_eq(integer(o, "initiators"), 1);
    o = json_object_get(o, "owner");
    cr_expect_str_eq(json_string_value(json_object_get(o, "process")), "ncat");
    cr_expect_eq(integer(o, "pid"), 11331);
    cr_expect_str_eq(json_string_value(json_object_get(o, "container")), "docker 0123456789ab");
    cr_expect(json_is_null(json_object_get(o, "unit")));
    cr_expect_str_eq(json_string_value(json_object_get(o, "started")), "2026-09-21T14:13:20.000000Z");
    cr_expect_str_eq(json_string_value(json_object_get(o, "match")), "exact");
    json_decref(document);
}

/* ---- JSON ---- */

static void assert_keys(json_t *o, const char *const *keys, bool exactly)
{
    size_t count = 0;

    for (; keys[count]; count++)
        cr_assert_not_null(json_object_get(o, keys[count]), "key %s", keys[count]);
    if (exactly)
        cr_assert_eq(json_object_size(o), count);
}

Test(report, json_has_every_key)
{
    static const char *const top[] = {"schema", "version", "host", "interfaces", "from", "to", "policy", "meters",
                                      "findings",
                                      "peers", "rules", "undecided", "coverage", "totals", NULL};
    static const char *const meter_keys[] = {"protocol", "port", "direction", "scope", "verdict", "rule", "interface",
                                             "connections", "rx_packets", "rx_bytes", "tx_packets", "tx_bytes", NULL};
    static const char *const policy_keys[] = {"name", "digest", "source_digest", NULL};
    json_t *document, *o;

    staged_picture();
    document = json();
    assert_keys(document, top, false);
    cr_assert_str_eq(json_string_value(json_object_get(document, "schema")), "qportwatch.report/1");
    cr_assert_str_eq(json_string_value(json_object_get(document, "from")), "2026-09-21T14:13:20.000000Z");
    assert_keys(json_object_get(document, "policy"), policy_keys, true);
    cr_assert_eq(json_array_size(json_object_get(document, "meters")), 4);
    o = json_array_get(json_object_get(document, "meters"), 0);
    assert_keys(o, meter_keys, true);
    cr_assert_str_eq(json_string_value(json_object_get(o, "protocol")), "tcp");
    cr_assert_eq(integer(o, "port"), 445);
    cr_assert_str_eq(json_string_value(json_object_get(o, "rule")), "smb");
    cr_assert_str_eq(json_string_value(json_object_get(o, "interface")), "eth0");
    cr_assert_eq(integer(o, "tx_packets"), 54321);
    o = json_array_get(json_object_get(document, "findings"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(o, "initiator")), "10.9.0.7");
    cr_assert_str_eq(json_string_value(json_object_get(o, "outcome")), "data");
    cr_assert_eq(integer(o, "port"), 4444);
    o = json_array_get(json_object_get(document, "rules"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(o, "name")), "smb");
    cr_assert_eq(integer(o, "hits"), 66666);
    cr_assert_eq(integer(json_object_get(document, "undecided"), "midstream"), 3);
    assert_identities(document);
    json_decref(document);
}

Test(report, json_of_what_has_no_port)
{
    struct qpw_meter_row *row;
    json_t *document, *list, *o;

    base();
    row = meter(QPW_VERDICT_INFRA, QPW_DIR_INBOUND, 1, 8, 50, 0);
    row->key.kind = QPW_KIND_ICMP;
    row = meter(QPW_VERDICT_TRANSIT, QPW_DIR_TRANSIT, 1, 0, 10, 0);
    row->key.kind = QPW_KIND_ICMP;
    row = meter(QPW_VERDICT_INFRA, QPW_DIR_NON_IP, 0, 0x806, 40, 0);
    row->key.kind = QPW_KIND_ETHERTYPE;
    row = meter(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 47, 0, 30, 0);
    row->key.kind = QPW_KIND_PROTOCOL;
    row = meter(QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 0, 0, 20, 0);
    row->key.kind = QPW_KIND_NONE;
    row->key.iface = 0;
    make();
    document = json();
    list = json_object_get(document, "meters");
    o = json_array_get(list, 0);
    cr_assert_str_eq(json_string_value(json_object_get(o, "protocol")), "icmp");
    cr_assert(json_is_null(json_object_get(o, "port")));
    cr_assert_eq(integer(o, "icmp_type"), 8);
    o = json_array_get(list, 1);
    cr_assert_str_eq(json_string_value(json_object_get(o, "protocol")), "0x0806");
    cr_assert(json_is_null(json_object_get(o, "port")));
    cr_assert_str_eq(json_string_value(json_object_get(o, "direction")), "non_ip");
    o = json_array_get(list, 2);
    cr_assert_eq(integer(o, "protocol"), 47);
    o = json_array_get(list, 3);
    cr_assert(json_is_null(json_object_get(o, "protocol")));
    cr_assert(json_is_null(json_object_get(o, "interface")));
    o = json_array_get(list, 4);
    cr_assert_str_eq(json_string_value(json_object_get(o, "direction")), "transit");
    cr_assert(json_is_null(json_object_get(o, "icmp_type")), "none was read");
    json_decref(document);
}

Test(report, json_survives_text_that_is_not_utf8_and_numbers_beyond_doubles)
{
    json_t *document, *o;

    base();
    rule("smb", QPW_VERDICT_ALLOWED);
    strcpy(s.rules[1].text, "inbound tcp 445 \"caf\xe9\"");
    meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, 445, 1, 1)->counts.rx_bytes = UINT64_MAX / 2;
    make();
    document = json();
    o = json_array_get(json_object_get(document, "rules"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(o, "text")), "inbound tcp 445 \"caf?\"");
    o = json_array_get(json_object_get(document, "meters"), 0);
    cr_assert_eq(integer(o, "rx_bytes"), (1ll << 53) - 1);
    json_decref(document);
}

/* ---- Times, conditions ---- */

Test(report, since_in_words)
{
    uint64_t since;

    cr_assert_eq(qpw_since_parse("90m", T0, &since), 0);
    cr_assert_eq(since, T0 - 5400 * SECOND);
    cr_assert_eq(qpw_since_parse("7d", T0, &since), 0);
    cr_assert_eq(since, T0 - 7 * 86400 * SECOND);
    cr_assert_eq(qpw_since_parse("2026-09-21T14:13:20Z", T0, &since), 0);
    cr_assert_eq(since, T0);
    cr_assert_eq(qpw_since_parse("2026-09-21 14:13", T0, &since), 0);
    cr_assert_eq(since, T0 - 20 * SECOND);
    cr_assert_eq(qpw_since_parse("2026-09-21", T0, &since), 0);
    cr_assert_eq(since, T0 - (14 * 3600 + 13 * 60 + 20) * SECOND);
    cr_assert_eq(qpw_since_parse("2026-09-21T14:13:20.598008+0000", T0, &since), 0, "as in the alert log");
    cr_assert_eq(since, T0 + 598008000);
    cr_assert_eq(qpw_since_parse("2026-09-21T16:13:20.5+02:00", T0, &since), 0);
    cr_assert_eq(since, T0 + 500000000);
    cr_assert_eq(qpw_since_parse("2026-09-21T10:13-0400", T0, &since), 0);
    cr_assert_eq(since, T0 - 20 * SECOND);
    since = 7;
    for (const char *const *bad = (const char *const[]){"", "yesterday", "7", "7x", "-1h", "2026-13-01",
                                                        "2026-09-21T14", "2026-09-21T14:13:20+2",
                                                        "2026-09-21T14:13:20 CET", "2026-09-21T14:13:20+02:+1",
                                                        "2026-09-21T14:13:20+02 1", "2026-09-21T14:13:20+02: 1",
                                                        "2026-09-21T14:13:20+02:00 ", "2026-09-21T14:13:20+0260",
                                                        "2026-09-21T14:13:20.", "2026-09-21T14:13.5",
                                                        "2026-09-21T14:13:20+02:0", "2026-09-21T14:13:20+02000",
                                                        "99999999999999999999h", "7dd", NULL}; *bad; bad++)
        cr_assert(qpw_since_parse(*bad, T0, &since) < 0, "%s", *bad);
    cr_assert_eq(since, 7);
}

static bool holds(const char *text)
{
    struct qpw_condition c;
    char why[128];

    cr_assert_eq(qpw_condition_parse(text, &c), 0, "%s", text);
    return qpw_condition_holds(&c, &r, why, sizeof(why));
}

/* What turns red when the auditor is dead, and after it was absent. */
Test(report, a_blind_node_is_never_green)
{
    static const char *const red[] = {"high", "medium", "blind", "gap"}, *const of_findings[] = {"answered", "new", "unexpected"};

    base();
    make();
    for (size_t i = 0; i < 4; i++)
        cr_expect_not(holds(red[i]), "%s", red[i]);
    qpw_report_clear(&r);
    s.lock = QPW_LOCK_FREE;
    make();
    cr_expect_eq(r.answer.state, QPW_ANSWER_BLIND);
    for (size_t i = 0; i < 4; i++)
        cr_expect(holds(red[i]), "%s", red[i]);
    for (size_t i = 0; i < 3; i++)
        cr_expect_not(holds(of_findings[i]), "%s", of_findings[i]);
    qpw_report_clear(&r);
    s.lock = QPW_LOCK_HELD;
    coverage(QPW_COVERAGE_AUDITOR_GAP, 0, 200);
    make();
    cr_expect(holds("gap"), "it was away");
    cr_expect_not(holds("high"), "it is back");
}

Test(report, conditions_for_failing)
{
    struct qpw_condition c;

    base();
    meter(QPW_VERDICT_ALLOWED, QPW_DIR_INBOUND, 6, 445, 950, 0);
    meter(QPW_VERDICT_UNDECIDED, QPW_DIR_UNKNOWN, 6, 0, 50, 0);
    make();
    cr_assert(!holds("unexpected"));
    cr_assert(holds("undecided"));
    cr_assert(holds("undecided=4.9"));
    cr_assert(!holds("undecided=5"));
    cr_assert(!holds("undecided=5%"));
    cr_assert(!holds("gap"));
    qpw_report_clear(&r);
    s.ifaces[0].attached = false;
    make();
    cr_assert(holds("gap"));
    for (const char *const *bad = (const char *const[]){"", "gaps", "none", "undecided=", "undecided=x",
                                                        "undecided=101",
                                                        "undecided=-1", "unexpectedly", NULL}; *bad; bad++)
        cr_assert_eq(qpw_condition_parse(*bad, &c), -22, "%s", *bad);
    cr_assert_eq(qpw_condition_parse("transit", &c), 0);
    cr_expect_not(qpw_condition_has_time(&c), "packets carry no time");
    cr_assert_eq(qpw_condition_parse("unexpected", &c), 0);
    cr_expect(qpw_condition_has_time(&c));
}

/* ---- bench: the same tables and words ---- */

Test(report, bench_prints_its_figures_as_tables)
{
    struct qpw_bench_result result = {.rounds = 3};
    struct qpw_bench_machine machine = {.cpu = "A CPU", .kernel = "6.1", .cpus = 4, .memory_bytes = 37500000,
                                        .load_ns = 139700000, .policy_ns = 8000000, .snapshot_ns = 1300000,
                                        .sockets = {true, 2100.4, 3300.6}};
    struct qpw_bench_live live = {true, 2080000, 1890000};
    char *out = NULL;
    size_t size;
    FILE *memory = open_memstream(&out, &size);

    result.cases = calloc(qpw_bench_n_cases, sizeof(*result.cases));
    cr_assert(memory && result.cases);
    for (unsigned i = 0; i < QPW_FLOOR_COUNT; i++)
        result.floors[i] = (struct qpw_bench_samples){.ns = {28.5, 30, 29}, .n = 3};
    result.cases[0] = (struct qpw_bench_samples){.ns = {58, 57.5, 1258.25}, .n = 3};
    machine.size[0] = (struct qpw_bench_size){.verified = 148060, .xlated = 122000, .jited = 74900};
    cr_assert_eq(qpw_bench_print(memory, &machine, &result, &live, true), 0);
    fclose(memory);
    assert_has(out, "A CPU, 4 possible CPUs, Linux 6.1\n");
    assert_has(out, "PACKET     HOOK  MEDIAN  BEST  X ARRAY   NET\n");
    assert_has(out, "array      xdp     29.0  28.5     1.00        IPv4 parse and a per-CPU array counter (b1)\n");
    assert_has(out, "known-tcp  xdp     58.0  57.5     2.00  29.0\n");
    assert_has(out, "148,060  122 kB       74.9 kB\n");
    assert_has(out, "kernel memory, 4 possible CPUs                         37.5 MB   40.5 MB   29.4 MB  below the limit\n");
    assert_has(out, "memory      37.5 MB in the kernel\n");
    assert_has(out, "snapshot    1.3 ms for 5,000 meters\n");
    assert_has(out, "socket      2,100 ns for socket() and close(), 3,301 ns with the owner noted (1.57 x)\n");
    assert_has(out, "live        1.89 M packets per second on a veth pair with 64-byte frames, 2.08 M with an empty program\n");
    free(result.cases);
    free(out);
}
