/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * presence.h - presence filter before the tables of meters, findings and details: what a scan enters, or finds full, is
 * in none of them, and a look-up that fails costs two cache misses a table.
 *
 * A bit a key (tag.h), set before the key is entered: "maybe", or "no", which is certain. A CPU that still reads "no"
 * while another one enters the key behaves as if its packet had come a moment earlier: its own insertion, with
 * BPF_NOEXIST, fails, and it then finds the entry.
 */
#ifndef QPW_BPF_PRESENCE_H
#define QPW_BPF_PRESENCE_H

#include "cache.h"
#include "maps.h"

/* Return 1 if the table may have a key of this slot. */
static __always_inline int qpw_may_have(__u32 slot)
{
    struct qpw_incarnations *all = qpw_all_incarnations();
    __u32 half = all ? *(volatile __u8 *)&all->present_half : 0;

    return !half || *(volatile __u8 *)&all->present[slot & (QPW_PRESENT_BYTES - 1)] & half & qpw_present_bits(slot);
}

/*
 * Mark the slot of a key that is about to be entered. Both bits: user space may be making the other one true. Where no
 * bit can be set by itself (kernels before 5.12, and other architectures), all of its byte are.
 */
static __always_inline void qpw_will_have(__u32 slot)
{
    struct qpw_incarnations *all = qpw_all_incarnations();

    if (!all)
        return;
#ifndef QPW_OLD_VERIFIER
    if (config.sets_bits) { /* little-endian */
        __sync_fetch_and_or((__u32 *)&all->present[slot & (QPW_PRESENT_BYTES - 4)], qpw_present_bits(slot) << 8 * (slot & 3));
        return;
    }
#endif
    *(volatile __u8 *)&all->present[slot & (QPW_PRESENT_BYTES - 1)] = QPW_PRESENT_FIRST | QPW_PRESENT_SECOND;
}

/* Return the slot of w->finding among the attempted ones; among those answered it is the next. */
__noinline __u32 qpw_finding_present(void)
{
    struct qpw_work *w = qpw_work();

    return w ? qpw_present_slot(config.secret, &w->finding, sizeof(w->finding), QPW_PRESENT_FINDING) : 0;
}

#endif
