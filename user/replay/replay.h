/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * replay.h - run captures through the BPF programs, frame by frame, on the captures' own clock.
 *
 * The caller owns the loaded instance (qpw_load_options.replay), with a policy in force, and reads the results from its
 * maps. Each record of the captures is one packet.
 *
 * Three threads: one reads and hashes ahead (ahead.h), the caller's takes frames apart, one runs the programs
 * (batches.h). No table is read before all frames so far have run.
 */
#ifndef QPW_REPLAY_REPLAY_H
#define QPW_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"
#include "replay/connections.h"
#include "replay/ends.h"
#include "snapshot/snapshot.h"
#include "util/cleanup.h"
#include "util/error.h"

/* Test runs take place on the namespace's loopback device, which is interface number 1 here. */
#define QPW_REPLAY_IFINDEX 1u
#define QPW_REPLAY_INTERFACE 1u
#define QPW_REPLAY_MTU 1500u /* default */

struct qpw_replay_options {
    bool mode_tc;          /* run received frames through the TC ingress program instead of XDP */
    bool dedup;            /* skip copies of a frame */
    const char *interface; /* only frames of this interface (pcapng: name or number, cooked v2: index); NULL: all */
    uint32_t mtu;          /* records longer than this, without Ethernet header, are counted; 0: QPW_REPLAY_MTU */
    qpw_ended_fn ended;    /* called for each ended connection; may be NULL */
    void *ended_data;
    /* Called every few ten thousand frames, for a progress line; may be NULL. size 0: unknown. */
    void (*progress)(const char *path, uint64_t position, uint64_t size, uint64_t frames, void *data);
    void *progress_data;
};

struct qpw_replay_totals {
    uint64_t frames;           /* passed to the programs */
    uint64_t bytes;            /* original lengths of these frames */
    uint64_t copies;           /* frames that are copies of an earlier one (skipped with dedup) */
    uint64_t left_out;         /* of other interfaces */
    uint64_t unsupported;      /* of link types that cannot be replayed */
    char unsupported_type[48]; /* the first of them: "239 (NFLOG)" */
    uint64_t larger_than_mtu;
    uint64_t cut;              /* truncated by the capture's snap length */
    uint64_t first_ns;         /* earliest and latest time stamp, Unix time */
    uint64_t last_ns;
    uint64_t ended_early;      /* connections ended early to make room in a table */
    uint64_t evicted;          /* connections evicted from full tables; not among the ended ones */
    size_t talkers;            /* addresses within the --local prefixes that sent something */
    bool copies_suspicious;    /* so many copies that the capture must have been taken in several places at once */
    bool incomplete;           /* a capture could not be read to its end */
};

struct qpw_replay;

/*
 * Write the local addresses and the only interface to the instance. `ends` is copied. The caller owns *ret. Returns 0,
 * or a negative errno with err filled.
 */
int qpw_replay_open(struct qpw_kernel *k, const struct qpw_ends *ends, const struct qpw_replay_options *options,
                    struct qpw_replay **ret, struct qpw_error *err);

/*
 * Replay a file; pass several in the order of their time stamps. Returns 0; -EIO if it is damaged: everything before
 * the damage was replayed and totals.incomplete is set; -ENOTSUP if none of its records can be replayed; errors of
 * qpw_capture_open(); or another negative errno that ends the replay. err is filled.
 */
int qpw_replay_file(struct qpw_replay *r, const char *path, struct qpw_error *err);

/* End every connection still in the tables, after the last file. Meters and findings do not change. */
int qpw_replay_finish(struct qpw_replay *r, struct qpw_error *err);

const struct qpw_replay_totals *qpw_replay_totals(const struct qpw_replay *r);

/* Move the data on each capture and the local addresses into the snapshot. Returns 0 or -ENOMEM. */
int qpw_replay_describe(struct qpw_replay *r, struct qpw_snapshot *s);

/* r may be NULL */
void qpw_replay_close(struct qpw_replay *r);
QPW_CLEANUP_POINTER(struct qpw_replay, qpw_replay_close)

#endif
