/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * read.h - questions to a history, while its writer goes on.
 *
 * A window is [since, until) in Unix seconds, cut to what the slots can tell: a slot belongs to it by its beginning.
 */
#ifndef QPW_HISTORY_READ_H
#define QPW_HISTORY_READ_H

#include "history/history.h"

struct qpw_history_reader;

/* 0; -ENOENT: there is none; or another negative number; with err. */
int qpw_history_open(const char *path, struct qpw_history_reader **ret, struct qpw_error *err);
void qpw_history_close(struct qpw_history_reader *r); /* NULL is fine */

struct qpw_history_window {
    int64_t since; /* 0: from the beginning */
    int64_t until; /* 0: up to now */
};

/* What of a window was observed. */
struct qpw_history_observed {
    int64_t from, to;  /* of what the history holds of the window; both 0: nothing */
    int64_t blind;     /* seconds of the window (as asked) without an attachment, or with an interface unseen */
    int64_t asked;     /* seconds that were asked for */
};
int qpw_history_observed(struct qpw_history_reader *r, const struct qpw_history_window *window, int64_t now,
                         struct qpw_history_observed *ret, struct qpw_error *err);

/*
 * What was counted and found in the window, as a snapshot: sums of meters by their names, findings seen in it with their
 * whole counters, rules, coverage, the policy in force at its end. The caller clears it. now: Unix nanoseconds.
 */
int qpw_history_snapshot(struct qpw_history_reader *r, const struct qpw_history_window *window, uint64_t now_unix_ns,
                         struct qpw_snapshot *ret, struct qpw_error *err);

/* Of *ret host, version and policy as they were at that time, as far as they are known. */
void qpw_history_about(struct qpw_history_reader *r, int64_t until, struct qpw_snapshot *ret);

/*
 * Makes what is counted live reach back to `since`: its sums become those of the history's window up to now and of what is
 * not written yet; findings and records of before are added. Rows point into *ret_past, which the caller clears after
 * `live`'s last use. 0, or a negative number with err; then live is not to be used.
 */
int qpw_history_reach_back(struct qpw_history_reader *r, int64_t since, struct qpw_snapshot *live, struct qpw_snapshot *ret_past,
                           struct qpw_error *err);

/*
 * The span next to `at` in which anything was counted: forward the first that begins there or later, else the last that begins
 * before. It has `length` seconds, or those of its slots where these are longer, and begins at a multiple of them (a week on
 * Monday), in UTC; its end may lie in the future. -ENOENT: there is none.
 */
int qpw_history_beside(struct qpw_history_reader *r, int64_t at, bool forward, int64_t length, struct qpw_history_window *ret,
                       struct qpw_error *err);

/*
 * Up to when, in Unix nanoseconds, connections of what was attached then are counted with their remote ends; 0: it is not what was
 * written last, or it cannot be read.
 */
int64_t qpw_history_talkers_until(struct qpw_history_reader *r, uint64_t attached_unix_ns);

/* ---- Rows; text belongs to the call. An `each` that returns false ends it. 0, or a negative number with err. ---- */

enum qpw_history_by { QPW_HISTORY_BY_HOUR = 0, QPW_HISTORY_BY_DAY, QPW_HISTORY_BY_MONTH };

struct qpw_history_filter {
    struct qpw_history_window window;
    unsigned protocol; /* 0: any */
    int port;          /* -1: any */
    const char *rule;  /* NULL: any */
};

struct qpw_history_row {
    int64_t start;
    struct qpw_meter_key key; /* kind, protocol, port, direction, verdict */
    const char *rule;
    struct qpw_counts counts;
};
typedef bool qpw_history_each_row(const struct qpw_history_row *row, void *arg);
int qpw_history_rows(struct qpw_history_reader *r, const struct qpw_history_filter *filter, enum qpw_history_by by,
                     qpw_history_each_row *each, void *arg, struct qpw_error *err);

/* A remote end of one service: of a connection or a finding. */
struct qpw_history_end {
    const char *remote;
    struct qpw_meter_key key;
    const char *rule, *peer, *process;
    int64_t first, last;
    uint8_t outcome;
    uint64_t connections;
    bool finding; /* told as one; its connections are counted here alone */
};
typedef bool qpw_history_each_end(const struct qpw_history_end *end, void *arg);
/* remote NULL: any. Newest first. */
int qpw_history_ends(struct qpw_history_reader *r, const struct qpw_history_filter *filter, const char *remote,
                     qpw_history_each_end *each, void *arg, struct qpw_error *err);

/* What the history has from the window on and had not before: services, remote ends, programs, listeners. Oldest first. */
enum qpw_history_new { QPW_HISTORY_NEW_SERVICE = 0, QPW_HISTORY_NEW_END, QPW_HISTORY_NEW_PROGRAM, QPW_HISTORY_NEW_LISTENER };
struct qpw_history_news {
    enum qpw_history_new what;
    int64_t first;
    struct qpw_meter_key key;
    const char *rule, *name; /* remote end, program */
    uint8_t outcome;
};
typedef bool qpw_history_each_new(const struct qpw_history_news *news, void *arg);
int qpw_history_newly(struct qpw_history_reader *r, const struct qpw_history_window *window, qpw_history_each_new *each, void *arg,
                      struct qpw_error *err);

/* A rule in force or out of it, with its use in the window and ever. Those unused first, then by last use. */
struct qpw_history_rule {
    const char *name, *text;
    uint8_t direction;
    bool in_force;
    int64_t since, until; /* in force */
    int64_t last;         /* last used, ever; 0: never */
    struct qpw_counts counts; /* in the window; not what was only inferred to be its */
    unsigned users;       /* remote ends in the window, as far as they were kept */
};
typedef bool qpw_history_each_rule(const struct qpw_history_rule *rule, void *arg);
int qpw_history_rules(struct qpw_history_reader *r, const struct qpw_history_window *window, qpw_history_each_rule *each, void *arg,
                      struct qpw_error *err);

/* Who used a rule (NULL: each) in the window, by connections: the busiest of each day (struct qpw_history_end: rule, remote, connections, last day). */
int qpw_history_users(struct qpw_history_reader *r, const struct qpw_history_window *window, const char *rule,
                      qpw_history_each_end *each, void *arg, struct qpw_error *err);

/* Programs that held the node's end of something answered, the latest first: at most `most`. */
typedef bool qpw_history_each_program(const char *path, int64_t first, void *arg);
int qpw_history_programs(struct qpw_history_reader *r, unsigned most, qpw_history_each_program *each, void *arg, struct qpw_error *err);

/* What found no room, ever, by the name that it has in the file. Those of which nothing was lost are not among them. */
typedef bool qpw_history_each_loss(const char *what, uint64_t number, void *arg);
int qpw_history_losses(struct qpw_history_reader *r, qpw_history_each_loss *each, void *arg, struct qpw_error *err);

struct qpw_history_policy {
    int64_t id, loaded;
    const char *digest, *source_digest, *name, *path, *by, *text;
};
typedef bool qpw_history_each_policy(const struct qpw_history_policy *policy, void *arg);
int qpw_history_policies(struct qpw_history_reader *r, qpw_history_each_policy *each, void *arg, struct qpw_error *err);

#endif
