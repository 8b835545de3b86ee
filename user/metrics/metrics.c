/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metrics/metrics.h"

#include <errno.h>
#include <string.h>

#include "facts/tally.h"
#include "instance/hooks.h"
#include "metrics/traffic.h"
#include "util/names.h"
#include "util/version.h"

#define SECOND 1000000000ull

static void write_build(struct qpw_metrics_text *t, bool attached)
{
    qpw_metric_family(t, "build_info", QPW_METRIC_GAUGE, "The version that wrote these metrics; always 1.");
    qpw_metric_count(t, 1, "version", QPW_VERSION, NULL);
    qpw_metric_gauge(t, "attached", attached, "1 where programs count in this network namespace.");
}

static void write_answer(struct qpw_metrics_text *t, const struct qpw_answer *a)
{
    qpw_metric_family(t, "answer", QPW_METRIC_GAUGE, "1 for each answer that applies, as 'qportwatch report' gives it.");
    for (unsigned state = 0; state < QPW_ANSWER_COUNT; state++)
        qpw_metric_count(t, qpw_answer_has(a, state), "answer", qpw_answer_name(state), NULL);
}

static void write_auditor(struct qpw_metrics_text *t, const struct qpw_report *r)
{
    const struct qpw_snapshot *s = r->s;
    const struct qpw_sight *sight = &r->answer.sight;

    qpw_metric_family(t, "start_timestamp_seconds", QPW_METRIC_GAUGE, "Since when the counters count.");
    qpw_metric_time(t, s->from_unix_ns, NULL);
    qpw_metric_family(t, "snapshot_timestamp_seconds", QPW_METRIC_GAUGE, "When these figures were read.");
    qpw_metric_time(t, s->unix_ns, NULL);
    qpw_metric_gauge(t, "auditor_up", sight->auditor == QPW_AUDITOR_ALIVE, "1 where an auditor judges and reports.");
    if (sight->heartbeat_age_ns < s->unix_ns) {
        qpw_metric_family(t, "auditor_heartbeat_timestamp_seconds", QPW_METRIC_GAUGE, "When the auditor last said that it works.");
        qpw_metric_time(t, s->unix_ns - sight->heartbeat_age_ns, NULL);
    }
    qpw_metric_family(t, "unseen_seconds_total", QPW_METRIC_COUNTER,
                      "How long packets of a monitored interface went by unseen, as far as records of it are kept.");
    qpw_metric_count(t, qpw_gaps_length(r->gaps, r->n_gaps, /* without_auditor= */ false) / SECOND, NULL);
    qpw_metric_family(t, "unaudited_seconds_total", QPW_METRIC_COUNTER, "How long packets were counted without an auditor.");
    qpw_metric_count(t, qpw_gaps_length(r->gaps, r->n_gaps, /* without_auditor= */ true) / SECOND, NULL);
}

/* Write the name by which other nodes know this one, to join both nodes' metrics. */
static void write_node(struct qpw_metrics_text *t, const struct qpw_snapshot *s)
{
    qpw_metric_family(t, "node_info", QPW_METRIC_GAUGE, "The name of this node, which is the label peer of other nodes; always 1.");
    qpw_metric_count(t, 1, "node", qpw_node_name(s), NULL);
}

static void write_policy(struct qpw_metrics_text *t, const struct qpw_metrics *m)
{
    const struct qpw_meta *meta = &m->report->s->meta;

    qpw_metric_family(t, "policy_info", QPW_METRIC_GAUGE, "The policy in force; always 1.");
    qpw_metric_count(t, 1, "name", meta->policy_name, "digest", meta->policy_digest, NULL);
    qpw_metric_gauge(t, "policy_current", m->policy_current, "1 where the policy in force is what its file says now.");
}

/* Return whether a later row has the same device name: the device was created again. */
static bool was_made_again(const struct qpw_snapshot *s, size_t row)
{
    for (size_t i = row + 1; i < s->n_ifaces; i++)
        if (s->ifaces[i].hook != QPW_HOOK_NONE && !strcmp(s->ifaces[i].name, s->ifaces[row].name))
            return true;
    return false;
}

static void write_interfaces(struct qpw_metrics_text *t, const struct qpw_snapshot *s)
{
    qpw_metric_family(t, "interface_monitored", QPW_METRIC_GAUGE,
                      "1 where the programs are in the hooks of the interface; 0: its packets go by unseen.");
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].hook != QPW_HOOK_NONE && !was_made_again(s, i))
            qpw_metric_count(t, !qpw_watch_blind(qpw_watch_of(s, &s->ifaces[i])), "device", s->ifaces[i].name, "hook",
                             qpw_hook_text(s->ifaces[i].hook), NULL);
    qpw_metric_family(t, "unmonitored_interface_packets_total", QPW_METRIC_COUNTER,
                      "Packets of interfaces that are up and not monitored, as the device counts them.");
    for (size_t i = 0; i < s->n_unwatched; i++)
        qpw_metric_count(t, s->unwatched[i].rx_packets + s->unwatched[i].tx_packets, "device", s->unwatched[i].name, NULL);
}

static void write_findings(struct qpw_metrics_text *t, const struct qpw_report *r)
{
    struct qpw_finding_tally tally;

    qpw_finding_tally(r->s, &tally);
    qpw_metric_family(t, "findings", QPW_METRIC_GAUGE, "Open findings, by severity, direction, and whether they were answered.");
    for (unsigned severity = QPW_SEVERITY_HIGH; severity <= QPW_SEVERITY_INFO; severity++)
        for (unsigned direction = 0; direction < QPW_DIR_COUNT; direction++)
            for (unsigned answered = 0; answered < 2; answered++) {
                size_t n = tally.open[severity][direction][answered];

                if (n || direction == QPW_DIR_INBOUND || direction == QPW_DIR_OUTBOUND)
                    qpw_metric_count(t, n, "severity", qpw_severity_name(severity), "direction", qpw_direction_name(direction),
                                     "answered", answered ? "yes" : "no", NULL);
            }
    qpw_metric_gauge(t, "findings_acknowledged", r->answer.acknowledged, "Findings that somebody has acknowledged.");
    qpw_metric_gauge(t, "findings_closed", r->answer.closed, "Findings that are over: a rule explains them, or they are silent.");
    qpw_metric_gauge(t, "services_needing_action", r->answer.services,
                     "Different services among the open answered findings of high and medium severity.");
}

static void write_losses(struct qpw_metrics_text *t, const struct qpw_snapshot *s)
{
    qpw_metric_family(t, "losses_total", QPW_METRIC_COUNTER, "What was counted without its detail, or reported late, by cause.");
    for (unsigned i = 1; i < QPW_LOSS_COUNT; i++)
        qpw_metric_count(t, s->losses[i], "loss", qpw_loss_name(i), NULL);
}

static void write_tables(struct qpw_metrics_text *t, const struct qpw_snapshot *s)
{
    static const struct {
        const char *name, *help;
        size_t at;
        enum qpw_metric_type type;
    } families[] = {
        {"table_entries", "Connections in each table.", offsetof(struct qpw_table_row, entries), QPW_METRIC_GAUGE},
        {"table_capacity", "Room of each table of connections.", offsetof(struct qpw_table_row, capacity), QPW_METRIC_GAUGE},
        {"table_opened_total", "Connections entered in each table.", offsetof(struct qpw_table_row, opened), QPW_METRIC_COUNTER},
        {"table_evicted_total", "Connections pushed out by newer ones.", offsetof(struct qpw_table_row, evicted), QPW_METRIC_COUNTER},
    };

    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
        qpw_metric_family(t, families[f].name, families[f].type, families[f].help);
        for (unsigned i = 1; i < QPW_CLASS_COUNT; i++)
            if (s->tables[i].capacity)
                qpw_metric_count(t, *(const uint64_t *)((const char *)&s->tables[i] + families[f].at), "table", qpw_class_name(i), NULL);
    }
    qpw_metric_gauge(t, "kernel_memory_bytes", s->memory_bytes, "Kernel memory of all maps.");
}

/* Write whether each peer of the policy in force is silent. */
static void write_peers(struct qpw_metrics_text *t, const struct qpw_report *r)
{
    size_t n = 0;

    qpw_metric_family(t, "peer_silent", QPW_METRIC_GAUGE, "1 for a peer that never sent a packet.");
    for (size_t i = 0; i < r->n_peers && n < QPW_METRIC_PEERS; i++)
        if (r->peers[i].info->in_force && ++n)
            qpw_metric_count(t, r->peers[i].silent, "peer", r->peers[i].info->name, NULL);
}

static uint64_t number(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 ? (uint64_t)value : 0;
}

static void write_alerts(struct qpw_metrics_text *t, const json_t *alerts)
{
    static const char *const severities[] = {"high", "medium", "low", "info"};
    const char *state = json_string_value(json_object_get(alerts, "state"));

    if (!json_is_object(alerts))
        return;
    qpw_metric_gauge(t, "alert_log_written", state && !strcmp(state, "written"), "1 where every record is in the alert log.");
    qpw_metric_family(t, "alerts_total", QPW_METRIC_COUNTER, "Records about traffic in the alert log since the auditor began, by severity.");
    for (size_t i = 0; i < sizeof(severities) / sizeof(*severities); i++)
        qpw_metric_count(t, number(alerts, severities[i]), "severity", severities[i], NULL);
    qpw_metric_family(t, "alerts_suppressed_total", QPW_METRIC_COUNTER, "Alerts that a line of the policy silences.");
    qpw_metric_count(t, number(alerts, "suppressed"), NULL);
    qpw_metric_family(t, "alerts_delayed_total", QPW_METRIC_COUNTER, "Alerts that the rate limit delayed.");
    qpw_metric_count(t, number(alerts, "held_back"), NULL);
    qpw_metric_gauge(t, "alerts_pending", number(alerts, "waiting"), "Alerts that the rate limit delays now.");
    qpw_metric_family(t, "syslog_dropped_total", QPW_METRIC_COUNTER, "Alerts that could not be sent to syslog.");
    qpw_metric_count(t, number(alerts, "syslog_dropped"), NULL);
}

int qpw_metrics_write(const struct qpw_metrics *m, FILE *out)
{
    struct qpw_metrics_text t = {.out = out};
    const struct qpw_report *r = m->report;
    int error;

    write_build(&t, /* attached= */ true);
    write_node(&t, r->s);
    write_answer(&t, &r->answer);
    write_auditor(&t, r);
    write_policy(&t, m);
    write_interfaces(&t, r->s);
    write_findings(&t, r);
    write_alerts(&t, m->alerts);
    write_losses(&t, r->s);
    write_tables(&t, r->s);
    write_peers(&t, r);
    error = qpw_metrics_traffic(&t, r);
    return error < 0 ? error : ferror(out) ? -EIO : 0;
}

int qpw_metrics_write_nothing(FILE *out)
{
    struct qpw_metrics_text t = {.out = out};

    write_build(&t, /* attached= */ false);
    return ferror(out) ? -EIO : 0;
}
