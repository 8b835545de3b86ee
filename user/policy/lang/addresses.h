/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * addresses.h - sets of addresses as sorted, disjoint ranges.
 *
 * An address is a 128-bit number in host order, IPv4 as ::ffff:a.b.c.d, so that both families are
 * one line of numbers and a set operation is one sweep over it.
 */
#ifndef QPW_POLICY_ADDRESSES_H
#define QPW_POLICY_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned __int128 qpw_u128;

struct qpw_range {
    qpw_u128 first;
    qpw_u128 last; /* inclusive */
};

/* A zeroed set is valid and empty. After qpw_addresses_normalise(): ascending, disjoint, not touching. */
struct qpw_addresses {
    struct qpw_range *ranges;
    size_t n;
};

struct qpw_prefix {
    uint8_t addr[16];
    unsigned length; /* 0..128; IPv4 /24 is 120 */
};

/* Convert from the 16 bytes in network order used everywhere else. */
qpw_u128 qpw_address_number(const uint8_t addr[16]);

/*
 * Parse "ADDR", "ADDR/LEN" or "ADDR-ADDR" of one family. Host bits behind LEN are an error.
 * Returns 0, or -EINVAL with *ret_why saying what is wrong, valid until this thread's next call.
 */
int qpw_range_parse(const char *text, struct qpw_range *ret, const char **ret_why);

/* Write "ADDR", "ADDR/LEN" if the range is one prefix, else "ADDR-ADDR". buf: 96 bytes. Returns buf. */
const char *qpw_range_text(const struct qpw_range *range, char *buf, size_t size);

#define QPW_MAX_RANGES (1u << 20)

/* Append a range; the set is no longer normalised. Returns 0, -ENOMEM, or -E2BIG beyond QPW_MAX_RANGES. */
int qpw_addresses_add(struct qpw_addresses *set, const struct qpw_range *range);
int qpw_addresses_add_all(struct qpw_addresses *set, const struct qpw_addresses *other);
void qpw_addresses_normalise(struct qpw_addresses *set);
void qpw_addresses_clear(struct qpw_addresses *set);

/* The following functions expect normalised sets. */
bool qpw_addresses_contain(const struct qpw_addresses *set, const uint8_t addr[16]);
bool qpw_addresses_equal(const struct qpw_addresses *a, const struct qpw_addresses *b);
bool qpw_addresses_cover(const struct qpw_addresses *outer, const struct qpw_addresses *inner);
bool qpw_addresses_overlap(const struct qpw_addresses *a, const struct qpw_addresses *b);
/* Store the intersection in *ret, which the caller clears. Returns 0 or -ENOMEM. */
int qpw_addresses_intersect(const struct qpw_addresses *a, const struct qpw_addresses *b, struct qpw_addresses *ret);

/*
 * Call `visit` for the fewest prefixes that make up the range, in ascending order. A non-zero result of `visit` ends that
 * and is returned; otherwise 0.
 */
int qpw_range_prefixes(const struct qpw_range *range, int (*visit)(const struct qpw_prefix *prefix, void *data),
                       void *data);

#endif
