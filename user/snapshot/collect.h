/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collect.h - take a snapshot of everything that an instance has counted. */
#ifndef QPW_KERNEL_COLLECT_H
#define QPW_KERNEL_COLLECT_H

#include <stdbool.h>

#include "host/netlink.h"
#include "host/pid_namespace.h"
#include "instance/object.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

struct qpw_collect_options {
    /*
     * Read counters and findings only, for a snapshot every second: the fill level of connection tables, memory,
     * unmonitored interfaces and notes stay empty.
     */
    bool brief;
    enum qpw_lock_state lock;        /* as found by control/watched.h, or known to the auditor itself */
    struct qpw_pid auditor;          /* the holder of the lock */
    bool ports; /* fill port_seen from the live connections; not possible with `brief` */
    const struct qpw_netlink *links; /* of the instance's namespace; NULL: read for this snapshot only */
    const char *sysfs;               /* NULL: "/sys"; for tests */
    const char *procfs;              /* NULL: "/proc" */
};

/*
 * Fill *ret from the maps. Every packet counted in a row that existed when reading began is in exactly one meter row:
 * packets counted under a finding are added to the meter that the finding names. A key in more than one table of
 * findings becomes one row. Rows are unordered, coverage is oldest first. options may be NULL. For a replay instance,
 * nothing is read from the host, and times are the capture's. Return 0, or a negative errno with err filled. The caller
 * clears *ret.
 */
int qpw_collect(const struct qpw_kernel *k, const struct qpw_collect_options *options, struct qpw_snapshot *ret,
                struct qpw_error *err);

/*
 * Read only the coverage records, oldest first. Return 0, or a negative errno and leave *ret untouched. The caller
 * frees *ret.
 */
int qpw_collect_coverage(const struct qpw_kernel *k, struct qpw_coverage **ret, size_t *ret_n);

#endif
