/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* coverage.h - writes down what happened to the coverage, beside the counters and living as long as they. */
#ifndef QPW_INSTANCE_COVERAGE_H
#define QPW_INSTANCE_COVERAGE_H

#include <stdint.h>

#include "instance/object.h"

/* The place for the next record. */
struct qpw_coverage_log {
    int map_fd;
    uint32_t next;  /* sequence */
    const char *by; /* who does what is recorded from now on, as long as the log; NULL or empty: nobody */
};

struct qpw_coverage_time {
    uint64_t unix_ns;
    uint64_t since_unix_ns; /* of what lasted until then; 0: it did not last */
};

/* Finds the end of the ring; `by` stays as it is. 0 or a negative errno with err filled. */
int qpw_coverage_open(const struct qpw_kernel *k, struct qpw_coverage_log *ret, struct qpw_error *err);

/* Adds a record with the time now; the oldest goes when the ring is full. 0 or a negative errno. */
int qpw_coverage_add(struct qpw_coverage_log *log, enum qpw_coverage_kind kind, uint16_t iface, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same of another time than now. */
int qpw_coverage_add_at(struct qpw_coverage_log *log, const struct qpw_coverage_time *time, enum qpw_coverage_kind kind,
                        uint16_t iface, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
