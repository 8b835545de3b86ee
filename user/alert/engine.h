/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * engine.h - decides what is written to the alert log, and when.
 *
 * Pure: rows and a clock go in, records come out through a writer. The only state is what was written about which
 * flow_id. What is not yet written stays in the kernel's findings and is offered again with the next rows, so that a
 * full disk or a killed process loses nothing. All times are Unix nanoseconds.
 *
 *   row -> signature -> suppressed by the policy? -> aggregated into a scan, a flood, noise? -> cap -> record
 *
 * Answered findings pass all of these, except a suppression that explicitly covers them: the first answered exchange of
 * each service is written at once, the others are collected in one record of the service.
 */
#ifndef QPW_ALERT_ENGINE_H
#define QPW_ALERT_ENGINE_H

#include "alert/found.h"
#include "alert/record.h"
#include "policy/lang/addresses.h"
#include "policy/lang/policy.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

struct qpw_engine;
struct qpw_process;

/* X(field, default, "description") */
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

/* Names for numbers, and data from the policy. Borrowed until the next qpw_engine_context(). */
struct qpw_engine_context {
    const char *host; /* the sensor's name */
    const char *policy_name;
    const char *policy_path; /* NULL: unknown */
    const char *policy_digest;
    const struct qpw_rule_info *rules; /* by stable id */
    size_t n_rules;
    const struct qpw_peer_info *peers; /* by number */
    size_t n_peers;
    const char (*ifname)[16]; /* QPW_MAX_IFACES of them, by number */
    const struct qpw_policy *policy; /* suppressions, required family; NULL: none */
    const struct qpw_prefix *links; /* the node's on-link prefixes */
    size_t n_links;
    size_t programs_unknown; /* answered exchanges whose program was not found; which program is new is then
                                uncertain */
    bool answered_lost; /* detail of answered exchanges was lost, so a finding shown as attempted may have been
                           answered */
    /*
     * Look up the process behind a finding; called only when a record is written. May be NULL, and may return
     * QPW_MATCH_NONE.
     */
    void (*process)(void *data, const struct qpw_finding_row *row, struct qpw_process *ret);
    void *process_data;
    /* Look up the interface by which the node answers; empty if unknown or not monitored. May be NULL. */
    void (*leaves_by)(const struct qpw_finding_row *row, char ret[16]);
};

/* The ends of a log record, because two flow_ids alone may collide. */
struct qpw_engine_ends {
    uint8_t initiator[16]; /* zero if the record has no IP addresses */
    uint8_t responder[16];
    uint16_t port;         /* of the responder, if the record has one */
    uint8_t verdict;       /* QPW_VERDICT_NONE: not about a finding */
    uint8_t direction;
};

/* The log's newest record about one flow_id. */
struct qpw_engine_past {
    struct qpw_engine_ends ends;
    uint64_t flow_id;
    uint64_t written_unix_ns;
    uint64_t count;
    uint64_t coverage_unix_ns; /* of the coverage record it reports, 0: none */
    uint64_t step;         /* qpw_life_number() of the life-cycle step that it reports, 0: none */
    const struct qpw_process *program; /* the record's path and name; NULL: none. Valid during the call */
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
    uint64_t suppressed; /* findings suppressed by the policy */
    uint64_t aggregated; /* findings reported in another record */
    uint64_t rate_limited;       /* findings ever delayed by the cap */
    uint64_t waiting;    /* of those, not yet written */
    uint64_t failures;   /* writes that failed */
    bool blocked;        /* the last write failed */
};

/* Create an engine. settings NULL: defaults. The writer's data must outlive the engine. Return 0 or -ENOMEM. */
int qpw_engine_new(const struct qpw_engine_settings *settings, const struct qpw_record_writer *writer,
                   struct qpw_engine **ret);
void qpw_engine_free(struct qpw_engine *e); /* NULL is fine */

/*
 * Set the key for hashes of input that remote hosts choose; call before anything is restored or offered. Without it,
 * they are unkeyed.
 */
void qpw_engine_key(struct qpw_engine *e, const void *secret, size_t size);

/*
 * Return whether a life-cycle step of the finding is in no record yet. If so, offer all findings of a snapshot with it.
 */
bool qpw_engine_step_unreported(const struct qpw_engine *e, const struct qpw_finding_row *row);

/* Return whether everything about a finding is written, so that its slot may be freed. */
bool qpw_engine_settled(struct qpw_engine *e, const struct qpw_finding_row *row);

/*
 * Restore state from the log's tail; call before anything is offered. Ignore times later than now. Return 0 or -ENOMEM.
 */
int qpw_engine_restore(struct qpw_engine *e, const struct qpw_engine_past *past, uint64_t now_ns);

/*
 * Move all remembered times by this clock step; call before anything is offered under the new time. Intervals then keep
 * their length, and no finding starts again.
 */
void qpw_engine_clock_stepped(struct qpw_engine *e, int64_t by_ns);

/* Set new names or a new policy, and report suppressions that were added or removed. */
void qpw_engine_context(struct qpw_engine *e, const struct qpw_engine_context *context, uint64_t now_ns);

/* Set the number of answered exchanges whose program was not found. */
void qpw_engine_programs_unknown(struct qpw_engine *e, size_t n);

/*
 * Offer rows: those of an event, or all there are. A row may be offered any number of times. Return 0, or -ENOMEM with
 * some rows left for the next time.
 */
int qpw_engine_findings(struct qpw_engine *e, const struct qpw_finding_row *rows, size_t n, uint64_t now_ns);

/* Offer all of a snapshot: findings, lost detail, coverage, peers; keep figures for the heartbeat. Return as above. */
int qpw_engine_snapshot(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns);

/* Offer only coverage records, oldest first, before a snapshot has them. False: some are not written. */
bool qpw_engine_coverage(struct qpw_engine *e, const struct qpw_coverage *records, size_t n, uint64_t now_ns);

/* A socket or an exchange of the node, for records about its owner. */
struct qpw_engine_socket {
    struct qpw_finding_key key;       /* kind, protocol, port, direction; responder: a listener's address */
    bool exchange;                    /* both ends of the key and initiator_port are valid; else a listener */
    uint16_t initiator_port;
    uint16_t rule;                    /* stable id, 0: no rule lists it */
    const char *device;               /* the device it is bound to, or "" */
    const char *wanted;               /* owner= of the rule; NULL: none */
    const struct qpw_process *owner;
};

/*
 * Report a socket that listens on an unlisted port, and did not at attach; once per protocol, port and program. Return
 * 0: reported, now or earlier; or a negative errno: offer it again.
 */
int qpw_engine_listener(struct qpw_engine *e, const struct qpw_engine_socket *socket, uint64_t now_ns);

/*
 * Report a socket whose owner the policy does not name; once per rule, protocol, port and program, and again after it
 * was not offered for a while. Return as above.
 */
int qpw_engine_other_owner(struct qpw_engine *e, const struct qpw_engine_socket *socket, uint64_t now_ns);

/*
 * Report peers not seen over an address family that the policy requires. families: those seen of each peer since
 * attaching.
 */
void qpw_engine_families(struct qpw_engine *e, const struct qpw_engine_family *families, size_t n, uint64_t now_ns);

/*
 * Report what `serve` found about the cluster: the whole list, each item once and then once a day as long as it is
 * listed, and its end. Call also without news, so that what could not be written is written. -EAGAIN: something waits.
 */
int qpw_engine_cluster(struct qpw_engine *e, const struct qpw_found_list *list, uint64_t now_ns);

/* Report once that no such list was written for so long, and once that there is one again (0). */
void qpw_engine_uncompared(struct qpw_engine *e, uint64_t for_ns, uint64_t now_ns);

/*
 * Write summaries that are due, the rate-limit and heartbeat records, and what could not be written before. Call about
 * once a second.
 */
void qpw_engine_tick(struct qpw_engine *e, uint64_t now_ns);

/* Write everything that still waits for an interval or for related findings. The last call before the end. */
void qpw_engine_finish(struct qpw_engine *e, uint64_t now_ns);

#define QPW_RELOAD_TEXT 1024
struct qpw_engine_reload {
    const char *old_digest, *new_digest;
    const char *changes; /* allowed and no longer allowed traffic, in words (QPW_RELOAD_TEXT with terminator) */
    const char *failure; /* why nothing was changed; NULL: it is in force */
    const char *by;      /* who requested it, as in a coverage record */
};
void qpw_engine_reloaded(struct qpw_engine *e, const struct qpw_engine_reload *reload, uint64_t now_ns);

void qpw_engine_get_figures(const struct qpw_engine *e, struct qpw_engine_figures *ret);
const struct qpw_engine_settings *qpw_engine_get_settings(const struct qpw_engine *e);

#endif
