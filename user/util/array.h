/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* array.h - arrays that grow one element at a time. */
#ifndef QPW_UTIL_ARRAY_H
#define QPW_UTIL_ARRAY_H

#include <stddef.h>

/*
 * Make room for another element after the n of `array` (a pointer, initially NULL) and return it, zeroed; NULL: out of
 * memory, nothing changed. The caller increments n. The room is always the next power of two, so the array must not be
 * allocated otherwise; removing elements from its end is free.
 */
#define QPW_ADD(array, n) ((__typeof__(array))qpw_array_add(&(array), (n), sizeof(*(array))))

void *qpw_array_add(void *array, size_t n, size_t size);

/*
 * Make room for exactly `more` elements after the n of an array that was allocated to its size, and return the first of
 * them, zeroed; NULL: out of memory, nothing changed. The caller adds to n. For elements that come one by one, use
 * QPW_ADD() from the first one on.
 */
#define QPW_EXTEND(array, n, more) ((__typeof__(array))qpw_array_extend(&(array), (n), (more), sizeof(*(array))))

void *qpw_array_extend(void *array, size_t n, size_t more, size_t size);

/*
 * Return the index behind the run that begins at `first` of a sorted array of n elements: the run continues while
 * `compare`, as of qsort(), returns 0 for two neighbours. For a loop over all runs:
 *
 *     for (size_t first = 0, end; first < n; first = end) {
 *         end = QPW_RUN_END(rows, n, first, by_name);
 */
#define QPW_RUN_END(array, n, first, compare) qpw_run_end((array), (n), sizeof(*(array)), (first), (compare))

size_t qpw_run_end(const void *array, size_t n, size_t size, size_t first, int (*compare)(const void *, const void *));

#endif
