/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model.h - what the view shows, as rows: a function of the snapshots taken in and of the state.
 *
 * qpw_model_advance() takes a snapshot in (rates, summary), qpw_model_build() makes the rows of the
 * shown tab, filtered and sorted. Rows carry raw values; cells.h turns those on the screen to text.
 */
#ifndef QPW_VIEW_MODEL_H
#define QPW_VIEW_MODEL_H

#include "facts/severity.h"
#include "snapshot/snapshot.h"
#include "view/state.h"
#include "view/track.h"

enum qpw_row_kind {
    QPW_ROW_NONE = 0,
    QPW_ROW_FINDING, /* source: struct qpw_finding_row */
    QPW_ROW_FOLDED,  /* source: struct qpw_detail_row, what was counted without detail */
    QPW_ROW_METER,   /* source: struct qpw_meter_row */
    QPW_ROW_PEER,    /* source: struct qpw_peer_view */
    QPW_ROW_RULE,    /* source: struct qpw_rule_info */
    QPW_ROW_LINE,    /* source: struct qpw_line */
};

struct qpw_row {
    uint64_t id;   /* the same in every snapshot */
    const void *source; /* in the snapshot or the model, valid until the next advance */
    struct qpw_counts counts;
    struct qpw_rate rate;
    uint64_t first_unix_ns, last_unix_ns; /* 0: not known */
    uint32_t number;  /* rule id or peer number */
    uint8_t kind, severity;
    /* Sort key, of whichever kind the column has. */
    double key_number;
    const char *key_text;
    const uint8_t *key_addr;
};

/* One port of a peer, most bytes first. */
struct qpw_peer_port {
    uint64_t bytes;
    uint16_t port;
    uint8_t protocol, direction;
};
#define QPW_PEER_PORTS 6

struct qpw_peer_view {
    const struct qpw_peer_info *info;
    uint16_t number;
    struct qpw_counts counts;
    struct qpw_rate rate;
    uint64_t last_unix_ns; /* the last movement that was seen, 0: none while watched */
    uint64_t first_unix_ns;
    bool v4, v6;           /* families seen, from findings and the addresses known */
    struct qpw_peer_port busiest[QPW_PEER_PORTS]; /* bytes 0: no more */
    struct qpw_peer_port outside[QPW_PEER_PORTS]; /* ports that no row of the policy lists */
    unsigned n_outside;
};

/* What a rule carried. */
struct qpw_rule_view {
    struct qpw_counts counts;
    struct qpw_rate rate;
    uint64_t last_unix_ns, first_unix_ns;
};

/* A line of the Coverage or Help tab. */
struct qpw_line {
    const char *section; /* static */
    char item[64];
    char value[64];
    char note[256];
    uint8_t style; /* enum qpw_style of the value */
};

enum qpw_health { QPW_HEALTH_CLEAN = 0, QPW_HEALTH_DOUBT, QPW_HEALTH_SUSPECT, QPW_HEALTH_BAD };

/* The header's figures. */
struct qpw_summary {
    uint64_t packets, bytes;
    uint64_t by_verdict[QPW_VERDICT_COUNT]; /* packets */
    uint64_t by_direction[QPW_DIR_COUNT];
    unsigned by_severity[5];    /* findings, by 1 to 4 */
    unsigned answered;          /* unexpected, answered, not superseded */
    unsigned unexpected;        /* unexpected, not superseded */
    bool explained;             /* some finding, superseded ones too, stands behind the unexpected packets */
    uint64_t losses;            /* without those that only delay */
    enum qpw_loss worst_loss;
    uint64_t heartbeat_age_ns;  /* UINT64_MAX: never */
    unsigned hooks_missing;     /* interfaces whose programs are not in their hooks */
    enum qpw_health health;
    char verdict[160];          /* the one answer, in words */
};

/* Which ports the policy's rows list: bit sets by direction (in, out) and protocol (tcp, udp, sctp). */
struct qpw_listed {
    uint64_t bits[2][3][1024];
};

struct qpw_model {
    const struct qpw_snapshot *now; /* the caller's; NULL before the first */
    uint64_t started_unix_ns;       /* of the first snapshot */
    struct qpw_tracks tracks;
    struct qpw_summary summary;
    const uint64_t *alerts;         /* by severity, out of the alert log; NULL: it cannot be read */
    struct qpw_row *rows;
    size_t n_rows, room;
    size_t n_hidden;                /* rows that the filter holds back */
    struct qpw_peer_view *peers;
    struct qpw_rule_view *rules;
    size_t n_peers, n_rules;
    struct qpw_peer_seen *peer_seen; /* by peer number: all that whole snapshots have told so far */
    size_t n_peer_seen;
    struct qpw_line *lines;
    size_t n_lines, lines_room;
    struct qpw_listed *listed;
    uint32_t listed_generation;
    /* Process behind a finding, "" where not known; the callee caches. NULL: never known. */
    const char *(*process)(void *context, const struct qpw_finding_row *finding);
    void *process_context;
};

/* Takes the next snapshot in; it must stay until the next call. 0 or -ENOMEM. */
int qpw_model_advance(struct qpw_model *m, const struct qpw_snapshot *s);

/* Makes rows, n_rows and n_hidden of state->tab. Without a snapshot there are none. 0 or -ENOMEM. */
int qpw_model_build(struct qpw_model *m, const struct qpw_view_state *state);

/* Index of the row of that identity, -1 where it is not shown. */
int qpw_model_find(const struct qpw_model *m, uint64_t id);

/* Names by number, "" where there is none. */
const char *qpw_model_rule(const struct qpw_model *m, unsigned rule);
const char *qpw_model_peer(const struct qpw_model *m, unsigned peer);
const char *qpw_model_iface(const struct qpw_model *m, unsigned number);
/* A finding's process, "" where not known. */
const char *qpw_model_process(const struct qpw_model *m, const struct qpw_finding_row *finding);

/* Frees all but the snapshot, and zeroes. */
void qpw_model_free(struct qpw_model *m);

/* ---- Between the files of the model ---- */

int qpw_model_add_line(struct qpw_model *m, const char *section, uint8_t style, const char *item, const char *value,
                       const char *note);
int qpw_model_coverage(struct qpw_model *m); /* lines of the Coverage tab */
int qpw_model_help(struct qpw_model *m);     /* lines of the Help tab */
int qpw_model_peers(struct qpw_model *m);    /* m->peers out of the meters */
int qpw_model_rules(struct qpw_model *m);    /* m->rules out of the meters */
void qpw_summary_make(struct qpw_model *m);
/* Whether that loss loses nothing but time. */
bool qpw_loss_only_delays(unsigned loss);
/* Whether the auditor has been silent for too long. */
bool qpw_heartbeat_stale(uint64_t age_ns);

/* Reads the ports out of the statements of the rules in force. */
void qpw_listed_make(const struct qpw_snapshot *s, struct qpw_listed *ret);
bool qpw_listed_has(const struct qpw_listed *l, unsigned direction, unsigned protocol, unsigned port);

#endif
