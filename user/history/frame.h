/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * frame.h - what one write is made of, on its way from the auditor to the process that writes.
 *
 * A file in memory (memfd) of chunks {type, bytes} that hold arrays of the structs of history.h and snapshot.h as they
 * are: both ends are one program. Chunks of one type follow on each other, so that rows can be put as they come.
 */
#ifndef QPW_HISTORY_FRAME_H
#define QPW_HISTORY_FRAME_H

#include "history/history.h"

#define QPW_FRAME_BYTES 16384u

enum qpw_frame_type {
    QPW_FRAME_SNAPSHOT = 0, /* the struct; of its pointers those below are set, the others NULL */
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
    QPW_FRAME_END,    /* struct qpw_frame_end, last */
    QPW_FRAME_TYPES
};

struct qpw_frame_end {
    uint32_t instance;
    uint32_t end;
    uint64_t policy_unix_ns;
    uint64_t talkers_until_unix_ns;
};

/* One that is written. A zeroed one with its descriptor set is valid. */
struct qpw_frame {
    int fd;
    int error; /* the first one, a negative errno; what comes after it goes nowhere */
    uint32_t type;
    size_t used;
    unsigned char bytes[QPW_FRAME_BYTES];
};

void qpw_frame_put(struct qpw_frame *f, enum qpw_frame_type type, const void *bytes, size_t size);

/* The snapshot's own arrays (ifaces, meters, rules, peers, coverage). */
void qpw_frame_put_snapshot(struct qpw_frame *f, const struct qpw_snapshot *s);

/* Ends it. 0 or the first error. */
int qpw_frame_finish(struct qpw_frame *f, const struct qpw_frame_end *end);

/* One that was read: what `input` points into. Talkers are sorted by key and remote end, each once. */
struct qpw_frame_read {
    void *arrays[QPW_FRAME_TYPES];
    struct qpw_snapshot snapshot;
    struct qpw_history_input input;
};

/* 0; -EBADMSG: it is not whole; or another negative errno. The caller clears *ret in any case. */
int qpw_frame_read(int fd, struct qpw_frame_read *ret);
void qpw_frame_clear(struct qpw_frame_read *f);

#endif
