/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader.h - parse lines of the alert log into columns for people, and filter them. */
#ifndef QPW_ALERT_READER_H
#define QPW_ALERT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* A filter; a zeroed one passes every alert. */
struct qpw_alert_filter {
    bool everything;        /* also heartbeats and records about the auditor itself */
    uint64_t since_unix_ns; /* written at or after; 0: any time */
    unsigned severity;      /* this one or more serious; 0: any */
    int verdict;            /* enum qpw_verdict, -1 or 0: any; QPW_VERDICT_COUNT: a mismatch */
    int direction;          /* enum qpw_direction, valid if has_direction */
    bool has_direction;
    unsigned port;          /* service port, 0: any */
    bool has_address;
    uint8_t address[16];    /* prefix that contains either end */
    unsigned prefix;        /* its length out of 128 */
    bool local_time;        /* print times in this machine's zone instead of UTC */
    bool short_time;        /* month, day and minute only */
};

/* Set one part of the filter from text. Return 0, or -EINVAL with err naming the valid values. */
int qpw_alert_filter_verdict(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
int qpw_alert_filter_direction(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
int qpw_alert_filter_severity(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
int qpw_alert_filter_port(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
int qpw_alert_filter_address(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
/* Text: RFC 3339 in UTC, a date, or an age: "90s", "15m", "2h", "7d". */
int qpw_alert_filter_since(struct qpw_alert_filter *f, const char *text, uint64_t now_unix_ns, struct qpw_error *err);

/* The columns of a table. X(symbol, "title") */
#define QPW_ALERT_COLUMNS(X) \
    X(TIME, "TIME") \
    X(SEVERITY, "SEV") \
    X(DIRECTION, "DIRECTION") \
    X(INITIATOR, "INITIATOR") \
    X(RESPONDER, "RESPONDER") \
    X(SERVICE, "SERVICE") \
    X(VERDICT, "VERDICT") \
    X(OUTCOME, "OUTCOME") \
    X(COUNT, "COUNT") \
    X(PROCESS, "PROCESS") \
    X(WHAT, "WHAT")
#define QPW_X_ALERT_COLUMN(s, n) QPW_ALERT_##s,
enum qpw_alert_column { QPW_ALERT_COLUMNS(QPW_X_ALERT_COLUMN) QPW_ALERT_COLUMN_COUNT };
const char *qpw_alert_column_title(unsigned column);

struct qpw_alert_row {
    unsigned severity; /* 0: not an alert */
    char cell[QPW_ALERT_COLUMN_COUNT][96];
    char text[1600];   /* the full text */
};

enum qpw_alert_reading {
    QPW_ALERT_SHOWN = 0,   /* *ret_row is filled */
    QPW_ALERT_FILTERED,    /* a record that the filter excludes */
    QPW_ALERT_FOREIGN,     /* not one of our records */
};

/* Parse one line, without its newline. */
enum qpw_alert_reading qpw_alert_read(const char *line, size_t length, const struct qpw_alert_filter *filter,
                                      struct qpw_alert_row *ret_row);

#endif
