/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* watched.h - a snapshot that also knows whether an auditor lives, for commands other than the auditor's own. */
#ifndef QPW_CONTROL_WATCHED_H
#define QPW_CONTROL_WATCHED_H

#include "snapshot/collect.h"

/* As qpw_collect(), with lock and auditor of the options found here; options may be NULL. */
int qpw_collect_watched(const struct qpw_kernel *k, const struct qpw_collect_options *options,
                        struct qpw_snapshot *ret, struct qpw_error *err);

#endif
