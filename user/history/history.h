/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * history.h - what was counted, kept in an SQLite file beyond the life of the counters.
 *
 *   snapshot -> deltas -> store          write.c, once a minute, by a process of the auditor's (writer.h)
 *   store -> snapshot -> facts -> face   read.c and sum.c, by commands, while that process goes on writing
 *
 * Deltas are taken against what the last transaction saw of each counter, which is stored in the same transaction
 * (`counted`). So the sum over the history equals the counters, whenever a writer is killed: the next one goes on from
 * there. A counter may fall for a moment (a packet moves from a meter to its finding), so a delta may be negative.
 *
 * Times are Unix seconds, but for columns that end in _ns. Slots are five minutes, hours and days, from older to newer.
 */
#ifndef QPW_HISTORY_HISTORY_H
#define QPW_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"
#include "util/error.h"

#define QPW_HISTORY_FOLDER "/var/lib/qportwatch"
#define QPW_HISTORY_NAME "history.db"
#define QPW_HISTORY_APPLICATION 0x71707768 /* "qpwh" */
#define QPW_HISTORY_VERSION 1

#define QPW_HISTORY_FIVE 300
#define QPW_HISTORY_HOUR 3600
#define QPW_HISTORY_DAY 86400
#define QPW_HISTORY_FIVE_KEPT (7 * QPW_HISTORY_DAY)     /* then hours */
#define QPW_HISTORY_HOURS_KEPT (400 * QPW_HISTORY_DAY)  /* then days */
#define QPW_HISTORY_TALKERS 100000u
#define QPW_HISTORY_USERS 32u                           /* of a rule and day */
#define QPW_HISTORY_BYTES (256ull << 20)

/* A remote end with what it did, out of live connections: since the last frame `connections` more. */
struct qpw_history_talker {
    struct qpw_meter_key key; /* reason 0 */
    uint8_t remote[16];
    uint64_t first_unix_ns;
    uint64_t last_unix_ns;
    uint32_t connections;
    uint8_t outcome;
    uint8_t pad[3];
    char process[16]; /* of the node's end, empty: not known */
};

struct qpw_history_listener {
    uint16_t port;
    uint8_t protocol;
    uint8_t pad;
    char program[252];
    uint64_t first_unix_ns;
};

/* A program that held the node's end of something answered (struct qpw_first_seen). */
struct qpw_history_program {
    char path[256];
    uint64_t first_unix_ns;
};

/* A finding, with what facts/life.h says of it. Pointers of the row are not followed. */
struct qpw_history_finding {
    struct qpw_finding_row row;
    uint8_t state;  /* enum qpw_life_state */
    uint8_t closed; /* enum qpw_closing */
    uint64_t state_unix_ns;
    char who[96];
    char reason[128];
    char exe[192];
};

/* One write. All borrowed. */
struct qpw_history_input {
    const struct qpw_snapshot *s; /* meters, rules, peers, ifaces, coverage, meta, host and times of it */
    uint32_t instance;            /* of the kernel side; an epoch is known by its beginning, which an upgrade carries on */
    bool end;                     /* nothing is counted after this */
    const struct qpw_history_finding *findings;
    size_t n_findings;
    const struct qpw_history_talker *talkers;
    size_t n_talkers;
    uint64_t talkers_until_unix_ns; /* connections that began later are not among those counted; 0: not known */
    const struct qpw_history_listener *listeners;
    size_t n_listeners;
    const struct qpw_history_program *programs;
    size_t n_programs;
    const char *policy_text;      /* NULL: as before */
    const char *policy_by;
    uint64_t policy_unix_ns;      /* when it was loaded */
};

enum qpw_history_state {
    QPW_HISTORY_WRITTEN = 0,
    QPW_HISTORY_STOPPED, /* it cannot be written just now; the next write has all that this one lacks */
};

/* What came of a write. */
struct qpw_history_result {
    enum qpw_history_state state;
    char why[256];    /* STOPPED */
    char set_aside[256]; /* where a damaged file was moved, if one was; else empty */
    bool removed;     /* the file that was written had been removed: another is begun */
};

struct qpw_history;

struct qpw_history_options {
    const char *path;
    uint64_t most_bytes; /* 0: QPW_HISTORY_BYTES */
    uint32_t talkers;    /* 0: QPW_HISTORY_TALKERS */
    bool standard;       /* the path is the program's own: whatever stands there and is no history is set aside */
};

/*
 * A store to write to. Nothing is opened yet, so it does not fail but for memory: NULL. A file that cannot be opened is
 * tried again with each write. Strings are copied.
 */
struct qpw_history *qpw_history_new(const struct qpw_history_options *options);
void qpw_history_free(struct qpw_history *h);

/*
 * Writes what is new since the last write, whoever made it, in one transaction; older slots are summed up meanwhile, and
 * what is too much is taken out. A damaged file is set aside and a new one begun.
 */
void qpw_history_write(struct qpw_history *h, const struct qpw_history_input *in, struct qpw_history_result *ret);

/* Where the history is: $STATE_DIRECTORY/history.db, as systemd sets it, else in QPW_HISTORY_FOLDER. "": nowhere. */
const char *qpw_history_path(char *buf, size_t size);

#endif
