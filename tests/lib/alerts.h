/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alerts.h - for tests of the alert engine: rows made by hand, and a writer that keeps what it receives. */
#ifndef QPW_TESTS_ALERTS_H
#define QPW_TESTS_ALERTS_H

#include "alert/engine.h"

/* 2026-03-01T00:00:00Z */
#define T0 1772323200000000000ull
#define SEC 1000000000ull

/* One record as it was written. */
struct seen {
    enum qpw_record_kind kind;
    const struct qpw_signature *signature;
    uint64_t flow_id;
    uint32_t sequence;
    uint64_t seen_ns;
    uint64_t written_ns;
    uint64_t count;
    uint64_t suppressed;
    uint8_t outcome;
    struct qpw_finding_row row;
    char text[1600];
    char allow[256];
    char line[12288]; /* the line of the log */
};

struct sink {
    struct seen *records;
    size_t n;
    bool broken; /* writes fail */
};

/* Return a writer into *sink. sink_clear() frees the sink's content. */
struct qpw_record_writer sink_writer(struct sink *sink);
void sink_clear(struct sink *sink);

/* Return how many records have that signature. */
size_t sink_count(const struct sink *sink, enum qpw_signature_name name);

/* Return the newest record of that signature, or NULL. */
const struct seen *sink_last(const struct sink *sink, enum qpw_signature_name name);

/* Return "inbound-attempted/first, scan/summary": everything written since record `from`. Static buffer. */
const char *sink_words(const struct sink *sink, size_t from);

struct span {
    uint64_t first_ns, last_ns;
};

/*
 * Return a TCP finding with that direction, addresses as text, service port and outcome, first and last seen at those
 * times, and one connection of three packets. Its flow_id is a hash of the key.
 */
struct qpw_finding_row finding(unsigned direction, const char *initiator, const char *responder, unsigned port,
                               unsigned outcome, struct span seen);

/* Set the row's flow_id again after its key was changed. */
void finding_renumber(struct qpw_finding_row *row);

/*
 * Return an engine that writes into *sink (settings NULL: defaults without heartbeat), with a policy name, the rules
 * "ssh" (1), "infra-routing" (2), "implied-dns-tcp" (3) and "in-tcp-32768-60999" (4), and one interface eth0.
 */
struct qpw_engine *engine_for(struct sink *sink, const struct qpw_engine_settings *settings);
struct qpw_engine_context plain_context(void);

#endif
