/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model.h - the view's content as rows: a function of the snapshots and of the state.
 *
 * qpw_model_advance() takes a snapshot (rates, summary), qpw_model_build() builds the shown tab's rows, filtered and
 * sorted. Rows carry raw values; cells.c turns the visible ones into text.
 */
#ifndef QPW_VIEW_MODEL_H
#define QPW_VIEW_MODEL_H

#include "alert/found.h"
#include "facts/answer.h"
#include "facts/cluster_status.h"
#include "facts/connections.h"
#include "facts/findings.h"
#include "facts/listening.h"
#include "facts/peers.h"
#include "facts/rules.h"
#include "facts/totals.h"
#include "snapshot/snapshot.h"
#include "util/error.h"
#include "view/state.h"
#include "view/track.h"
#include "words/coverage.h"

struct qpw_view_more;

enum qpw_row_kind {
    QPW_ROW_NONE = 0,
    QPW_ROW_FINDING, /* source: struct qpw_finding_row */
    QPW_ROW_GROUP,   /* source: struct qpw_finding_line, of several findings */
    QPW_ROW_FOLDED,  /* source: struct qpw_detail_row, counted without detail */
    QPW_ROW_METER,   /* source: struct qpw_meter_row */
    QPW_ROW_PEER,    /* source: struct qpw_peer_view */
    QPW_ROW_RULE,    /* source: struct qpw_rule_info */
    QPW_ROW_LINE,    /* source: struct qpw_line */
    QPW_ROW_CONNECTION, /* source: struct qpw_connection */
    QPW_ROW_LISTENER,   /* source: struct qpw_listening_row */
    QPW_ROW_IDLE,       /* source: struct qpw_rule_info, listed but without a listener */
};

struct qpw_row {
    uint64_t id;   /* stable between snapshots */
    const void *source; /* in the snapshot or the model; valid until the next advance */
    struct qpw_counts counts;
    struct qpw_rate rate;
    uint64_t first_unix_ns, last_unix_ns; /* 0: unknown */
    uint32_t number;  /* rule id or peer number */
    uint8_t kind, severity;
    uint8_t past;     /* 0: open; otherwise acknowledged before closed, and within each answered first */
    /* Sort key, of the column's type. */
    double key_number;
    const char *key_text;
    const uint8_t *key_addr;
};

/* A peer as facts/ knows it, with its rates. */
struct qpw_peer_view {
    struct qpw_peer_sum sum;
    struct qpw_rate rate;
    uint64_t last_unix_ns; /* the last change that was observed; 0: none so far */
};

/* A rule, likewise. */
struct qpw_rule_view {
    struct qpw_rule_use use;
    struct qpw_rate rate;
    uint64_t last_unix_ns;
};

/* A line of the tab Coverage, Cluster or Help. */
struct qpw_line {
    uint64_t id;           /* stable between snapshots; 0: its place among the lines */
    uint64_t at_unix_ns;   /* since when, or of when; 0: neither */
    const struct qpw_peer_status *peer; /* what the details show in its place, if any */
    const struct qpw_found *found;
    const char *section; /* static */
    char item[64];
    char value[64];
    char note[QPW_NOTE_TEXT];
    uint8_t style; /* enum qpw_style of the value */
};

/* The span of the history that a model represents. */
struct qpw_model_past {
    uint64_t from_unix_ns, until_unix_ns; /* of the span; may end in the future */
    uint64_t to_unix_ns;                  /* end of its elapsed part; 0: the model is live */
    uint64_t blind_ns;                    /* part of it that was not observed */
};

struct qpw_model {
    const struct qpw_snapshot *now; /* owned by the caller; NULL before the first */
    uint64_t started_unix_ns;       /* of the first snapshot */
    struct qpw_tracks tracks;
    struct qpw_answer answer;
    struct qpw_totals totals;
    const uint64_t *alerts;         /* by severity, from the alert log; NULL: unreadable */
    struct qpw_findings found;      /* for the tab Unexpected, grouped; rows point into it */
    struct qpw_row *rows;
    size_t n_rows;
    size_t n_hidden;                /* rows suppressed by the filter */
    struct qpw_peer_view *peers;
    struct qpw_rule_view *rules;
    size_t n_peers, n_rules;
    struct qpw_peer_seen *peer_seen; /* by peer number: everything seen in full snapshots so far */
    size_t n_peer_seen;
    struct qpw_line *lines;
    size_t n_lines;
    /* Only read while their tabs are shown (more.h); rows point into them. */
    struct qpw_connection *conns;
    size_t n_conns;
    uint64_t n_conns_left_out;             /* match the filter, but beyond the limit */
    const struct qpw_listening *listening; /* NULL: not read */
    char listening_why[256];               /* the reason; empty: not attempted yet */
    const struct qpw_cluster_status *cluster; /* NULL: not read */
    const struct qpw_found_list *found_between; /* what differs between the nodes; set with the former */
    char cluster_why[256];
    /* Return the process behind a connection, as below. */
    const char *(*connection_process)(void *context, uint64_t id, const struct qpw_connection *connection);
    /* Return the process behind a finding, "" if unknown; the callee caches. NULL: always unknown. */
    const char *(*process)(void *context, const struct qpw_finding_row *finding);
    void *process_context;
    struct qpw_model_past past;
};

/* Take the next snapshot, which must stay valid until the next call. Returns 0 or -ENOMEM. */
int qpw_model_advance(struct qpw_model *m, const struct qpw_snapshot *s);

/* Build the rows, n_rows and n_hidden of state->tab; none without a snapshot. Returns 0 or -ENOMEM. */
int qpw_model_build(struct qpw_model *m, const struct qpw_view_state *state);

/*
 * Read what the shown tab needs besides snapshots (Connections, Listeners, Cluster; others: nothing); build the rows afterwards.
 * Returns 0, or a negative errno with err filled and the old data kept. If listeners or
 * the cluster's state cannot be read, listening_why or cluster_why has the reason.
 */
int qpw_model_read_more(struct qpw_model *m, const struct qpw_view_state *state, const struct qpw_view_more *more,
                        struct qpw_error *err);

/* Return the index of the row with that id; -1: not shown. */
int qpw_model_find(const struct qpw_model *m, uint64_t id);

/* Return the name of that number; "" if it has none. */
const char *qpw_model_rule(const struct qpw_model *m, unsigned rule);
const char *qpw_model_peer(const struct qpw_model *m, unsigned peer);
const char *qpw_model_iface(const struct qpw_model *m, unsigned number);
/* Return a connection's process; "" if unknown. */
const char *qpw_model_connection_process(const struct qpw_model *m, const struct qpw_row *row);
/* Return a finding's process; "" if unknown. */
/* The findings that an action on a row applies to. */
enum qpw_row_scope {
    QPW_SCOPE_NOTHING,
    QPW_SCOPE_FINDING,
    QPW_SCOPE_SERVICE, /* findings of one direction and service, with any remote end */
    QPW_SCOPE_REMOTE,  /* findings of one direction and one pair of ends, with any service */
};
/* Return the scope of a row. *ret_first: its first or only finding; NULL: none. */
enum qpw_row_scope qpw_row_scope(const struct qpw_row *row, const struct qpw_finding_row **ret_first);

const char *qpw_model_process(const struct qpw_model *m, const struct qpw_finding_row *finding);

/* Free everything except the snapshot, and zero the model. */
void qpw_model_free(struct qpw_model *m);

/* ---- Internal to the model's files ---- */

int qpw_model_add_line(struct qpw_model *m, const char *section, uint8_t style, const char *item, const char *value,
                       const char *note);
int qpw_model_coverage(struct qpw_model *m); /* lines of the Coverage tab */
void qpw_model_read_cluster(struct qpw_model *m, const struct qpw_view_more *more);
int qpw_model_cluster(struct qpw_model *m);  /* lines of the Cluster tab */
int qpw_model_help(struct qpw_model *m);     /* lines of the Help tab */
int qpw_model_peers(struct qpw_model *m);    /* m->peers: facts/peers.h, with rates */
int qpw_model_add_connections(struct qpw_model *m); /* rows */
int qpw_model_add_listeners(struct qpw_model *m);   /* rows */
int qpw_model_add_finding(struct qpw_model *m, const struct qpw_finding_row *f); /* a row */
int qpw_model_add_groups(struct qpw_model *m, const struct qpw_view_state *state); /* rows of grouped findings */
struct qpw_row *qpw_model_add_row(struct qpw_model *m); /* zeroed; NULL: out of memory */
int qpw_model_rules(struct qpw_model *m);    /* m->rules: facts/rules.h, with rates */

#endif
