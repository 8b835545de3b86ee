/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/carry.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/enter.h"
#include "auditor/presence.h"
#include "auditor/settle.h"
#include "instance/cpus.h"
#include "instance/translation.h"
#include "snapshot/collect_maps.h"
#include "util/cleanup.h"

#define OLD_SLOTS 65536u /* slots are 16 bits wide, in every version */

struct qpw_carry {
    struct qpw_kernel old;
    struct qpw_map_translation meters, findings, answered, reserved;
    struct qpw_counts *counts;  /* by the old slot, corrected */
    uint16_t *meter_of;         /* new slot of a meter, by its old one; 0: none */
    uint64_t heartbeat_ns, attached_ns;
    struct qpw_row_usage done;
};

/* ---- Before ---- */

/* Maps that rows refer to by number; without them no counter can be interpreted. */
static const enum qpw_map referred[] = {QPW_MAP_rule_info, QPW_MAP_peer_info};
/* Maps that are useful, but not required. */
static const enum qpw_map others[] = {QPW_MAP_coverage, QPW_MAP_lives,   QPW_MAP_first_seen, QPW_MAP_listening,
                                      QPW_MAP_rule_users, QPW_MAP_exes, QPW_MAP_details,    QPW_MAP_mirrors};

static int translation_of(const struct qpw_carry *c, const struct qpw_kernel *k, enum qpw_map map, struct qpw_map_translation *ret,
                     struct qpw_error *err)
{
    int r = c->old.map_fd[map] < 0 ? -ENOENT : qpw_map_translation_make(c->old.map_fd[map], k->map_fd[map], ret);

    return r < 0 ? qpw_fail(err, r, "its map '%s': %s", qpw_map_name(map),
                            r == -ENOENT ? "there is none" : r == -EPROTO ? "of another kind" : strerror(-r)) : 0;
}

/* Require identical counter blocks, because they are summed up without translation. */
static int check_counters(const struct qpw_carry *c, const struct qpw_kernel *k, struct qpw_error *err)
{
    static const enum qpw_map maps[] = {QPW_MAP_counters, QPW_MAP_corrections};
    struct qpw_map_translation translation = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(maps) / sizeof(*maps); i++) {
        r = translation_of(c, k, maps[i], &translation, err);
        if (r == 0 && !qpw_translation_is_same(&translation.value))
            r = qpw_fail(err, -EPROTO, "its map '%s': of another kind", qpw_map_name(maps[i]));
        qpw_map_translation_clear(&translation);
    }
    return r;
}

/* Read the single value of an array or a section of variables, in this version's layout. */
static int read_one(int from_fd, int to_fd, void *ret, size_t size)
{
    struct qpw_map_translation translation = {0};
    char *from = NULL, *to = NULL;
    __u32 zero = 0;
    int r = from_fd < 0 ? -ENOENT : qpw_map_translation_make(from_fd, to_fd, &translation);

    if (r < 0)
        return r;
    from = calloc(1, translation.value.from_size);
    to = calloc(1, translation.value.to_size);
    if (!from || !to || translation.value.to_size < size)
        r = from && to ? -EPROTO : -ENOMEM;
    else if (bpf_map_lookup_elem(from_fd, &zero, from) < 0)
        r = -errno;
    if (r == 0) {
        qpw_translation_apply(&translation.value, from, to);
        memcpy(ret, to, size);
    }
    free(from);
    free(to);
    qpw_map_translation_clear(&translation);
    return r;
}

/* Keep the numbers of the interfaces and the start of counting. */
static int take_meta(struct qpw_auditor *a, struct qpw_carry *c, struct qpw_error *err)
{
    struct qpw_meta old;
    int r = read_one(c->old.map_fd[QPW_MAP_meta], a->kernel.map_fd[QPW_MAP_meta], &old, sizeof(old));

    if (r < 0)
        return qpw_fail(err, r, "its map 'meta': %s", strerror(-r));
    memcpy(a->meta.ifname, old.ifname, sizeof(a->meta.ifname));
    memcpy(a->meta.own_qdisc, old.own_qdisc, sizeof(a->meta.own_qdisc));
    for (size_t i = 0; i < QPW_MAX_IFACES; i++)
        a->meta.ifname[i][sizeof(a->meta.ifname[i]) - 1] = '\0';
    a->meta.attached_unix_ns = old.attached_unix_ns;
    return qpw_meta_write(&a->kernel, &a->meta, err);
}

/* Write into the first CPU's entry; no program counts yet. The connection counts continue from these values. */
static void copy_losses(const struct qpw_carry *c, const struct qpw_kernel *k)
{
    int cpus = qpw_possible_cpus(), from = c->old.map_fd[QPW_MAP_losses], to = k->map_fd[QPW_MAP_losses];
    uint64_t sums[QPW_STATS], *values = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;

    if (values && from >= 0 && qpw_map_capacity(from) == QPW_STATS && qpw_percpu_sum(from, 0, QPW_STATS, 1, sums) == 0)
        for (uint32_t i = 0; i < QPW_STATS; i++) {
            if (i >= QPW_LOSS_COUNT && i < QPW_STAT_FREED(0))
                continue;
            values[0] = sums[i];
            bpf_map_update_elem(to, &i, values, BPF_ANY);
        }
    free(values);
}

/* Copy the maps that the others refer to; a failure of one of them ends it. */
static int copy_referred(struct qpw_auditor *a, const struct qpw_carry *c, struct qpw_error *err)
{
    for (size_t i = 0; i < sizeof(referred) / sizeof(*referred); i++) {
        int fd = c->old.map_fd[referred[i]];
        int r = fd < 0 ? -ENOENT : qpw_map_copy(fd, a->kernel.map_fd[referred[i]]);

        if (r < 0)
            return qpw_fail(err, r, "its map '%s': %s", qpw_map_name(referred[i]), strerror(-r));
    }
    return 0;
}

static int begin(struct qpw_auditor *a, struct qpw_carry *c, struct qpw_error *err)
{
    struct qpw_control control;
    int r = qpw_instance_open_maps(&a->replaced, &c->old, err);

    if (r < 0)
        return r;
    r = translation_of(c, &a->kernel, QPW_MAP_meters, &c->meters, err);
    if (r < 0)
        return r;
    r = translation_of(c, &a->kernel, QPW_MAP_findings, &c->findings, err);
    if (r < 0)
        return r;
    r = translation_of(c, &a->kernel, QPW_MAP_answered, &c->answered, err);
    if (r < 0)
        return r;
    r = translation_of(c, &a->kernel, QPW_MAP_reserved, &c->reserved, err);
    if (r < 0)
        return r;
    r = check_counters(c, &a->kernel, err);
    if (r < 0)
        return r;
    r = copy_referred(a, c, err);
    if (r < 0)
        return r;
    r = take_meta(a, c, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (c->old.map_fd[others[i]] >= 0)
            qpw_map_copy(c->old.map_fd[others[i]], a->kernel.map_fd[others[i]]);
    copy_losses(c, &a->kernel);
    if (read_one(c->old.section_fd[QPW_SECTION_CONTROL], a->kernel.section_fd[QPW_SECTION_CONTROL], &control,
                 sizeof(control)) == 0) {
        c->heartbeat_ns = control.heartbeat_ns;
        c->attached_ns = control.attached_ns;
    }
    return 0;
}

void qpw_carry_begin(struct qpw_auditor *a, struct qpw_error *why)
{
    QPW_CLEANUP(qpw_carry_closep) struct qpw_carry *c = calloc(1, sizeof(*c));

    if (!c) {
        qpw_fail(why, -ENOMEM, "out of memory");
        return;
    }
    qpw_kernel_init(&c->old);
    if (begin(a, c, why) == 0)
        a->carry = QPW_TAKE(c);
}

uint64_t qpw_carry_heartbeat_ns(const struct qpw_carry *carry)
{
    return carry ? carry->heartbeat_ns : 0;
}

uint64_t qpw_carry_attached_ns(const struct qpw_carry *carry)
{
    return carry ? carry->attached_ns : 0;
}

void qpw_carry_close(struct qpw_carry *c)
{
    if (!c)
        return;
    qpw_kernel_close(&c->old);
    qpw_map_translation_clear(&c->meters);
    qpw_map_translation_clear(&c->findings);
    qpw_map_translation_clear(&c->answered);
    qpw_map_translation_clear(&c->reserved);
    free(c->counts);
    free(c->meter_of);
    free(c);
}

/* ---- Afterwards ---- */

static int read_counts(struct qpw_carry *c)
{
    uint64_t blocks = qpw_map_capacity(c->old.map_fd[QPW_MAP_counters]);
    QPW_CLEANUP(qpw_entries_clear) struct qpw_entries corrections = {0};
    const struct qpw_counts_block *block;
    uint32_t number;
    int r;

    c->counts = calloc(OLD_SLOTS, sizeof(*c->counts));
    c->meter_of = calloc(OLD_SLOTS, sizeof(*c->meter_of));
    if (!c->counts || !c->meter_of)
        return -ENOMEM;
    if (blocks > OLD_SLOTS / QPW_COUNTS_BLOCK)
        return -EPROTO;
    r = qpw_counters_sum(c->old.map_fd[QPW_MAP_counters], 0, (uint32_t)blocks * QPW_COUNTS_BLOCK, c->counts);
    if (r < 0)
        return r;
    r = qpw_corrections_read(c->old.map_fd[QPW_MAP_corrections], &corrections);
    if (r < 0)
        return r;
    for (size_t i = 0; i < corrections.count; i++) {
        number = ((uint32_t *)corrections.keys)[i];
        block = (const struct qpw_counts_block *)corrections.values + i;
        for (unsigned j = 0; number < blocks && j < QPW_COUNTS_BLOCK; j++)
            qpw_counts_correct(&c->counts[number * QPW_COUNTS_BLOCK + j], &block->slot[j]);
    }
    return 0;
}

typedef int entry_fn(struct qpw_auditor *a, const void *key, const void *value);

/* Pass all entries of an old map to fn, in this version's layout. */
static int each(struct qpw_auditor *a, enum qpw_map map, const struct qpw_map_translation *l, entry_fn *fn)
{
    struct qpw_entries e;
    char *key = malloc(l->key.to_size), *value = malloc(l->value.to_size);
    int (*read)(int fd, size_t key_size, size_t value_size, struct qpw_entries *ret) =
        map == QPW_MAP_reserved ? qpw_entries_read_singly : qpw_entries_read;
    int r = key && value ? read(a->carry->old.map_fd[map], l->key.from_size, l->value.from_size, &e) : -ENOMEM;
    size_t count = r < 0 ? 0 : e.count;

    for (size_t i = 0; r == 0 && i < count; i++) {
        qpw_translation_apply(&l->key, (char *)e.keys + i * l->key.from_size, key);
        qpw_translation_apply(&l->value, (char *)e.values + i * l->value.from_size, value);
        r = fn(a, key, value);
    }
    if (count || r == 0)
        qpw_entries_clear(&e);
    free(key);
    free(value);
    return r;
}

static int take(int queue_fd, uint32_t *ret_slot)
{
    return bpf_map_lookup_and_delete_elem(queue_fd, NULL, ret_slot) < 0 ? -errno : 0;
}

static void give_back(int queue_fd, uint32_t slot)
{
    bpf_map_update_elem(queue_fd, NULL, &slot, BPF_ANY);
}

static uint32_t overflow_slot(unsigned verdict, unsigned direction)
{
    return verdict < QPW_VERDICT_COUNT && direction < QPW_DIR_COUNT ? QPW_OVERFLOW_SLOT(verdict, direction) : QPW_OVERFLOW_SLOT(0, 0);
}

/*
 * Return the slot of the row with that key, which packets may have created meanwhile; of the overflow row if there is
 * no room.
 */
static uint32_t slot_of_meter(struct qpw_auditor *a, const struct qpw_meter_key *key, const struct qpw_meter *old)
{
    bool listed = old->slot >= QPW_FIRST_METER_SLOT && old->slot < QPW_FIRST_OPEN_SLOT;
    int fd = a->kernel.map_fd[QPW_MAP_meters], queue = a->kernel.map_fd[listed ? QPW_MAP_meter_slots : QPW_MAP_open_slots];
    struct qpw_meter row = {.first_ns = old->first_ns}, there;

    if (bpf_map_lookup_elem(fd, key, &there) < 0 && take(queue, &row.slot) == 0) {
        if (bpf_map_update_elem(fd, key, &row, BPF_NOEXIST) == 0)
            return row.slot;
        give_back(queue, row.slot);
    }
    if (bpf_map_lookup_elem(fd, key, &there) < 0) {
        a->carry->done.left_out++;
        return overflow_slot(key->verdict, key->direction);
    }
    if (old->first_ns < there.first_ns) { /* no program writes this field any more */
        there.first_ns = old->first_ns;
        bpf_map_update_elem(fd, key, &there, BPF_EXIST);
    }
    return there.slot;
}

static int carry_meter(struct qpw_auditor *a, const void *k, const void *v)
{
    const struct qpw_meter_key *key = k;
    const struct qpw_meter *old = v;
    uint32_t slot = slot_of_meter(a, key, old);

    if (old->slot >= OLD_SLOTS)
        return 0;
    a->carry->meter_of[old->slot] = (uint16_t)slot;
    a->carry->done.meters++;
    return qpw_slot_correct(&a->kernel, slot, &a->carry->counts[old->slot]);
}

/* Carry over the overflow rows. */
static int carry_overflow(struct qpw_auditor *a)
{
    int r = 0;

    for (uint32_t slot = 1; r == 0 && slot < QPW_OVERFLOW_SLOTS; slot++)
        r = qpw_slot_correct(&a->kernel, slot, &a->carry->counts[slot]);
    return r;
}

static uint16_t new_meter(const struct qpw_carry *c, const struct qpw_finding_key *key, const struct qpw_finding *old)
{
    return c->meter_of[old->meter] ? c->meter_of[old->meter] : (uint16_t)overflow_slot(key->verdict, key->direction);
}

/* Merge with a finding that was already found again: keep the earlier first time and the higher outcome. */
static void merge(int fd, const struct qpw_finding_key *key, const struct qpw_finding *old, struct qpw_finding *there)
{
    if (old->first_ns < there->first_ns)
        there->first_ns = old->first_ns;
    if (old->outcome > there->outcome)
        there->outcome = old->outcome;
    there->flags |= old->flags & ~QPW_FINDING_SUPERSEDED;
    there->changes += old->changes;
    bpf_map_update_elem(fd, key, there, BPF_EXIST);
}

static int carry_finding(struct qpw_auditor *a, const void *k, const void *v)
{
    const struct qpw_finding_key *key = k;
    struct qpw_finding value = *(const struct qpw_finding *)v, there = {0};
    struct qpw_carry *c = a->carry;
    const struct qpw_counts *counts = value.slot && value.slot < OLD_SLOTS ? &c->counts[value.slot] : NULL;
    int fd = a->kernel.map_fd[value.outcome >= QPW_OUTCOME_ANSWERED ? QPW_MAP_answered : QPW_MAP_findings];
    int queue = a->kernel.map_fd[qpw_finding_queue(key, &value)];

    value.meter = new_meter(c, key, &value);
    if (bpf_map_lookup_elem(fd, key, &there) < 0 && take(queue, &value.slot) == 0) {
        if (bpf_map_update_elem(fd, key, &value, BPF_NOEXIST) == 0) {
            c->done.findings++;
            return counts ? qpw_slot_correct(&a->kernel, value.slot, counts) : 0;
        }
        give_back(queue, value.slot);
    }
    if (bpf_map_lookup_elem(fd, key, &there) == 0) {
        merge(fd, key, &value, &there);
        c->done.findings++;
    } else {
        c->done.left_out++;
    }
    return counts ? qpw_slot_correct(&a->kernel, there.slot ? there.slot : value.meter, counts) : 0;
}

static int carry_reserved(struct qpw_auditor *a, const void *k, const void *v)
{
    struct qpw_reserved_key key;
    struct qpw_reserved reserved;

    memcpy(&key, k, sizeof(key));
    memcpy(&reserved, v, sizeof(reserved));
    key.prefixlen = QPW_RESERVED_BITS; /* older versions used a hash map */
    reserved.value.meter = new_meter(a->carry, &reserved.key, &reserved.value);
    reserved.value.slot = 0;
    if (bpf_map_update_elem(a->kernel.map_fd[QPW_MAP_reserved], &key, &reserved, BPF_NOEXIST) == 0)
        a->carry->done.findings++;
    return 0;
}

static int carry_rows(struct qpw_auditor *a)
{
    struct qpw_carry *c = a->carry;
    int r = each(a, QPW_MAP_meters, &c->meters, carry_meter);

    if (r < 0)
        return r;
    r = carry_overflow(a);
    if (r < 0)
        return r;
    r = each(a, QPW_MAP_findings, &c->findings, carry_finding);
    if (r < 0)
        return r;
    r = each(a, QPW_MAP_answered, &c->answered, carry_finding);
    if (r < 0)
        return r;
    return each(a, QPW_MAP_reserved, &c->reserved, carry_reserved);
}

int qpw_carry_finish(struct qpw_auditor *a, struct qpw_row_usage *ret, struct qpw_error *err)
{
    int r = read_counts(a->carry);

    qpw_presence_suspend(&a->kernel);
    if (r == 0)
        r = carry_rows(a);
    *ret = a->carry->done;
    if (r < 0)
        return qpw_fail(err, r, "carrying over what another version had counted: %s", strerror(-r));
    qpw_presence_renew(&a->kernel);
    return 0;
}
