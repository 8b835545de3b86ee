/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * frame.h - the content of one write, on its way from the auditor to the writer process.
 *
 * A memfd with chunks {type, bytes} of arrays of the structs of history.h and snapshot.h as they are in memory: both
 * ends are the same program. Chunks of one type may be repeated, so that rows can be added one by one.
 */
#ifndef QPW_HISTORY_FRAME_H
#define QPW_HISTORY_FRAME_H

#include "history/history.h"

#define QPW_FRAME_BYTES 16384u

enum qpw_frame_type {
    QPW_FRAME_SNAPSHOT = 0, /* the struct; of its pointers, those listed below are restored, the others are NULL */
    QPW_FRAME_IFACES,
    QPW_FRAME_METERS,
    QPW_FRAME_RULES,
    QPW_FRAME_PEERS,
    QPW_FRAME_COVERAGE,
    QPW_FRAME_FINDINGS,
    QPW_FRAME_TALKERS,
    QPW_FRAME_LISTENERS,
    QPW_FRAME_PROGRAMS,
    QPW_FRAME_POLICY, /* text */
    QPW_FRAME_BY,     /* text */
    QPW_FRAME_END,    /* struct qpw_frame_end, must be last */
    QPW_FRAME_TYPES
};

struct qpw_frame_end {
    uint32_t instance;
    uint32_t end;
    uint64_t policy_unix_ns;
    uint64_t talkers_until_unix_ns;
};

/* A frame being written. A zeroed one with its descriptor set is valid. */
struct qpw_history_frame {
    int fd;
    int error; /* the first one, a negative errno; later writes are ignored */
    uint32_t type;
    size_t used;
    unsigned char bytes[QPW_FRAME_BYTES];
};

void qpw_frame_put(struct qpw_history_frame *f, enum qpw_frame_type type, const void *bytes, size_t size);

/* Write the snapshot and its arrays (ifaces, meters, rules, peers, coverage). */
void qpw_frame_put_snapshot(struct qpw_history_frame *f, const struct qpw_snapshot *s);

/* Finish the frame. 0 or the first error. */
int qpw_frame_finish(struct qpw_history_frame *f, const struct qpw_frame_end *end);

/* A frame that was read: owns what `input` points to. Talkers are sorted by key and remote end, without duplicates. */
struct qpw_frame_read {
    void *arrays[QPW_FRAME_TYPES];
    struct qpw_snapshot snapshot;
    struct qpw_history_input input;
};

/* Read a frame. 0; -EBADMSG: it is incomplete; or another negative errno. The caller clears *ret in any case. */
int qpw_frame_read(int fd, struct qpw_frame_read *ret);
void qpw_frame_clear(struct qpw_frame_read *f);

#endif
