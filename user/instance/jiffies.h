/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* jiffies.h - the programs' clock: jiffies, since a call of ktime costs more than a whole known packet. */
#ifndef QPW_INSTANCE_JIFFIES_H
#define QPW_INSTANCE_JIFFIES_H

#include "qportwatch.h"
#include "util/error.h"

/*
 * Sets tick_ns, jiffies_base and base_ns of *config from the resolution of the coarse clocks and a few ticks
 * read beside CLOCK_MONOTONIC. Takes two ticks on a quiet machine, up to five on a busy one.
 * 0, or a negative errno.
 */
int qpw_jiffies_calibrate(struct qpw_config *config, struct qpw_error *err);

#endif
