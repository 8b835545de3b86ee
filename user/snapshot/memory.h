/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* memory.h - the kernel memory that an instance's maps take, and for what. */
#ifndef QPW_SNAPSHOT_MEMORY_H
#define QPW_SNAPSHOT_MEMORY_H

#include <stdint.h>

struct qpw_kernel;

/* What maps are for. X(symbol, name in JSON and status). */
#define QPW_MEMORY_PARTS(X) \
    X(OTHER, "other") \
    X(CONNECTIONS, "connections") \
    X(CACHE, "cache") \
    X(COUNTERS, "counters") \
    X(FINDINGS, "findings") \
    X(QUESTIONS, "questions") \
    X(OWNERS, "owners") \
    X(POLICY, "policy")
#define QPW_X_MEMORY(s, n) QPW_MEMORY_##s,
enum qpw_memory_part { QPW_MEMORY_PARTS(QPW_X_MEMORY) QPW_MEMORY_COUNT };

const char *qpw_memory_name(unsigned part); /* enum qpw_memory_part */

/*
 * Return the kernel memory of all maps in bytes, including the policy's tables, as far as the kernel accounts for it.
 * ret_parts: by enum qpw_memory_part, which add up to it; may be NULL.
 */
uint64_t qpw_kernel_memory(const struct qpw_kernel *k, uint64_t ret_parts[QPW_MEMORY_COUNT]);

#endif
