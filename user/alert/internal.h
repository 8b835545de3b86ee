/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* internal.h - shared by the engine's files only. */
#ifndef QPW_ALERT_INTERNAL_H
#define QPW_ALERT_INTERNAL_H

#include <nettle/hmac.h>

#include "alert/engine.h"
#include "host/sockets.h"
#include "util/idmap.h"

#define SECOND 1000000000ull
#define DAY_S 86400u

/* The kind of subject of a flow_id: keeps hashes of different kinds apart. */
enum qpw_aggregate_kind {
    QPW_AGGREGATE_NONE = 0,
    QPW_AGGREGATE_SCAN,
    QPW_AGGREGATE_MANY,
    QPW_AGGREGATE_FLOOD,
    QPW_AGGREGATE_NEIGHBOUR,
    QPW_AGGREGATE_NOISE,
    QPW_AGGREGATE_PEER,
    QPW_AGGREGATE_PEER_PORT,
    QPW_AGGREGATE_PEER_FAMILY,
    QPW_AGGREGATE_LOSS,
    QPW_AGGREGATE_SUPPRESSION,
    QPW_AGGREGATE_RATE_LIMIT,
    QPW_AGGREGATE_LISTENER,
    QPW_AGGREGATE_OWNER,
    QPW_AGGREGATE_SERVICE,
    QPW_AGGREGATE_CLUSTER,
    QPW_AGGREGATE_UNCOMPARED,
    QPW_AGGREGATE_COUNT
};

/* qpw_alert_state.state */
enum {
    QPW_ALERT_STATE_NEW = 0,
    QPW_ALERT_STATE_WRITTEN,
    QPW_ALERT_STATE_AGGREGATED, /* reported in the record of an aggregate */
    QPW_ALERT_STATE_CLOSED, /* reported as closed */
    QPW_ALERT_STATE_ACKNOWLEDGED, /* reported as acknowledged, or never reported because its class is */
};

/*
 * The state of a finding, by its whole key, or of another subject, by its flow_id. A finding's flow_id only joins its
 * records: it is a short unkeyed hash, so anyone can construct two findings with the same one.
 */
struct qpw_alert_state {
    uint64_t flow_id;
    uint64_t index;      /* key in state_index: of a finding a keyed hash with the top bit set, else the flow_id */
    struct qpw_finding_key key; /* of a finding; else zero */
    struct qpw_engine_ends ends; /* from the log: the ends in its newest record */
    uint64_t written_ns; /* its newest record; 0: none */
    uint64_t tracked_ns; /* when aggregates last counted it */
    uint64_t offered_ns;
    uint64_t reported;       /* occurrences reported so far */
    uint64_t service;    /* flow_id of its service's aggregate, 0: none yet */
    uint64_t began_ns;   /* start of the exchange that the aggregate counted last */
    uint64_t packets;    /* counted in that aggregate so far */
    uint64_t bytes;
    struct qpw_process *process; /* best known, or NULL */
    uint64_t exe;        /* executable at the node's end as reported, 0: unknown */
    uint32_t sequence;   /* of its newest record; 0: none */
    uint16_t signature;  /* enum qpw_signature_name of its newest record */
    uint8_t outcome;     /* as reported */
    uint8_t state;
    uint32_t era;        /* the aggregate's era in which it was counted among the further users */
    bool rate_limited;           /* counted as delayed, not yet written */
    bool waiting;        /* among e->fresh */
    bool joined;         /* reported in the aggregate of its service */
    bool is_suppressed; /* counted as suppressed */
    bool crowded;        /* counted among the initiators of its service and of its target */
    uint32_t batch_index; /* index + 1 in the current batch */
};

#define QPW_AGGREGATE_RING 64
#define QPW_AGGREGATE_PORTS_KEPT 8
#define QPW_AGGREGATE_PREFIXES 24
#define QPW_AGGREGATE_ADDRESSES 8 /* number of a service's further addresses that its policy line names */
#define QPW_MAX_AGGREGATES 16384u

struct qpw_prefixes {
    uint8_t prefix[QPW_AGGREGATE_PREFIXES][16];
    uint32_t count[QPW_AGGREGATE_PREFIXES];
    uint32_t n;
    uint32_t others;
};

/* Additional state of an aggregate of answered exchanges of one service. */
struct qpw_service_state {
    struct qpw_finding_row lead; /* the exchange that has a record of its own */
    struct qpw_process process;  /* at the node's end, as in that record */
    struct qpw_idmap remotes;    /* remote ends counted so far */
    uint64_t program;            /* a hash, 0: unknown */
    uint64_t past_ns;            /* newest record by an earlier auditor, 0: none */
    uint64_t gathering_ns;       /* start of gathering for the next record, 0: nothing to report */
    uint64_t packets, bytes;     /* of what was aggregated */
    uint8_t further[QPW_AGGREGATE_ADDRESSES][16]; /* the first few further remote ends; `tries` counts all */
    uint32_t era;                /* incremented with each exchange that becomes the lead, from 1 */
    bool led;                    /* lead is filled, was reported and is open */
    bool known;                  /* lead is filled and was reported, even if not open any more */
    bool open;                   /* some of what was aggregated since the last record is not acknowledged */
    bool urgent;                 /* kernel slots are waiting for its record */
};

/* Findings that may be reported as one. */
struct qpw_aggregate {
    uint64_t flow_id;
    uint64_t last_ns;   /* newest attempt */
    uint64_t first_ns;  /* oldest attempt of this activity */
    uint64_t over_ns;   /* the attempt that exceeded the threshold */
    uint32_t ring[QPW_AGGREGATE_RING]; /* Unix seconds of the newest attempts */
    uint32_t tries;     /* findings counted in this activity */
    uint64_t aggregated; /* occurrences reported only here, since the last record */
    uint64_t aggregated_all;
    struct qpw_finding_row row; /* the newest of them */
    struct qpw_prefixes *prefixes;
    struct qpw_service_state *service; /* SERVICE only */
    uint16_t ports[QPW_AGGREGATE_PORTS_KEPT];
    uint8_t protocols[QPW_AGGREGATE_PORTS_KEPT];
    uint16_t n_ports;
    uint16_t lowest;
    uint16_t highest;
    uint8_t kind_of;
    bool active;  /* over its threshold */
    bool reported;    /* this activity has its first record */
    bool changed; /* something to report since the last record */
    bool inbound, outbound; /* directions of its attempts */
};

/* Maximum number of unanswered findings that wait briefly for related ones. */
#define QPW_FRESH 1024u

#define QPW_PENDING 32
struct qpw_pending {
    enum qpw_signature_name signature;
    uint64_t seen_ns;
    char old_digest[72];
    char new_digest[72];
    char by[QPW_BY_BYTES]; /* who requested it */
    char text[QPW_RELOAD_TEXT];
};

struct qpw_peer_state {
    uint64_t packets;    /* total at the last check */
    uint64_t active_ns;  /* when that last rose; 0: never seen */
    uint64_t lacking_ns; /* start of being seen without the required family; 0: not so */
    bool silent;         /* reported as silent */
    bool looked;
};

struct qpw_suppress_state {
    char *text;      /* the line */
    char *reason;
    char name[QPW_NAME_LEN];
    uint64_t flow_id;
    uint64_t hits;   /* findings suppressed since the last record */
    bool in_force;
    bool reported;       /* its current state is in the log */
    bool gone;       /* no longer in the policy */
};

/* What `serve` has found and a record has reported. */
struct qpw_cluster_state {
    struct qpw_found found; /* as last listed */
    uint64_t flow_id;
    bool listed;            /* in the current list */
};

/* Initiators that probed several nodes, as last listed: local scans by them belong to one of the cluster. */
#define QPW_CLUSTER_SCANS 64u
struct qpw_cluster_scan {
    char initiator[96];
    uint64_t id;
};

struct qpw_engine {
    struct hmac_sha256_ctx keyed; /* key of every hash whose input remote hosts can choose */
    struct qpw_engine_settings settings;
    struct qpw_record_writer writer;
    struct qpw_engine_context context;
    struct qpw_engine_figures figures;

    struct qpw_alert_state *states;
    size_t n_states;
    struct qpw_idmap state_index;
    struct qpw_idmap steps;    /* life-cycle steps that a record has reported */
    uint64_t pruned_ns;

    struct qpw_aggregate *aggregates;
    size_t n_aggregates;
    bool aggregates_urgent; /* one has aggregated findings and is not reported yet */
    struct qpw_idmap aggregate_index;

    struct qpw_finding_row *fresh; /* QPW_FRESH of them, or NULL */
    size_t n_fresh;
    bool finishing; /* stop waiting */

    struct qpw_suppress_state *suppressions;
    size_t n_suppressions;

    struct qpw_peer_state peers[QPW_MAX_PEERS];
    struct qpw_idmap peer_ports; /* ports already used between peers */
    bool peer_ports_known;

    struct qpw_pending pending[QPW_PENDING];
    size_t n_pending;

    struct qpw_cluster_state *cluster; /* QPW_FOUND_MOST at most */
    size_t n_cluster;
    struct qpw_cluster_scan cluster_scan[QPW_CLUSTER_SCANS];
    size_t n_cluster_scans;
    uint64_t compared_ns;      /* the last call with a list; 0: none */
    uint64_t cluster_window;   /* the interval in which cluster_used records were written */
    unsigned cluster_used;

    uint64_t losses_reported[QPW_LOSS_COUNT];
    uint64_t losses[QPW_LOSS_COUNT];
    uint64_t coverage_ns; /* newest coverage record reported */
    uint32_t coverage_sequence; /* its number, 0: none examined yet */
    struct qpw_heartbeat heartbeat;
    uint64_t heartbeat_ns;

    uint64_t cap_second;
    unsigned cap_used;
    uint64_t rate_limited_unreported;
    bool blocked; /* a write failed in this call: no further tries */

    struct qpw_record record; /* the one under construction */
};

/* ---- states.c ---- */

/* Return a number below 2^53 for a subject that is not a finding. */
uint64_t qpw_aggregate_id(enum qpw_aggregate_kind kind_of, const void *data, size_t size);

/* The same for data with a remote host's addresses and ports: keyed, so that it cannot provoke a collision. */
uint64_t qpw_aggregate_keyed_id(const struct qpw_engine *e, enum qpw_aggregate_kind kind_of, const void *data, size_t size);

/*
 * Return the state of a row's finding, created from the log's state if missing; NULL: out of memory. Valid until the
 * next call.
 */
struct qpw_alert_state *qpw_engine_finding_state(struct qpw_engine *e, const struct qpw_finding_row *row);

/* Return the state of that flow_id, created if missing; NULL: out of memory. Valid until the next call. */
struct qpw_alert_state *qpw_engine_state(struct qpw_engine *e, uint64_t flow_id);

/* The same without creating it; NULL: none. */
const struct qpw_alert_state *qpw_engine_find(const struct qpw_engine *e, uint64_t flow_id);

/* Let an unanswered finding wait for related ones. False: no room, it must not wait, or has waited. */
bool qpw_engine_wait(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state, uint64_t now_ns);

/* Offer findings again that have waited long enough. */
void qpw_engine_fresh(struct qpw_engine *e, uint64_t now_ns);

/* Drop states of subjects long gone, so that memory use follows the kernel's; acts once an hour. */
void qpw_engine_prune(struct qpw_engine *e, uint64_t now_ns);

/* Start e->record: signature, kind, times, and the facts common to all records. */
struct qpw_record *qpw_engine_begin(struct qpw_engine *e, enum qpw_signature_name signature, enum qpw_record_kind kind,
                                    uint64_t seen_ns, uint64_t now_ns);

/*
 * Write e->record with the next sequence of the state (which may be NULL), and update the state. Return 0 or a negative
 * errno.
 */
int qpw_engine_write(struct qpw_engine *e, struct qpw_alert_state *state, uint64_t now_ns);

/* Return whether the cap permits another alert in this second, and count it. */
bool qpw_engine_take(struct qpw_engine *e, uint64_t now_ns);

/* Return the name of an interface by number; "unknown" if there is none. */
const char *qpw_engine_iface(const struct qpw_engine *e, unsigned number);

/* Add the process at the node's end to a record; p NULL: add nothing. */
void qpw_process_facts(struct qpw_record *r, const struct qpw_process *p);

/* ---- aggregates.c, aggregates_write.c ---- */

/* Count a new (or returned) finding in every aggregate that it may belong to. */
void qpw_aggregates_track(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state);

/* Return whether an unanswered finding is reported in an aggregate, and count it there. */
bool qpw_aggregates_add(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state);

/* Return the aggregate of that flow_id, created if missing (NULL: no room), or only looked up (NULL: none). */
struct qpw_aggregate *qpw_aggregate_get(struct qpw_engine *e, enum qpw_aggregate_kind kind_of, uint64_t id, uint64_t now_ns);
struct qpw_aggregate *qpw_aggregate_find(struct qpw_engine *e, uint64_t id);

/* Count an address under its /24 or /48. */
void qpw_aggregate_add_prefix(struct qpw_aggregate *g, const uint8_t addr[16]);

/* Write the records of aggregates that are due. */
void qpw_aggregates_write(struct qpw_engine *e, uint64_t now_ns);

/* Write what a service has gathered, before another exchange becomes its lead. Return 0 or a negative errno. */
int qpw_aggregate_flush(struct qpw_engine *e, struct qpw_aggregate *g, uint64_t now_ns);

/* End an aggregate's activity; the next one counts from zero, with the same flow_id. */
void qpw_aggregate_end(struct qpw_aggregate *g);

/* Return whether the remote end is on the node's own network and no peers are defined. */
bool qpw_engine_neighbour(const struct qpw_engine *e, const struct qpw_finding_row *row);

/* ---- services.c ---- */

/* An answered finding. */
struct qpw_services_offer {
    const struct qpw_finding_row *row;
    struct qpw_alert_state *state;
    const struct qpw_process *process; /* NULL: unknown */
    uint64_t occurrences;
    bool acknowledged; /* report it only as a further user, and only once */
};

/*
 * Return whether an answered finding, or its continuation, is reported with others of its service, and count it there.
 */
bool qpw_services_add(struct qpw_engine *e, const struct qpw_services_offer *offer, uint64_t now_ns);

/* Make a finding with an answered record of its own the lead of its service, if that has none. */
void qpw_services_lead(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state,
                       const struct qpw_process *process, uint64_t now_ns);

/*
 * Handle a closed or acknowledged finding: if it was its service's lead, the next one becomes the lead. forget: also
 * drop what was gathered of it and is in no record, because it is closed.
 */
void qpw_services_closed(struct qpw_engine *e, const struct qpw_finding_row *row, const struct qpw_alert_state *state, bool forget);

/* Return whether everything aggregated of the finding's service is written; if not, schedule it. */
bool qpw_services_settled(struct qpw_engine *e, const struct qpw_alert_state *state);

/* Return whether a service's aggregate has something to report now; repeat_s: seconds between two of its records. */
bool qpw_service_is_due(const struct qpw_engine *e, const struct qpw_aggregate *g, const struct qpw_alert_state *state,
                        unsigned repeat_s, uint64_t now_ns);
/* Return whether it was silent long enough to be dropped. */
bool qpw_service_is_over(const struct qpw_aggregate *g, uint64_t now_ns);
void qpw_service_clear(struct qpw_service_state *s); /* NULL is fine */

/* ---- peers.c, health.c, cluster.c, suppressed.c ---- */
void qpw_peers_look(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns);
void qpw_peers_write(struct qpw_engine *e, uint64_t now_ns);
void qpw_cluster_clear(struct qpw_engine *e);
/* Return the scan of the cluster that an initiator's local one belongs to; 0: none. */
uint64_t qpw_cluster_scan_of(const struct qpw_engine *e, const uint8_t initiator[16]);
/* Return whether the list that would name it may still come, for a local scan noticed at over_ns. */
bool qpw_cluster_may_name(const struct qpw_engine *e, uint64_t over_ns, uint64_t now_ns);
void qpw_health_look(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns);
void qpw_health_write(struct qpw_engine *e, uint64_t now_ns);

/* Return whether a suppression covers the finding; count it once per flow_id. */
bool qpw_suppressed(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state, uint64_t now_ns);
struct qpw_suppress_query;
bool qpw_suppressed_by(struct qpw_engine *e, const struct qpw_suppress_query *query, struct qpw_alert_state *state);
void qpw_suppressed_context(struct qpw_engine *e, uint64_t now_ns);
void qpw_suppressed_write(struct qpw_engine *e, uint64_t now_ns);
void qpw_suppressed_clear(struct qpw_engine *e);

#endif
