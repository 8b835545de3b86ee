/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* compile_chains.c - assign steps to places: sweep over the ends of atoms; equal lists of steps share a chain. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile_int.h"
#include "policy/lang/parse.h"
#include "util/array.h"
#include "util/cleanup.h"

#define CHAIN_BUCKETS 65536u

/* A place where the set of active atoms changes, or before and after a marked place. */
struct edge {
    uint32_t position;
    uint32_t atom; /* UINT32_MAX: a boundary only, no atom begins or ends */
    bool begins;
};

struct sweep {
    struct qpw_compiler *c;
    uint32_t *active; /* atoms at the current place, in the order of their steps */
    size_t n_active;
    uint32_t *buckets; /* chain number by hash of its steps, 0: free */
};

static int rank(uint8_t verdict)
{
    switch (verdict) {
    case QPW_VERDICT_ALLOWED: return 0;
    case QPW_VERDICT_WEAK: return 1;
    case QPW_VERDICT_INFRA: return 2;
    case QPW_VERDICT_IMPLIED: return 3;
    default: return 4;
    }
}

static bool stands_before(const struct qpw_atom *a, const struct qpw_atom *b)
{
    int order = rank(a->step.verdict) - rank(b->step.verdict);

    return order ? order < 0 : a->order < b->order;
}

static void activate(struct sweep *s, uint32_t atom)
{
    size_t at = s->n_active++;

    while (at && stands_before(&s->c->atoms[atom], &s->c->atoms[s->active[at - 1]])) {
        s->active[at] = s->active[at - 1];
        at--;
    }
    s->active[at] = atom;
}

static void deactivate(struct sweep *s, uint32_t atom)
{
    size_t at = 0;

    while (at < s->n_active && s->active[at] != atom)
        at++;
    if (at == s->n_active)
        return;
    memmove(&s->active[at], &s->active[at + 1], (--s->n_active - at) * sizeof(*s->active));
}

static bool marked(const struct qpw_compiler *c, const struct qpw_atom *atom, uint32_t position)
{
    for (size_t i = 0; i < c->n_marks; i++)
        if (c->marks[i].position == position && c->marks[i].direction == atom->direction &&
            c->marks[i].rule == atom->step.rule)
            return true;
    return false;
}

/* Build one step from active atom `at` and all later ones that are alike; set taken[] for those. */
static int make_step(struct sweep *s, size_t at, uint32_t position, bool *taken, struct qpw_step *ret)
{
    struct qpw_compiler *c = s->c;
    const struct qpw_atom *atom = &c->atoms[s->active[at]];
    uint32_t *alike = malloc(s->n_active * sizeof(*alike));
    bool parent = marked(c, atom, position), named = false;
    size_t n = 0;
    int error = 0;

    if (!alike)
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", c->policy->path);
    *ret = atom->step;
    if (parent)
        ret->flags |= QPW_STEP_IS_PARENT;
    for (size_t i = at; i < s->n_active && atom->from; i++) {
        const struct qpw_atom *other = &c->atoms[s->active[i]];

        if (taken[i] || other->alike != atom->alike || !other->from || marked(c, other, position) != parent)
            continue;
        named |= other->step.rule != atom->step.rule;
        alike[n++] = s->active[i];
        taken[i] = true;
    }
    if (atom->to)
        error = qpw_set_of_to(c, atom, &ret->to_set);
    if (n && error == 0)
        error = qpw_set_of_from(c, alike, n, named, &ret->from_set);
    if (named) {
        ret->flags |= QPW_STEP_RULE_FROM_SET;
        ret->rule = 0;
    }
    free(alike);
    return error;
}

static int append_chain(struct sweep *s, const struct qpw_step *steps, size_t n)
{
    struct qpw_compiled *out = &s->c->out;
    struct qpw_chain *chain;
    struct qpw_step *step;

    if (out->n_chains == QPW_MAX_CHAINS)
        return qpw_fail(s->c->err, -E2BIG,
                        "%s: its rules overlap in more than %u different ways; give them as fewer, larger ranges",
                        s->c->policy->path, QPW_MAX_CHAINS - 1);
    chain = QPW_ADD(out->chains, out->n_chains);
    if (!chain)
        return qpw_fail(s->c->err, -ENOMEM, "%s: out of memory", s->c->policy->path);
    *chain = (struct qpw_chain){.first = (uint32_t)out->n_steps, .count = (uint32_t)n};
    out->n_chains++;
    for (size_t i = 0; i < n; i++) {
        step = QPW_ADD(out->steps, out->n_steps);
        if (!step)
            return qpw_fail(s->c->err, -ENOMEM, "%s: out of memory", s->c->policy->path);
        *step = steps[i];
        out->n_steps++;
    }
    return 0;
}

/* Return the number of the chain with these steps in *ret; append it if it is new. 0 or negative errno with err. */
static int intern_chain(struct sweep *s, const struct qpw_step *steps, size_t n, uint32_t *ret)
{
    const unsigned char *bytes = (const unsigned char *)steps;
    struct qpw_compiled *out = &s->c->out;
    uint64_t hash = 14695981039346656037u;
    size_t at;
    int error;

    for (size_t i = 0; i < n * sizeof(*steps); i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    for (at = hash % CHAIN_BUCKETS; s->buckets[at]; at = (at + 1) % CHAIN_BUCKETS) {
        const struct qpw_chain *chain = &out->chains[s->buckets[at]];

        if (chain->count == n && !memcmp(&out->steps[chain->first], steps, n * sizeof(*steps))) {
            *ret = s->buckets[at];
            return 0;
        }
    }
    error = append_chain(s, steps, n);
    if (error == 0)
        *ret = s->buckets[at] = (uint32_t)out->n_chains - 1;
    return error;
}

/* Set the slots of the places first…last, which have the same active atoms. */
static int fill(struct sweep *s, uint8_t direction, uint32_t first, uint32_t last)
{
    struct qpw_step steps[QPW_MAX_STEPS];
    bool *taken = calloc(s->n_active, sizeof(*taken));
    uint32_t chain = 0;
    uint16_t slot = 0;
    size_t n = 0;
    int error = taken ? 0 : qpw_fail(s->c->err, -ENOMEM, "%s: out of memory", s->c->policy->path);

    for (size_t i = 0; i < s->n_active && error == 0; i++) {
        const struct qpw_atom *atom = &s->c->atoms[s->active[i]];

        if (atom->listed)
            slot = QPW_SLOT_LISTED;
        if (taken[i])
            continue;
        if (n == QPW_MAX_STEPS)
            error = qpw_fail(
                s->c->err, -E2BIG,
                "%s:%u: more than %d different rules for one port; rules that differ only in from= count as one",
                atom->where->file ? atom->where->file : s->c->policy->path, atom->where->line, QPW_MAX_STEPS);
        else
            error = make_step(s, i, first, taken, &steps[n++]);
    }
    free(taken);
    if (error == 0 && n)
        error = intern_chain(s, steps, n, &chain);
    slot |= (uint16_t)chain;
    for (uint32_t position = first; position <= last && error == 0 && n; position++)
        s->c->out.slots[(direction == QPW_DIR_OUTBOUND ? QPW_CHUNKS_PER_DIR : 0) + position / QPW_CHUNK]
            .slot[position % QPW_CHUNK] = slot;
    return error;
}

static int by_position(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;

    return a->position < b->position ? -1 : a->position > b->position;
}

static size_t collect_edges(const struct qpw_compiler *c, uint8_t direction, struct edge *edges)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_atoms; i++)
        if (c->atoms[i].direction == direction) {
            edges[n++] = (struct edge){c->atoms[i].first, (uint32_t)i, true};
            edges[n++] = (struct edge){c->atoms[i].last + 1, (uint32_t)i, false};
        }
    for (size_t i = 0; i < c->n_marks; i++)
        if (c->marks[i].direction == direction) {
            edges[n++] = (struct edge){c->marks[i].position, UINT32_MAX, false};
            edges[n++] = (struct edge){c->marks[i].position + 1, UINT32_MAX, false};
        }
    qsort(edges, n, sizeof(*edges), by_position);
    return n;
}

static int sweep_direction(struct sweep *s, uint8_t direction, struct edge *edges)
{
    size_t n = collect_edges(s->c, direction, edges);
    int error = 0;

    s->n_active = 0;
    for (size_t i = 0; i < n && error == 0;) {
        uint32_t position = edges[i].position;

        for (; i < n && edges[i].position == position; i++) {
            if (edges[i].atom == UINT32_MAX)
                continue;
            if (edges[i].begins)
                activate(s, edges[i].atom);
            else
                deactivate(s, edges[i].atom);
        }
        if (s->n_active && i < n)
            error = fill(s, direction, position, edges[i].position - 1);
    }
    return error;
}

/* ---- Number atoms: those that differ only in from= and in their rule get the same number. ---- */

static int by_likeness(const struct qpw_atom *a, const struct qpw_atom *b)
{
    struct qpw_step left = a->step, right = b->step;

    left.rule = right.rule = 0;
    if (a->to_id != b->to_id)
        return a->to_id < b->to_id ? -1 : 1;
    if (a->direction != b->direction)
        return a->direction < b->direction ? -1 : 1;
    return memcmp(&left, &right, sizeof(left));
}

static int compare_atoms(const void *left, const void *right)
{
    return by_likeness(*(struct qpw_atom *const *)left, *(struct qpw_atom *const *)right);
}

static int number_likeness(struct qpw_compiler *c)
{
    struct qpw_atom **sorted = malloc((c->n_atoms + 1) * sizeof(*sorted));
    uint32_t number = 1;

    if (!sorted)
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", c->policy->path);
    for (size_t i = 0; i < c->n_atoms; i++)
        sorted[i] = &c->atoms[i];
    qsort(sorted, c->n_atoms, sizeof(*sorted), compare_atoms);
    for (size_t i = 0; i < c->n_atoms; i++) {
        if (i && by_likeness(sorted[i - 1], sorted[i]))
            number++;
        sorted[i]->alike = number;
    }
    free(sorted);
    return 0;
}

int qpw_compile_chains(struct qpw_compiler *c)
{
    QPW_CLEANUP(qpw_freep) struct edge *edges = malloc((2 * (c->n_atoms + c->n_marks) + 1) * sizeof(*edges));
    QPW_CLEANUP(qpw_freep) uint32_t *active = malloc((c->n_atoms + 1) * sizeof(*active));
    QPW_CLEANUP(qpw_freep) uint32_t *buckets = calloc(CHAIN_BUCKETS, sizeof(*buckets));
    struct sweep s = {.c = c, .active = active, .buckets = buckets};
    int error = number_likeness(c);

    if (error)
        return error; /* NOLINT(clang-analyzer-unix.Malloc): clang 14 does not see what QPW_CLEANUP() frees */
    c->out.slots = calloc(2 * QPW_CHUNKS_PER_DIR, sizeof(*c->out.slots));
    if (!edges || !active || !buckets || !c->out.slots)
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", c->policy->path);
    error = append_chain(&s, NULL, 0); /* chain 0 is empty */
    if (error)
        return error;
    error = sweep_direction(&s, QPW_DIR_INBOUND, edges);
    return error ? error : sweep_direction(&s, QPW_DIR_OUTBOUND, edges);
}
