/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* attach_view.h - the live view and the auditor in one process and one loop. */
#ifndef QPW_CMD_ATTACH_VIEW_H
#define QPW_CMD_ATTACH_VIEW_H

#include "auditor/auditor.h"
#include "view/view.h"

/* Returned by qpw_attach_view() if the terminal has hung up; the auditor continues without it. */
#define QPW_ATTACH_VIEW_GONE 1

/*
 * Run until the auditor is asked to stop or the user quits. *view is set while the view has the terminal, NULL before
 * and after. keep: what remains attached after quitting, for the question. Returns 0, QPW_ATTACH_VIEW_GONE, or a
 * negative errno with err filled; -ENOTTY, before anything is done, if the terminal cannot show a screen.
 */
int qpw_attach_view(struct qpw_auditor *auditor, bool keep, struct qpw_view **view, struct qpw_error *err);

#endif
