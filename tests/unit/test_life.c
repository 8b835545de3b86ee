/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of findings: open, acknowledged, closed, open again; and what a policy explains. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts.h"
#include "words/answer.h"
#include "facts/answer.h"
#include "facts/life.h"
#include "facts/severity.h"
#include "policy/compile/compile.h"
#include "report/fail_on.h"
#include "snapshot/lives.h"
#include "util/names.h"

#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)
#define MONO (5000 * SEC)
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND

/* One finding with its stored steps. */
struct scene {
    struct qpw_finding_row row;
    struct qpw_lives lives;
    struct qpw_life_row stored[2];
};

static void begin(struct scene *s, uint8_t outcome)
{
    *s = (struct scene){.row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, outcome, (struct span){T0, T0})};
    s->row.value.last_ns = MONO;
    s->lives = (struct qpw_lives){.rows = s->stored, .now_unix_ns = T0 + HOUR, .retention_ns = {DAY, 30 * DAY}};
    qpw_lives_assign(&s->lives, &s->row, 1);
}

static void explain(struct scene *s, uint64_t after_ns)
{
    s->stored[0] = (struct qpw_life_row){s->row.key, {.unix_ns = T0 + after_ns, .mono_ns = MONO + after_ns,
                                                      .step = QPW_LIFE_EXPLAINED, .rule = 3}};
    s->lives.n = 1;
    qpw_lives_assign(&s->lives, &s->row, 1);
}

static void acknowledge(struct scene *s, uint64_t until_ns)
{
    s->stored[0] = (struct qpw_life_row){qpw_life_class(&s->row),
                                         {.unix_ns = T0 + 60 * SEC, .mono_ns = MONO + 60 * SEC, .until_unix_ns = until_ns,
                                          .step = QPW_LIFE_ACKNOWLEDGED, .outcome = s->row.value.outcome, .who = "alice"}};
    s->lives.n = 1;
    qpw_lives_assign(&s->lives, &s->row, 1);
}

/* Return the row's state at a time after it was last seen. */
static enum qpw_life_state at(struct scene *s, uint64_t after_ns)
{
    s->lives.now_unix_ns = T0 + after_ns;
    return qpw_finding_life(&s->row).state;
}

/* The finding occurs again. */
static void seen(struct scene *s, uint64_t after_ns)
{
    s->row.value.last_ns = MONO + after_ns;
    s->row.last_unix_ns = T0 + after_ns;
}

Test(life, silence_closes_after_its_retention_and_traffic_opens_again)
{
    struct scene s;

    begin(&s, QPW_OUTCOME_REFUSED);
    cr_expect_eq(at(&s, DAY - 1), QPW_FINDING_OPEN);
    cr_expect_eq(at(&s, DAY), QPW_FINDING_CLOSED);
    cr_expect_eq(qpw_finding_life(&s.row).by, QPW_CLOSED_BY_SILENCE);
    cr_expect_eq(qpw_finding_life(&s.row).when_unix_ns, T0 + DAY);
    seen(&s, DAY + 60 * SEC);
    cr_expect_eq(at(&s, DAY + 61 * SEC), QPW_FINDING_OPEN);
    begin(&s, QPW_OUTCOME_ANSWERED);
    cr_expect_eq(at(&s, 30 * DAY - 1), QPW_FINDING_OPEN, "what answered stays for 30 days");
    cr_expect_eq(at(&s, 30 * DAY), QPW_FINDING_CLOSED);
    s.lives.retention_ns[1] = 0;
    cr_expect_eq(at(&s, 300 * DAY), QPW_FINDING_OPEN, "0: never");
    s.row.lives = NULL;
    cr_expect_eq(at(&s, 300 * DAY), QPW_FINDING_OPEN, "a replay has no retention");
}

Test(life, explained_is_closed_until_it_is_seen_again)
{
    struct scene s;
    struct qpw_finding_life life;

    begin(&s, QPW_OUTCOME_DATA);
    explain(&s, 60 * SEC);
    life = qpw_finding_life(&s.row);
    cr_expect_eq(life.state, QPW_FINDING_CLOSED);
    cr_expect_eq(life.by, QPW_CLOSED_BY_RULE);
    cr_expect_eq(life.when_unix_ns, T0 + 60 * SEC);
    cr_expect_eq(life.step->rule, 3);
    cr_expect_eq(qpw_finding_severity(&s.row), QPW_SEVERITY_INFO);
    cr_expect_not(qpw_finding_open(&s.row));
    s.row.value.flags |= QPW_FINDING_SUPERSEDED;
    cr_expect_eq(qpw_finding_life(&s.row).by, QPW_CLOSED_BY_RULE, "a live connection is judged again besides");
    s.row.value.flags = 0;
    seen(&s, 60 * SEC + SEC / 100);
    cr_expect_eq(qpw_finding_life(&s.row).state, QPW_FINDING_CLOSED, "judged just before the policies were swapped");
    seen(&s, 61 * SEC);
    cr_expect_eq(qpw_finding_life(&s.row).state, QPW_FINDING_OPEN, "it happened again");
    cr_expect_eq(qpw_finding_severity(&s.row), QPW_SEVERITY_HIGH);
}

Test(life, acknowledged_until_its_end_or_until_it_is_worse)
{
    struct scene s;

    begin(&s, QPW_OUTCOME_ANSWERED);
    acknowledge(&s, T0 + DAY);
    cr_expect_eq(at(&s, HOUR), QPW_FINDING_ACKNOWLEDGED);
    cr_expect_eq(qpw_finding_severity(&s.row), QPW_SEVERITY_HIGH, "as serious as before");
    cr_expect_not(qpw_finding_open(&s.row));
    cr_expect_eq(qpw_lives_acknowledgements(&s.lives, T0 + HOUR), 1);
    cr_expect_eq(qpw_lives_acknowledgements(&s.lives, T0 + DAY), 0);
    cr_expect_eq(at(&s, DAY), QPW_FINDING_OPEN, "at its end");
    cr_expect(qpw_finding_life(&s.row).ended);
    cr_expect_eq(qpw_finding_life(&s.row).when_unix_ns, T0 + DAY);
    cr_expect_eq(qpw_finding_news(&s.row), T0 + DAY, "that is news");
    cr_expect_eq(at(&s, 30 * DAY), QPW_FINDING_CLOSED, "silent for its whole retention");
    acknowledge(&s, T0 + 40 * DAY);
    cr_expect_eq(at(&s, 40 * DAY), QPW_FINDING_CLOSED, "the same at its end");
    acknowledge(&s, T0 + DAY);
    seen(&s, 2 * HOUR);
    cr_expect_eq(at(&s, 3 * HOUR), QPW_FINDING_ACKNOWLEDGED, "it may go on");
    cr_expect_eq(at(&s, DAY), QPW_FINDING_OPEN, "at its end, and seen since");
    s.row.value.outcome = QPW_OUTCOME_DATA;
    cr_expect_eq(at(&s, 3 * HOUR), QPW_FINDING_OPEN, "its outcome has risen");
    begin(&s, QPW_OUTCOME_ANSWERED);
    acknowledge(&s, 0);
    cr_expect_eq(at(&s, 300 * DAY), QPW_FINDING_ACKNOWLEDGED, "without an end");
}

Test(life, an_acknowledgement_is_for_the_service_and_the_prefix_of_remote_ends)
{
    static const struct {
        unsigned direction, port;
        const char *initiator, *responder;
        bool same;
    } others[] = {
        {IN, 4444, "10.0.0.77", "10.0.0.1", true},  {IN, 4444, "10.0.0.77", "10.9.9.9", true},
        {IN, 4444, "10.0.1.5", "10.0.0.1", false},  {IN, 4445, "10.0.0.5", "10.0.0.1", false},
        {OUT, 4444, "10.0.0.5", "10.0.0.1", false}, {IN, 4444, "2001:db8::5", "2001:db8::1", false},
    };
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0}), other;
    struct qpw_finding_key of_row = qpw_life_class(&row), of_other;

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        other = finding(others[i].direction, others[i].initiator, others[i].responder, others[i].port, QPW_OUTCOME_DATA,
                        (struct span){T0, T0});
        of_other = qpw_life_class(&other);
        cr_expect_eq(!memcmp(&of_row, &of_other, sizeof(of_row)), others[i].same, "%zu", i);
    }
    row = finding(OUT, "10.0.0.1", "10.0.0.5", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    other = finding(OUT, "10.0.0.1", "10.0.0.99", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    of_row = qpw_life_class(&row);
    of_other = qpw_life_class(&other);
    cr_expect_arr_eq(&of_row, &of_other, sizeof(of_row), "outbound, the remote end is the responder");
    row = finding(QPW_DIR_UNKNOWN, "10.0.0.1", "10.0.0.5", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    other = finding(QPW_DIR_UNKNOWN, "10.0.0.1", "10.0.0.6", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    of_row = qpw_life_class(&row);
    of_other = qpw_life_class(&other);
    cr_expect_neq(memcmp(&of_row, &of_other, sizeof(of_row)), 0, "which end is remote is not known");
}

/* The states of two clients of one /24 with these steps, as "open acknowledged". */
static const char *states(struct qpw_finding_row rows[2], struct qpw_life_row *steps, size_t n)
{
    static char text[64];
    struct qpw_life_row *stored = calloc(n + 1, sizeof(*stored));
    struct qpw_lives *lives;

    memcpy(stored, steps, n * sizeof(*stored));
    lives = qpw_lives_new(stored, n);
    lives->now_unix_ns = T0 + HOUR;
    qpw_lives_assign(lives, rows, 2);
    snprintf(text, sizeof(text), "%s %s", qpw_life_state_name(qpw_finding_life(&rows[0]).state),
             qpw_life_state_name(qpw_finding_life(&rows[1]).state));
    qpw_lives_free(lives);
    return text;
}

Test(life, a_named_one_is_acknowledged_alone)
{
    static const struct qpw_life ack = {.unix_ns = T0 + 2, .step = QPW_LIFE_ACKNOWLEDGED, .outcome = QPW_OUTCOME_DATA},
                                 undo = {.unix_ns = T0 + 4, .step = QPW_LIFE_REOPENED},
                                 later = {.unix_ns = T0 + 6, .step = QPW_LIFE_ACKNOWLEDGED, .outcome = QPW_OUTCOME_DATA};
    struct qpw_finding_row rows[2];
    struct qpw_life_row steps[3];

    for (int outbound = 0; outbound < 2; outbound++) {
        for (int i = 0; i < 2; i++) {
            rows[i] = outbound ? finding(OUT, "10.0.0.1", i ? "10.0.0.6" : "10.0.0.5", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0})
                               : finding(IN, i ? "10.0.0.6" : "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
            rows[i].value.owner = (struct qpw_owner){.how = QPW_OWNER_LISTENER, .tgid = 7, .exe = 0x1111};
        }
        steps[0] = (struct qpw_life_row){qpw_life_single(&rows[0]), ack};
        cr_expect_str_eq(states(rows, steps, 1), "acknowledged open");
        steps[0] = (struct qpw_life_row){qpw_life_class(&rows[0]), ack};
        cr_expect_str_eq(states(rows, steps, 1), "acknowledged acknowledged", "the whole service");
        steps[1] = (struct qpw_life_row){qpw_life_single(&rows[1]), undo};
        cr_expect_str_eq(states(rows, steps, 2), "acknowledged open", "one of them taken back");
        steps[0].life = later;
        cr_expect_str_eq(states(rows, steps, 2), "acknowledged acknowledged", "and the whole service again");
        steps[0] = (struct qpw_life_row){qpw_life_single(&rows[0]), ack};
        rows[0].value.owner.exe = 0x2222;
        cr_expect_str_eq(states(rows, steps, 1), "open open", "another program");
        rows[0].value.owner.exe = 0x1111;
        qpw_address_parse("2001:db8::1", outbound ? rows[0].key.initiator : rows[0].key.responder);
        cr_expect_str_eq(states(rows, steps, 1), "open open", "another address of the node");
    }
}

Test(life, an_acknowledgement_is_of_the_program_that_served)
{
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0}), other;
    struct qpw_finding_key of_row, of_other;

    for (int outbound = 0; outbound < 2; outbound++) {
        row.key.direction = outbound ? OUT : IN;
        row.value.owner = (struct qpw_owner){.how = QPW_OWNER_LISTENER, .tgid = 7, .exe = 0x1111};
        other = row;
        of_row = qpw_life_class(&row);
        other.value.owner.tgid = 8;
        of_other = qpw_life_class(&other);
        cr_expect_arr_eq(&of_row, &of_other, sizeof(of_row), "another process of the same executable");
        other.value.owner.exe = 0x2222;
        of_other = qpw_life_class(&other);
        cr_expect_neq(memcmp(&of_row, &of_other, sizeof(of_row)), 0, "another executable");
        other.value.owner = (struct qpw_owner){.how = QPW_OWNER_PACKET};
        of_other = qpw_life_class(&other);
        cr_expect_neq(memcmp(&of_row, &of_other, sizeof(of_row)), 0, "a packet socket");
        other.value.owner = (struct qpw_owner){0};
        of_other = qpw_life_class(&other);
        cr_expect_neq(memcmp(&of_row, &of_other, sizeof(of_row)), 0, "nobody known");
    }
}

/* ---- What a policy explains ---- */

struct court {
    struct qpw_policy policy;
    struct qpw_compiled compiled;
    struct qpw_registry names;
    struct qpw_judge *judge;
};

static void open_court(struct court *c, const char *text)
{
    struct qpw_compile_context context = {.now = T0 / SEC};
    struct qpw_error err;

    *c = (struct court){0};
    cr_assert_eq(qpw_policy_parse_text("site", text, strlen(text), &c->policy, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_policy_compile(&c->policy, &context, &c->names, &c->compiled, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_judge_new(&c->compiled, &c->judge), 0);
}

static void close_court(struct court *c)
{
    qpw_judge_free(c->judge);
    qpw_compiled_clear(&c->compiled);
    qpw_registry_clear(&c->names);
    qpw_policy_clear(&c->policy);
}

/* Return what explains it: the rule's name, "peer NAME", "" for nothing. */
static const char *explained(const struct court *c, const struct qpw_finding_row *row, uint32_t ifindex)
{
    static char text[64];
    struct qpw_judgement judgement;

    if (!qpw_finding_explained(c->judge, row, ifindex, &judgement))
        return "";
    if (judgement.peer)
        snprintf(text, sizeof(text), "peer %s", c->names.peers[judgement.peer].name);
    else
        snprintf(text, sizeof(text), "%s", c->names.rules[judgement.rule].name);
    return text;
}

Test(explained, by_a_rule_that_matches_its_ends_or_by_a_peer)
{
    struct court c;
    struct qpw_finding_row row = finding(IN, "10.9.0.8", "10.0.0.1", 9100, QPW_OUTCOME_DATA, (struct span){T0, T0});

    open_court(&c, "inbound tcp 9100 exporter name=exporter from=10.9.0.0/24\n"
                   "inbound tcp 9200 search vlan=7\n"
                   "outbound udp 514 syslog\n"
                   "inbound tcp 40000-50000 passive weak\n"
                   "peer node2 10.0.0.2\n");
    cr_expect_str_eq(explained(&c, &row, 0), "exporter");
    qpw_address_parse("10.9.1.8", row.key.initiator);
    cr_expect_str_eq(explained(&c, &row, 0), "", "from elsewhere");
    qpw_address_parse("10.0.0.2", row.key.initiator);
    cr_expect_str_eq(explained(&c, &row, 0), "peer node2");
    row.key.verdict = QPW_VERDICT_UNDECIDED;
    cr_expect_str_eq(explained(&c, &row, 0), "peer node2", "a peer's, whatever could not be decided");
    row = finding(IN, "10.9.0.8", "10.0.0.1", 9200, QPW_OUTCOME_DATA, (struct span){T0, T0});
    cr_expect_str_eq(explained(&c, &row, 0), "", "untagged");
    row.value.vlan = 7;
    cr_expect_str_eq(explained(&c, &row, 0), "in-tcp-9200");
    row = finding(OUT, "10.0.0.1", "10.9.0.8", 514, QPW_OUTCOME_DATA, (struct span){T0, T0});
    row.key.protocol = IPPROTO_UDP;
    cr_expect_str_eq(explained(&c, &row, 0), "out-udp-514");
    row.key.direction = IN;
    cr_expect_str_eq(explained(&c, &row, 0), "", "the other direction");
    row = finding(IN, "10.9.0.8", "10.0.0.1", 44444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    cr_expect_str_eq(explained(&c, &row, 0), "", "a weak rule explains nothing");
    row = finding(IN, "10.9.0.8", "10.0.0.1", 9100, QPW_OUTCOME_DATA, (struct span){T0, T0});
    row.value.reason = QPW_REASON_FOREIGN_SOURCE;
    cr_expect_str_eq(explained(&c, &row, 0), "", "a foreign source is no service of this node");
    row.value.reason = QPW_REASON_NOT_LOCAL;
    cr_expect_str_eq(explained(&c, &row, 0), "");
    row.value.reason = 0;
    row.key.verdict = QPW_VERDICT_WEAK;
    cr_expect_str_eq(explained(&c, &row, 0), "exporter");
    row.key.verdict = QPW_VERDICT_UNDECIDED;
    cr_expect_str_eq(explained(&c, &row, 0), "", "a rule needs a direction that is known");
    close_court(&c);
}

Test(explained, infrastructure_by_its_group_and_destination)
{
    struct court c;
    struct qpw_finding_row row = finding(IN, "10.9.0.8", "224.0.0.18", 0, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});

    open_court(&c, "policy site\n");
    row.key.kind = QPW_KIND_PROTOCOL;
    row.key.protocol = 112;
    row.value.flags = QPW_FINDING_MULTICAST;
    cr_expect_str_eq(explained(&c, &row, 0), "infra-routing");
    qpw_address_parse("239.1.1.1", row.key.responder);
    cr_expect_str_eq(explained(&c, &row, 0), "", "routing speaks to link-local groups");
    row = finding(IN, "10.9.0.8", "10.0.0.1", 8, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});
    row.key.kind = QPW_KIND_ICMP;
    row.key.protocol = IPPROTO_ICMP;
    row.value.reason = QPW_REASON_INFRA_SIZE;
    cr_expect_str_eq(explained(&c, &row, 0), "", "larger than infrastructure needs");
    close_court(&c);
}

/* ---- The answer ---- */

Test(answer, counts_only_what_is_open_and_says_since_when_it_is_clean)
{
    struct scene s;
    struct qpw_meter_row meter = {.key = {.verdict = QPW_VERDICT_UNEXPECTED}, .counts = {.rx_packets = 9}};
    struct qpw_snapshot snapshot = {.replay = true, .unix_ns = T0 + HOUR, .from_unix_ns = T0 - HOUR, .meters = &meter,
                                    .n_meters = 1, .findings = &s.row, .n_findings = 1};
    struct qpw_answer answer;
    char text[256];

    begin(&s, QPW_OUTCOME_DATA);
    cr_assert_eq(qpw_answer_make(&snapshot, &answer), 0);
    cr_expect_eq(answer.state, QPW_ANSWER_ACTION_NEEDED);
    explain(&s, 60 * SEC);
    cr_assert_eq(qpw_answer_make(&snapshot, &answer), 0);
    cr_expect_eq(answer.state, QPW_ANSWER_CLEAN);
    cr_expect_eq(answer.closed, 1);
    cr_expect_eq(answer.since_unix_ns, T0 + 60 * SEC, "since it was closed");
    acknowledge(&s, 0);
    cr_assert_eq(qpw_answer_make(&snapshot, &answer), 0);
    cr_expect_eq(answer.state, QPW_ANSWER_CLEAN);
    cr_expect_eq(answer.acknowledged, 1);
    cr_expect_str_eq(qpw_words_answer(&answer, snapshot.unix_ns, text, sizeof(text)),
                     "nothing unexpected in the capture; 1 acknowledged");
    s.row.value.outcome = QPW_OUTCOME_COUNT - 1;
    s.stored[0].life.outcome = QPW_OUTCOME_ATTEMPTED;
    cr_assert_eq(qpw_answer_make(&snapshot, &answer), 0);
    cr_expect_eq(answer.state, QPW_ANSWER_ACTION_NEEDED);
}

Test(answer, says_since_when_it_answers_not_since_when_it_was_tried)
{
    struct qpw_finding_row row = finding(IN, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0 + HOUR});
    struct qpw_snapshot s = {.replay = true, .unix_ns = T0 + HOUR, .from_unix_ns = T0 - HOUR, .findings = &row, .n_findings = 1};
    struct qpw_answer answer;

    row.answered_unix_ns = T0 + 600 * SEC;
    cr_assert_eq(qpw_answer_make(&s, &answer), 0);
    cr_expect_eq(answer.state, QPW_ANSWER_ACTION_NEEDED);
    cr_expect_eq(answer.since_unix_ns, T0 + 600 * SEC);
}

/* An mDNS packet occurs on any network: it is listed, but does not affect the headline. */
Test(answer, what_is_only_info_never_counts)
{
    struct qpw_finding_row row = finding(IN, "10.0.0.9", "224.0.0.251", 5353, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0});
    struct qpw_meter_row meter = {.key = {.verdict = QPW_VERDICT_UNEXPECTED}, .counts = {.rx_packets = 1}};
    struct qpw_snapshot s = {.replay = true, .unix_ns = T0 + HOUR, .from_unix_ns = T0 - HOUR, .meters = &meter, .n_meters = 1,
                             .findings = &row, .n_findings = 1};
    struct qpw_answer answer;

    row.value.flags = QPW_FINDING_MULTICAST;
    cr_assert_eq(qpw_answer_make(&s, &answer), 0);
    cr_expect_eq(answer.state, QPW_ANSWER_CLEAN);
    cr_expect_eq(answer.since_unix_ns, T0 - HOUR);
    cr_expect_eq(answer.by_severity[QPW_SEVERITY_INFO], 1);
}

/* ---- Hourly checks ---- */

static bool fails(const struct qpw_snapshot *s, uint64_t since_ns, const char *what)
{
    struct qpw_condition c;
    struct qpw_report r;
    char why[128];
    bool holds;

    cr_assert_eq(qpw_condition_parse(what, &c), 0, "%s", what);
    cr_assert_eq(qpw_report_make(s, since_ns, &r), 0);
    holds = qpw_condition_holds(&c, &r, why, sizeof(why));
    qpw_report_clear(&r);
    return holds;
}

/*
 * A week: mDNS all the time; a probe in hour 5; a service answers in hours 10, 50 and 51, is explained by a rule in
 * hour 60, and is acknowledged from hour 100 on, after it answered another prefix. Each check covers the last hour.
 */
Test(hourly, a_week_is_red_in_the_hours_in_which_something_happened)
{
    struct qpw_finding_row rows[4] = {
        finding(IN, "10.0.0.9", "224.0.0.251", 5353, QPW_OUTCOME_ATTEMPTED, (struct span){T0, T0}),
        finding(IN, "10.0.0.7", "10.0.0.1", 23, QPW_OUTCOME_REFUSED, (struct span){T0 + 5 * HOUR + 1, T0 + 5 * HOUR + 1}),
        finding(IN, "10.0.0.5", "10.0.0.1", 9100, QPW_OUTCOME_DATA, (struct span){T0 + 10 * HOUR + 1, 0}),
        finding(IN, "10.0.7.5", "10.0.0.1", 9100, QPW_OUTCOME_DATA, (struct span){T0 + 99 * HOUR + 1, 0}),
    };
    struct qpw_life_row stored[2] = {
        {rows[2].key, {.unix_ns = T0 + 60 * HOUR, .mono_ns = MONO + 60 * HOUR, .step = QPW_LIFE_EXPLAINED, .rule = 1}},
        {qpw_life_class(&rows[3]),
         {.unix_ns = T0 + 100 * HOUR, .mono_ns = MONO + 100 * HOUR, .step = QPW_LIFE_ACKNOWLEDGED, .outcome = QPW_OUTCOME_DATA}}};
    struct qpw_lives lives = {.retention_ns = {DAY, 30 * DAY}};
    struct qpw_snapshot s = {.replay = true, .from_unix_ns = T0 - HOUR, .findings = rows};

    rows[0].value.flags = QPW_FINDING_MULTICAST;
    for (unsigned hour = 1; hour <= 168; hour++) {
        uint64_t now_ns = T0 + hour * HOUR, since_ns = now_ns - HOUR;
        bool answers = hour == 11 || hour == 51 || hour == 52, other = hour == 100;
        struct qpw_life_row now[2];

        rows[0].last_unix_ns = now_ns - SEC;
        rows[2].last_unix_ns = T0 + (hour >= 52 ? 51 : hour >= 51 ? 50 : 10) * HOUR + 1;
        rows[3].last_unix_ns = T0 + 99 * HOUR + 1;
        for (size_t i = 0; i < 4; i++)
            rows[i].value.last_ns = rows[i].last_unix_ns - T0 + MONO;
        s.n_findings = hour >= 100 ? 4 : hour >= 11 ? 3 : hour >= 6 ? 2 : 1;
        lives.n = 0;
        if (hour >= 60)
            now[lives.n++] = stored[0];
        if (hour > 100)
            now[lives.n++] = stored[1];
        lives.rows = now;
        if (lives.n == 2 && memcmp(&now[0].key, &now[1].key, sizeof(now[0].key)) > 0) {
            now[0] = stored[1];
            now[1] = stored[0];
        }
        lives.now_unix_ns = s.unix_ns = now_ns;
        qpw_lives_assign(&lives, rows, 4);
        cr_expect_eq(fails(&s, since_ns, "high"), answers || other, "hour %u: high", hour);
        cr_expect_eq(fails(&s, since_ns, "answered"), answers || other, "hour %u: answered", hour);
        cr_expect_eq(fails(&s, since_ns, "unexpected"), answers || other || hour == 6, "hour %u: unexpected", hour);
        cr_expect_eq(fails(&s, since_ns, "new"), hour == 6 || hour == 11 || other, "hour %u: new", hour);
        cr_expect_eq(fails(&s, 0, "high"), (hour >= 11 && hour < 60) || other, "hour %u: high, ever", hour);
    }
}

/* A finding that a person or a reload opened again in the last hour fails its check, though its packets are older. */
Test(hourly, what_was_opened_again_is_within_since)
{
    struct scene s;
    struct qpw_snapshot snapshot = {.replay = true, .from_unix_ns = T0 - HOUR, .n_findings = 1};

    begin(&s, QPW_OUTCOME_DATA);
    snapshot.findings = &s.row;
    s.stored[0] = (struct qpw_life_row){s.row.key, {.unix_ns = T0 + 5 * HOUR, .mono_ns = MONO + 5 * HOUR, .step = QPW_LIFE_REOPENED}};
    s.lives.n = 1;
    qpw_lives_assign(&s.lives, &s.row, 1);
    s.lives.now_unix_ns = T0 + 5 * HOUR + SEC;
    cr_expect(fails(&snapshot, T0 + 5 * HOUR - SEC, "high"));
    cr_expect_not(fails(&snapshot, T0 + 5 * HOUR + 1, "high"));
    acknowledge(&s, T0 + 4 * HOUR);
    cr_expect(fails(&snapshot, T0 + 4 * HOUR - SEC, "high"), "its acknowledgement ended");
    cr_expect_not(fails(&snapshot, T0 + 4 * HOUR + SEC, "high"));
}

/* ---- The records ---- */

static struct sink sink;

Test(records, closing_and_opening_again_are_told_once_each_with_who)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct scene s;

    begin(&s, QPW_OUTCOME_DATA);
    qpw_engine_findings(e, &s.row, 1, T0 + SEC);
    explain(&s, 60 * SEC);
    s.stored[0].life.rule = 1;
    strcpy(s.stored[0].life.who, "alice: qportwatch reload");
    qpw_engine_findings(e, &s.row, 1, T0 + 61 * SEC);
    qpw_engine_findings(e, &s.row, 1, T0 + 4000 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/first, inbound-data/closed");
    cr_expect(strstr(sink.records[1].line, "\"closed_by\":[\"rule\"]"), "%s", sink.records[1].line);
    cr_expect(strstr(sink.records[1].line, "\"closed_rule\":[\"ssh\"]"));
    cr_expect(strstr(sink.records[1].line, "\"by\":[\"alice: qportwatch reload\"]"));
    cr_expect(strstr(sink.records[1].line, "\"severity\":4"), "it is no alarm");
    cr_expect(strstr(sink.records[1].text, "Closed: rule ssh explains it now."));
    seen(&s, 5000 * SEC);
    qpw_engine_findings(e, &s.row, 1, T0 + 5000 * SEC);
    qpw_engine_findings(e, &s.row, 1, T0 + 5001 * SEC);
    cr_expect_str_eq(sink_words(&sink, 2), "inbound-data/reopened");
    cr_expect(strstr(sink.records[2].line, "\"severity\":1"));
    qpw_engine_free(e);
    sink_clear(&sink);
}

Test(records, an_acknowledged_class_is_quiet_until_it_is_worse)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row others[2];
    struct scene s;

    begin(&s, QPW_OUTCOME_ANSWERED);
    qpw_engine_findings(e, &s.row, 1, T0 + SEC);
    acknowledge(&s, 0);
    strcpy(s.stored[0].life.reason, "known");
    qpw_engine_findings(e, &s.row, 1, T0 + 61 * SEC);
    s.row.counts.connections = 50;
    seen(&s, 4000 * SEC);
    qpw_engine_findings(e, &s.row, 1, T0 + 4000 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, inbound-answered/acknowledged");
    cr_expect_eq(sink.records[1].seen_ns, T0 + 60 * SEC, "when it was acknowledged, not when it was seen");
    cr_expect(strstr(sink.records[1].line, "\"by\":[\"alice\"]"));
    cr_expect(strstr(sink.records[1].line, "\"reason_given\":[\"known\"]"));
    others[0] = finding(IN, "10.0.0.6", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});
    others[1] = finding(IN, "10.0.7.6", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});
    qpw_lives_assign(&s.lives, others, 2);
    qpw_engine_findings(e, others, 2, T0 + 4001 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "inbound-answered/first");
    cr_expect_eq(sink.records[2].flow_id, others[1].flow_id, "from another prefix");
    cr_expect_not(qpw_engine_settled(e, &others[0]), "it is gathered");
    qpw_engine_tick(e, T0 + 4020 * SEC);
    cr_assert_str_eq(sink_words(&sink, 3), "further-initiators/first");
    cr_expect(strstr(sink.records[3].line, "\"severity\":4"), "it is acknowledged");
    cr_expect(strstr(sink.records[3].line, "\"state\":[\"acknowledged\"]"), "%s", sink.records[3].line);
    cr_expect(qpw_engine_settled(e, &others[0]));
    s.row.value.outcome = QPW_OUTCOME_DATA;
    qpw_engine_findings(e, &s.row, 1, T0 + 4022 * SEC);
    cr_expect_str_eq(sink_words(&sink, 4), "inbound-data/escalation");
    qpw_engine_free(e);
    sink_clear(&sink);
}

Test(records, a_restart_tells_no_step_again)
{
    static const enum qpw_record_kind kinds[] = {QPW_RECORD_CLOSED, QPW_RECORD_ACKNOWLEDGED};

    for (size_t i = 0; i < 2; i++) {
        struct qpw_engine *e = engine_for(&sink, NULL);
        struct qpw_engine_past past = {.written_unix_ns = T0 + 70 * SEC, .count = 1, .sequence = 2,
                                       .outcome = QPW_OUTCOME_DATA, .step = T0 + 60 * SEC, .kind = (uint8_t)kinds[i]};
        struct scene s;

        begin(&s, QPW_OUTCOME_DATA);
        past.flow_id = s.row.flow_id;
        past.ends = (struct qpw_engine_ends){.port = 4444, .verdict = QPW_VERDICT_UNEXPECTED, .direction = IN};
        memcpy(past.ends.initiator, s.row.key.initiator, 16);
        memcpy(past.ends.responder, s.row.key.responder, 16);
        qpw_engine_restore(e, &past, T0 + 80 * SEC);
        if (i == 0)
            explain(&s, 60 * SEC);
        else
            acknowledge(&s, 0);
        qpw_engine_findings(e, &s.row, 1, T0 + 90 * SEC);
        cr_expect_eq(sink.n, 0, "%s", sink_words(&sink, 0));
        s.row.explained = s.row.acknowledged = NULL;
        qpw_engine_findings(e, &s.row, 1, T0 + 91 * SEC);
        cr_expect_str_eq(sink_words(&sink, 0), "inbound-data/reopened");
        qpw_engine_free(e);
        sink_clear(&sink);
    }
}

Test(records, each_acknowledgement_change_and_undo_is_one_record_with_who)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct scene s;

    begin(&s, QPW_OUTCOME_DATA);
    qpw_engine_findings(e, &s.row, 1, T0 + SEC);
    acknowledge(&s, 0);
    qpw_engine_findings(e, &s.row, 1, T0 + 61 * SEC);
    s.stored[0].life.unix_ns += 2; /* another reason, shortly later */
    strcpy(s.stored[0].life.reason, "until CHG-7");
    for (int i = 0; i < 2; i++)
        qpw_engine_findings(e, &s.row, 1, T0 + 62 * SEC);
    cr_assert_str_eq(sink_words(&sink, 1), "inbound-data/acknowledged, inbound-data/acknowledged");
    cr_expect(strstr(sink.records[2].line, "\"reason_given\":[\"until CHG-7\"]"));
    s.stored[0].life = (struct qpw_life){.unix_ns = T0 + 70 * SEC, .step = QPW_LIFE_REOPENED, .who = "bob"};
    qpw_lives_assign(&s.lives, &s.row, 1);
    for (int i = 0; i < 2; i++)
        qpw_engine_findings(e, &s.row, 1, T0 + 71 * SEC);
    cr_assert_str_eq(sink_words(&sink, 3), "inbound-data/reopened");
    cr_expect(strstr(sink.records[3].line, "\"by\":[\"bob\"]"));
    cr_expect(strstr(sink.records[3].text, "Open again, by bob."));
    qpw_engine_free(e);
    sink_clear(&sink);
}

Test(records, an_acknowledgement_that_ends_gives_the_finding_back)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row other;
    struct scene s;

    begin(&s, QPW_OUTCOME_DATA);
    qpw_engine_findings(e, &s.row, 1, T0 + SEC);
    acknowledge(&s, T0 + 120 * SEC);
    s.lives.now_unix_ns = T0 + 61 * SEC;
    qpw_engine_findings(e, &s.row, 1, T0 + 61 * SEC);
    other = finding(IN, "10.0.0.6", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0 + 80 * SEC, T0 + 80 * SEC});
    qpw_lives_assign(&s.lives, &other, 1);
    qpw_engine_findings(e, &other, 1, T0 + 81 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/first, inbound-data/acknowledged");
    s.lives.now_unix_ns = T0 + 121 * SEC;
    for (int i = 0; i < 2; i++)
        qpw_engine_findings(e, &s.row, 1, T0 + 121 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "inbound-data/reopened, further-initiators/first");
    cr_expect(strstr(sink.records[3].line, "\"severity\":4"), "the other came while it was acknowledged");
    cr_expect_eq(sink.records[2].seen_ns, T0 + 120 * SEC, "the time of the step");
    cr_expect(strstr(sink.records[2].text, "Open again: its acknowledgement ended."));
    cr_expect_not(strstr(sink.records[2].line, "\"by\""), "nobody did that");
    cr_expect(strstr(sink.records[2].line, "\"severity\":1"));
    qpw_engine_findings(e, &other, 1, T0 + 122 * SEC);
    for (size_t i = 3; i < sink.n; i++)
        cr_expect_not(strstr(sink.records[i].line, "\"state\":[\"closed\"]"), "not told late and closed");
    qpw_engine_free(e);
    sink_clear(&sink);
}

/*
 * Acknowledged without an auditor: reported like any first finding, then as acknowledged, with the others of its
 * service.
 */
Test(records, what_was_acknowledged_before_its_first_record_has_one)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row rows[3];
    struct scene s;

    begin(&s, QPW_OUTCOME_ANSWERED);
    acknowledge(&s, 0);
    for (int i = 0; i < 3; i++) {
        rows[i] = s.row;
        rows[i].key.initiator[15] = (uint8_t)(5 + i);
        finding_renumber(&rows[i]);
    }
    qpw_lives_assign(&s.lives, rows, 3);
    for (int i = 0; i < 2; i++)
        qpw_engine_findings(e, rows, 3, T0 + (61 + i) * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-answered/first, inbound-answered/acknowledged");
    cr_expect(strstr(sink.records[0].line, "\"severity\":1"), "%s", sink.records[0].line);
    cr_expect(strstr(sink.records[1].line, "\"findings\":[\"3\"]"), "%s", sink.records[1].line);
    cr_expect(strstr(sink.records[1].text, "Acknowledged by alice (3 findings)."), "%s", sink.records[1].text);
    qpw_engine_tick(e, T0 + 90 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "further-initiators/first");
    cr_expect_eq(sink.records[2].count, 2);
    for (int i = 0; i < 3; i++)
        cr_expect(qpw_engine_settled(e, &rows[i]), "%d", i);
    qpw_engine_findings(e, rows, 3, T0 + 91 * SEC);
    qpw_engine_tick(e, T0 + 900 * SEC);
    cr_expect_eq(sink.n, 3, "once: %s", sink_words(&sink, 3));
    qpw_engine_free(e);
    sink_clear(&sink);
}

/*
 * A muted finding is not reported until it counts in the headline again, through another program, a person, or its end.
 */
Test(records, what_is_open_again_in_spite_of_a_mute_is_reported)
{
    static const char text[] = "suppress inbound tcp 4444 outcome=answered reason=quiet\n";
    static const char *const ways[] = {"another program", "taken back", "its end"};
    struct qpw_policy policy;
    struct qpw_error err;

    cr_assert_eq(qpw_policy_parse_text("site", text, strlen(text), &policy, &err), 0, "%s", err.text);
    for (size_t way = 0; way < 3; way++) {
        struct qpw_engine *e = engine_for(&sink, NULL);
        struct qpw_engine_context context = plain_context();
        struct scene s;

        context.policy = &policy;
        qpw_engine_context(e, &context, T0);
        begin(&s, QPW_OUTCOME_ANSWERED);
        s.row.value.owner = (struct qpw_owner){.how = QPW_OWNER_LISTENER, .tgid = 7, .exe = 0x1111};
        acknowledge(&s, T0 + DAY);
        s.lives.now_unix_ns = T0 + HOUR;
        qpw_engine_findings(e, &s.row, 1, T0 + HOUR);
        cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ANSWERED), 0, "it is muted");
        if (way == 0)
            s.row.value.owner.exe = 0x2222;
        else if (way == 1)
            s.stored[0].life = (struct qpw_life){.unix_ns = T0 + 2 * HOUR, .step = QPW_LIFE_REOPENED, .who = "bob"};
        else
            s.lives.now_unix_ns = T0 + DAY;
        qpw_lives_assign(&s.lives, &s.row, 1);
        cr_assert(qpw_finding_open(&s.row));
        qpw_engine_findings(e, &s.row, 1, T0 + DAY);
        cr_expect_eq(sink_count(&sink, QPW_SIG_IN_ANSWERED), 1, "%s: %s", ways[way], sink_words(&sink, 0));
        qpw_engine_free(e);
        sink_clear(&sink);
    }
    qpw_policy_clear(&policy);
}

/* Two findings of one step, opened again in any way: one record with their number. */
Test(records, opening_again_has_the_number_of_findings)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row rows[2];
    struct scene s;

    begin(&s, QPW_OUTCOME_DATA);
    for (int i = 0; i < 2; i++) {
        rows[i] = s.row;
        rows[i].key.initiator[15] = (uint8_t)(5 + i);
        finding_renumber(&rows[i]);
    }
    qpw_engine_findings(e, rows, 2, T0 + SEC);
    qpw_engine_tick(e, T0 + 20 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/first, further-initiators/first");
    acknowledge(&s, T0 + 120 * SEC);
    qpw_lives_assign(&s.lives, rows, 2);
    for (int after = 61; after < 900; after += 60) {
        s.lives.now_unix_ns = T0 + after * SEC;
        cr_expect_eq(qpw_engine_step_unreported(e, &rows[0]), after == 61 || after == 121, "%d", after);
        qpw_engine_findings(e, rows, 2, T0 + after * SEC);
        qpw_engine_tick(e, T0 + after * SEC);
    }
    cr_assert_str_eq(sink_words(&sink, 2), "inbound-data/acknowledged, inbound-data/reopened");
    cr_expect(strstr(sink.records[3].text, "Open again: its acknowledgement ended (2 findings)."), "%s", sink.records[3].text);
    cr_expect(strstr(sink.records[3].line, "\"findings\":[\"2\"]"), "%s", sink.records[3].line);
    qpw_engine_free(e);
    sink_clear(&sink);
}

/* Same port and initiator but another executable: reported at once, even if the earlier finding was acknowledged. */
Test(records, another_program_is_told_at_once)
{
    for (int known = 0; known < 2; known++) {
        struct qpw_engine *e = engine_for(&sink, NULL);
        struct scene s;

        begin(&s, QPW_OUTCOME_DATA);
        s.row.value.owner = (struct qpw_owner){.how = QPW_OWNER_LISTENER, .tgid = 7, .exe = 0x1111};
        qpw_engine_findings(e, &s.row, 1, T0 + SEC);
        if (known) {
            acknowledge(&s, 0);
            qpw_engine_findings(e, &s.row, 1, T0 + 61 * SEC);
        }
        s.row.value.owner = (struct qpw_owner){.how = QPW_OWNER_LISTENER, .tgid = 9, .exe = 0x2222};
        qpw_lives_assign(&s.lives, &s.row, 1);
        cr_expect_eq(qpw_finding_life(&s.row).state, QPW_FINDING_OPEN);
        for (int i = 0; i < 2; i++)
            qpw_engine_findings(e, &s.row, 1, T0 + 62 * SEC);
        cr_assert_str_eq(sink_words(&sink, known ? 2 : 1), known ? "inbound-data/reopened" : "inbound-data/escalation");
        cr_expect(strstr(sink.records[sink.n - 1].line, "\"severity\":1"));
        cr_expect(strstr(sink.records[sink.n - 1].text, "nother program than before."));
        qpw_engine_free(e);
        sink_clear(&sink);
    }
}

/* An acknowledgement, or its withdrawal, without an auditor is written by the next one. */
Test(records, a_step_without_an_auditor_is_written_by_the_next)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_engine_past past = {.written_unix_ns = T0 + 2 * SEC, .count = 1, .sequence = 1, .outcome = QPW_OUTCOME_DATA};
    struct scene s;

    begin(&s, QPW_OUTCOME_DATA);
    past.flow_id = s.row.flow_id;
    past.ends = (struct qpw_engine_ends){.port = 4444, .verdict = QPW_VERDICT_UNEXPECTED, .direction = IN};
    memcpy(past.ends.initiator, s.row.key.initiator, 16);
    memcpy(past.ends.responder, s.row.key.responder, 16);
    qpw_engine_restore(e, &past, T0 + 80 * SEC);
    s.stored[0] = (struct qpw_life_row){qpw_life_class(&s.row), {.unix_ns = T0 + 70 * SEC, .step = QPW_LIFE_REOPENED, .who = "bob"}};
    s.lives.n = 1;
    qpw_lives_assign(&s.lives, &s.row, 1);
    qpw_engine_findings(e, &s.row, 1, T0 + 90 * SEC);
    qpw_engine_findings(e, &s.row, 1, T0 + 91 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/reopened");
    cr_expect(strstr(sink.records[0].line, "\"by\":[\"bob\"]"));
    qpw_engine_free(e);
    sink_clear(&sink);
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct qpw_finding_key));
}

/*
 * Ten users of one service, reported in its record: a reload that explains them, or an acknowledgement, is one record.
 */
Test(records, a_step_about_users_told_with_their_service_is_told_once)
{
    struct qpw_finding_row rows[10];
    struct qpw_life_row stored[10];
    struct qpw_lives lives = {.rows = stored, .n = 10, .now_unix_ns = T0 + HOUR, .retention_ns = {DAY, 30 * DAY}};
    struct qpw_engine *e = engine_for(&sink, NULL);

    for (unsigned i = 0; i < 10; i++) {
        char from[16];

        snprintf(from, sizeof(from), "10.0.0.%u", 10 + i);
        rows[i] = finding(IN, from, "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0 + i, T0 + i});
        rows[i].value.last_ns = MONO;
    }
    qpw_engine_findings(e, rows, 10, T0 + SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-data/first");
    for (unsigned i = 0; i < 10; i++)
        stored[i] = (struct qpw_life_row){rows[i].key, {.unix_ns = T0 + 60 * SEC, .mono_ns = MONO + 60 * SEC,
                                                        .step = QPW_LIFE_EXPLAINED, .rule = 1, .who = "alice"}};
    qsort(stored, 10, sizeof(stored[0]), by_key);
    qpw_lives_assign(&lives, rows, 10);
    qpw_engine_findings(e, rows, 10, T0 + 61 * SEC);
    qpw_engine_tick(e, T0 + 90 * SEC);
    cr_expect_str_eq(sink_words(&sink, 1), "inbound-data/closed", "and nothing of further initiators afterwards");
    qpw_engine_free(e);
    sink_clear(&sink);
}

Test(life, outbound_of_a_program_never_seen_before_is_high_once_it_is_answered)
{
    struct qpw_finding_row rows[3];
    struct qpw_lives lives = {.now_unix_ns = T0};

    for (unsigned i = 0; i < 3; i++)
        rows[i] = finding(i == 2 ? IN : OUT, "10.0.0.1", "192.0.2.5", 8440 + i, QPW_OUTCOME_DATA, (struct span){T0, T0});
    cr_assert_eq(qpw_lives_add_first_seen(&lives, &rows[2].key), 0);
    cr_assert_eq(qpw_lives_add_first_seen(&lives, &rows[0].key), 0);
    qpw_lives_assign(&lives, rows, 3);
    cr_expect_eq(qpw_finding_severity(&rows[0]), QPW_SEVERITY_HIGH);
    cr_expect_eq(qpw_finding_severity(&rows[1]), QPW_SEVERITY_MEDIUM, "nothing says that its program is new");
    cr_expect_eq(qpw_finding_concern(&rows[2]), QPW_CONCERN_IN_DATA, "inbound it is high in any case");
    rows[0].value.outcome = QPW_OUTCOME_ANSWERED;
    cr_expect_eq(qpw_finding_severity(&rows[0]), QPW_SEVERITY_HIGH);
    rows[0].value.outcome = QPW_OUTCOME_REFUSED;
    cr_expect_eq(qpw_finding_severity(&rows[0]), QPW_SEVERITY_LOW);
    free(lives.first_seen);
}
