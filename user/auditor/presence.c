/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/presence.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/tag.h"
#include "snapshot/collect_maps.h"

/* Set the bit of that slot in these halves. */
static void set(struct qpw_kernel *k, uint32_t slot, uint8_t halves)
{
    __atomic_fetch_or(&k->incarnations->present[slot & (QPW_PRESENT_BYTES - 1)], qpw_present_bits(slot) & halves,
                      __ATOMIC_RELEASE);
}

void qpw_presence_finding(struct qpw_kernel *k, const struct qpw_finding_key *key)
{
    uint32_t slot = qpw_present_slot(k->config.secret, key, sizeof(*key), QPW_PRESENT_FINDING);

    set(k, slot + QPW_PRESENT_FINDING, QPW_PRESENT_FIRST | QPW_PRESENT_SECOND);
    set(k, slot + QPW_PRESENT_ANSWERED, QPW_PRESENT_FIRST | QPW_PRESENT_SECOND);
}

void qpw_presence_suspend(struct qpw_kernel *k)
{
    __atomic_store_n(&k->incarnations->present_half, 0, __ATOMIC_RELEASE);
}

/* Return whether more than half of the bits are set; full tables set a fifteenth, or, where they set bytes, a fifth. */
bool qpw_presence_is_worn(const struct qpw_kernel *k)
{
    uint8_t half = k->incarnations->present_half;
    size_t n = 0;

    if (!half)
        return true;
    for (size_t i = 0; i < QPW_PRESENT_BYTES; i++)
        n += (size_t)__builtin_popcount(k->incarnations->present[i] & half);
    return n > QPW_PRESENT_BYTES * QPW_PRESENT_PLACES / 2;
}

static int set_all(struct qpw_kernel *k, enum qpw_map map, size_t key_size, size_t value_size, enum qpw_present table,
                   uint8_t half)
{
    struct qpw_entries e;
    int r = qpw_entries_read(k->map_fd[map], key_size, value_size, &e);

    for (size_t i = 0; r == 0 && i < e.count; i++)
        set(k, qpw_present_slot(k->config.secret, (const char *)e.keys + i * key_size, (uint32_t)key_size, table), half);
    if (r == 0)
        qpw_entries_clear(&e);
    return r;
}

/*
 * The programs set both bits of a slot at once, and enter the key afterwards. So a bit cleared here was either set
 * earlier, by a program that will have entered its key once all programs now running have ended, or it is set later.
 */
int qpw_presence_renew(struct qpw_kernel *k)
{
    static const struct {
        enum qpw_map map;
        size_t key_size, value_size;
        enum qpw_present kind;
    } tables[] = {{QPW_MAP_findings, sizeof(struct qpw_finding_key), sizeof(struct qpw_finding), QPW_PRESENT_FINDING},
                  {QPW_MAP_answered, sizeof(struct qpw_finding_key), sizeof(struct qpw_finding), QPW_PRESENT_ANSWERED},
                  {QPW_MAP_meters, sizeof(struct qpw_meter_key), sizeof(struct qpw_meter), QPW_PRESENT_METER},
                  {QPW_MAP_details, sizeof(struct qpw_detail_key), sizeof(struct qpw_detail), QPW_PRESENT_DETAIL}};
    uint8_t half = k->incarnations->present_half == QPW_PRESENT_FIRST ? QPW_PRESENT_SECOND : QPW_PRESENT_FIRST;

    for (size_t i = 0; i < QPW_PRESENT_BYTES; i++)
        __atomic_fetch_and(&k->incarnations->present[i], (uint8_t)~half, __ATOMIC_ACQ_REL);
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        int r = set_all(k, tables[i].map, tables[i].key_size, tables[i].value_size, tables[i].kind, half);

        if (r < 0)
            return r;
    }
    __atomic_store_n(&k->incarnations->present_half, half, __ATOMIC_RELEASE);
    return 0;
}
