/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * engine.h - decides what is written to the alert log, and when.
 *
 * Pure: rows and a clock go in, records come out through a writer. What was written about which
 * flow_id is the only thing remembered; what is not yet written lives in the kernel's findings and is
 * offered again with the next rows, so that a full disk or a killed process loses nothing. All times are
 * Unix nanoseconds.
 *
 *   row -> signature -> suppressed by the policy? -> folded into a scan, a flood, noise? -> cap -> record
 *
 * What answered passes all but the suppression that says so: the first answered exchange of each service is written at
 * once, the others are gathered in one record of the service.
 */
#ifndef QPW_ALERT_ENGINE_H
#define QPW_ALERT_ENGINE_H

#include "alert/record.h"
#include "policy/lang/addresses.h"
#include "policy/lang/policy.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

struct qpw_engine;
struct qpw_process;

/* X(field, default, "what it means") */
#define QPW_ENGINE_SETTINGS(X) \
    X(summary_s, 300, "seconds between two records of a finding that goes on") \
    X(cap, 100, "alerts per second; answered findings are not counted") \
    X(scan_targets, 10, "unlisted ports or addresses that make one initiator a scan …") \
    X(scan_window_s, 60, "… when tried within so many seconds") \
    X(slow_scan_targets, 20, "the same for a slow scan …") \
    X(slow_window_s, 3600, "… within so many seconds; a scan ends after as long without a try") \
    X(settle_s, 2, "seconds that an unanswered attempt waits, so that a scan is one alert from its first port on") \
    X(gather_s, 10, "seconds in which further users of an answered service are gathered before their first record") \
    X(initiators, 16, "initiators of one unanswered service that are reported as one") \
    X(flood, 64, "unanswered attempts at one address by any initiators, within the scan window, that are reported as one") \
    X(neighbour, 4, "unanswered findings of one on-link address, with no peers defined, that are reported as one") \
    X(heartbeat_s, 60, "seconds between heartbeats") \
    X(peer_silent_s, 300, "seconds without a packet after which a peer, or its required address family, is silent") \
    X(attempted_silent_s, 86400, "seconds of silence after which an attempted or refused finding closes; 0: never") \
    X(answered_silent_s, 2592000, "the same of an answered finding") \
    X(peer_learn_s, 3600, "seconds after attaching in which ports between peers are learned")

struct qpw_engine_settings {
#define QPW_X_SETTING(field, value, meaning) unsigned field;
    QPW_ENGINE_SETTINGS(QPW_X_SETTING)
#undef QPW_X_SETTING
};
void qpw_engine_defaults(struct qpw_engine_settings *ret);

/* Names for numbers, and what the policy says. Borrowed until the next qpw_engine_context(). */
struct qpw_engine_context {
    const char *host; /* the sensor's name */
    const char *policy_name;
    const char *policy_path; /* NULL: not known */
    const char *policy_digest;
    const struct qpw_rule_info *rules; /* by stable id */
    size_t n_rules;
    const struct qpw_peer_info *peers; /* by number */
    size_t n_peers;
    const char (*ifname)[16]; /* QPW_MAX_IFACES of them, by number */
    const struct qpw_policy *policy; /* suppressions, required family; NULL: none */
    const struct qpw_prefix *links; /* the node's on-link prefixes */
    size_t n_links;
    size_t programs_unknown; /* answered exchanges whose program was not found: which program is new is not sure then */
    bool answered_lost; /* detail of answered exchanges: what stands as attempted may have been answered */
    /* The process behind a finding, asked only when a record is written; may be NULL, may fill QPW_MATCH_NONE. */
    void (*process)(void *data, const struct qpw_finding_row *row, struct qpw_process *ret);
    void *process_data;
    /* The interface by which the node answers, empty where it is not known or monitored; may be NULL. */
    void (*leaves_by)(const struct qpw_finding_row *row, char ret[16]);
};

/* Whom a record of the log is about; flow_ids alone may be alike. */
struct qpw_engine_ends {
    uint8_t initiator[16]; /* zero where the record has no IP addresses */
    uint8_t responder[16];
    uint16_t port;         /* of the responder, where the record has one */
    uint8_t verdict;       /* QPW_VERDICT_NONE: not about a finding */
    uint8_t direction;
};

/* What the log holds already about one flow_id (its newest record). */
struct qpw_engine_past {
    struct qpw_engine_ends ends;
    uint64_t flow_id;
    uint64_t written_unix_ns;
    uint64_t count;
    uint64_t coverage_unix_ns; /* of the coverage record it tells, 0: none */
    uint64_t step;         /* qpw_life_number() of the step in the finding's life that it tells, 0: none */
    const struct qpw_process *program; /* whose path and name the record has; NULL: none. Valid during the call */
    uint32_t sequence;
    uint32_t signature_id;
    uint8_t outcome;
    uint8_t kind;          /* enum qpw_record_kind */
};

/* The address families seen of a peer. */
struct qpw_engine_family {
    uint16_t peer;
    bool v4;
    bool v6;
};

struct qpw_engine_figures {
    uint64_t records;    /* written, of every kind */
    uint64_t alerts;     /* of those, about traffic */
    uint64_t by_severity[QPW_SEVERITY_INFO + 1];
    uint64_t suppressed; /* findings hidden by the policy */
    uint64_t folded;     /* findings told within another record */
    uint64_t rate_limited;       /* findings held back by the cap, all told */
    uint64_t waiting;    /* of those, not yet written */
    uint64_t failures;   /* writes that failed */
    bool blocked;        /* the last write failed */
};

/* settings NULL: defaults. 0 or -ENOMEM. The writer's data has to outlive the engine. */
int qpw_engine_new(const struct qpw_engine_settings *settings, const struct qpw_record_writer *writer,
                   struct qpw_engine **ret);
void qpw_engine_free(struct qpw_engine *e); /* NULL is fine */

/* The secret of hashes of what strangers choose; before anything is restored or offered. Without it they have none. */
void qpw_engine_key(struct qpw_engine *e, const void *secret, size_t size);

/* Whether a step in the finding's life is in no record yet: it is told with all that it is about, those of a snapshot. */
bool qpw_engine_step_unreported(const struct qpw_engine *e, const struct qpw_finding_row *row);

/* Whether all that there is to write about a finding is written: its place is not needed any more. */
bool qpw_engine_settled(struct qpw_engine *e, const struct qpw_finding_row *row);

/* Before anything else is offered: what the log's tail holds. Times later than now count as none. 0 or -ENOMEM. */
int qpw_engine_restore(struct qpw_engine *e, const struct qpw_engine_past *past, uint64_t now_ns);

/*
 * The system's clock was set by so much, before anything is offered under the new time: what was remembered by the old
 * one is moved along, so that intervals last as long as they last and no finding begins again.
 */
void qpw_engine_clock_stepped(struct qpw_engine *e, int64_t by_ns);

/* New names or a new policy; suppressions that came or went are told. */
void qpw_engine_context(struct qpw_engine *e, const struct qpw_engine_context *context, uint64_t now_ns);

/* So many answered exchanges have a program that was not found. */
void qpw_engine_programs_unknown(struct qpw_engine *e, size_t n);

/*
 * Offers rows: those of an event, or all there are. A row may be offered any number of times. Returns
 * 0, or -ENOMEM with some rows left for the next time.
 */
int qpw_engine_findings(struct qpw_engine *e, const struct qpw_finding_row *rows, size_t n, uint64_t now_ns);

/* Offers everything of a snapshot: findings, lost detail, coverage, peers; keeps figures for the heartbeat. */
int qpw_engine_snapshot(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns);

/* Of a snapshot the coverage alone: what a command did while no auditor lived. False: not all of it is written. */
bool qpw_engine_coverage(struct qpw_engine *e, const struct qpw_coverage *records, size_t n, uint64_t now_ns);

/* A socket of the node, or an exchange of it, as far as its owner is concerned. */
struct qpw_engine_socket {
    struct qpw_finding_key key;       /* kind, protocol, port, direction; responder: a listener's address */
    bool exchange;                    /* both ends of the key are meant, and initiator_port; else a listener's */
    uint16_t initiator_port;
    uint16_t rule;                    /* stable id, 0: none lists it */
    const char *device;               /* it is bound to, or "" */
    const char *wanted;               /* owner= of the rule; NULL: none */
    const struct qpw_process *owner;
};

/*
 * A socket that waits to be asked on an unlisted port, and did not when it was attached: told once for each protocol,
 * port and program. 0: told, now or earlier; a negative errno: to be offered again.
 */
int qpw_engine_listener(struct qpw_engine *e, const struct qpw_engine_socket *socket, uint64_t now_ns);

/*
 * One whose owner is another than the policy names: told once for each rule, protocol, port and program, and again
 * after it was not offered for a while. 0 or a negative errno as above.
 */
int qpw_engine_other_owner(struct qpw_engine *e, const struct qpw_engine_socket *socket, uint64_t now_ns);

/* Families seen of each peer since it was attached; told where the policy requires another. */
void qpw_engine_families(struct qpw_engine *e, const struct qpw_engine_family *families, size_t n, uint64_t now_ns);

/* Once a second or so: summaries that are due, the cap's account, the heartbeat, what could not be written before. */
void qpw_engine_tick(struct qpw_engine *e, uint64_t now_ns);

/* The last call before the end: what waits for company or an interval is written now. */
void qpw_engine_finish(struct qpw_engine *e, uint64_t now_ns);

#define QPW_RELOAD_TEXT 1024
struct qpw_engine_reload {
    const char *old_digest, *new_digest;
    const char *changes; /* what it opens and closes, in words (QPW_RELOAD_TEXT with the end) */
    const char *failure; /* why nothing was changed, NULL: it was put in force */
    const char *by;      /* who asked for it, as a coverage record has it */
};
void qpw_engine_reloaded(struct qpw_engine *e, const struct qpw_engine_reload *reload, uint64_t now_ns);

void qpw_engine_get_figures(const struct qpw_engine *e, struct qpw_engine_figures *ret);
const struct qpw_engine_settings *qpw_engine_get_settings(const struct qpw_engine *e);

#endif
