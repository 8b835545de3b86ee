/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/elsewhere.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "control/lock.h"

#define LOOKS 60 /* three heartbeats */
#define LOOK_US 50000

bool qpw_lock_is_elsewhere(const struct qpw_kernel *k, const struct qpw_meta *meta)
{
    return k->control && k->control->auditor_pid && meta->lock_folder && meta->lock_folder != qpw_lock_folder_id();
}

int qpw_lock_check_elsewhere(const struct qpw_kernel *k, const struct qpw_meta *meta, struct qpw_error *err)
{
    char who[64], way[64] = "";
    struct qpw_pid pid;
    uint64_t beat;

    if (!qpw_lock_is_elsewhere(k, meta))
        return 0;
    beat = *(volatile __u64 *)&k->control->heartbeat_ns;
    for (int i = 0; i < LOOKS; i++) {
        usleep(LOOK_US);
        if (*(volatile __u64 *)&k->control->heartbeat_ns == beat)
            continue;
        pid = qpw_pid_of((pid_t)k->control->auditor_pid, meta->pid_namespace);
        if (pid.here)
            snprintf(way, sizeof(way), ", or end it with 'kill %d'", (int)pid.here);
        return qpw_fail(err, -EADDRINUSE, "an auditor is running (%s) that cannot be reached from here: its %s is another; run the "
                        "command where it was started%s", qpw_pid_text(pid, who, sizeof(who)), QPW_LOCK_FOLDER, way);
    }
    return 0;
}
