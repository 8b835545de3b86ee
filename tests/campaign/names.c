/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "names.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct place_of {
    void *key;
    size_t size;
    uint32_t value;
};

struct names {
    struct place_of *places;
    size_t n, room;
};

static uint64_t hash(const void *key, size_t size)
{
    uint64_t h = 0xcbf29ce484222325ull;

    for (size_t i = 0; i < size; i++)
        h = (h ^ ((const uint8_t *)key)[i]) * 0x100000001b3ull;
    return h ^ h >> 31;
}

static struct place_of *find(const struct names *n, const void *key, size_t size)
{
    size_t at = hash(key, size) & (n->room - 1);

    while (n->places[at].key && (n->places[at].size != size || memcmp(n->places[at].key, key, size)))
        at = (at + 1) & (n->room - 1);
    return &n->places[at];
}

static void grow(struct names *n)
{
    struct names bigger = {.room = n->room ? 2 * n->room : 1024};

    bigger.places = calloc(bigger.room, sizeof(*bigger.places));
    cr_assert(bigger.places);
    for (size_t i = 0; i < n->room; i++)
        if (n->places[i].key)
            *find(&bigger, n->places[i].key, n->places[i].size) = n->places[i];
    free(n->places);
    n->places = bigger.places;
    n->room = bigger.room;
}

struct names *names_new(void)
{
    struct names *n = calloc(1, sizeof(*n));

    cr_assert(n);
    grow(n);
    return n;
}

void names_free(struct names *n)
{
    for (size_t i = 0; i < n->room; i++)
        free(n->places[i].key);
    free(n->places);
    free(n);
}

uint32_t *names_at(struct names *n, const void *key, size_t size)
{
    struct place_of *place;

    if (2 * n->n >= n->room)
        grow(n);
    place = find(n, key, size);
    if (!place->key) {
        place->key = malloc(size);
        cr_assert(place->key);
        memcpy(place->key, key, size);
        place->size = size;
        n->n++;
    }
    return &place->value;
}

uint32_t names_get(const struct names *n, const void *key, size_t size)
{
    return find(n, key, size)->value;
}

void names_each(const struct names *n, void (*function)(void *data, const void *key, size_t size, uint32_t number),
                void *data)
{
    for (size_t i = 0; i < n->room; i++)
        if (n->places[i].key)
            function(data, n->places[i].key, n->places[i].size, n->places[i].value);
}
