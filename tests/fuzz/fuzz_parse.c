/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_parse.c - any bytes as a frame: no read beyond it, a reason wherever nothing can be said, and the same answer
 * from the packet where it lies, from a linear part of any length, and from the copy.
 *
 * Bytes 0-1 length of the linear part, 2 flags, 3-4 the tag in the metadata; the rest is the frame.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FLAG_L3 = 1, FLAG_MERGED = 2, FLAG_OFFLOADED = 4, FLAG_TAG = 8, FLAG_CUT = 16 };

/* Parse a block of exactly `linear` bytes, so that one read too far is seen. 1: more bytes are asked for. The padding of *ret is 0, too. */
static int parse(struct qpw_frame f, const uint8_t *frame, size_t linear, int direct, struct qpw_pkt *ret)
{
    size_t n = direct ? linear : QPW_HEADER_BYTES;
    uint8_t *block = calloc(1, n ? n : 1);
    int more;

    if (!block)
        abort();
    memcpy(block, frame, n < f.length ? n : f.length);
    f.data = block;
    f.end = direct ? block + n : NULL;
    memset(ret, 0, sizeof(*ret));
    more = qpw_parse(&f, ret, direct);
    free(block);
    return more;
}

static int differ(const struct qpw_pkt *a, const struct qpw_pkt *b)
{
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): parse() zeroes the padding */
    return memcmp(a, b, sizeof(*a)) != 0;
}

static void check(const struct qpw_pkt *p)
{
    if (p->kind == QPW_PKT_NONE || (p->kind == QPW_PKT_UNDECODABLE) != (p->reason != QPW_REASON_NONE) ||
        p->reason >= QPW_REASON_COUNT)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qpw_pkt whole, part, copy;
    struct qpw_frame f = {0};
    size_t linear;

    if (size < 5 || size > 5 + 0xffff)
        return 0;
    f.length = (uint32_t)size - 5;
    f.wire = data[2] & FLAG_CUT ? f.length + data[3] : f.length;
    f.l3 = !!(data[2] & FLAG_L3);
    f.ethertype = f.length && data[5] >> 4 == 6 ? QPW_ETH_P_IPV6 : QPW_ETH_P_IP;
    f.merged = !!(data[2] & FLAG_MERGED);
    f.offloaded = !!(data[2] & FLAG_OFFLOADED);
    f.vlan_present = !!(data[2] & FLAG_TAG);
    f.vlan_tci = (uint16_t)(data[3] << 8 | data[4]);
    linear = (size_t)(data[0] << 8 | data[1]);
    linear = linear < f.length ? linear : f.length;

    if (parse(f, data + 5, f.length, 1, &whole)) /* there is no more */
        abort();
    check(&whole);
    if (parse(f, data + 5, f.length, 0, &copy) || differ(&whole, &copy))
        abort();
    if (!parse(f, data + 5, linear, 1, &part) && differ(&whole, &part))
        abort();
    return 0;
}
