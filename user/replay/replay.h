/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * replay.h - captures through the BPF programs, frame by frame, on the captures' own clock.
 *
 * A loaded kernel side (qpw_load_options.replay) with a policy in force is the caller's; so is what is
 * read out of its maps afterwards. Each record of the captures is one packet.
 */
#ifndef QPW_REPLAY_REPLAY_H
#define QPW_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"
#include "replay/connections.h"
#include "replay/ends.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

/* A test run's frames are on the loopback device of the namespace, here by the number of the first interface. */
#define QPW_REPLAY_IFINDEX 1u
#define QPW_REPLAY_INTERFACE 1u
#define QPW_REPLAY_MTU 1500u /* unless said otherwise */

struct qpw_replay_options {
    bool mode_tc;          /* rx frames through the program of TC ingress instead of XDP */
    bool dedup;            /* copies of a frame are left out */
    const char *interface; /* only frames of that interface (pcapng: name or number, cooked v2: index); NULL: all */
    uint32_t mtu;          /* records with more than this above the Ethernet header are counted; 0: QPW_REPLAY_MTU */
    qpw_ended_fn ended;    /* called for each connection when it has ended; may be NULL */
    void *ended_data;
    /* Called every few ten thousand frames, for a progress line; may be NULL. size 0: not known. */
    void (*progress)(const char *path, uint64_t position, uint64_t size, uint64_t frames, void *data);
    void *progress_data;
};

struct qpw_replay_totals {
    uint64_t frames;           /* handed to the programs */
    uint64_t bytes;            /* original lengths of these records */
    uint64_t copies;           /* frames that are copies of an earlier one (left out with dedup) */
    uint64_t left_out;         /* of other interfaces */
    uint64_t unsupported;      /* of link types that cannot be replayed */
    char unsupported_type[48]; /* the first of them: "239 (NFLOG)" */
    uint64_t larger_than_mtu;
    uint64_t cut;              /* cut short by the capture's snap length */
    uint64_t first_ns;         /* earliest and latest time stamp, Unix time */
    uint64_t last_ns;
    uint64_t ended_early;      /* connections ended before their time to make room in a table */
    uint64_t evicted;          /* connections pushed out of full tables: not among the ended ones */
    size_t talkers;            /* addresses within the --local prefixes that sent something */
    bool copies_suspicious;    /* so many copies that the capture was taken in several places at once */
    bool incomplete;           /* some capture could not be read to its end */
};

struct qpw_replay;

/*
 * Tells the kernel side the local addresses and the one interface that all frames are seen on. `ends`
 * is copied. *ret is owned by the caller.
 */
int qpw_replay_open(struct qpw_kernel *k, const struct qpw_ends *ends, const struct qpw_replay_options *options,
                    struct qpw_replay **ret, struct qpw_error *err);

/*
 * Replays one file; several in the order of their time stamps. 0; -EIO: damaged, what came before the
 * damage was replayed and totals.incomplete is set; -ENOTSUP: none of its records can be replayed; as qpw_capture_open() where it cannot be opened; or
 * another negative errno that ends the replay.
 */
int qpw_replay_file(struct qpw_replay *r, const char *path, struct qpw_error *err);

/* After the last file: every connection still in the tables ends. Meters and findings are not changed. */
int qpw_replay_finish(struct qpw_replay *r, struct qpw_error *err);

const struct qpw_replay_totals *qpw_replay_totals(const struct qpw_replay *r);

/* Moves what is known of each capture, and of the local addresses, into the snapshot. 0 or -ENOMEM. */
int qpw_replay_describe(struct qpw_replay *r, struct qpw_snapshot *s);

/* NULL does nothing. */
void qpw_replay_close(struct qpw_replay *r);

#endif
