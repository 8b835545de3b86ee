/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* idmap.h - a hash table from a 64-bit number (not 0) to an index. A zeroed map is valid and empty. */
#ifndef QPW_UTIL_IDMAP_H
#define QPW_UTIL_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qpw_idmap {
    uint64_t *keys;
    uint32_t *values;
    size_t size; /* power of two */
    size_t used;
};

bool qpw_idmap_get(const struct qpw_idmap *map, uint64_t key, uint32_t *ret);

/* Add or replace. Return 0 or -ENOMEM. */
int qpw_idmap_set(struct qpw_idmap *map, uint64_t key, uint32_t value);

void qpw_idmap_clear(struct qpw_idmap *map);

#endif
