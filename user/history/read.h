/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * read.h - queries on a history, while its writer continues.
 *
 * A window is [since, until) in Unix seconds, at the resolution of the slots: a slot belongs to the window in which it
 * begins.
 */
#ifndef QPW_HISTORY_READ_H
#define QPW_HISTORY_READ_H

#include "history/history.h"
#include "util/cleanup.h"

struct qpw_history_reader;

/* 0; -ENOENT: no history; or another negative number; with err. */
int qpw_history_open(const char *path, struct qpw_history_reader **ret, struct qpw_error *err);
void qpw_history_close(struct qpw_history_reader *r); /* NULL is fine */
QPW_CLEANUP_POINTER(struct qpw_history_reader, qpw_history_close)

struct qpw_history_window {
    int64_t since; /* 0: from the beginning */
    int64_t until; /* 0: up to now */
};

/* The observed part of a window. */
struct qpw_history_observed {
    int64_t from, to;  /* the part of the window that the history covers; both 0: none */
    int64_t blind;     /* seconds of the requested window without an attachment, or with an interface not monitored */
    int64_t asked;     /* seconds requested */
};
int qpw_history_observed(struct qpw_history_reader *r, const struct qpw_history_window *window, int64_t now,
                         struct qpw_history_observed *ret, struct qpw_error *err);

/*
 * Build a snapshot of the window: sums of meters by name, findings seen in it with all their counters, rules, coverage,
 * and the policy in force at its end. now_unix_ns: Unix nanoseconds. The caller clears *ret.
 */
int qpw_history_snapshot(struct qpw_history_reader *r, const struct qpw_history_window *window, uint64_t now_unix_ns,
                         struct qpw_snapshot *ret, struct qpw_error *err);

/* Set host, version and policy in *ret as of that time, as far as known. */
void qpw_history_about(struct qpw_history_reader *r, int64_t until, struct qpw_snapshot *ret);

/*
 * Extend live counts back to `since`: sums become those of the history's window up to now plus what is not written yet;
 * earlier findings and records are added. Rows point into *ret_past, which the caller clears after the last use of
 * `live`. 0, or a negative number with err, after which `live` must not be used.
 */
int qpw_history_reach_back(struct qpw_history_reader *r, int64_t since, struct qpw_snapshot *live, struct qpw_snapshot *ret_past,
                           struct qpw_error *err);

/*
 * Find the span next to `at` with any counts: forward, the first one that begins at or after it; else the last one that
 * begins before it. It lasts `length` seconds, or as long as its slots if these are longer, and begins at a multiple of
 * that (a week on Monday), in UTC; its end may be in the future. -ENOENT: there is none.
 */
int qpw_history_beside(struct qpw_history_reader *r, int64_t at, bool forward, int64_t length, struct qpw_history_window *ret,
                       struct qpw_error *err);

/*
 * Return until when, in Unix nanoseconds, connections of the attachment of that time are counted with their remote
 * ends; 0: another attachment was written last, or the history cannot be read.
 */
int64_t qpw_history_talkers_until(struct qpw_history_reader *r, uint64_t attached_unix_ns);

/*
 * ---- Rows; their text is valid during the call only. An `each` that returns false stops. 0, or a negative number with
 * err. ----
 */

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
    bool finding; /* reported as a finding; its connections are counted only here */
};
typedef bool qpw_history_each_end(const struct qpw_history_end *end, void *arg);
/* List remote ends, newest first. remote NULL: any. */
int qpw_history_ends(struct qpw_history_reader *r, const struct qpw_history_filter *filter, const char *remote,
                     qpw_history_each_end *each, void *arg, struct qpw_error *err);

/*
 * What the history contains from the window on but not before: services, remote ends, programs, listeners. Oldest
 * first.
 */
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

/* A rule, in force or not, with its use in the window and ever. Unused ones first, then by last use. */
struct qpw_history_rule {
    const char *name, *text;
    uint8_t direction;
    bool in_force;
    int64_t since, until; /* in force from, to */
    int64_t last;         /* last use ever; 0: never */
    struct qpw_counts counts; /* in the window, without inferred use */
    unsigned users;       /* remote ends in the window, as far as kept */
};
typedef bool qpw_history_each_rule(const struct qpw_history_rule *rule, void *arg);
int qpw_history_rules(struct qpw_history_reader *r, const struct qpw_history_window *window, qpw_history_each_rule *each, void *arg,
                      struct qpw_error *err);

/*
 * List the users of a rule (NULL: of every rule) in the window by connections: the busiest of each day (struct
 * qpw_history_end: rule, remote, connections, last day).
 */
int qpw_history_users(struct qpw_history_reader *r, const struct qpw_history_window *window, const char *rule,
                      qpw_history_each_end *each, void *arg, struct qpw_error *err);

/* List at most `most` programs that owned the node's end of an answered exchange, latest first. */
typedef bool qpw_history_each_program(const char *path, int64_t first, void *arg);
int qpw_history_programs(struct qpw_history_reader *r, unsigned most, qpw_history_each_program *each, void *arg, struct qpw_error *err);

/* List what was ever lost for lack of room, by its name in the file; only non-zero losses. */
typedef bool qpw_history_each_loss(const char *what, uint64_t number, void *arg);
int qpw_history_losses(struct qpw_history_reader *r, qpw_history_each_loss *each, void *arg, struct qpw_error *err);

struct qpw_history_policy {
    int64_t id, loaded;
    const char *digest, *source_digest, *name, *path, *by, *text;
};
typedef bool qpw_history_each_policy(const struct qpw_history_policy *policy, void *arg);
int qpw_history_policies(struct qpw_history_reader *r, qpw_history_each_policy *each, void *arg, struct qpw_error *err);

#endif
