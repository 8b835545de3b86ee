/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* internal.h - what the files of the engine share; nobody else includes it. */
#ifndef QPW_ALERT_INTERNAL_H
#define QPW_ALERT_INTERNAL_H

#include <nettle/hmac.h>

#include "alert/engine.h"
#include "alert/idmap.h"
#include "host/sockets.h"

#define SECOND 1000000000ull
#define DAY_S 86400u

/* Which part of the engine tells of a flow_id: keeps hashes of different things apart. */
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
    QPW_AGGREGATE_COUNT
};

/* qpw_alert_state.state */
enum {
    QPW_ALERT_STATE_NEW = 0,
    QPW_ALERT_STATE_WRITTEN,
    QPW_ALERT_STATE_AGGREGATED, /* told within the record of a group */
    QPW_ALERT_STATE_CLOSED, /* reported as closed */
    QPW_ALERT_STATE_ACKNOWLEDGED, /* reported as acknowledged, or never reported because its class is */
};

/*
 * What is remembered of one finding, by its whole key; or of another thing, by its flow_id. A finding's flow_id only
 * joins its records: it is a short hash that anybody can reckon, so two findings may be made to have the same.
 */
struct qpw_alert_state {
    uint64_t flow_id;
    uint64_t index;      /* where mark_index has it: of a finding a keyed hash with the top bit set, else the flow_id */
    struct qpw_finding_key key; /* of a finding, else zero */
    struct qpw_engine_ends ends; /* out of the log: whom its newest record is about */
    uint64_t written_ns; /* its newest record; 0: none */
    uint64_t tracked_ns; /* when groups counted it last */
    uint64_t offered_ns;
    uint64_t reported;       /* occurrences told so far */
    uint64_t service;    /* flow_id of the group of its service, 0: none yet */
    uint64_t began_ns;   /* of its exchange that the group counted last */
    uint64_t packets;    /* counted in that group so far */
    uint64_t bytes;
    struct qpw_process *process; /* best known, or NULL */
    uint64_t exe;        /* executable of the node's end as it was told, 0: not known */
    uint32_t sequence;   /* of its newest record; 0: none */
    uint16_t signature;  /* enum qpw_signature_name of its newest record */
    uint8_t outcome;     /* as told */
    uint8_t state;
    uint32_t era;        /* of that group, in which it was counted among the further users */
    bool rate_limited;           /* counted as held back, not yet written */
    bool waiting;        /* among e->fresh */
    bool joined;         /* told within the group of its service */
    bool hidden;         /* counted as suppressed */
    bool crowded;        /* counted among the initiators of its service and of its target */
    uint32_t place;      /* within the batch at work, from 1 */
};

#define QPW_AGGREGATE_RING 64
#define QPW_AGGREGATE_PORTS_KEPT 8
#define QPW_AGGREGATE_PREFIXES 24
#define QPW_AGGREGATE_ADDRESSES 8 /* so many further addresses of a service are named in its line */
#define QPW_MAX_AGGREGATES 16384u

struct qpw_prefixes {
    uint8_t prefix[QPW_AGGREGATE_PREFIXES][16];
    uint32_t count[QPW_AGGREGATE_PREFIXES];
    uint32_t n;
    uint32_t others;
};

/* What a group of answered exchanges of one service has beside. */
struct qpw_service_state {
    struct qpw_finding_row lead; /* the exchange that has a record of its own */
    struct qpw_process process;  /* of the node's end, as that record has it */
    struct qpw_idmap remotes;    /* remote ends counted so far */
    uint64_t program;            /* a hash, 0: not known */
    uint64_t past_ns;            /* newest record of an earlier auditor, 0: none */
    uint64_t gathering_ns;       /* since when something is to be told */
    uint64_t packets, bytes;     /* of what was folded */
    uint8_t further[QPW_AGGREGATE_ADDRESSES][16]; /* the first of the further remote ends, tries of them */
    uint32_t era;                /* one more with each exchange that becomes the first, from 1 */
    bool led;                    /* lead is filled, was reported and is open */
    bool known;                  /* lead is filled and was reported, whatever has become of it */
    bool open;                   /* not all that was folded since the last record is acknowledged */
    bool urgent;                 /* places in the kernel wait for its record */
};

/* Findings that may have to be told as one. */
struct qpw_aggregate {
    uint64_t flow_id;
    uint64_t last_ns;   /* newest try */
    uint64_t first_ns;  /* oldest try of this activity */
    uint64_t over_ns;   /* the try that was over the threshold */
    uint32_t ring[QPW_AGGREGATE_RING]; /* Unix seconds of the newest tries */
    uint32_t tries;     /* findings counted in this activity */
    uint64_t folded;    /* occurrences told only here, since the last record */
    uint64_t folded_all;
    struct qpw_finding_row row; /* the newest of them */
    struct qpw_prefixes *prefixes;
    struct qpw_service_state *service; /* tale SERVICE only */
    uint16_t ports[QPW_AGGREGATE_PORTS_KEPT];
    uint8_t protocols[QPW_AGGREGATE_PORTS_KEPT];
    uint16_t n_ports;
    uint16_t lowest;
    uint16_t highest;
    uint8_t kind_of;
    bool active;  /* over its threshold */
    bool reported;    /* this activity has its first record */
    bool changed; /* something to tell since the last record */
    bool inbound, outbound; /* tries of either direction are among them */
};

/* Unanswered findings that wait a moment for their company. */
#define QPW_FRESH 1024u

#define QPW_PENDING 32
struct qpw_pending {
    enum qpw_signature_name signature;
    uint64_t seen_ns;
    char old_digest[72];
    char new_digest[72];
    char by[QPW_BY_BYTES]; /* who asked for it */
    char text[QPW_RELOAD_TEXT];
};

struct qpw_peer_state {
    uint64_t packets;    /* total at the last look */
    uint64_t active_ns;  /* when that last rose; 0: never seen */
    uint64_t lacking_ns; /* since when it is seen without the required family; 0: it is not */
    bool silent;         /* told so */
    bool looked;
};

struct qpw_suppress_state {
    char *text;      /* the line */
    char *reason;
    char name[QPW_NAME_LEN];
    uint64_t flow_id;
    uint64_t hits;   /* findings hidden since the last record */
    bool in_force;
    bool reported;       /* its state as it is now */
    bool gone;       /* not in the policy any more */
};

struct qpw_engine {
    struct hmac_sha256_ctx keyed; /* of every hash that strangers choose the input of */
    struct qpw_engine_settings settings;
    struct qpw_record_writer writer;
    struct qpw_engine_context context;
    struct qpw_engine_figures figures;

    struct qpw_alert_state *states;
    size_t n_states;
    struct qpw_idmap state_index;
    struct qpw_idmap steps;    /* in the lives of findings, that some record told */
    uint64_t pruned_ns;

    struct qpw_aggregate *aggregates;
    size_t n_aggregates;
    bool aggregates_urgent; /* one has folded something and is not told yet */
    struct qpw_idmap aggregate_index;

    struct qpw_finding_row *fresh; /* QPW_FRESH of them, or NULL */
    size_t n_fresh;
    bool finishing; /* nothing waits any more */

    struct qpw_suppress_state *suppressions;
    size_t n_suppressions;

    struct qpw_peer_state peers[QPW_MAX_PEERS];
    struct qpw_idmap peer_ports; /* ports already used between peers */
    bool peer_ports_known;

    struct qpw_pending pending[QPW_PENDING];
    size_t n_pending;

    uint64_t losses_reported[QPW_LOSS_COUNT];
    uint64_t losses[QPW_LOSS_COUNT];
    uint64_t coverage_ns; /* newest coverage record told */
    uint32_t coverage_sequence; /* its number, 0: none was looked at yet */
    struct qpw_heartbeat heartbeat;
    uint64_t heartbeat_ns;

    uint64_t cap_second;
    unsigned cap_used;
    uint64_t rate_limited_unreported;
    bool blocked; /* a write failed in this call: no further tries */

    struct qpw_record record; /* the one being made */
};

/* ---- states.c ---- */

/* A number below 2^53 for a thing that is not a finding. */
uint64_t qpw_aggregate_id(enum qpw_aggregate_kind kind_of, const void *data, size_t size);

/* The same where a stranger's addresses and ports are in the data: keyed, so that nobody can aim at another's. */
uint64_t qpw_aggregate_keyed_id(const struct qpw_engine *e, enum qpw_aggregate_kind kind_of, const void *data, size_t size);

/*
 * The mark of a row's finding, made where there is none, with what the log tells of it; NULL: no memory. Valid until
 * the next call.
 */
struct qpw_alert_state *qpw_engine_finding_state(struct qpw_engine *e, const struct qpw_finding_row *row);

/* The mark of that flow_id, made where there is none; NULL: no memory. Valid until the next call. */
struct qpw_alert_state *qpw_engine_state(struct qpw_engine *e, uint64_t flow_id);

/* The same where there is one already, else NULL. */
const struct qpw_alert_state *qpw_engine_find(const struct qpw_engine *e, uint64_t flow_id);

/* Lets an unanswered finding wait for what may come with it. False: no room, it is not to wait, or has waited. */
bool qpw_engine_wait(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state, uint64_t now_ns);

/* Offers what has waited long enough again. */
void qpw_engine_fresh(struct qpw_engine *e, uint64_t now_ns);

/* Forgets marks of things long gone, so that memory follows what the kernel holds; looks once an hour. */
void qpw_engine_prune(struct qpw_engine *e, uint64_t now_ns);

/* Starts e->record: signature, kind, times, the facts every record has. */
struct qpw_record *qpw_engine_begin(struct qpw_engine *e, enum qpw_signature_name signature, enum qpw_record_kind kind,
                                    uint64_t seen_ns, uint64_t now_ns);

/* Writes e->record with the next sequence of the mark (which may be NULL) and notes it there. 0 or a negative errno. */
int qpw_engine_write(struct qpw_engine *e, struct qpw_alert_state *state, uint64_t now_ns);

/* Whether the cap has room for one more alert in this second; takes the place. */
bool qpw_engine_take(struct qpw_engine *e, uint64_t now_ns);

/* Name of an interface by number, "unknown" where there is none. */
const char *qpw_engine_iface(const struct qpw_engine *e, unsigned number);

/* Adds who holds the node's end to a record; p NULL: nothing. */
void qpw_process_facts(struct qpw_record *r, const struct qpw_process *p);

/* ---- aggregates.c, aggregates_write.c ---- */

/* Counts a new (or returned) finding in every group it may belong to. */
void qpw_aggregates_track(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state);

/* Whether an unanswered finding is told within a group; counts it there. */
bool qpw_aggregates_add(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state);

/* The group of that flow_id, made where there is none (NULL: no room), or only looked for (NULL: none). */
struct qpw_aggregate *qpw_aggregate_get(struct qpw_engine *e, enum qpw_aggregate_kind kind_of, uint64_t id, uint64_t now_ns);
struct qpw_aggregate *qpw_aggregate_find(struct qpw_engine *e, uint64_t id);

/* Counts an address under its /24 or /48. */
void qpw_aggregate_add_prefix(struct qpw_aggregate *g, const uint8_t addr[16]);

/* Writes the records of groups that are due. */
void qpw_aggregates_write(struct qpw_engine *e, uint64_t now_ns);

/* Writes what a service has gathered, before it is counted from another first exchange on. 0 or a negative errno. */
int qpw_aggregate_flush(struct qpw_engine *e, struct qpw_aggregate *g, uint64_t now_ns);

/* Ends a group's activity; the next one starts counting again, with the same flow_id. */
void qpw_aggregate_end(struct qpw_aggregate *g);

/* Whether the remote end is on the node's own network while no peer is given. */
bool qpw_engine_neighbour(const struct qpw_engine *e, const struct qpw_finding_row *row);

/* ---- services.c ---- */

/* An answered finding. */
struct qpw_services_offer {
    const struct qpw_finding_row *row;
    struct qpw_alert_state *state;
    const struct qpw_process *process; /* NULL: not known */
    uint64_t occurrences;
    bool acknowledged; /* it is reported only as a further user, and only once */
};

/* Whether an answered finding, or what it goes on with, is told with others of its service; counts it there. */
bool qpw_services_add(struct qpw_engine *e, const struct qpw_services_offer *offer, uint64_t now_ns);

/* A finding that has an answered record of its own: the first of its service, if that has none. */
void qpw_services_lead(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state,
                       const struct qpw_process *process, uint64_t now_ns);

/*
 * A finding was closed or acknowledged: where it was the first of its service, the next one is. What was gathered of a
 * closed one (forget) and is in no record is reported no more.
 */
void qpw_services_closed(struct qpw_engine *e, const struct qpw_finding_row *row, const struct qpw_alert_state *state, bool forget);

/* Whether all that was folded of the finding's service is written; if not, it will be soon. */
bool qpw_services_settled(struct qpw_engine *e, const struct qpw_alert_state *state);

/* Whether a service's group has something to tell by now; repeat_s: seconds between two records of it. */
bool qpw_service_is_due(const struct qpw_engine *e, const struct qpw_aggregate *g, const struct qpw_alert_state *state,
                        unsigned repeat_s, uint64_t now_ns);
/* Whether it was silent for so long that it is forgotten. */
bool qpw_service_is_over(const struct qpw_aggregate *g, uint64_t now_ns);
void qpw_service_clear(struct qpw_service_state *s); /* NULL is fine */

/* ---- peers.c, health.c, suppressed.c ---- */
void qpw_peers_look(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns);
void qpw_peers_write(struct qpw_engine *e, uint64_t now_ns);
void qpw_health_look(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns);
void qpw_health_write(struct qpw_engine *e, uint64_t now_ns);

/* Whether a suppression hides the finding; counts it once for each flow_id. */
bool qpw_suppressed(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state, uint64_t now_ns);
struct qpw_suppress_query;
bool qpw_suppressed_by(struct qpw_engine *e, const struct qpw_suppress_query *query, struct qpw_alert_state *state);
void qpw_suppressed_context(struct qpw_engine *e, uint64_t now_ns);
void qpw_suppressed_write(struct qpw_engine *e, uint64_t now_ns);
void qpw_suppressed_clear(struct qpw_engine *e);

#endif
