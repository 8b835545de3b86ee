/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compiled.h - a policy in the form in which the kernel side reads it.
 *
 * The interface between the policy compiler, which makes it, and the loader, which writes it into the inactive buffer
 * of the policy maps and swaps. Plain data, no libbpf.
 */
#ifndef QPW_POLICY_COMPILED_H
#define QPW_POLICY_COMPILED_H

#include <stddef.h>
#include <stdint.h>

#include "qportwatch_user.h"

struct qpw_set_entry {
    struct qpw_set_key key;
    uint32_t value; /* peer number, or rule id in a set of a QPW_STEP_RULE_FROM_SET step, else 1 */
};

/*
 * Names that keep their number across reloads: rules[id] and peers[number]; index 0 is unused. In: the table as it is
 * in the kernel, or empty. Out: with new entries, and `in_force` recomputed.
 */
struct qpw_registry {
    struct qpw_rule_info *rules;
    size_t n_rules;
    struct qpw_peer_info *peers;
    size_t n_peers;
};

struct qpw_compiled {
    struct qpw_slots *slots; /* [2 * QPW_CHUNKS_PER_DIR]: inbound first, then outbound */
    struct qpw_chain *chains; /* [0] is the empty chain */
    size_t n_chains;
    struct qpw_step *steps;
    size_t n_steps;
    struct qpw_set_entry *sets;
    size_t n_sets;
    struct qpw_listed *listed; /* [QPW_LISTED_TABLES], by QPW_LISTED_TABLE() */
    struct qpw_exception *exceptions; /* in the order of the policy: rules, then suppressions */
    size_t n_exceptions;
};

/* Free the contents and zero the struct. */
void qpw_compiled_clear(struct qpw_compiled *c);
void qpw_registry_clear(struct qpw_registry *r);

#endif
