/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/array.h"

#include <stdlib.h>
#include <string.h>

void *qpw_array_add(void *array, size_t n, size_t size)
{
    char *elements;

    memcpy(&elements, array, sizeof(elements)); /* `array` points to a pointer of any type */
    if (!(n & (n - 1))) { /* the room, a power of two, is used up */
        elements = reallocarray(elements, n ? 2 * n : 1, size);
        if (!elements)
            return NULL;
        memcpy(array, &elements, sizeof(elements));
    }
    return memset(elements + n * size, 0, size);
}

size_t qpw_run_end(const void *array, size_t n, size_t size, size_t first, int (*compare)(const void *, const void *))
{
    const char *elements = array;
    size_t end = first + 1;

    while (end < n && compare(elements + (end - 1) * size, elements + end * size) == 0)
        end++;
    return end;
}
