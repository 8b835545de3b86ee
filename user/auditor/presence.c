/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/presence.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/tag.h"
#include "snapshot/collect_maps.h"

static void set(struct qpw_kernel *k, uint32_t slot, uint8_t bits)
{
    __atomic_fetch_or(&k->incarnations->present[slot], bits, __ATOMIC_RELEASE);
}

void qpw_presence_finding(struct qpw_kernel *k, const struct qpw_finding_key *key)
{
    uint32_t slot = qpw_present_slot(k->config.secret, key, sizeof(*key), QPW_PRESENT_FINDING);

    set(k, slot + QPW_PRESENT_FINDING, QPW_PRESENT_BITS);
    set(k, slot + QPW_PRESENT_ANSWERED, QPW_PRESENT_BITS);
}

void qpw_presence_suspend(struct qpw_kernel *k)
{
    __atomic_store_n(&k->incarnations->present_bit, 0, __ATOMIC_RELEASE);
}

/* Return whether more than half of the slots are set; full tables set a fifth. */
bool qpw_presence_is_worn(const struct qpw_kernel *k)
{
    uint8_t bit = k->incarnations->present_bit;
    size_t n = 0;

    if (!bit)
        return true;
    for (size_t i = 0; i < QPW_PRESENT_SLOTS; i++)
        n += (k->incarnations->present[i] & bit) != 0;
    return n > QPW_PRESENT_SLOTS / 2;
}

static int set_all(struct qpw_kernel *k, enum qpw_map map, size_t key_size, size_t value_size, enum qpw_present table,
                   uint8_t bit)
{
    struct qpw_entries e;
    int r = qpw_entries_read(k->map_fd[map], key_size, value_size, &e);

    for (size_t i = 0; r == 0 && i < e.count; i++)
        set(k, qpw_present_slot(k->config.secret, (const char *)e.keys + i * key_size, (uint32_t)key_size, table), bit);
    if (r == 0)
        qpw_entries_clear(&e);
    return r;
}

/*
 * The programs set both bits of a byte with one store, and enter the key afterwards. So a byte cleared here was either
 * set earlier, by a program that will have entered its key once all programs now running have ended, or it is set
 * later.
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
    uint8_t bit = k->incarnations->present_bit == 1 ? 2 : 1;

    for (size_t i = 0; i < QPW_PRESENT_SLOTS; i++)
        __atomic_fetch_and(&k->incarnations->present[i], (uint8_t)~bit, __ATOMIC_ACQ_REL);
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        int r = set_all(k, tables[i].map, tables[i].key_size, tables[i].value_size, tables[i].kind, bit);

        if (r < 0)
            return r;
    }
    __atomic_store_n(&k->incarnations->present_bit, bit, __ATOMIC_RELEASE);
    return 0;
}
