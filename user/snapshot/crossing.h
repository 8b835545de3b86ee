/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* crossing.h - find two hosts that send to different ports of each other: each may be answering the other. Pure. */
#ifndef QPW_SNAPSHOT_CROSSING_H
#define QPW_SNAPSHOT_CROSSING_H

#include "snapshot/snapshot.h"

/*
 * Fill in `crossed` of every row whose datagrams got no answer on their own tuple, while the other host sent to another
 * port of the first within within_ns (of the programs' clock). It is then unknown which packet answers which, only that
 * both sent. TCP is excluded: its unanswered attempts carry no payload. Return 0 or -ENOMEM.
 */
int qpw_findings_cross(struct qpw_finding_row *rows, size_t n, uint64_t within_ns);

#endif
