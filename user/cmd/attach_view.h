/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* attach_view.h - the live view and the auditor in one process and one loop. */
#ifndef QPW_CMD_ATTACH_VIEW_H
#define QPW_CMD_ATTACH_VIEW_H

#include "auditor/auditor.h"
#include "view/view.h"

/* What qpw_attach_view() returns where the terminal has hung up: the auditor goes on without it. */
#define QPW_ATTACH_VIEW_GONE 1

/*
 * Works until the auditor is told to stop or the person quits. *view is set while the view has the
 * terminal, NULL before and after. keep: what a quit leaves, for the question asked. 0; QPW_ATTACH_VIEW_GONE; or a
 * negative errno with err filled: -ENOTTY before anything was done, where the terminal cannot show a screen.
 */
int qpw_attach_view(struct qpw_auditor *auditor, bool keep, struct qpw_view **view, struct qpw_error *err);

#endif
