/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader.h - the alert log read back for people: one line into its columns, and what of it is asked for. */
#ifndef QPW_ALERT_READER_H
#define QPW_ALERT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* What is asked for; a zeroed filter lets every alert through. */
struct qpw_alert_filter {
    bool everything;        /* heartbeats and the auditor's own records too */
    uint64_t since_unix_ns; /* written not before; 0: any time */
    unsigned severity;      /* this one and worse; 0: any */
    int verdict;            /* enum qpw_verdict, -1 or 0: any; QPW_VERDICT_COUNT: a mismatch */
    int direction;          /* enum qpw_direction, -1: any; `has_direction` says whether it holds */
    bool has_direction;
    unsigned port;          /* service port, 0: any */
    bool has_address;
    uint8_t address[16];    /* prefix that either end has to lie in */
    unsigned prefix;        /* its length out of 128 */
    bool local_time;        /* times of this machine's zone in place of UTC */
    bool short_time;        /* month, day and minute only */
};

/* Each sets one part of the filter from text. 0, or -EINVAL with err saying what would be right. */
int qpw_alert_filter_verdict(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
int qpw_alert_filter_direction(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
int qpw_alert_filter_severity(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
int qpw_alert_filter_port(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
int qpw_alert_filter_address(struct qpw_alert_filter *f, const char *text, struct qpw_error *err);
/* RFC 3339 in UTC, a date, or so long ago: "90s", "15m", "2h", "7d". */
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
    char text[1600];   /* the whole sentence */
};

enum qpw_alert_reading {
    QPW_ALERT_SHOWN = 0,   /* *ret_row is filled */
    QPW_ALERT_FILTERED,    /* a record that was not asked for */
    QPW_ALERT_FOREIGN,     /* not one of our records */
};

/* Reads one line, without its newline. */
enum qpw_alert_reading qpw_alert_read(const char *line, size_t length, const struct qpw_alert_filter *filter,
                                      struct qpw_alert_row *ret_row);

#endif
