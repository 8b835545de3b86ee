/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* array.h - arrays that grow one element at a time. */
#ifndef QPW_UTIL_ARRAY_H
#define QPW_UTIL_ARRAY_H

#include <stddef.h>

/*
 * Makes room for one more behind the n elements of `array`, a pointer to elements that is NULL in the beginning, and
 * returns the new element, zeroed; NULL: no memory, and all is as it was. The caller counts it. The room is the power of
 * two from n on, so nobody else may allocate such an array; taking elements off its end is free.
 */
#define QPW_ADD(array, n) ((__typeof__(array))qpw_array_add(&(array), (n), sizeof(*(array))))

void *qpw_array_add(void *array, size_t n, size_t size);

#endif
