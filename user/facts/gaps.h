/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gaps.h - periods in which an interface's packets were not seen, or were counted without an auditor to judge and
 * report them.
 */
#ifndef QPW_FACTS_GAPS_H
#define QPW_FACTS_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

struct qpw_gap {
    uint64_t from_unix_ns;
    uint64_t to_unix_ns;
    uint16_t iface;   /* 0: all */
    uint16_t kind;    /* enum qpw_coverage_kind of its start; AUDITOR_GAP: no auditor, but the kernel kept counting */
    bool open;        /* not over yet */
};

/*
 * List the gaps, oldest first, omitting those that ended before since_unix_ns. Return 0 or -ENOMEM; the caller frees
 * *ret.
 */
int qpw_gaps_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_gap **ret, size_t *ret_n);

#endif
