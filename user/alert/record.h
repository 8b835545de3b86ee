/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * record.h - one record of the alert log before it has a format, and the interface it is written through.
 */
#ifndef QPW_ALERT_RECORD_H
#define QPW_ALERT_RECORD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/signatures.h"
#include "qportwatch.h"
#include "snapshot/snapshot.h"

/* Which record of its flow_id this is; shown as the fact "kind". */
#define QPW_RECORD_KINDS(X) \
    X(FIRST, "first")           /* never written before */ \
    X(AGAIN, "again")           /* known from an earlier attachment or an ended scan, and back */ \
    X(ESCALATION, "escalation") /* the outcome has risen, or the judgement has changed */ \
    X(SUMMARY, "summary")       /* what went on since the last record */ \
    X(CLOSED, "closed")         /* explained by a rule, judged again, or silent: the finding counts no more */ \
    X(ACKNOWLEDGED, "acknowledged") /* a person has seen it */ \
    X(REOPENED, "reopened")     /* closed or acknowledged before, and it counts again */ \
    X(STATS, "stats")           /* the heartbeat */
#define QPW_X_RECORD(s, n) QPW_RECORD_##s,
enum qpw_record_kind { QPW_RECORD_KINDS(QPW_X_RECORD) QPW_RECORD_KIND_COUNT };
const char *qpw_record_kind_name(unsigned value);

/* Figures of the heartbeat. */
struct qpw_heartbeat {
    uint64_t uptime_s; /* since it was attached */
    uint64_t packets;
    uint64_t bytes;
    uint64_t undecodable;
    uint64_t lost_detail;  /* sum of the losses that concern counting */
    uint64_t lost_events;  /* wake-ups not sent; nothing is lost by them */
    uint64_t connections;  /* entries in the tables of connections */
    uint64_t findings;
    uint64_t alerts;       /* records of findings written */
    uint64_t suppressed;   /* hidden by lines of the policy */
    uint64_t rate_limited;         /* held back by the cap, all told */
};

#define QPW_RECORD_FACTS 56
#define QPW_RECORD_ARENA 6144

/* One fact. The same key again adds to its list. */
struct qpw_fact {
    const char *key; /* static */
    const char *value;
};

struct qpw_record {
    const struct qpw_signature *signature; /* NULL in a heartbeat */
    enum qpw_record_kind kind;
    bool acknowledged;        /* all that it tells of: info, whatever the signature */
    uint64_t seen_unix_ns;    /* when the thing was seen, or the step in its life was */
    uint64_t written_unix_ns; /* now */
    uint64_t flow_id;         /* below 2^53; 0: not about traffic */
    uint32_t sequence;        /* of the flow_id's records, from 1 */
    const char *host;
    const char *iface;        /* NULL: not about one interface */
    /* What of `row` is meaningful. */
    bool has_row;
    bool has_initiator;
    bool has_responder;
    bool has_port;
    struct qpw_finding_row row;
    char text[1600];          /* what happened, what the policy says, what would allow it */
    char advice[320];         /* what to do; empty: the text says it */
    const struct qpw_heartbeat *heartbeat; /* heartbeat only */
    struct qpw_fact facts[QPW_RECORD_FACTS];
    size_t n_facts;
    size_t arena_used;
    char arena[QPW_RECORD_ARENA];
};

/* enum qpw_severity: the signature's; a step that takes the finding out of what counts is info. */
unsigned qpw_record_severity(const struct qpw_record *record);

/* Adds a formatted fact; what does not fit any more is left out (the text and the row never depend on facts). */
void qpw_record_fact(struct qpw_record *record, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first value of that key, or NULL. */
const char *qpw_record_value(const struct qpw_record *record, const char *key);

/*
 * Where records go. write() returns 0 when the record will survive a crash of this process, or a
 * negative errno when it was not written, not even in part: it will be offered again.
 */
struct qpw_record_writer {
    int (*write)(void *data, const struct qpw_record *record);
    void *data;
};

#endif
