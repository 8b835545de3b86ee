/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/addresses.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/names.h"

#define MAPPED ((qpw_u128)0xffff << 32) /* ::ffff:0.0.0.0 */

qpw_u128 qpw_address_number(const uint8_t addr[16])
{
    qpw_u128 number = 0;

    for (int i = 0; i < 16; i++)
        number = number << 8 | addr[i];
    return number;
}

static void address_bytes(qpw_u128 number, uint8_t ret_addr[16])
{
    for (int i = 15; i >= 0; i--, number >>= 8)
        ret_addr[i] = (uint8_t)number;
}

static bool is_mapped(qpw_u128 number)
{
    return number >> 32 == MAPPED >> 32;
}

static qpw_u128 host_mask(unsigned prefix)
{
    return prefix == 0 ? ~(qpw_u128)0 : ((qpw_u128)1 << (128 - prefix)) - 1;
}

static int parse_span(const char *text, const char *dash, struct qpw_range *ret, const char **ret_why)
{
    uint8_t first[16], last[16];
    char copy[INET6_ADDRSTRLEN];
    size_t length = (size_t)(dash - text);

    if (length >= sizeof(copy)) {
        *ret_why = "not an address range";
        return -EINVAL;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (qpw_address_parse(copy, first) < 0 || qpw_address_parse(dash + 1, last) < 0) {
        *ret_why = "not an address range (host names are not looked up)";
        return -EINVAL;
    }
    struct qpw_range range = {qpw_address_number(first), qpw_address_number(last)};
    if (is_mapped(range.first) != is_mapped(range.last)) {
        *ret_why = "the two ends are of different address families";
        return -EINVAL;
    }
    if (range.first > range.last) {
        *ret_why = "the range is reversed";
        return -EINVAL;
    }
    *ret = range;
    return 0;
}

/* Return why ADDR/LEN, with a valid address, is not a prefix. */
static const char *prefix_fault(const uint8_t addr[16], const char *length)
{
    static _Thread_local char why[INET6_ADDRSTRLEN + 64];
    unsigned base = is_mapped(qpw_address_number(addr)) ? 96 : 0, bits;
    char text[64], *end;
    struct qpw_range range;

    bits = (unsigned)strtoul(length, &end, 10);
    if (*length < '0' || *length > '9' || *end || end - length > 3 || bits > 128 - base) {
        snprintf(why, sizeof(why), "the prefix length must be 0 to %u", 128 - base);
        return why;
    }
    range.first = qpw_address_number(addr) & ~host_mask(base + bits);
    range.last = range.first | host_mask(base + bits);
    snprintf(why, sizeof(why), "has host bits set; did you mean %s?", qpw_range_text(&range, text, sizeof(text)));
    return why;
}

int qpw_range_parse(const char *text, struct qpw_range *ret, const char **ret_why)
{
    const char *dash = strchr(text, '-');
    uint8_t addr[16];
    unsigned prefix;
    char bare[64];

    if (dash)
        return parse_span(text, dash, ret, ret_why);
    if (qpw_prefix_parse(text, addr, &prefix) < 0) {
        size_t length = strcspn(text, "/");

        *ret_why = "not an address (host names are not looked up)";
        if (text[length] == '/' && length < sizeof(bare)) {
            memcpy(bare, text, length);
            bare[length] = '\0';
            if (qpw_address_parse(bare, addr) == 0)
                *ret_why = prefix_fault(addr, text + length + 1);
        }
        return -EINVAL;
    }
    ret->first = qpw_address_number(addr);
    ret->last = ret->first | host_mask(prefix);
    return 0;
}

const char *qpw_range_text(const struct qpw_range *range, char *buf, size_t size)
{
    char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
    uint8_t addr[16];
    qpw_u128 span = range->last - range->first;
    unsigned bits = 0;

    address_bytes(range->first, addr);
    qpw_address_text(addr, first, sizeof(first));
    if (span == 0) {
        snprintf(buf, size, "%s", first);
        return buf;
    }
    while (bits < 128 && host_mask(128 - bits) != span)
        bits++;
    if (bits <= 128 && host_mask(128 - bits) == span && !(range->first & span)) {
        bool mapped = is_mapped(range->first) && bits <= 32;

        snprintf(buf, size, "%s/%u", first, (mapped ? 32 : 128) - bits);
        return buf;
    }
    address_bytes(range->last, addr);
    snprintf(buf, size, "%s-%s", first, qpw_address_text(addr, last, sizeof(last)));
    return buf;
}

int qpw_addresses_add(struct qpw_addresses *set, const struct qpw_range *range)
{
    struct qpw_range *added;

    if (set->n == QPW_MAX_RANGES)
        return -E2BIG;
    added = QPW_ADD(set->ranges, set->n);
    if (!added)
        return -ENOMEM;
    *added = *range;
    set->n++;
    return 0;
}

int qpw_addresses_add_all(struct qpw_addresses *set, const struct qpw_addresses *other)
{
    for (size_t i = 0; i < other->n; i++) {
        int ret = qpw_addresses_add(set, &other->ranges[i]);

        if (ret < 0)
            return ret;
    }
    return 0;
}

static int by_first(const void *left, const void *right)
{
    const struct qpw_range *a = left, *b = right;

    return a->first < b->first ? -1 : a->first > b->first;
}

void qpw_addresses_normalise(struct qpw_addresses *set)
{
    size_t kept = 0;

    if (set->n < 2)
        return;
    qsort(set->ranges, set->n, sizeof(*set->ranges), by_first);
    for (size_t i = 1; i < set->n; i++) {
        struct qpw_range *last = &set->ranges[kept], *next = &set->ranges[i];

        /* Merge adjacent ranges, but never across the border of the families. */
        bool touches = next->first <= last->last ||
                       (next->first - 1 == last->last && is_mapped(next->first) == is_mapped(last->last));
        if (!touches)
            set->ranges[++kept] = *next;
        else if (next->last > last->last)
            last->last = next->last;
    }
    set->n = kept + 1;
}

void qpw_addresses_clear(struct qpw_addresses *set)
{
    free(set->ranges);
    *set = (struct qpw_addresses){0};
}

bool qpw_addresses_contain(const struct qpw_addresses *set, const uint8_t addr[16])
{
    qpw_u128 number = qpw_address_number(addr);
    size_t low = 0, high = set->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (number > set->ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->n && number >= set->ranges[low].first;
}

bool qpw_addresses_equal(const struct qpw_addresses *a, const struct qpw_addresses *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->ranges[i].first != b->ranges[i].first || a->ranges[i].last != b->ranges[i].last)
            return false;
    return true;
}

int qpw_addresses_intersect(const struct qpw_addresses *a, const struct qpw_addresses *b, struct qpw_addresses *ret)
{
    struct qpw_addresses both = {0};
    size_t i = 0, j = 0;

    while (i < a->n && j < b->n) {
        const struct qpw_range *x = &a->ranges[i], *y = &b->ranges[j];
        struct qpw_range common = {
            .first = x->first > y->first ? x->first : y->first,
            .last = x->last < y->last ? x->last : y->last,
        };

        if (common.first <= common.last && qpw_addresses_add(&both, &common) < 0) {
            qpw_addresses_clear(&both);
            return -ENOMEM;
        }
        if (x->last < y->last)
            i++;
        else
            j++;
    }
    *ret = both;
    return 0;
}

bool qpw_addresses_cover(const struct qpw_addresses *outer, const struct qpw_addresses *inner)
{
    size_t i = 0;

    for (size_t j = 0; j < inner->n; j++) {
        while (i < outer->n && outer->ranges[i].last < inner->ranges[j].first)
            i++;
        if (i == outer->n || outer->ranges[i].first > inner->ranges[j].first ||
            outer->ranges[i].last < inner->ranges[j].last)
            return false;
    }
    return true;
}

bool qpw_addresses_overlap(const struct qpw_addresses *a, const struct qpw_addresses *b)
{
    for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
        const struct qpw_range *x = &a->ranges[i], *y = &b->ranges[j];

        if (x->first <= y->last && y->first <= x->last)
            return true;
        if (x->last < y->last)
            i++;
        else
            j++;
    }
    return false;
}

int qpw_range_prefixes(const struct qpw_range *range, int (*visit)(const struct qpw_prefix *prefix, void *data),
                       void *data)
{
    qpw_u128 at = range->first;

    for (;;) {
        struct qpw_prefix prefix = {.length = 128};
        int ret;

        /* Find the largest aligned block that starts here and ends within the range. */
        while (prefix.length > 0 && !(at & host_mask(prefix.length - 1)) &&
               (at | host_mask(prefix.length - 1)) <= range->last)
            prefix.length--;
        address_bytes(at, prefix.addr);
        ret = visit(&prefix, data);
        if (ret)
            return ret;
        if ((at | host_mask(prefix.length)) == range->last)
            return 0;
        at = (at | host_mask(prefix.length)) + 1;
    }
}
