/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The policy lines that alerts offer follow the policy's grammar and do what the alert claims. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "alert/text.h"
#include "alerts.h"
#include "policy/lang/policy.h"
#include "policy/lang/suppress.h"
#include "util/names.h"

static void parse(const char *line, struct qpw_policy *ret)
{
    struct qpw_error err = {""};
    char text[512];
    int length = snprintf(text, sizeof(text), "policy test\n%s\n", line);

    cr_assert_eq(qpw_policy_parse_text("alert", text, length, ret, &err), 0, "%s: %s", line, err.text);
}

/* Return whether the line's single rule covers the row's exchange. */
static bool covers(const char *line, const struct qpw_finding_row *row)
{
    const struct qpw_rule *rule;
    struct qpw_policy policy;
    bool fits;

    parse(line, &policy);
    cr_assert_eq(policy.n_rules, 1, "%s", line);
    rule = &policy.rules[0];
    fits = rule->direction == row->key.direction && qpw_protocol_in(rule->protocols, row->key.protocol) &&
           (!(rule->flags & QPW_RULE_FROM) || qpw_addresses_contain(&rule->from, row->key.initiator)) &&
           (!(rule->flags & QPW_RULE_TO) || qpw_addresses_contain(&rule->to, row->key.responder));
    if (!(rule->flags & QPW_RULE_ANY_PORT))
        fits =
            fits && rule->n_ports == 1 && rule->ports[0].first == row->key.port && rule->ports[0].last == row->key.port;
    cr_expect_not(rule->flags & QPW_RULE_ANY_PROTOCOL, "%s", line);
    qpw_policy_clear(&policy);
    return fits;
}

static void allows(struct qpw_finding_row row)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_text_about about = {.context = &context, .row = &row};
    struct qpw_finding_row stranger = row;
    char line[256];

    cr_assert(qpw_text_allow_line(&about, false, line, sizeof(line)));
    cr_expect(covers(line, &row), "%s", line);
    qpw_address_parse("192.0.2.77",
                      row.key.direction == QPW_DIR_OUTBOUND ? stranger.key.responder : stranger.key.initiator);
    cr_expect_not(covers(line, &stranger), "%s: allows others too", line);
    cr_assert(qpw_text_allow_line(&about, true, line, sizeof(line)));
    cr_expect(covers(line, &stranger), "%s", line);
}

Test(alert_text, the_line_offered_allows_just_that)
{
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});

    allows(row);
    allows(finding(QPW_DIR_OUTBOUND, "10.0.0.1", "10.0.0.5", 6667, QPW_OUTCOME_DATA, (struct span){T0, T0}));
    allows(finding(QPW_DIR_INBOUND, "fd00::5", "fd00::1", 65535, QPW_OUTCOME_DATA, (struct span){T0, T0}));
    row.key.protocol = IPPROTO_UDP;
    allows(row);
    row.key.protocol = IPPROTO_SCTP;
    allows(row);
    row.key.kind = QPW_KIND_PROTOCOL;
    row.key.protocol = 47;
    row.key.port = 0;
    allows(row);
    row.key.kind = QPW_KIND_ICMP;
    row.key.protocol = IPPROTO_ICMP;
    row.key.port = 17;
    allows(row);
    row = finding(QPW_DIR_INBOUND, "fd00::5", "fd00::1", 139, QPW_OUTCOME_DATA, (struct span){T0, T0});
    row.key.kind = QPW_KIND_ICMP;
    row.key.protocol = IPPROTO_ICMPV6;
    allows(row);
}

Test(alert_text, the_process_names_the_purpose)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_process process = {.match = QPW_MATCH_LISTENER, .pid = 5, .name = "node_exporter"};
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 9100, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_text_about about = {.context = &context, .row = &row, .process = &process};
    char line[256];

    qpw_text_allow_line(&about, false, line, sizeof(line));
    cr_expect_str_eq(line, "inbound tcp 9100 node_exporter from=10.0.0.5");
    cr_expect(covers(line, &row));
    strcpy(process.name, "a b\" from=");
    qpw_text_allow_line(&about, false, line, sizeof(line));
    cr_expect_str_eq(line, "inbound tcp 9100 \"a b_ from_\" from=10.0.0.5", "quoted, without what ends a quote");
}

Test(alert_text, what_no_line_can_allow_gets_none)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row row = finding(QPW_DIR_UNKNOWN, "10.0.0.5", "10.0.0.1", 0, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_text_about about = {.context = &context, .row = &row};
    char line[256];

    cr_expect_not(qpw_text_allow_line(&about, false, line, sizeof(line)));
    row.key.kind = QPW_KIND_ETHERTYPE;
    cr_expect_not(qpw_text_allow_line(&about, false, line, sizeof(line)));
}

/* Every group's statement in an alert is valid in the policy's grammar. */
Test(alert_text, the_statement_of_each_group)
{
    struct qpw_rule_info rules[2] = {{.name = ""}};
    struct qpw_engine_context context = {.rules = rules, .n_rules = 2};
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 53, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_text_about about = {.context = &context, .row = &row};
    struct qpw_policy policy;
    char line[256];

    row.value.rule = 1;
    for (unsigned i = 0; i < QPW_INFRA_COUNT + QPW_IMPLIED_COUNT; i++) {
        if (i < QPW_INFRA_COUNT)
            snprintf(rules[1].name, sizeof(rules[1].name), "infra-%s", qpw_infra_name(i));
        else
            snprintf(rules[1].name, sizeof(rules[1].name), "implied-%s", qpw_implied_name(i - QPW_INFRA_COUNT));
        cr_assert(qpw_text_allow_line(&about, false, line, sizeof(line)));
        parse(line, &policy);
        qpw_policy_clear(&policy);
        qpw_text_fill("{implied-off}", &about, line, sizeof(line));
        if (i >= QPW_INFRA_COUNT) {
            parse(line, &policy);
            cr_expect(policy.implied[i - QPW_INFRA_COUNT].unexpected, "%s", line);
            qpw_policy_clear(&policy);
        }
    }
}

Test(alert_text, the_suppression_offered_hides_the_scan)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_REFUSED, (struct span){T0, T0});
    struct qpw_text_about about = {.context = &context, .row = &row};
    struct qpw_suppress_query query = {.direction = row.key.direction,
                                       .kind = row.key.kind,
                                       .protocol = row.key.protocol,
                                       .outcome = row.value.outcome,
                                       .port = row.key.port,
                                       .from = row.key.initiator,
                                       .to = row.key.responder,
                                       .now = T0 / SEC};
    struct qpw_policy policy;
    char text[512], *line, *end;

    qpw_text_fill("{suppress}", &about, text, sizeof(text));
    line = strchr(text, '`') + 1;
    end = strrchr(text, '`');
    *end = '\0';
    memcpy(strstr(line, "YYYY-MM-DD"), "2026-12-31", 10);
    parse(line, &policy);
    cr_expect(qpw_policy_suppressed(&policy, &query));
    query.outcome = QPW_OUTCOME_ANSWERED;
    cr_expect_not(qpw_policy_suppressed(&policy, &query), "what answered is not hidden by it");
    qpw_policy_clear(&policy);
}

static void says(const struct qpw_text_about *about, const char *expected)
{
    char text[1600];

    qpw_text_fill(qpw_signature(qpw_signature_of(about->row))->text, about, text, sizeof(text));
    cr_expect_eq(strncmp(text, expected, strlen(expected)), 0, "says '%s', not '%s'", text, expected);
}

/* Initiator, responder, service, process, volume: in the same order for both directions. */
Test(alert_text, an_alert_names_the_node_the_process_and_the_traffic)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_process process = {.match = QPW_MATCH_EXACT, .pid = 2671, .name = "python3", .user = "root"};
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.77.0.9", "10.77.0.1", 9100, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_text_about about = {.context = &context, .row = &row, .process = &process};

    row.counts = (struct qpw_counts){.rx_packets = 44, .tx_packets = 45, .rx_bytes = 3800, .tx_bytes = 7000};
    says(&about, "node1 (10.77.0.1) served 10.77.0.9 on tcp/9100 (python3, pid 2671, root): 89 packets, 10.8 kB. The "
                 "policy (/etc/qportwatch/policy) has no inbound rule for it. To allow it: `inbound tcp 9100 python3 "
                 "from=10.77.0.9`");
    process.match = QPW_MATCH_LISTENER;
    says(&about, "node1 (10.77.0.1) served 10.77.0.9 on tcp/9100 (listener python3, pid 2671, root): 89 packets");
    row.counts = (struct qpw_counts){0};
    about.process = NULL;
    says(&about, "node1 (10.77.0.1) served 10.77.0.9 on tcp/9100. The policy (");
    row = finding(QPW_DIR_OUTBOUND, "10.77.0.1", "10.77.0.66", 8443, QPW_OUTCOME_DATA, (struct span){T0, T0});
    context.policy_path = "built-in:on-prem";
    says(&about, "node1 (10.77.0.1) used tcp/8443 of 10.77.0.66: 3 packets, 222 B. The policy (built-in qumulo/on-prem) "
                 "has no outbound rule for it.");
}

/* A group address is no node's, and with an unknown direction it is unknown which end is the node. */
Test(alert_text, only_an_end_that_is_known_to_be_the_nodes_has_its_name)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "224.0.0.251", 5353, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_text_about about = {.context = &context, .row = &row};

    row.key.protocol = IPPROTO_UDP;
    row.value.flags = QPW_FINDING_MULTICAST;
    says(&about, "node1 answered 10.0.0.5, which had asked udp/5353 of 224.0.0.251: 3 packets");
    row = finding(QPW_DIR_UNKNOWN, "10.0.0.5", "10.0.0.1", 0, QPW_OUTCOME_DATA, (struct span){T0, T0});
    row.key.verdict = QPW_VERDICT_UNDECIDED;
    row.key.protocol = IPPROTO_UDP;
    row.value.reason = QPW_REASON_MIDSTREAM;
    says(&about, "10.0.0.5 and 10.0.0.1 exchanged payload over udp: 3 packets");
}

Test(alert_text, words_that_do_not_fit_are_cut)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_text_about about = {.context = &context, .words = {.detail = "0123456789"}};
    char buf[8];

    cr_expect_str_eq(qpw_text_fill("ab{detail}{nonsense}", &about, buf, sizeof(buf)), "ab01234");
    cr_expect_str_eq(qpw_text_fill("a{b", &about, buf, sizeof(buf)), "a{b");
}

/* Process names: any text is possible. */
static const char *const hostile[] = {
    "weak", "default", "optional", "any", "a b", "a\"b", "a\\b", "a\\", "\"", "#x", "x #y", "from=10.0.0.1", "a\nb", "a\tb",
    "\xc3\xa9t\xc3\xa9", "\x1b[31m", "(sd-pam)", "kworker/0:1", "-", "...", "a;b", "`id`", "$(id)", "@set", "name=x", "in bound",
    "0123456789abcdef0123456789abcde"};

Test(text, the_allow_line_is_valid_whatever_the_process_is_called)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});

    for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
        struct qpw_process process = {.match = QPW_MATCH_EXACT, .pid = 7};
        struct qpw_text_about about = {.context = &context, .row = &row, .process = &process};
        struct qpw_policy policy;
        struct qpw_error err = {""};
        char line[300];

        snprintf(process.name, sizeof(process.name), "%s", hostile[i]);
        cr_assert(qpw_text_allow_line(&about, false, line, sizeof(line) - 1));
        strcat(line, "\n");
        cr_assert_eq(qpw_policy_parse_text("p", line, strlen(line), &policy, &err), 0, "%s: %s", line, err.text);
        cr_assert_eq(policy.n_rules, 1, "%s", line);
        cr_expect_eq(policy.rules[0].flags & (QPW_RULE_WEAK | QPW_RULE_DEFAULT | QPW_RULE_OPTIONAL), 0, "%s", line);
        cr_expect(policy.rules[0].purpose && *policy.rules[0].purpose, "%s", line);
        cr_expect_eq(policy.rules[0].ports[0].first, 4444);
        cr_expect(policy.rules[0].flags & QPW_RULE_FROM, "%s", line);
        qpw_policy_clear(&policy);
    }
}
