/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * order.h - rotated captures in the order in which they were taken, whatever their names.
 */
#ifndef QPW_REPLAY_ORDER_H
#define QPW_REPLAY_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Sorts the paths by their first time stamp ("file10" comes before "file2" in a shell's list). Files
 * without a frame keep their places at the end; with standard input or a pipe among them nothing is moved.
 * *ret_changed: whether the order was another; *ret_first_ns: the earliest stamp, 0: not known.
 * 0, or the errno of opening the first that cannot be opened (see capture.h), with err.
 */
int qpw_order_captures(char **paths, size_t n, bool *ret_changed, uint64_t *ret_first_ns, struct qpw_error *err);

#endif
