/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct qpw_idmap *map, uint64_t key)
{
    size_t at = (key * 0x9e3779b97f4a7c15ull) >> 20 & (map->size - 1);

    while (map->keys[at] && map->keys[at] != key)
        at = (at + 1) & (map->size - 1);
    return at;
}

bool qpw_idmap_get(const struct qpw_idmap *map, uint64_t key, uint32_t *ret)
{
    size_t at;

    if (!map->size)
        return false;
    at = slot_of(map, key);
    if (!map->keys[at])
        return false;
    *ret = map->values[at];
    return true;
}

static int grow(struct qpw_idmap *map)
{
    struct qpw_idmap bigger = {.size = map->size ? 2 * map->size : 256};

    bigger.keys = calloc(bigger.size, sizeof(*bigger.keys));
    bigger.values = calloc(bigger.size, sizeof(*bigger.values));
    if (!bigger.keys || !bigger.values) {
        qpw_idmap_clear(&bigger);
        return -ENOMEM;
    }
    for (size_t i = 0; i < map->size; i++)
        if (map->keys[i]) {
            size_t at = slot_of(&bigger, map->keys[i]);

            bigger.keys[at] = map->keys[i];
            bigger.values[at] = map->values[i];
            bigger.used++;
        }
    qpw_idmap_clear(map);
    *map = bigger;
    return 0;
}

int qpw_idmap_set(struct qpw_idmap *map, uint64_t key, uint32_t value)
{
    size_t at;

    if (2 * (map->used + 1) > map->size && grow(map) < 0)
        return -ENOMEM;
    at = slot_of(map, key);
    if (!map->keys[at]) {
        map->keys[at] = key;
        map->used++;
    }
    map->values[at] = value;
    return 0;
}

void qpw_idmap_clear(struct qpw_idmap *map)
{
    free(map->keys);
    free(map->values);
    memset(map, 0, sizeof(*map));
}
