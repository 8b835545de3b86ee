/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* watched.h - a snapshot including the auditor's state, for commands outside the auditor. */
#ifndef QPW_CONTROL_WATCHED_H
#define QPW_CONTROL_WATCHED_H

#include "snapshot/collect.h"

/* As qpw_collect(), but determine lock and auditor of the options here; options may be NULL. */
int qpw_collect_watched(const struct qpw_kernel *k, const struct qpw_collect_options *options,
                        struct qpw_snapshot *ret, struct qpw_error *err);

#endif
