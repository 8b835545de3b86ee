/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/enter.h"

#include <bpf/bpf.h>

#include "auditor/presence.h"

static int table_of(const struct qpw_auditor *a, const struct qpw_finding *value)
{
    return a->kernel.map_fd[value->outcome >= QPW_OUTCOME_ANSWERED ? QPW_MAP_answered : QPW_MAP_findings];
}

/* As qpw_finding_quota() in bpf/finding.h. */
enum qpw_map qpw_finding_queue(const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    if (value->outcome >= QPW_OUTCOME_ANSWERED)
        return key->verdict == QPW_VERDICT_IMPLIED || key->kind == QPW_KIND_ICMP ? QPW_MAP_implied_slots
               : key->verdict == QPW_VERDICT_WEAK                                ? QPW_MAP_weak_slots
                                                                                 : QPW_MAP_answered_slots;
    return value->flags & QPW_FINDING_NODE ? QPW_MAP_node_slots : QPW_MAP_finding_slots;
}

/*
 * As qpw_finding_owner() in bpf/finding.h. An exchange that ended earlier does not override the owner of a later one.
 */
static bool takes_owner(struct qpw_finding *known, const struct qpw_finding *value)
{
    bool another = known->owner.tgid && value->owner.tgid && value->owner.exe != known->owner.exe;

    if (!value->owner.how || (known->owner.tgid && !another) || (another && value->last_ns <= known->last_ns))
        return false;
    known->owner = value->owner;
    if (!another || known->programs >= QPW_FINDING_PROGRAMS)
        return false;
    known->last_ns = value->last_ns;
    known->programs++;
    return true;
}

/* Merge the exchange into an existing finding. */
static void add_to(int table, const struct qpw_finding_key *key, struct qpw_finding *known, const struct qpw_finding *value)
{
    bool news = takes_owner(known, value);

    if (known->reason != value->reason) { /* an implied one whose owner is unknown */
        known->reason = value->reason;
        known->provisional = 0;
        news = true;
    }
    if (known->outcome < value->outcome) {
        known->outcome = value->outcome;
        news = true;
    }
    if (known->flags & QPW_FINDING_SUPERSEDED) {
        known->flags &= ~QPW_FINDING_SUPERSEDED;
        news = true;
    }
    known->changes += news;
    if (news)
        bpf_map_update_elem(table, key, known, BPF_EXIST);
}

void qpw_finding_enter(struct qpw_auditor *a, const struct qpw_finding_key *key, struct qpw_finding *value)
{
    int table = table_of(a, value), queue = a->kernel.map_fd[qpw_finding_queue(key, value)];
    struct qpw_finding known;

    if (bpf_map_lookup_elem(table, key, &known) == 0) {
        add_to(table, key, &known, value);
        *value = known;
        return;
    }
    if (bpf_map_lookup_and_delete_elem(queue, NULL, &value->slot) < 0) {
        value->slot = 0;
        return;
    }
    qpw_presence_finding(&a->kernel, key);
    if (bpf_map_update_elem(table, key, value, BPF_NOEXIST) < 0) {
        bpf_map_update_elem(queue, NULL, &value->slot, BPF_ANY);
        value->slot = 0;
    }
}

void qpw_finding_withdraw(struct qpw_auditor *a, const struct qpw_finding_key *key, bool provisional)
{
    static const enum qpw_map tables[] = {QPW_MAP_answered, QPW_MAP_findings};
    struct qpw_finding value;

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        int fd = a->kernel.map_fd[tables[i]];

        if (bpf_map_lookup_elem(fd, key, &value) < 0 || (provisional && !value.provisional) ||
            (value.flags & QPW_FINDING_SUPERSEDED))
            continue;
        value.flags |= QPW_FINDING_SUPERSEDED;
        value.changes++;
        bpf_map_update_elem(fd, key, &value, BPF_EXIST);
    }
}
