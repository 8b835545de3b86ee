/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* privileges.h - the privileges that the auditor keeps once attached, and the helpers that keep others. */
#ifndef QPW_AUDITOR_PRIVILEGES_H
#define QPW_AUDITOR_PRIVILEGES_H

#include <stdbool.h>

#include "util/error.h"

struct qpw_auditor;

/*
 * Start the two helpers, before anything is opened that they need not share: one reads /proc (host/proc_reader.h), one
 * looks up programs and maps by id (instance/objects.h). Return 0, or a negative errno with err filled.
 */
int qpw_privileges_prepare(struct qpw_error *err);

/*
 * Permanently drop every capability except CAP_NET_ADMIN (hooks, netlink, the socket table), CAP_BPF and CAP_PERFMON
 * (programs and maps), also across execve(2). From now on the helpers are used. Return 0; 1 with err filled if
 * CAP_SYS_ADMIN is kept in place of a missing helper; a negative errno with err filled if another capability remains.
 */
int qpw_privileges_drop(struct qpw_error *err);

/*
 * Permit only the system calls of an audit (host/confine.h), and writing only to: the directories of the alert log and
 * the history and their parents (which are recreated when removed), /run, and /var/lib/qportwatch. With a live view, in
 * which a person can mute findings in the policy's files, writing is unrestricted. Return 0, or a negative errno with
 * err filled: what could not be given up.
 */
int qpw_privileges_confine(struct qpw_auditor *a, bool live_view, struct qpw_error *err);

/* Once a second: report helpers that have ended. */
void qpw_privileges_tick(struct qpw_auditor *a);

/* End the helpers, once nothing is left to detach. */
void qpw_privileges_end(void);

#endif
