/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model.h - what the view shows, as rows: a function of the snapshots taken in and of the state.
 *
 * qpw_model_advance() takes a snapshot in (rates, summary), qpw_model_build() makes the rows of the
 * shown tab, filtered and sorted. Rows carry raw values; cells.h turns those on the screen to text.
 */
#ifndef QPW_VIEW_MODEL_H
#define QPW_VIEW_MODEL_H

#include "facts/answer.h"
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
    QPW_ROW_FOLDED,  /* source: struct qpw_detail_row, what was counted without detail */
    QPW_ROW_METER,   /* source: struct qpw_meter_row */
    QPW_ROW_PEER,    /* source: struct qpw_peer_view */
    QPW_ROW_RULE,    /* source: struct qpw_rule_info */
    QPW_ROW_LINE,    /* source: struct qpw_line */
    QPW_ROW_CONNECTION, /* source: struct qpw_connection */
    QPW_ROW_LISTENER,   /* source: struct qpw_listening_row */
    QPW_ROW_IDLE,       /* source: struct qpw_rule_info, listed and nobody listens */
};

struct qpw_row {
    uint64_t id;   /* the same in every snapshot */
    const void *source; /* in the snapshot or the model, valid until the next advance */
    struct qpw_counts counts;
    struct qpw_rate rate;
    uint64_t first_unix_ns, last_unix_ns; /* 0: not known */
    uint32_t number;  /* rule id or peer number */
    uint8_t kind, severity;
    uint8_t past;     /* 0: open; else what is acknowledged before what is closed, of both what was answered first */
    /* Sort key, of whichever kind the column has. */
    double key_number;
    const char *key_text;
    const uint8_t *key_addr;
};

/* What facts/ knows of a peer, and how it moves. */
struct qpw_peer_view {
    struct qpw_peer_sum sum;
    struct qpw_rate rate;
    uint64_t last_unix_ns; /* the last movement that was seen, 0: none while watched */
};

/* The same of a rule. */
struct qpw_rule_view {
    struct qpw_rule_use use;
    struct qpw_rate rate;
    uint64_t last_unix_ns;
};

/* A line of the Coverage or Help tab. */
struct qpw_line {
    const char *section; /* static */
    char item[64];
    char value[64];
    char note[QPW_NOTE_TEXT];
    uint8_t style; /* enum qpw_style of the value */
};

/* Which span of the history a model stands for. */
struct qpw_model_past {
    uint64_t from_unix_ns, until_unix_ns; /* of the span; its end may lie in the future */
    uint64_t to_unix_ns;                  /* as far as it has gone by; 0: the model is live */
    uint64_t blind_ns;                    /* not observed of it */
};

struct qpw_model {
    const struct qpw_snapshot *now; /* the caller's; NULL before the first */
    uint64_t started_unix_ns;       /* of the first snapshot */
    struct qpw_tracks tracks;
    struct qpw_answer answer;
    struct qpw_totals totals;
    const uint64_t *alerts;         /* by severity, out of the alert log; NULL: it cannot be read */
    struct qpw_findings found;      /* of the tab Unexpected, grouped; rows point into it */
    struct qpw_row *rows;
    size_t n_rows;
    size_t n_hidden;                /* rows that the filter holds back */
    struct qpw_peer_view *peers;
    struct qpw_rule_view *rules;
    size_t n_peers, n_rules;
    struct qpw_peer_seen *peer_seen; /* by peer number: all that whole snapshots have told so far */
    size_t n_peer_seen;
    struct qpw_line *lines;
    size_t n_lines;
    /* Read only while their tabs are shown (more.h); rows point into them. */
    struct qpw_connection *conns;
    size_t n_conns;
    uint64_t n_conns_left_out;             /* that the filter wants, too, but that there is no room for */
    const struct qpw_listening *listening; /* NULL: not read, */
    char listening_why[256];               /* and why; empty: not yet */
    /* Process behind a connection, as below. */
    const char *(*connection_process)(void *context, uint64_t id, const struct qpw_connection *connection);
    /* Process behind a finding, "" where not known; the callee caches. NULL: never known. */
    const char *(*process)(void *context, const struct qpw_finding_row *finding);
    void *process_context;
    struct qpw_model_past past;
};

/* Takes the next snapshot in; it must stay until the next call. 0 or -ENOMEM. */
int qpw_model_advance(struct qpw_model *m, const struct qpw_snapshot *s);

/* Makes rows, n_rows and n_hidden of state->tab. Without a snapshot there are none. 0 or -ENOMEM. */
int qpw_model_build(struct qpw_model *m, const struct qpw_view_state *state);

/*
 * Reads what the shown tab has beside snapshots (Connections, Listeners; any other: nothing); then the rows are to be
 * built. 0, or a negative errno with err: what was there stays. Why listeners cannot be read stands in listening_why.
 */
int qpw_model_read_more(struct qpw_model *m, const struct qpw_view_state *state, const struct qpw_view_more *more,
                        struct qpw_error *err);

/* Index of the row of that identity, -1 where it is not shown. */
int qpw_model_find(const struct qpw_model *m, uint64_t id);

/* Names by number, "" where there is none. */
const char *qpw_model_rule(const struct qpw_model *m, unsigned rule);
const char *qpw_model_peer(const struct qpw_model *m, unsigned peer);
const char *qpw_model_iface(const struct qpw_model *m, unsigned number);
/* A connection's process, "" where not known. */
const char *qpw_model_connection_process(const struct qpw_model *m, const struct qpw_row *row);
/* A finding's process, "" where not known. */
/* What a row is about, as far as something can be done about it at once. */
enum qpw_row_scope {
    QPW_SCOPE_NOTHING,
    QPW_SCOPE_FINDING,
    QPW_SCOPE_SERVICE, /* findings of one direction and service, whoever the remote ends are */
    QPW_SCOPE_REMOTE,  /* of one direction and both ends, whichever the services */
};
/* *ret_first: the finding, or the first of them; NULL: there is none. */
enum qpw_row_scope qpw_row_scope(const struct qpw_row *row, const struct qpw_finding_row **ret_first);

const char *qpw_model_process(const struct qpw_model *m, const struct qpw_finding_row *finding);

/* Frees all but the snapshot, and zeroes. */
void qpw_model_free(struct qpw_model *m);

/* ---- Between the files of the model ---- */

int qpw_model_add_line(struct qpw_model *m, const char *section, uint8_t style, const char *item, const char *value,
                       const char *note);
int qpw_model_coverage(struct qpw_model *m); /* lines of the Coverage tab */
int qpw_model_help(struct qpw_model *m);     /* lines of the Help tab */
int qpw_model_peers(struct qpw_model *m);    /* m->peers: facts/peers.h, with rates */
int qpw_model_add_connections(struct qpw_model *m); /* rows */
int qpw_model_add_listeners(struct qpw_model *m);   /* rows */
int qpw_model_add_finding(struct qpw_model *m, const struct qpw_finding_row *f); /* a row */
int qpw_model_add_groups(struct qpw_model *m, const struct qpw_view_state *state); /* rows of grouped findings */
struct qpw_row *qpw_model_add_row(struct qpw_model *m); /* zeroed, NULL: no memory */
int qpw_model_rules(struct qpw_model *m);    /* m->rules: facts/rules.h, with rates */

#endif
