/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collect.h - takes one picture of everything that a kernel side has counted. */
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
     * Counters and findings only, for a picture every second: how full the tables of connections
     * are, memory, unwatched interfaces and notes stay empty.
     */
    bool brief;
    enum qpw_lock_state lock;        /* as control/watched.h finds it, or the auditor itself knows */
    struct qpw_pid auditor;          /* who holds it */
    bool ports; /* fill port_seen, from the live connections; not with `brief` */
    const struct qpw_netlink *links; /* of the kernel side's namespace; NULL: read for this one picture */
    const char *sysfs;               /* NULL: "/sys"; for tests */
    const char *procfs;              /* NULL: "/proc" */
};

/*
 * Fills *ret from the maps; the caller clears it. Every packet counted in a row that existed when
 * reading began is in exactly one meter row: those counted under a finding are added to the meter
 * that the finding names. A key in more than one table of findings becomes one row. Rows come in no
 * particular order, coverage oldest first. options may be NULL. From a kernel side in replay, nothing of
 * the host is read, and times are the capture's. 0, or a negative errno with err filled.
 */
int qpw_collect(const struct qpw_kernel *k, const struct qpw_collect_options *options, struct qpw_snapshot *ret,
                struct qpw_error *err);

#endif
