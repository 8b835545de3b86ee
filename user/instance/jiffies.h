/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * jiffies.h - the programs' clock: jiffies, because reading ktime costs more than all else for a packet of a known
 * connection.
 */
#ifndef QPW_INSTANCE_JIFFIES_H
#define QPW_INSTANCE_JIFFIES_H

#include "qportwatch.h"
#include "util/error.h"

/*
 * Set tick_ns, jiffies_base and base_ns of *config from the coarse clocks' resolution and a few ticks read beside
 * CLOCK_MONOTONIC, of which the programs' clock is never ahead. Takes two ticks on a quiet machine, up to five on a busy
 * one. Returns 0, or a negative errno with err filled.
 */
int qpw_jiffies_calibrate(struct qpw_config *config, struct qpw_error *err);

#endif
