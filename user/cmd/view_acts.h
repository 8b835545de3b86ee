/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* view_acts.h - acknowledge and mute from the live view. */
#ifndef QPW_CMD_VIEW_ACTS_H
#define QPW_CMD_VIEW_ACTS_H

#include "cmd/acts.h"
#include "view/view.h"

/* The callback for qpw_view_options.act; its context is a struct qpw_act_asker. */
int qpw_view_act(void *context, const struct qpw_view_act *act, char *result, size_t size);

/* For a command beside the auditor: qpw_audit_ask(). */
extern const struct qpw_act_asker qpw_asker_of_commands;

#endif
