/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/watched.h"

#include "control/elsewhere.h"
#include "control/lock.h"

int qpw_collect_watched(const struct qpw_kernel *k, const struct qpw_collect_options *options,
                        struct qpw_snapshot *ret, struct qpw_error *err)
{
    struct qpw_collect_options asked = options ? *options : (struct qpw_collect_options){0};
    struct qpw_meta meta;
    struct qpw_pid pid;
    int held = qpw_lock_held(&pid);

    /*
     * The lock's holder need not be the auditor: one that is still starting holds it, and so does a command acting
     * alone.
     */
    if (held == 1 && pid.own && k->control && (pid_t)k->control->auditor_pid != pid.own) {
        pid = (struct qpw_pid){0};
        held = 0;
    }
    asked.lock = held < 0 ? QPW_LOCK_UNKNOWN : held ? QPW_LOCK_HELD : QPW_LOCK_FREE;
    asked.auditor = pid;
    if (!held && qpw_meta_read(k, &meta, NULL) == 0 && qpw_lock_is_elsewhere(k, &meta)) {
        asked.lock = QPW_LOCK_UNKNOWN;
        asked.auditor = qpw_pid_of((pid_t)k->control->auditor_pid, meta.pid_namespace);
    }
    return qpw_collect(k, &asked, ret, err);
}
