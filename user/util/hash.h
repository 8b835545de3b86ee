/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hash.h - FNV-1a (RFC 9923): the same value on every machine, for ids and names that are kept; not for secrets. */
#ifndef QPW_UTIL_HASH_H
#define QPW_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#define QPW_HASH_BEGIN 0xcbf29ce484222325ull

/* Continue a 64-bit hash, QPW_HASH_BEGIN at first, with `size` bytes. */
uint64_t qpw_hash(uint64_t hash, const void *data, size_t size);

/* Return the 32-bit hash of a text. */
uint32_t qpw_hash_text(const char *text);

#endif
