/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* coverage.h - write the coverage records: they stand beside the counters and live as long as these do. */
#ifndef QPW_INSTANCE_COVERAGE_H
#define QPW_INSTANCE_COVERAGE_H

#include <stdint.h>

#include "instance/object.h"

/* The position of the next record. */
struct qpw_coverage_log {
    int map_fd;
    uint32_t next;  /* the next sequence number */
    const char *by; /* author of the records from now on; must outlive the log; NULL or empty: none */
};

struct qpw_coverage_time {
    uint64_t unix_ns;
    uint64_t since_unix_ns; /* start of what ended then; 0: it had no duration */
};

/* Find the end of the ring; keeps `by`. Returns 0, or a negative errno with err filled. */
int qpw_coverage_open(const struct qpw_kernel *k, struct qpw_coverage_log *ret, struct qpw_error *err);

/* Add a record of this moment; a full ring drops its oldest. Returns 0 or a negative errno. */
int qpw_coverage_add(struct qpw_coverage_log *log, enum qpw_coverage_kind kind, uint16_t iface, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a given time. */
int qpw_coverage_add_at(struct qpw_coverage_log *log, const struct qpw_coverage_time *time, enum qpw_coverage_kind kind,
                        uint16_t iface, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
