/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * count.h - meters: a row's slot by its key, and counting in a slot. All counters are per CPU; nothing
 * shared is written per packet.
 */
#ifndef QPW_BPF_COUNT_H
#define QPW_BPF_COUNT_H

#include "judge.h"
#include "maps.h"
#include "presence.h"

static __always_inline struct qpw_counts *qpw_counts(__u32 slot)
{
    __u32 number = slot / QPW_COUNTS_BLOCK;
    struct qpw_counts_block *block = bpf_map_lookup_elem(&counters, &number);

    return block ? &block->slot[slot % QPW_COUNTS_BLOCK] : 0;
}

static __always_inline void qpw_count(__u32 slot, int rx, __u32 frames, __u32 bytes)
{
    struct qpw_counts *counts = qpw_counts(slot);

    if (!counts)
        return;
    if (rx) {
        counts->rx_packets += frames;
        counts->rx_bytes += bytes;
    } else {
        counts->tx_packets += frames;
        counts->tx_bytes += bytes;
    }
}

struct qpw_wire {
    __u32 frames;
    __u32 bytes;
};

/*
 * Return the frames on the wire that a buffer stands for and, where the hook does not give them (in->bytes is 0), their
 * bytes. length: of the buffer; payload: of its transport; is_ip: its headers are repeated in each frame.
 */
static __always_inline struct qpw_wire qpw_wire_of(const struct qpw_input *in, __u32 length, __u32 payload, int is_ip)
{
    struct qpw_wire wire = {1, in->bytes};

    if (in->gso_segs)
        wire.frames = in->gso_segs;
    else if (in->gso_size && is_ip && payload)
        wire.frames = (payload + in->gso_size - 1) / in->gso_size; /* virtio gives a size and no count */
    if (!wire.bytes)
        wire.bytes = length + (is_ip ? (wire.frames - 1) * (length - payload) : 0);
    if (in->frame.vlan_present)
        wire.bytes += 4 * wire.frames; /* the tag in the metadata is on the wire of each */
    return wire;
}

/* Count a connection into a row (+1), or out of it when it was found to belong to another (-1: sums wrap back). */
static __always_inline void qpw_count_connection(__u32 slot, __s64 change)
{
    struct qpw_counts *counts = qpw_counts(slot);

    if (counts)
        counts->connections += change;
}

/* Empty w->meter, except for the interface. */
static __always_inline void qpw_meter_key_clear(struct qpw_work *w)
{
    __builtin_memset(&w->meter, 0, sizeof(w->meter));
    w->meter.iface = w->iface.number;
}

/*
 * Rows that a port scan, or a remote end that may use any port, can multiply draw from a separate slot queue: rows on
 * ports that no rule names by itself, and those whose verdict no rule gives. Companions belong to the tool's rules: a
 * remote end that asked the portmapper has a range. So a listed port always finds a slot.
 */
static __always_inline int qpw_is_open_row(const struct qpw_meter_key *row)
{
    if (row->verdict == QPW_VERDICT_UNEXPECTED || row->verdict == QPW_VERDICT_UNDECIDED ||
        row->verdict == QPW_VERDICT_TRANSIT || row->verdict == QPW_VERDICT_WEAK)
        return 1;
    return row->kind == QPW_KIND_PORT &&
           (row->verdict == QPW_VERDICT_ALLOWED || row->verdict == QPW_VERDICT_PEER ||
            row->verdict == QPW_VERDICT_IMPLIED) &&
           !qpw_listed(row->direction == QPW_DIR_OUTBOUND, row->protocol, row->port);
}

static __always_inline long qpw_pop_slot(struct qpw_work *w, int open, __u32 *ret_slot)
{
    long rc = -1;

    if (!open)
        return bpf_map_pop_elem(&meter_slots, ret_slot);
    if (!qpw_is_full(w, QPW_FULL_OPEN_SLOTS)) {
        rc = bpf_map_pop_elem(&open_slots, ret_slot);
        if (rc)
            qpw_set_full(w, QPW_FULL_OPEN_SLOTS);
    }
    return rc;
}

static __always_inline void qpw_push_slot(int open, __u32 *slot)
{
    if (open)
        bpf_map_push_elem(&open_slots, slot, 0);
    else
        bpf_map_push_elem(&meter_slots, slot, 0);
}

static __always_inline int qpw_same_row(const struct qpw_meter_key *a, const struct qpw_meter_key *b)
{
    const __u64 __attribute__((may_alias)) *x = (const void *)a, *y = (const void *)b;

    return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

static __always_inline int qpw_is_last_row(const struct qpw_work *w)
{
    return w->row_slot && qpw_same_row(&w->row, &w->meter);
}

/* Return the slot of w->meter, whose row is made if it is new; that of the overflow row if there is no room. Never 0. */
__noinline __u32 qpw_meter_find(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_meter *row, fresh = {};
    __u32 overflow, slot;
    int open;

    if (!w)
        return QPW_OVERFLOW_SLOT(0, 0);
    if (qpw_is_last_row(w))
        return w->row_slot;
    overflow = QPW_OVERFLOW_SLOT((__u32)w->meter.verdict, (__u32)w->meter.direction);
    slot = qpw_present_slot(config.secret, &w->meter, sizeof(w->meter), QPW_PRESENT_METER);
    row = qpw_may_have(slot) ? bpf_map_lookup_elem(&meters, &w->meter) : 0;
    if (row) {
        w->row = w->meter;
        w->row_slot = row->slot;
        return row->slot;
    }
    open = qpw_is_open_row(&w->meter);
    if (qpw_pop_slot(w, open, &fresh.slot)) {
        qpw_stat(QPW_LOSS_METER_OVERFLOW);
        return overflow;
    }
    fresh.first_ns = w->now;
    qpw_will_have(slot);
    if (!bpf_map_update_elem(&meters, &w->meter, &fresh, BPF_NOEXIST))
        return fresh.slot;
    qpw_push_slot(open, &fresh.slot); /* another CPU was first, or the table is full */
    row = bpf_map_lookup_elem(&meters, &w->meter);
    if (row)
        return row->slot;
    qpw_stat(QPW_LOSS_METER_OVERFLOW);
    return overflow;
}

/* The same; most packets count in the row that the last one did. Old verifiers would go through this once a table. */
static __always_inline __u32 qpw_meter_slot(struct qpw_work *w)
{
#ifndef QPW_OLD_VERIFIER
    if (qpw_is_last_row(w))
        return qpw_opaque(w, w->row_slot);
#endif
    return qpw_meter_find();
}

#endif
