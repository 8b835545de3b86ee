/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding_process.h - the process behind a finding, according to the current sockets. */
#ifndef QPW_CMD_FINDING_PROCESS_H
#define QPW_CMD_FINDING_PROCESS_H

#include "snapshot/snapshot.h"

struct qpw_process;

/*
 * Find the owner; `sockets`: struct qpw_sockets *. True if a process or the kernel is known to hold it; then *ret is
 * filled.
 */
bool qpw_finding_owner(void *sockets, const struct qpw_finding_row *finding, struct qpw_process *ret);

/* Return "nginx[812]", "kernel", or "" if unknown; valid until the next call. */
const char *qpw_finding_process(void *sockets, const struct qpw_finding_row *finding);

#endif
