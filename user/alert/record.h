/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* record.h - a record of the alert log in no particular format, and the interface to write it. */
#ifndef QPW_ALERT_RECORD_H
#define QPW_ALERT_RECORD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/signatures.h"
#include "qportwatch.h"
#include "snapshot/snapshot.h"

/* The kind of a record among those of its flow_id; shown as the fact "kind". */
#define QPW_RECORD_KINDS(X) \
    X(FIRST, "first")           /* never written before */ \
    X(AGAIN, "again")           /* known from an earlier attachment or an ended scan, and seen again */ \
    X(ESCALATION, "escalation") /* the outcome has risen, or the judgement has changed */ \
    X(SUMMARY, "summary")       /* activity since the last record */ \
    X(CLOSED, "closed")         /* explained by a rule, superseded, or silent: the finding no longer counts */ \
    X(ACKNOWLEDGED, "acknowledged") /* accepted by a person */ \
    X(REOPENED, "reopened")     /* closed or acknowledged before, and counts again */ \
    X(STATS, "stats")           /* the heartbeat */
#define QPW_X_RECORD(s, n) QPW_RECORD_##s,
enum qpw_record_kind { QPW_RECORD_KINDS(QPW_X_RECORD) QPW_RECORD_KIND_COUNT };
const char *qpw_record_kind_name(unsigned value);

/* Figures of the heartbeat. */
struct qpw_heartbeat {
    uint64_t uptime_s; /* since attaching */
    uint64_t packets;
    uint64_t bytes;
    uint64_t undecodable;
    uint64_t lost_detail;  /* sum of the losses that affect counting */
    uint64_t lost_events;  /* wake-ups not sent; no data is lost */
    uint64_t connections;  /* entries in the connection tables */
    uint64_t findings;
    uint64_t alerts;       /* records of findings written */
    uint64_t suppressed;   /* suppressed by the policy */
    uint64_t rate_limited;         /* ever delayed by the cap */
};

#define QPW_RECORD_FACTS 56
#define QPW_RECORD_ARENA 6144

/* One fact. Repeating a key appends to its list. */
struct qpw_fact {
    const char *key; /* static */
    const char *value;
};

struct qpw_record {
    const struct qpw_signature *signature; /* NULL in a heartbeat */
    enum qpw_record_kind kind;
    bool acknowledged;        /* everything it reports is acknowledged: info, whatever the signature */
    bool part;                /* of what one record of the cluster reports: info, too */
    uint64_t seen_unix_ns;    /* when the subject was seen, or the life-cycle step happened */
    uint64_t written_unix_ns; /* now */
    uint64_t flow_id;         /* below 2^53; 0: not about traffic */
    uint32_t sequence;        /* of the flow_id's records, from 1 */
    const char *host;
    const char *iface;        /* NULL: not about one interface */
    /* Valid parts of `row`. */
    bool has_row;
    bool has_initiator;
    bool has_responder;
    bool has_port;
    struct qpw_finding_row row;
    char text[1600];          /* the event, the policy's position, and how to allow it */
    char advice[320];         /* recommended action; empty: included in the text */
    const struct qpw_heartbeat *heartbeat; /* heartbeat only */
    struct qpw_fact facts[QPW_RECORD_FACTS];
    size_t n_facts;
    size_t arena_used;
    char arena[QPW_RECORD_ARENA];
};

/* Return the enum qpw_severity: the signature's, or info for a step that closes or acknowledges the finding. */
unsigned qpw_record_severity(const struct qpw_record *record);

/* Add a formatted fact. Facts that do not fit are omitted; text and row never depend on facts. */
void qpw_record_fact(struct qpw_record *record, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Return the first value of that key, or NULL. */
const char *qpw_record_value(const struct qpw_record *record, const char *key);

/*
 * The destination of records. write() returns 0 once the record will survive a crash of this process, or a negative
 * errno if no part of it was written; it will then be offered again.
 */
struct qpw_record_writer {
    int (*write)(void *data, const struct qpw_record *record);
    void *data;
};

#endif
