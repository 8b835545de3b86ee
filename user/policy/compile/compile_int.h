/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* compile_int.h - internals shared by the compiler's files; others include compile.h. */
#ifndef QPW_POLICY_COMPILE_INT_H
#define QPW_POLICY_COMPILE_INT_H

#include "policy/compile/compile.h"

/* One rule on one run of places (space + port) of one direction. */
struct qpw_atom {
    uint32_t first; /* QPW_SPACE_* + port */
    uint32_t last;
    uint8_t direction;
    bool listed;
    const struct qpw_addresses *from; /* NULL: any; borrowed from the policy */
    const struct qpw_addresses *to;
    const struct qpw_where *where;
    struct qpw_step step; /* without sets; has IS_PARENT if every place of the rule vouches */
    uint32_t from_id;     /* equal for equal contents, 0: any (compile_sets.c) */
    uint32_t to_id;
    uint32_t alike;       /* equal for atoms that differ only in from and rule */
    uint32_t order;       /* position in the policy */
};

/* A single place at which a rule vouches for a companion. */
struct qpw_port_mark {
    uint32_t position;
    uint16_t rule;
    uint8_t direction;
};

struct qpw_name_index;

/* State of one compilation. */
struct qpw_compiler {
    const struct qpw_policy *policy;
    const struct qpw_compile_context *context;
    struct qpw_registry names;
    struct qpw_name_index *index;
    struct qpw_atom *atoms;
    size_t n_atoms;
    struct qpw_port_mark *marks;
    size_t n_marks;
    struct qpw_compiled out;
    struct qpw_set_builder *sets;
    struct qpw_error *err;
};

/* ---- Names (registry.c) ---- */

/* Copy `from`, with nothing in force, and index it. 0 or -ENOMEM. The caller frees both. */
int qpw_registry_copy(const struct qpw_registry *from, struct qpw_registry *ret, struct qpw_name_index **ret_index);
void qpw_name_index_free(struct qpw_name_index *index);

/*
 * Return the id of the rule of info->name, adding it if it is new; set its info, where in_force is only ever raised.
 * Negative errno with err.
 */
int qpw_registry_add_rule(struct qpw_compiler *c, const struct qpw_rule_info *info);

/* ---- Rules into atoms (compile_atoms.c), the built-in rules (compile_own.c) ---- */

int qpw_compile_rows(struct qpw_compiler *c);
int qpw_compile_infra(struct qpw_compiler *c);
int qpw_compile_implied(struct qpw_compiler *c);
/* Append one. 0 or -ENOMEM with err. */
int qpw_add_atom(struct qpw_compiler *c, const struct qpw_atom *atom);
int qpw_add_port_mark(struct qpw_compiler *c, uint8_t direction, uint32_t position, uint16_t rule);
/* Return whether the rule matches anything now, and on which interface (0: any). */
bool qpw_row_active(const struct qpw_compiler *c, const struct qpw_rule *rule, uint32_t *ret_ifindex);
/* Return the first place of a protocol's space; a protocol without ports has a single place. */
uint32_t qpw_space_of(unsigned protocol);

/* A run of places of one of the built-in groups. */
#define QPW_RUN_IN 1
#define QPW_RUN_OUT 2
struct qpw_run {
    unsigned group;
    int directions; /* QPW_RUN_* */
    uint32_t first; /* QPW_SPACE_* + port */
    uint32_t last;
    uint16_t initiator_port; /* 0: any */
    uint8_t flags;           /* QPW_STEP_* */
    uint8_t shape;           /* enum qpw_shape */
};

/* A companion: follows each rule that allows the place `row` in `row_direction`. */
struct qpw_companion {
    struct qpw_run run;    /* group is enum qpw_implied_group */
    uint8_t row_direction;
    uint32_t row;
    bool live; /* only while the rule had an answered exchange with the same remote address */
};
const struct qpw_companion *qpw_companions(size_t *ret_n);
bool qpw_row_covers(const struct qpw_rule *rule, uint8_t direction, uint32_t position);

/* ---- Address sets (compile_sets.c) ---- */

struct qpw_set_builder;
#define QPW_MAX_SET_ENTRIES (1u << 20)

/* Set from_id and to_id of all atoms. 0 or -ENOMEM. */
int qpw_number_addresses(struct qpw_compiler *c);
int qpw_sets_new(struct qpw_compiler *c);
void qpw_sets_free(struct qpw_set_builder *sets);
/* Return the number of the set of one atom's `to` in *ret. */
int qpw_set_of_to(struct qpw_compiler *c, const struct qpw_atom *atom, uint32_t *ret);
/*
 * Return the number of the set of the `from` of n atoms that are alike, given by index; with `named`, its values are
 * their rules.
 */
int qpw_set_of_from(struct qpw_compiler *c, const uint32_t *atoms, size_t n, bool named, uint32_t *ret);
/* Build the set QPW_SET_PEERS from the policy's peers, and register their names. */
int qpw_compile_peers(struct qpw_compiler *c);

/* ---- Places into chains (compile_chains.c) ---- */

int qpw_compile_chains(struct qpw_compiler *c);

#endif
