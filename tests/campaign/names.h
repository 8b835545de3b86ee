/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.h - a map from arbitrary bytes to numbers. */
#ifndef TESTS_CAMPAIGN_NAMES_H
#define TESTS_CAMPAIGN_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct names *names_new(void);
void names_free(struct names *n);

/* Return where that key's number is stored; a new key gets the value 0. Valid until the next call. */
uint32_t *names_at(struct names *n, const void *key, size_t size);

/* Return its number, 0: none. */
uint32_t names_get(const struct names *n, const void *key, size_t size);

/* Call function(data, key, size, number) for each. */
void names_each(const struct names *n, void (*function)(void *data, const void *key, size_t size, uint32_t number),
                void *data);

#endif
