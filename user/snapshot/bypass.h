/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bypass.h - what of this machine sends and receives around the hooks: RDMA, AF_XDP, AF_PACKET. */
#ifndef QPW_SNAPSHOT_BYPASS_H
#define QPW_SNAPSHOT_BYPASS_H

#include "snapshot/snapshot.h"

/* Adds a note for each of them. sysfs, procfs: where these are mounted. 0 or -ENOMEM. */
int qpw_bypass_read(struct qpw_snapshot *s, const char *sysfs, const char *procfs);

#endif
