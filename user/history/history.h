/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * history.h - counts kept in an SQLite file beyond the life of the counters.
 *
 *   snapshot -> deltas -> store          write.c, once a minute, by a child process of the auditor (writer.h)
 *   store -> snapshot -> facts -> face   read.c and sum.c, by commands, while that process keeps writing
 *
 * Deltas are relative to the counters as of the last transaction, which are stored in the same transaction (`counted`). So
 * the sum over the history equals the counters whenever a writer is killed: the next one continues from there. A counter
 * may fall for a moment (a packet moves from a meter to its finding), so a delta may be negative.
 *
 * Times are Unix seconds, except in columns that end in _ns. Slots last five minutes, hours or days: the older, the longer.
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
#define QPW_HISTORY_USERS 32u                           /* kept per rule and day */
#define QPW_HISTORY_BYTES (256ull << 20)

/* A remote end and its live connections: `connections` more since the last frame. */
struct qpw_history_talker {
    struct qpw_meter_key key; /* reason 0 */
    uint8_t remote[16];
    uint64_t first_unix_ns;
    uint64_t last_unix_ns;
    uint32_t connections;
    uint8_t outcome;
    uint8_t pad[3];
    char process[16]; /* at the node's end; empty: unknown */
};

struct qpw_history_listener {
    uint16_t port;
    uint8_t protocol;
    uint8_t pad;
    char program[252];
    uint64_t first_unix_ns;
};

/* A program that owned the node's end of an answered exchange (struct qpw_first_seen). */
struct qpw_history_program {
    char path[256];
    uint64_t first_unix_ns;
};

/* A finding, with its state of facts/life.h. Pointers of the row are not followed. */
struct qpw_history_finding {
    struct qpw_finding_row row;
    uint8_t state;  /* enum qpw_life_state */
    uint8_t closed; /* enum qpw_closing */
    uint64_t state_unix_ns;
    char who[96];
    char reason[128];
    char exe[192];
};

/* The content of one write. Everything is borrowed. */
struct qpw_history_input {
    const struct qpw_snapshot *s; /* its meters, rules, peers, ifaces, coverage, meta, host and times */
    uint32_t instance;            /* of the kernel side; an upgrade keeps an epoch's beginning, which identifies it */
    bool end;                     /* nothing is counted after this */
    const struct qpw_history_finding *findings;
    size_t n_findings;
    const struct qpw_history_talker *talkers;
    size_t n_talkers;
    uint64_t talkers_until_unix_ns; /* connections that began later are not counted yet; 0: unknown */
    const struct qpw_history_listener *listeners;
    size_t n_listeners;
    const struct qpw_history_program *programs;
    size_t n_programs;
    const char *policy_text;      /* NULL: unchanged */
    const char *policy_by;
    uint64_t policy_unix_ns;      /* when the policy was loaded */
};

enum qpw_history_state {
    QPW_HISTORY_WRITTEN = 0,
    QPW_HISTORY_STOPPED, /* cannot be written now; the next write includes everything missing here */
};

/* The result of a write. */
struct qpw_history_result {
    enum qpw_history_state state;
    char why[256];    /* reason for STOPPED */
    char set_aside[256]; /* new name of a damaged file that was moved; else empty */
    bool removed;     /* the file had been removed, and a new one was begun */
};

struct qpw_history;

struct qpw_history_options {
    const char *path;
    uint64_t most_bytes; /* 0: QPW_HISTORY_BYTES */
    uint32_t talkers;    /* 0: QPW_HISTORY_TALKERS */
    bool standard;       /* the program's own path: any file there that is no history is moved aside */
};

/*
 * Create a store to write to. Nothing is opened yet, so only memory can fail: NULL. A file that cannot be opened is
 * tried again with each write. Strings are copied.
 */
struct qpw_history *qpw_history_new(const struct qpw_history_options *options);
void qpw_history_free(struct qpw_history *h);

/*
 * Write the changes since the last write of any writer, in one transaction; also combine older slots and remove what
 * exceeds the limits. A damaged file is moved aside and a new one begun.
 */
void qpw_history_write(struct qpw_history *h, const struct qpw_history_input *in, struct qpw_history_result *ret);

/*
 * Write the path of the history: $STATE_DIRECTORY/history.db (set by systemd), else in QPW_HISTORY_FOLDER. Returns buf,
 * or "" if there is none.
 */
const char *qpw_history_path(char *buf, size_t size);

#endif
