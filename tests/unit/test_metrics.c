/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Metrics: each figure equals that of the facts, each series exists once, and traffic creates none. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/tally.h"
#include "metrics/metrics.h"
#include "metrics/text.h"
#include "sample.h"
#include "util/names.h"

static struct qpw_snapshot s;
static char *text;
static size_t size;

static void begin(void)
{
    sample_snapshot(&s, 0);
}

static void end(void)
{
    qpw_snapshot_clear(&s);
    free(text);
    text = NULL;
}

TestSuite(metrics, .init = begin, .fini = end);

static void write_metrics(const json_t *alerts)
{
    struct qpw_report report;
    FILE *out;

    free(text);
    out = open_memstream(&text, &size);
    cr_assert_eq(qpw_report_make(&s, 0, &report), 0);
    cr_assert_eq(qpw_metrics_write(&(struct qpw_metrics){&report, true, alerts}, out), 0);
    fclose(out);
    qpw_report_clear(&report);
}

/* Return the value of the series with that name and labels; "": none. Several fail the test. */
static const char *value(const char *series)
{
    static char ret[64];
    size_t length = strlen(series), n = 0;

    *ret = '\0';
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (!strncmp(line, series, length) && line[length] == ' ') {
            snprintf(ret, sizeof(ret), "%.*s", (int)strcspn(line + length + 1, "\n"), line + length + 1);
            n++;
        }
    cr_expect_leq(n, 1, "%s: %zu times", series, n);
    return ret;
}

/* Sum the series whose line begins with `begin` and contains `part`. */
static uint64_t sum(const char *begin, const char *part)
{
    uint64_t ret = 0;

    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *brace = strstr(line, "} ");

        if (!strncmp(line, begin, strlen(begin)) && strstr(line, part) && strstr(line, part) < strchr(line, '\n'))
            ret += strtoull(brace + 2, NULL, 10);
    }
    return ret;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Count the series, and check that each one is unique and follows the two lines of its family, which are unique too. */
static size_t count_series(void)
{
    char *copy = strdup(text), *save = NULL, **seen = calloc(size, sizeof(*seen)), family[128] = "";
    size_t n = 0, n_families = 0;

    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (!strncmp(line, "# HELP ", 7)) {
            cr_expect_eq(sscanf(line + 7, "%127s", family), 1);
            n_families++;
            continue;
        }
        if (*line == '#')
            continue;
        cr_expect_eq(strncmp(line, family, strlen(family)), 0, "'%s' stands in the family of %s", line, family);
        *strrchr(line, ' ') = '\0';
        seen[n++] = line;
    }
    qsort(seen, n, sizeof(*seen), by_text);
    for (size_t i = 1; i < n; i++)
        cr_expect_str_neq(seen[i - 1], seen[i]);
    cr_expect_gt(n_families, 30);
    free(seen);
    free(copy);
    return n;
}

Test(metrics, figures_are_those_of_the_facts)
{
    struct qpw_report report;
    char series[160], figure[32];

    write_metrics(NULL);
    cr_assert_eq(qpw_report_make(&s, 0, &report), 0);
    for (unsigned verdict = 1; verdict < QPW_VERDICT_COUNT; verdict++) {
        snprintf(series, sizeof(series), "verdict=\"%s\"", qpw_verdict_name(verdict));
        cr_expect_eq(sum("qportwatch_receive_packets_total{", series) + sum("qportwatch_transmit_packets_total{", series),
                     report.totals.by_verdict[verdict].packets, "%s", series);
        cr_expect_eq(sum("qportwatch_receive_bytes_total{", series) + sum("qportwatch_transmit_bytes_total{", series),
                     report.totals.by_verdict[verdict].bytes, "%s", series);
    }
    for (unsigned state = 0; state < QPW_ANSWER_COUNT; state++) {
        snprintf(series, sizeof(series), "qportwatch_answer{answer=\"%s\"}", qpw_answer_name(state));
        cr_expect_str_eq(value(series), qpw_answer_has(&report.answer, state) ? "1" : "0", "%s", series);
    }
    for (size_t i = 0; i < report.n_rules; i++) {
        snprintf(series, sizeof(series), "qportwatch_rule_receive_packets_total{rule=\"%s\"}", report.rules[i].info->name);
        snprintf(figure, sizeof(figure), "%" PRIu64, (uint64_t)report.rules[i].counts.rx_packets);
        cr_expect_str_eq(value(series), figure, "%s", series);
    }
    for (size_t i = 0; i < report.n_peers; i++) {
        snprintf(series, sizeof(series), "qportwatch_peer_transmit_bytes_total{peer=\"%s\"}", report.peers[i].info->name);
        snprintf(figure, sizeof(figure), "%" PRIu64, (uint64_t)report.peers[i].counts.tx_bytes);
        cr_expect_str_eq(value(series), figure, "%s", series);
    }
    for (size_t i = 0; i < report.n_peers; i++) {
        snprintf(series, sizeof(series), "qportwatch_pair_transmit_packets_total{peer=\"%s\"}", report.peers[i].info->name);
        snprintf(figure, sizeof(figure), "%" PRIu64, (uint64_t)report.peers[i].pair.tx_packets);
        cr_expect_str_eq(value(series), figure, "%s", series);
    }
    cr_expect_gt(report.peers[0].pair.tx_packets, 0u);
    cr_expect_eq(sum("qportwatch_findings{", "severity=\"high\""), report.answer.by_severity[QPW_SEVERITY_HIGH]);
    cr_expect_eq(sum("qportwatch_findings{", "severity=\"low\""), report.answer.by_severity[QPW_SEVERITY_LOW]);
    cr_expect_str_eq(value("qportwatch_auditor_up"), "1");
    cr_expect_str_eq(value("qportwatch_auditor_heartbeat_timestamp_seconds"), "1767229199.500");
    cr_expect_str_eq(value("qportwatch_snapshot_timestamp_seconds"), "1767229200.000");
    cr_expect_str_eq(value("qportwatch_interface_monitored{device=\"eth0\",hook=\"TCX\"}"), "1");
    cr_expect_str_eq(value("qportwatch_node_info{node=\"node1\"}"), "1");
    cr_expect_str_eq(value("qportwatch_policy_current"), "1");
    qpw_report_clear(&report);
}

/* A node's label is its name among the peers, whatever its hostname. */
Test(metrics, the_name_of_a_node_is_the_peers_word)
{
    s.peers[SAMPLE_NODE3].own = 1;
    s.peers[SAMPLE_NODE3].in_force = 0; /* as the compiler sets it for the node itself */
    write_metrics(NULL);
    cr_expect_str_eq(value("qportwatch_node_info{node=\"node3\"}"), "1");
    cr_expect_str_eq(value("qportwatch_peer_silent{peer=\"node3\"}"), "");
}

Test(metrics, an_interface_that_is_missing)
{
    s.ifaces[0].attached = false;
    s.lock = QPW_LOCK_FREE;
    s.auditor = (struct qpw_pid){0};
    s.control.heartbeat_ns = s.mono_ns - 60000000000ull;
    write_metrics(NULL);
    cr_expect_str_eq(value("qportwatch_interface_monitored{device=\"eth0\",hook=\"TCX\"}"), "0");
    cr_expect_str_eq(value("qportwatch_auditor_up"), "0");
    cr_expect_str_eq(value("qportwatch_answer{answer=\"BLIND\"}"), "1");
    cr_expect_str_eq(value("qportwatch_unaudited_seconds_total"), "60");
}

/* A device that was deleted and created again has two numbers but one name. */
Test(metrics, a_device_is_one_series)
{
    struct qpw_meter_row *row;
    uint64_t before;

    write_metrics(NULL);
    before = sum("qportwatch_receive_packets_total{device=\"eth0\"", "verdict=\"allowed\"");
    s.ifaces = realloc(s.ifaces, 2 * sizeof(*s.ifaces));
    s.ifaces[1] = s.ifaces[0];
    s.ifaces[1].iface.number = 2;
    s.ifaces[0].gone = true;
    s.ifaces[0].attached = false;
    s.n_ifaces = 2;
    strcpy(s.meta.ifname[2], "eth0");
    row = sample_meter(&s, (struct sample_service){IPPROTO_TCP, 445, QPW_DIR_INBOUND}, QPW_VERDICT_ALLOWED, SAMPLE_RULE_SMB, 0);
    row->key.iface = 2;
    row->counts.rx_packets = 7;
    write_metrics(NULL);
    cr_expect_eq(sum("qportwatch_receive_packets_total{device=\"eth0\"", "verdict=\"allowed\""), before + 7);
    cr_expect_str_eq(value("qportwatch_interface_monitored{device=\"eth0\",hook=\"TCX\"}"), "1");
    count_series();
}

/* A cluster of a hundred peers and a policy of sixty rules: below 1,500 series. */
Test(metrics, series_are_bounded)
{
    s.rules = realloc(s.rules, 61 * sizeof(*s.rules));
    for (s.n_rules = SAMPLE_RULES; s.n_rules < 61; s.n_rules++) {
        s.rules[s.n_rules] = s.rules[SAMPLE_RULE_SMB];
        snprintf(s.rules[s.n_rules].name, sizeof(s.rules[0].name), "rule-%zu", s.n_rules);
    }
    s.peers = realloc(s.peers, 101 * sizeof(*s.peers));
    for (s.n_peers = SAMPLE_PEERS; s.n_peers < 101; s.n_peers++) {
        s.peers[s.n_peers] = s.peers[SAMPLE_NODE2];
        snprintf(s.peers[s.n_peers].name, sizeof(s.peers[0].name), "peer-%zu", s.n_peers);
    }
    for (unsigned port = 5000; port < 7000; port++) { /* a scan, which adds no series */
        sample_finding(&s, (struct sample_service){IPPROTO_TCP, port, QPW_DIR_INBOUND}, "203.0.113.77", "10.1.0.11", QPW_OUTCOME_ATTEMPTED);
        sample_meter(&s, (struct sample_service){IPPROTO_TCP, port, QPW_DIR_INBOUND}, QPW_VERDICT_UNEXPECTED, 0, 0)->counts.rx_packets = 1;
    }
    write_metrics(NULL);
    cr_expect_lt(count_series(), 1500, "%zu", count_series());
    cr_expect_not(strstr(text, "203.0.113"), "an address from outside");
    cr_expect_not(strstr(text, "5555"), "a port from outside");
}

/* Beyond the limit the rest is one series, so that the sum stays complete. */
Test(metrics, the_rest_is_other)
{
    enum { RULES = QPW_METRIC_RULES + 44 };

    s.rules = realloc(s.rules, (RULES + 1) * sizeof(*s.rules));
    for (s.n_rules = SAMPLE_RULES; s.n_rules < RULES + 1; s.n_rules++) {
        s.rules[s.n_rules] = s.rules[SAMPLE_RULE_SMB];
        snprintf(s.rules[s.n_rules].name, sizeof(s.rules[0].name), "rule-%zu", s.n_rules);
        sample_meter(&s, (struct sample_service){IPPROTO_TCP, 445, QPW_DIR_INBOUND}, QPW_VERDICT_ALLOWED,
                     (unsigned)s.n_rules, 0)
            ->counts.rx_packets = 1;
    }
    write_metrics(NULL);
    cr_expect_str_neq(value("qportwatch_rule_receive_packets_total{rule=\"other\"}"), "");
    cr_expect_geq(sum("qportwatch_rule_receive_packets_total{", "rule=\"rule-") +
                      strtoull(value("qportwatch_rule_receive_packets_total{rule=\"other\"}"), NULL, 10), RULES - SAMPLE_RULES + 1);
    count_series();
}

Test(metrics, names_of_others_are_escaped)
{
    strcpy(s.ifaces[0].name, "e\"\\\n\x1b[31m");
    strcpy(s.meta.ifname[1], s.ifaces[0].name);
    write_metrics(NULL);
    cr_expect_str_eq(value("qportwatch_interface_monitored{device=\"e\\\"\\\\??[31m\",hook=\"TCX\"}"), "1");
    cr_expect_not(strchr(text, '\x1b'));
    count_series();
}

Test(metrics, what_the_auditor_says_of_the_alert_log)
{
    json_t *alerts = json_pack("{s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "state", "written", "high", 3, "medium", 2, "low", 1,
                               "info", 9, "suppressed", 4, "held_back", 5, "waiting", 6, "syslog_dropped", 7);

    write_metrics(alerts);
    cr_expect_str_eq(value("qportwatch_alert_log_written"), "1");
    cr_expect_str_eq(value("qportwatch_alerts_total{severity=\"high\"}"), "3");
    cr_expect_str_eq(value("qportwatch_alerts_total{severity=\"info\"}"), "9");
    cr_expect_str_eq(value("qportwatch_alerts_suppressed_total"), "4");
    cr_expect_str_eq(value("qportwatch_alerts_delayed_total"), "5");
    cr_expect_str_eq(value("qportwatch_alerts_pending"), "6");
    cr_expect_str_eq(value("qportwatch_syslog_dropped_total"), "7");
    json_object_set_new(alerts, "state", json_string("No space left on device"));
    write_metrics(alerts);
    cr_expect_str_eq(value("qportwatch_alert_log_written"), "0");
    json_decref(alerts);
}

Test(metrics, of_nothing)
{
    FILE *out = open_memstream(&text, &size);

    cr_assert_eq(qpw_metrics_write_nothing(out), 0);
    fclose(out);
    cr_expect_str_eq(value("qportwatch_attached"), "0");
    cr_expect_not(strstr(text, "auditor_up"));
}

/* Overlapping gaps count once; the two kinds are separate. */
Test(metrics, gaps_are_added_up_as_a_union)
{
    const struct qpw_gap gaps[] = {{.from_unix_ns = 10, .to_unix_ns = 20, .kind = QPW_COVERAGE_HOOK_LOST},
                                   {.from_unix_ns = 12, .to_unix_ns = 40, .kind = QPW_COVERAGE_AUDITOR_GAP},
                                   {.from_unix_ns = 15, .to_unix_ns = 30, .kind = QPW_COVERAGE_INTERFACE_GONE},
                                   {.from_unix_ns = 16, .to_unix_ns = 18, .kind = QPW_COVERAGE_DETACHED},
                                   {.from_unix_ns = 50, .to_unix_ns = 51, .kind = QPW_COVERAGE_DETACHED}};

    cr_expect_eq(qpw_gaps_length(gaps, 5, false), 21);
    cr_expect_eq(qpw_gaps_length(gaps, 5, true), 28);
    cr_expect_eq(qpw_gaps_length(gaps, 0, true), 0);
}
