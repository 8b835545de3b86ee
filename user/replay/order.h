/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* order.h - sort rotated captures by the time they were taken, whatever their names. */
#ifndef QPW_REPLAY_ORDER_H
#define QPW_REPLAY_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Sort the paths by their first time stamp (a shell lists "file10" before "file2"). Files without a frame stay at the
 * end in their order; if standard input or a pipe is among them, nothing is moved. *ret_changed: whether the order
 * changed; *ret_first_ns: the earliest time stamp, 0 if unknown. Returns 0, or the errno of the first file that cannot
 * be opened (see capture.h), with err filled.
 */
int qpw_order_captures(char **paths, size_t n, bool *ret_changed, uint64_t *ret_first_ns, struct qpw_error *err);

#endif
