/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/alerts.h"
#include "auditor/first_seen.h"
#include "auditor/lives.h"
#include "auditor/settle.h"

#include <errno.h>
#include <inttypes.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/engine.h"
#include "alert/log/events.h"
#include "alert/log/log.h"
#include "alert/options.h"
#include "alert/log/syslog.h"
#include "control/event_files.h"
#include "host/owner.h"
#include "host/boot.h"
#include "host/clock.h"
#include "host/route.h"
#include "snapshot/collect.h"
#include "snapshot/collect_maps.h"
#include "snapshot/conns.h"
#include "util/document.h"
#include "util/file.h"
#include "words/known.h"
#include "words/words.h"

#define HISTORY_BYTES (16u << 20)
#define MAX_LINKS 128u
#define QUEUE 256u

struct qpw_alerts {
    struct qpw_engine *engine;
    struct qpw_log log;
    struct qpw_log_chain chain; /* of the lines written so far */
    struct qpw_log_events events;  /* the same lines, for peers */
    bool recalled;                 /* to them what was in the log before */
    char boot[QPW_BOOT_ID];
    struct qpw_syslog *syslog; /* NULL: none */
    char host[64];
    struct qpw_prefix links[MAX_LINKS];
    struct qpw_auditor *auditor;
    /* Rows of events since the last flush, with the process of those for which it was looked up at once. */
    struct qpw_finding_row queue[QUEUE];
    struct qpw_process process[QUEUE];
    size_t queued;
    bool last_words;   /* report as warnings what the log does not accept */
    uint64_t unwritten;
    bool reported;         /* that the log cannot be written */
    bool tried; /* opened, or tried to */
    uint32_t coverage; /* sequence after the last coverage record in the log */
};

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

static unsigned ones(const uint8_t *bytes, size_t n)
{
    unsigned count = 0;

    for (size_t i = 0; i < n; i++)
        count += __builtin_popcount(bytes[i]);
    return count;
}

/* Collect the on-link prefixes of this node: an address in them may be a cluster node not named yet. */
static size_t read_links(struct qpw_prefix *links)
{
    struct ifaddrs *all, *one;
    const struct sockaddr_in *v4;
    const struct sockaddr_in6 *v6;
    size_t n = 0;

    if (getifaddrs(&all) < 0)
        return 0;
    for (one = all; one && n < MAX_LINKS; one = one->ifa_next) {
        if (!one->ifa_addr || !one->ifa_netmask || (one->ifa_flags & IFF_LOOPBACK))
            continue;
        links[n] = (struct qpw_prefix){0};
        if (one->ifa_addr->sa_family == AF_INET) {
            v4 = (const struct sockaddr_in *)one->ifa_addr;
            links[n].addr[10] = links[n].addr[11] = 0xff;
            memcpy(links[n].addr + 12, &v4->sin_addr, 4);
            v4 = (const struct sockaddr_in *)one->ifa_netmask;
            links[n++].length = 96 + ones((const uint8_t *)&v4->sin_addr, 4);
        } else if (one->ifa_addr->sa_family == AF_INET6) {
            v6 = (const struct sockaddr_in6 *)one->ifa_addr;
            memcpy(links[n].addr, &v6->sin6_addr, 16);
            v6 = (const struct sockaddr_in6 *)one->ifa_netmask;
            links[n++].length = ones((const uint8_t *)&v6->sin6_addr, 16);
        }
    }
    freeifaddrs(all);
    return n;
}

/* Add the socket's recorded owner, which is missing if a packet from outside created the finding. */
static struct qpw_finding with_note(const struct qpw_auditor *a, const struct qpw_finding_row *row)
{
    struct qpw_finding value = row->value;
    struct qpw_conn_key key;
    struct qpw_conn conn;

    if (value.owner.how || row->key.kind != QPW_KIND_PORT || row->key.aggregated)
        return value;
    qpw_finding_tuple(&row->key, &value, &key);
    if (qpw_conns_find_any(&a->kernel, &key, &conn) == 0 && qpw_conn_owner(&a->kernel, conn.owner, &value.owner) < 0)
        value.owner = (struct qpw_owner){0};
    return value;
}

void qpw_alerts_process(struct qpw_auditor *a, const struct qpw_finding_row *row, struct qpw_process *ret)
{
    struct qpw_finding value;
    const struct qpw_alerts *alerts = a->alerts;
    /* Compare as numbers, because most rows are from a snapshot and not in the queue. */
    uintptr_t slot = alerts ? ((uintptr_t)row - (uintptr_t)alerts->queue) / sizeof(*row) : QUEUE;

    if (alerts && slot < alerts->queued && alerts->process[slot].match != QPW_MATCH_NONE) {
        *ret = alerts->process[slot];
        return;
    }
    value = with_note(a, row);
    qpw_owner_find(a->sockets, &row->key, &value, ret);
}

static void find_process(void *data, const struct qpw_finding_row *row, struct qpw_process *ret)
{
    const struct qpw_alerts *alerts = data;

    qpw_alerts_process(alerts->auditor, row, ret);
}

static void find_way(const struct qpw_finding_row *row, char ret[16])
{
    if (qpw_route_interface(row->key.responder, row->key.initiator, ret) < 0)
        *ret = '\0';
}

void qpw_alerts_context(struct qpw_auditor *a)
{
    struct qpw_engine_context context;

    if (!a->alerts)
        return;
    context = (struct qpw_engine_context){
        .host = a->alerts->host,
        .policy_name = a->meta.policy_name,
        .policy_path = a->meta.policy_path,
        .policy_digest = a->meta.policy_digest,
        .rules = a->names.rules,
        .n_rules = a->names.n_rules,
        .peers = a->names.peers,
        .n_peers = a->names.n_peers,
        .ifname = (const char(*)[16])a->meta.ifname,
        .policy = &a->policy,
        .links = a->alerts->links,
        .n_links = read_links(a->alerts->links),
        .process = find_process,
        .process_data = a->alerts,
        .leaves_by = find_way,
    };
    qpw_known_policy(&a->policy); /* if out of memory, addresses have no names */
    qpw_engine_context(a->alerts->engine, &context, qpw_clock_unix_ns());
}

void qpw_alerts_finding(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    struct qpw_alerts *alerts = a->alerts;
    struct qpw_finding_row *row;

    if (!alerts)
        return;
    if (alerts->queued == QUEUE)
        qpw_alerts_flush(a);
    row = &alerts->queue[alerts->queued];
    *row = (struct qpw_finding_row){.key = *key, .value = *value};
    row->flow_id = qpw_finding_flow_id(key);
    alerts->process[alerts->queued] = (struct qpw_process){0};
    /* The process may be gone by the next flush: look it up now, unless this is a mere attempt from outside. */
    if (value->owner.how || (key->kind == QPW_KIND_PORT &&
                             (value->outcome >= QPW_OUTCOME_ANSWERED || key->direction == QPW_DIR_OUTBOUND)))
        find_process(alerts, row, &alerts->process[alerts->queued]);
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
