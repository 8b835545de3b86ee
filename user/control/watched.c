/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/watched.h"

#include "control/control.h"

int qpw_collect_watched(const struct qpw_kernel *k, const struct qpw_collect_options *options,
                        struct qpw_snapshot *ret, struct qpw_error *err)
{
    struct qpw_collect_options asked = options ? *options : (struct qpw_collect_options){0};
    pid_t pid;
    int held = qpw_control_held(&pid);

    asked.lock = held < 0 ? QPW_LOCK_UNKNOWN : held ? QPW_LOCK_HELD : QPW_LOCK_FREE;
    asked.auditor_pid = pid;
    return qpw_collect(k, &asked, ret, err);
}
