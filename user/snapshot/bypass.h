/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bypass.h - traffic of this machine that bypasses the hooks: RDMA, AF_XDP, AF_PACKET. */
#ifndef QPW_SNAPSHOT_BYPASS_H
#define QPW_SNAPSHOT_BYPASS_H

#include "snapshot/snapshot.h"

/* Add a note for each of them. sysfs, procfs: the mount points. Return 0 or -ENOMEM. */
int qpw_bypass_read(struct qpw_snapshot *s, const char *sysfs, const char *procfs);

#endif
