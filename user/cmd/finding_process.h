/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding_process.h - which process is behind a finding, asked of the sockets that are there now. */
#ifndef QPW_CMD_FINDING_PROCESS_H
#define QPW_CMD_FINDING_PROCESS_H

#include "snapshot/snapshot.h"

struct qpw_process;

/* `sockets`: struct qpw_sockets *. Whether somebody is known to hold it: a process or the kernel; then *ret is filled. */
bool qpw_finding_owner(void *sockets, const struct qpw_finding_row *finding, struct qpw_process *ret);

/* "nginx[812]", "kernel", or "" where it is not known; valid until the next call. */
const char *qpw_finding_process(void *sockets, const struct qpw_finding_row *finding);

#endif
