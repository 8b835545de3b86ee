/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/kept.h"

const struct qpw_coverage *qpw_history_stopped(const struct qpw_snapshot *s)
{
    for (size_t i = s->n_coverage; i > 0; i--)
        switch (s->coverage[i - 1].kind) {
        case QPW_COVERAGE_HISTORY_STOPPED: return &s->coverage[i - 1];
        case QPW_COVERAGE_HISTORY_RESUMED:
        case QPW_COVERAGE_AUDITOR_STARTED: return NULL; /* a new auditor tries again */
        default: break;
        }
    return NULL;
}
