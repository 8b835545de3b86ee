/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* privileges.h - what the auditor keeps of root's powers once it is attached, and who keeps what it gives up. */
#ifndef QPW_AUDITOR_PRIVILEGES_H
#define QPW_AUDITOR_PRIVILEGES_H

#include <stdbool.h>

#include "util/error.h"

struct qpw_auditor;

/*
 * Start the two helpers, before anything is opened that they need not share: one reads /proc (host/proc_reader.h), one
 * looks up programs and maps by their ids (instance/objects.h). 0, or a negative errno with err filled.
 */
int qpw_privileges_prepare(struct qpw_error *err);

/*
 * Give up, for good, every capability but CAP_NET_ADMIN (hooks, netlink, the socket table), CAP_BPF and CAP_PERFMON
 * (programs and maps), whatever might be executed included. From now on the helpers are asked. 0; 1 with err
 * filled where CAP_SYS_ADMIN is kept for one of them that is not there; a negative errno with err filled where some other
 * right is left.
 */
int qpw_privileges_drop(struct qpw_error *err);

/*
 * From now on only the system calls that an audit takes (host/confine.h), and writing only where it writes: the folders of
 * alert log and history and those above them (they are made again where somebody removes them), /run, and /var/lib/qportwatch. With
 * a person at its live view, who mutes findings in the policy's files, writing is not limited. 0, or a negative errno with err
 * filled: what could not be given up.
 */
int qpw_privileges_confine(struct qpw_auditor *a, bool live_view, struct qpw_error *err);

/* Once a second: says what became of the helpers. */
void qpw_privileges_tick(struct qpw_auditor *a);

/* Ends the helpers, when nothing is to be detached any more. */
void qpw_privileges_end(void);

#endif
