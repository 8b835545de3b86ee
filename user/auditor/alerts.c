/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alerts.c - the auditor's findings, snapshots and events on their way to the engine, and its records on theirs to the log. */
#include "auditor/alerts.h"
#include "auditor/alerts_int.h"
#include "auditor/first_seen.h"
#include "auditor/lives.h"
#include "auditor/settle.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/options.h"
#include "control/event_files.h"
#include "host/clock.h"
#include "snapshot/collect.h"
#include "snapshot/collect_maps.h"
#include "snapshot/conns.h"
#include "util/document.h"
#include "util/file.h"
#include "words/words.h"

#define HISTORY_BYTES (16u << 20)

/* Offer a line of the log to peers (NULL: none yet), under the epoch that this node's statements have. */
static void publish_line(struct qpw_alerts *alerts, uint64_t after, const char *line)
{
    char epoch[QPW_LOG_EVENTS_EPOCH];

    qpw_epoch_text(alerts->boot, alerts->auditor->meta.attached_unix_ns, epoch, sizeof(epoch));
    if (!alerts->recalled)
        qpw_log_events_recall(&alerts->events, epoch, alerts->log.path, after);
    alerts->recalled = true;
    if (line)
        qpw_log_events_append(&alerts->events, epoch, after, line, strlen(line));
    else
        qpw_log_events_begin(&alerts->events, epoch, after);
}

static int write_record(void *data, const struct qpw_record *record)
{
    struct qpw_alerts *alerts = data;
    uint64_t after = alerts->chain.number;
    char *line;
    int r = qpw_log_record(&alerts->log, &alerts->chain, record, &line);

    if (r == 0)
        publish_line(alerts, after, line);
    if (r < 0 && line && alerts->last_words) {
        qpw_auditor_notify(alerts->auditor, QPW_NOTIFY_WARNING, "not written: %s", line);
        alerts->unwritten++;
        r = 0;
    }
    free(line);
    if (r == 0 && alerts->syslog)
        qpw_syslog_write(alerts->syslog, record); /* best effort: it is in the log */
    return r;
}

static void on_past(void *data, const struct qpw_engine_past *past)
{
    struct qpw_alerts *alerts = data;

    qpw_engine_restore(alerts->engine, past, qpw_clock_unix_ns());
    qpw_first_seen_recall(alerts->auditor, past);
}

/* Reject a path that can never be a log. One that is merely unavailable now must not prevent counting. */
static int check_kind(const char *path, struct qpw_error *err)
{
    struct stat st;

    if (!*path)
        return qpw_fail(err, -EINVAL, "--alerts: a file's name is empty");
    if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
        return 0;
    return qpw_fail(err, -EINVAL, "--alerts: %s: is %s, not a regular file; --no-alerts is for no alert log", path, qpw_file_kind(st.st_mode));
}

static void open_events(struct qpw_alerts *alerts)
{
    int files[QPW_EVENT_FILES];

    qpw_boot_id(alerts->boot);
    qpw_event_files_open(files);
    qpw_log_events_init(&alerts->events, files);
}

int qpw_alerts_open(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_record_writer writer = {.write = write_record};
    struct qpw_alerts *alerts;
    struct qpw_error why;
    int r;

    if (!a->options.alerts)
        return 0;
    r = check_kind(a->options.alerts, err);
    if (r < 0)
        return r;
    alerts = calloc(1, sizeof(*alerts));
    if (!alerts)
        return qpw_fail(err, -ENOMEM, "out of memory");
    alerts->auditor = a;
    open_events(alerts);
    writer.data = alerts;
    if (a->options.sensor_name)
        snprintf(alerts->host, sizeof(alerts->host), "%s", a->options.sensor_name);
    else
        gethostname(alerts->host, sizeof(alerts->host) - 1);
    r = qpw_log_init(&alerts->log, a->options.alerts);
    if (r == 0) {
        r = qpw_engine_new(&a->options.alerting, &writer, &alerts->engine);
        if (r < 0)
            qpw_log_close(&alerts->log);
    }
    if (r < 0) {
        qpw_log_events_close(&alerts->events);
        free(alerts);
        return qpw_fail(err, r, "out of memory");
    }
    qpw_engine_key(alerts->engine, a->kernel.config.secret, sizeof(a->kernel.config.secret));
    signal(SIGXFSZ, SIG_IGN); /* exceeding the file size limit is then a write error, like a full disk */
    a->alerts = alerts;
    if (a->options.syslog) {
        r = qpw_syslog_open(a->options.syslog, &alerts->syslog, err);
        if (r < 0)
            return r;
    }
    if (qpw_log_history(&alerts->log, HISTORY_BYTES, on_past, alerts, &alerts->chain, &why) < 0)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s; alerts it contains may be repeated", why.text);
    return 0;
}

void qpw_alerts_finding(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    struct qpw_alerts *alerts = a->alerts;
    struct qpw_finding_row *row;

    if (!alerts)
        return;
    if (alerts->queued == QPW_ALERTS_QUEUE)
        qpw_alerts_flush(a);
    row = &alerts->queue[alerts->queued];
    *row = (struct qpw_finding_row){.key = *key, .value = *value};
    row->flow_id = qpw_finding_flow_id(key);
    alerts->process[alerts->queued] = (struct qpw_process){0};
    /* The process may be gone by the next flush: look it up now, unless this is a mere attempt from outside. */
    if (value->owner.how || (key->kind == QPW_KIND_PORT &&
                             (value->outcome >= QPW_OUTCOME_ANSWERED || key->direction == QPW_DIR_OUTBOUND)))
        qpw_alerts_process(a, row, &alerts->process[alerts->queued]);
    alerts->queued++;
}

int qpw_alerts_listener(struct qpw_auditor *a, const struct qpw_engine_socket *socket)
{
    return a->alerts ? qpw_engine_listener(a->alerts->engine, socket, qpw_clock_unix_ns()) : -ENOENT;
}

int qpw_alerts_other_owner(struct qpw_auditor *a, const struct qpw_engine_socket *socket)
{
    return a->alerts ? qpw_engine_other_owner(a->alerts->engine, socket, qpw_clock_unix_ns()) : -ENOENT;
}

void qpw_alerts_flush(struct qpw_auditor *a)
{
    uint64_t unix_ns = qpw_clock_unix_ns(), ahead = unix_ns - qpw_clock_monotonic_ns();
    struct qpw_alerts *alerts = a->alerts;
    bool unreported = false;

    if (!alerts || !alerts->queued)
        return;
    for (size_t i = 0; i < alerts->queued; i++) {
        struct qpw_finding_row *row = &alerts->queue[i];
        struct qpw_counts sums;

        row->first_unix_ns = row->value.first_ns + ahead;
        row->last_unix_ns = row->value.last_ns + ahead;
        if (row->value.slot &&
            qpw_counters_one(&a->kernel, row->value.slot, &sums) == 0)
            row->counts = sums;
    }
    qpw_audit_lives_assign(a, alerts->queue, alerts->queued);
    qpw_first_seen_look(a, alerts->queue, alerts->queued);
    for (size_t i = 0; i < alerts->queued; i++)
        unreported |= qpw_engine_step_unreported(alerts->engine, &alerts->queue[i]);
    if (unreported)
        qpw_alerts_offer(a);
    qpw_engine_findings(alerts->engine, alerts->queue, alerts->queued, unix_ns);
    alerts->queued = 0;
}

/* Pass on the address families seen of each peer, collected by the last walks over the connections. */
static void report_families(struct qpw_auditor *a, uint64_t now_ns)
{
    struct qpw_engine_family families[64];
    size_t n = 0;

    for (unsigned peer = 1; peer < QPW_MAX_PEERS; peer++) {
        if (!a->expire.families[peer])
            continue;
        families[n++] = (struct qpw_engine_family){.peer = peer,
                                                   .v4 = a->expire.families[peer] & QPW_EXPIRE_V4,
                                                   .v6 = a->expire.families[peer] & QPW_EXPIRE_V6};
        if (n == sizeof(families) / sizeof(*families)) {
            qpw_engine_families(a->alerts->engine, families, n, now_ns);
            n = 0;
        }
    }
    if (n)
        qpw_engine_families(a->alerts->engine, families, n, now_ns);
}

void qpw_alerts_snapshot(struct qpw_auditor *a, const struct qpw_snapshot *snapshot)
{
    uint64_t now_ns = qpw_clock_unix_ns();

    if (!a->alerts)
        return;
    qpw_engine_snapshot(a->alerts->engine, snapshot, now_ns);
    report_families(a, now_ns);
}

void qpw_alerts_programs_unknown(struct qpw_auditor *a)
{
    if (a->alerts)
        qpw_engine_programs_unknown(a->alerts->engine, a->programs_unknown);
}

void qpw_alerts_offer(struct qpw_auditor *a)
{
    struct qpw_collect_options options = {.brief = true, .links = a->netlink};
    struct qpw_snapshot snapshot = {0};

    if (a->alerts && qpw_collect(&a->kernel, &options, &snapshot, NULL) == 0) {
        qpw_first_seen_look(a, snapshot.findings, snapshot.n_findings);
        qpw_alerts_snapshot(a, &snapshot);
    }
    qpw_snapshot_clear(&snapshot);
}

/* Retry alerts that wait for the cap or for the log, without waiting for the end of the interval. */
static void offer_again(struct qpw_auditor *a)
{
    struct qpw_engine_figures figures;

    qpw_engine_get_figures(a->alerts->engine, &figures);
    if (figures.waiting || figures.blocked)
        qpw_alerts_offer(a);
}

void qpw_alerts_clock_stepped(struct qpw_auditor *a, int64_t by_ns)
{
    if (a->alerts)
        qpw_engine_clock_stepped(a->alerts->engine, by_ns);
}

static bool is_written(void *data, const struct qpw_finding_row *row)
{
    return qpw_engine_settled(data, row);
}

void qpw_alerts_settle(struct qpw_auditor *a)
{
    struct qpw_settle settle = {.written = is_written};
    struct qpw_control *c = a->kernel.control;
    struct qpw_error err;
    size_t freed;

    if (!a->alerts)
        return; /* without a log, the kernel's findings are the only record */
    settle.data = a->alerts->engine;
    settle.quiet_ns = c->udp_ns > c->other_ns ? c->udp_ns : c->other_ns;
    if (settle.quiet_ns < c->tail_ns)
        settle.quiet_ns = c->tail_ns;
    if (settle.quiet_ns < c->half_open_ns)
        settle.quiet_ns = c->half_open_ns;
    if (qpw_settle_run(&a->kernel, &settle, &freed, &err) < 0)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", err.text);
}

/*
 * Write coverage records within a second instead of with the next snapshot, so that they survive a kill of the auditor.
 */
static void write_coverage(struct qpw_auditor *a)
{
    struct qpw_alerts *alerts = a->alerts;
    struct qpw_coverage *records = NULL;
    uint32_t next = a->coverage.next;
    size_t n;

    if (alerts->coverage == next || qpw_collect_coverage(&a->kernel, &records, &n) < 0)
        return;
    if (qpw_engine_coverage(alerts->engine, records, n, qpw_clock_unix_ns()))
        alerts->coverage = next;
    free(records);
}

void qpw_alerts_tick(struct qpw_auditor *a)
{
    struct qpw_alerts *alerts = a->alerts;

    if (!alerts)
        return;
    qpw_alerts_flush(a);
    write_coverage(a);
    qpw_engine_tick(alerts->engine, qpw_clock_unix_ns());
    offer_again(a);
    if (!alerts->tried) { /* report an unavailable log at once, not with the first record */
        qpw_log_ready(&alerts->log);
        publish_line(alerts, alerts->chain.number, NULL);
    }
    alerts->tried = true;
    if (alerts->log.failing && !alerts->reported)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", alerts->log.why.text);
    else if (!alerts->log.failing && alerts->reported)
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "alert log: writing again");
    alerts->reported = alerts->log.failing;
}

int qpw_alerts_cluster(struct qpw_auditor *a, const struct qpw_found_list *list, uint64_t silent_ns)
{
    if (!a->alerts)
        return 0;
    qpw_engine_uncompared(a->alerts->engine, silent_ns, qpw_clock_unix_ns());
    return silent_ns ? 0 : qpw_engine_cluster(a->alerts->engine, list, qpw_clock_unix_ns());
}

void qpw_alerts_reloaded(struct qpw_auditor *a, const char *old_digest, const char *changes, const char *why)
{
    struct qpw_engine_reload reload = {.old_digest = old_digest, .new_digest = a->meta.policy_digest, .changes = changes,
                                       .failure = why, .by = a->by};

    if (a->alerts)
        qpw_engine_reloaded(a->alerts->engine, &reload, qpw_clock_unix_ns());
}

json_t *qpw_alerts_describe(const struct qpw_auditor *a)
{
    const struct qpw_alerts *alerts = a->alerts;
    uint64_t sent = 0, dropped = 0;
    char head[QPW_LOG_CHAIN_TEXT];
    struct qpw_engine_figures f;

    if (!alerts)
        return json_null();
    snprintf(head, sizeof(head), "%" PRIu64 ":%s", alerts->chain.number, alerts->chain.sum);
    qpw_engine_get_figures(alerts->engine, &f);
    if (alerts->syslog)
        qpw_syslog_counts(alerts->syslog, &sent, &dropped);
    return json_pack("{s:o,s:o,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "log",
                     qpw_json_text(alerts->log.path), "head", alerts->chain.number ? json_string(head) : json_null(),
                     "state", alerts->log.failing ? alerts->log.why.text : "written", "syslog",
                     a->options.syslog ? a->options.syslog : "none", "records", (json_int_t)f.records, "high",
                     (json_int_t)f.by_severity[QPW_SEVERITY_HIGH], "medium",
                     (json_int_t)f.by_severity[QPW_SEVERITY_MEDIUM], "low", (json_int_t)f.by_severity[QPW_SEVERITY_LOW],
                     "info", (json_int_t)f.by_severity[QPW_SEVERITY_INFO], "suppressed", (json_int_t)f.suppressed,
                     "folded", (json_int_t)f.aggregated, "held_back", (json_int_t)f.rate_limited, "waiting",
                     (json_int_t)f.waiting, "failed_writes", (json_int_t)f.failures, "syslog_sent", (json_int_t)sent,
                     "syslog_dropped", (json_int_t)dropped, "settings",
                     qpw_alert_settings_json(qpw_engine_get_settings(alerts->engine)));
}

void qpw_alerts_reopen(struct qpw_auditor *a)
{
    if (!a->alerts)
        return;
    qpw_log_reopen(&a->alerts->log);
    qpw_log_ready(&a->alerts->log); /* do not wait for the next record; a failure is reported with it */
}

int qpw_alerts_close(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_collect_options options = {.brief = true, .links = a->netlink};
    struct qpw_alerts *alerts = a->alerts;
    struct qpw_snapshot snapshot = {0};
    char count[40];
    int r = 0;

    if (!alerts)
        return 0;
    if (a->epoll_fd >= 0) { /* the auditor was running, not only half started */
        alerts->last_words = true;
        qpw_alerts_flush(a);
        if (qpw_collect(&a->kernel, &options, &snapshot, NULL) == 0) {
            qpw_first_seen_look(a, snapshot.findings, snapshot.n_findings);
            qpw_alerts_snapshot(a, &snapshot);
        }
        qpw_snapshot_clear(&snapshot);
        qpw_engine_finish(alerts->engine, qpw_clock_unix_ns());
    }
    if (alerts->unwritten)
        r = qpw_fail(err, -EIO, "%s could not be written to the log and stand above: %.300s",
                     qpw_words_many(alerts->unwritten, "alert", count, sizeof(count)), alerts->log.why.text);
    qpw_engine_free(alerts->engine);
    qpw_syslog_close(alerts->syslog);
    qpw_log_close(&alerts->log);
    qpw_log_events_close(&alerts->events);
    free(alerts);
    a->alerts = NULL;
    return r;
}
