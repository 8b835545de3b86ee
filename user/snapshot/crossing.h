/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* crossing.h - attempts of two hosts at each other, to different ports: each may be what answers the other. Pure. */
#ifndef QPW_SNAPSHOT_CROSSING_H
#define QPW_SNAPSHOT_CROSSING_H

#include "snapshot/snapshot.h"

/*
 * Fills in `crossed` of every row whose datagrams were not answered on their own tuple, while the other of the two hosts
 * tried another port of the first within within_ns (of the programs' clock). What it answers to is then not known, only
 * that both spoke. TCP is left out: its attempts carry no payload. 0 or -ENOMEM.
 */
int qpw_findings_cross(struct qpw_finding_row *rows, size_t n, uint64_t within_ns);

#endif
