/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/array.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Return *array, a pointer to elements of any type. */
static char *elements_of(const void *array)
{
    char *elements;

    memcpy(&elements, array, sizeof(elements));
    return elements;
}

/* Give the array room for n elements and return them; NULL: out of memory. */
static char *resize(void *array, size_t n, size_t size)
{
    char *elements = reallocarray(elements_of(array), n, size);

    if (elements)
        memcpy(array, &elements, sizeof(elements));
    return elements;
}

void *qpw_array_add(void *array, size_t n, size_t size)
{
    bool used_up = !(n & (n - 1)); /* the room is a power of two */
    char *elements = used_up ? resize(array, n ? 2 * n : 1, size) : elements_of(array);

    return elements ? memset(elements + n * size, 0, size) : NULL;
}

void *qpw_array_extend(void *array, size_t n, size_t more, size_t size)
{
    char *elements = resize(array, n + more ? n + more : 1, size);

    return elements ? memset(elements + n * size, 0, more * size) : NULL;
}

size_t qpw_run_end(const void *array, size_t n, size_t size, size_t first, int (*compare)(const void *, const void *))
{
    const char *elements = array;
    size_t end = first + 1;

    while (end < n && compare(elements + (end - 1) * size, elements + end * size) == 0)
        end++;
    return end;
}
