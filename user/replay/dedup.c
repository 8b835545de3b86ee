/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/dedup.h"

#include <string.h>

#define WINDOW_NS 1000000ll
#define HASHED_BYTES 96u /* headers and the beginning of the payload */
#define ENOUGH_COPIES 8u
#define ENOUGH_PERCENT 5u

/* Hash 8 bytes per step, multiplied and folded: fast, and good enough for 64 candidates. */
static uint64_t hash_of(const uint8_t *at, uint32_t length)
{
    uint64_t hash = length, word;

    for (; length >= 8; at += 8, length -= 8) {
        memcpy(&word, at, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, at, length);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

bool qpw_dedup_is_copy(struct qpw_dedup *dedup, const uint8_t *ip, uint32_t length, uint32_t total, uint64_t time_ns)
{
    uint64_t hash = hash_of(ip, length < HASHED_BYTES ? length : HASHED_BYTES);
    unsigned slot = hash % QPW_DEDUP_RECENT;
    int64_t since = (int64_t)(time_ns - dedup->recent[slot].time_ns);
    bool copy = dedup->recent[slot].hash == hash && dedup->recent[slot].bytes == total && since <= WINDOW_NS &&
                since >= -WINDOW_NS;

    dedup->seen++;
    if (copy) {
        dedup->copies++;
        return true;
    }
    dedup->recent[slot].hash = hash;
    dedup->recent[slot].bytes = total;
    dedup->recent[slot].time_ns = time_ns;
    return false;
}

bool qpw_dedup_suspicious(const struct qpw_dedup *dedup)
{
    return dedup->copies >= ENOUGH_COPIES && dedup->copies * 100 >= dedup->seen * ENOUGH_PERCENT;
}
