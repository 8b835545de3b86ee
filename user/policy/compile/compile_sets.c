/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile_int.h"
#include "policy/lang/parse.h"
#include "util/array.h"

/* A finished set and the recipe it was made from, so that equal recipes share one set. */
struct made_set {
    uint64_t hash;
    uint32_t *recipe; /* for `from`: (from_id, rule) of each part; for `to`: its to_id */
    size_t n;
};

struct qpw_set_builder {
    struct made_set *made; /* index: set number - 2 */
    size_t n_made;
    uint32_t *buckets;     /* by hash: set number, 0: free */
    size_t n_buckets;
};

/* ---- Numbers for contents ---- */

struct content {
    const struct qpw_addresses *set;
    uint32_t *id;
};

static int by_content(const void *left, const void *right)
{
    const struct qpw_addresses *a = ((const struct content *)left)->set, *b = ((const struct content *)right)->set;

    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->n ? memcmp(a->ranges, b->ranges, a->n * sizeof(*a->ranges)) : 0;
}

int qpw_number_addresses(struct qpw_compiler *c)
{
    struct content *contents = calloc(2 * c->n_atoms + 1, sizeof(*contents));
    uint32_t id = 0;
    size_t n = 0;

    if (!contents)
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", c->policy->path);
    for (size_t i = 0; i < c->n_atoms; i++) {
        if (c->atoms[i].from)
            contents[n++] = (struct content){c->atoms[i].from, &c->atoms[i].from_id};
        if (c->atoms[i].to)
            contents[n++] = (struct content){c->atoms[i].to, &c->atoms[i].to_id};
    }
    qsort(contents, n, sizeof(*contents), by_content);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || by_content(&contents[i - 1], &contents[i]))
            id++;
        *contents[i].id = id;
    }
    free(contents);
    return 0;
}

/* ---- Entries ---- */

struct adding {
    struct qpw_compiler *c;
    uint32_t set;
    uint32_t value;
};

static int add_prefix(const struct qpw_prefix *prefix, void *data)
{
    struct adding *adding = data;
    struct qpw_compiled *out = &adding->c->out;
    struct qpw_set_entry *entry;

    if (out->n_sets == QPW_MAX_SET_ENTRIES)
        return -E2BIG;
    entry = QPW_ADD(out->sets, out->n_sets);
    if (!entry)
        return -ENOMEM;
    out->n_sets++;
    entry->key.prefixlen = 32 + prefix->length;
    entry->key.set = htonl(adding->set);
    memcpy(entry->key.addr, prefix->addr, 16);
    entry->value = adding->value;
    return 0;
}

static int add_addresses(struct adding *adding, const struct qpw_addresses *set)
{
    int ret = 0;

    for (size_t i = 0; i < set->n && ret == 0; i++)
        ret = qpw_range_prefixes(&set->ranges[i], add_prefix, adding);
    return ret;
}

static int by_key(const void *left, const void *right)
{
    const struct qpw_set_entry *a = left, *b = right;
    int order = memcmp(a->key.addr, b->key.addr, 16);

    if (order)
        return order;
    return a->key.prefixlen < b->key.prefixlen ? -1 : a->key.prefixlen > b->key.prefixlen;
}

/* Of equal prefixes from `first` on, keep the one that was added first. */
static int drop_doubles(struct qpw_compiled *out, size_t first)
{
    size_t n = out->n_sets - first, kept = 0;
    struct qpw_set_entry *entries;
    uint32_t *values;

    if (n < 2)
        return 0;
    entries = out->sets + first;
    /* Replace each value by its position, so that equal prefixes keep their order; put the values back afterwards. */
    values = malloc(n * sizeof(*values));
    if (!values)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        values[i] = entries[i].value;
        entries[i].value = (uint32_t)i;
    }
    qsort(entries, n, sizeof(*entries), by_key);
    for (size_t i = 1; i < n; i++) {
        if (by_key(&entries[kept], &entries[i]))
            entries[++kept] = entries[i];
        else if (entries[i].value < entries[kept].value)
            entries[kept].value = entries[i].value;
    }
    for (size_t i = 0; i <= kept; i++)
        entries[i].value = values[entries[i].value];
    out->n_sets = first + kept + 1;
    free(values);
    return 0;
}

/* ---- Sets, each built once ---- */

int qpw_sets_new(struct qpw_compiler *c)
{
    struct qpw_set_builder *sets = calloc(1, sizeof(*sets));

    if (sets) {
        sets->n_buckets = 65536;
        sets->buckets = calloc(sets->n_buckets, sizeof(*sets->buckets));
    }
    if (!sets || !sets->buckets) {
        free(sets);
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", c->policy->path);
    }
    c->sets = sets;
    return 0;
}

void qpw_sets_free(struct qpw_set_builder *sets)
{
    for (size_t i = 0; sets && i < sets->n_made; i++)
        free(sets->made[i].recipe);
    if (sets) {
        free(sets->made);
        free(sets->buckets);
    }
    free(sets);
}

/*
 * Look up or create the set of that recipe; *ret_new if it still has to be filled. Takes ownership of the recipe. 0,
 * -E2BIG or -ENOMEM.
 */
static int intern(struct qpw_set_builder *sets, uint32_t *recipe, size_t n, uint32_t *ret, bool *ret_new)
{
    uint64_t hash = 14695981039346656037u;
    struct made_set *made;
    size_t at;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ recipe[i]) * 1099511628211u;
    for (at = (hash >> 32) % sets->n_buckets; sets->buckets[at]; at = (at + 1) % sets->n_buckets) {
        made = &sets->made[sets->buckets[at] - 2];
        if (made->hash == hash && made->n == n && !memcmp(made->recipe, recipe, n * sizeof(*recipe))) {
            free(recipe);
            *ret = sets->buckets[at];
            *ret_new = false;
            return 0;
        }
    }
    made = sets->n_made < sets->n_buckets / 2 ? QPW_ADD(sets->made, sets->n_made) : NULL;
    if (!made) {
        free(recipe);
        return sets->n_made < sets->n_buckets / 2 ? -ENOMEM : -E2BIG;
    }
    *made = (struct made_set){.hash = hash, .recipe = recipe, .n = n};
    *ret = sets->buckets[at] = (uint32_t)(sets->n_made++ + 2);
    *ret_new = true;
    return 0;
}

static int fail(struct qpw_compiler *c, int error)
{
    if (error == -E2BIG)
        return qpw_fail(
            c->err, error,
            "%s: its address sets come to more than %u prefixes, or %u sets; give them as fewer, larger prefixes",
            c->policy->path, QPW_MAX_SET_ENTRIES, 32768u);
    return error < 0 ? qpw_fail(c->err, error, "%s: out of memory", c->policy->path) : 0;
}

int qpw_set_of_to(struct qpw_compiler *c, const struct qpw_atom *atom, uint32_t *ret)
{
    uint32_t *recipe = malloc(sizeof(*recipe));
    struct adding adding = {.c = c, .value = 1};
    bool new = false;
    int error = recipe ? 0 : -ENOMEM;

    if (error == 0) {
        *recipe = atom->to_id;
        error = intern(c->sets, recipe, 1, &adding.set, &new);
    }
    if (error == 0 && new)
        error = add_addresses(&adding, atom->to);
    *ret = adding.set;
    return fail(c, error);
}

int qpw_set_of_from(struct qpw_compiler *c, const uint32_t *atoms, size_t n, bool named, uint32_t *ret)
{
    uint32_t *recipe = malloc((2 * n + 1) * sizeof(*recipe));
    struct adding adding = {.c = c};
    size_t used = 0, first = c->out.n_sets;
    bool new = false;
    int error = recipe ? 0 : -ENOMEM;

    for (size_t i = 0; i < n && error == 0; i++) {
        recipe[used++] = c->atoms[atoms[i]].from_id;
        if (named)
            recipe[used++] = c->atoms[atoms[i]].step.rule;
    }
    if (error == 0) {
        /* A single address list without names has the same recipe as a `to`, so both share one set. */
        if (named)
            recipe[used++] = 0;
        error = intern(c->sets, recipe, used, &adding.set, &new);
    }
    for (size_t i = 0; i < n && error == 0 && new; i++) {
        adding.value = named ? c->atoms[atoms[i]].step.rule : 1;
        error = add_addresses(&adding, c->atoms[atoms[i]].from);
    }
    if (error == 0 && new)
        error = drop_doubles(&c->out, first);
    *ret = adding.set;
    return fail(c, error);
}

/* ---- Peers ---- */

static struct qpw_peer_info *peer_info(struct qpw_compiler *c, const char *name, uint32_t *ret_number)
{
    uint16_t number = qpw_registry_peer(&c->names, name);

    if (!number) {
        if (c->names.n_peers == QPW_MAX_PEERS)
            return NULL;
        number = (uint16_t)c->names.n_peers++;
        snprintf(c->names.peers[number].name, QPW_NAME_LEN, "%s", name);
    }
    *ret_number = number;
    return &c->names.peers[number];
}

/* Add the range without the node's own addresses, which are sorted. */
static int add_foreign(struct adding *adding, const struct qpw_range *range, const qpw_u128 *own, size_t n_own)
{
    struct qpw_range rest = *range;
    int ret = 0;

    for (size_t i = 0; i < n_own && ret == 0; i++) {
        if (own[i] < rest.first || own[i] > rest.last)
            continue;
        if (own[i] > rest.first) {
            struct qpw_range before = {rest.first, own[i] - 1};

            ret = qpw_range_prefixes(&before, add_prefix, adding);
        }
        if (own[i] == rest.last)
            return ret;
        rest.first = own[i] + 1;
    }
    return ret < 0 ? ret : qpw_range_prefixes(&rest, add_prefix, adding);
}

static int by_number(const void *left, const void *right)
{
    qpw_u128 a = *(const qpw_u128 *)left, b = *(const qpw_u128 *)right;

    return a < b ? -1 : a > b;
}

static qpw_u128 *sorted_own(const struct qpw_compile_context *context)
{
    qpw_u128 *own = calloc(context->n_own + 1, sizeof(*own));

    for (size_t i = 0; own && i < context->n_own; i++)
        own[i] = qpw_address_number(context->own[i]);
    if (own)
        qsort(own, context->n_own, sizeof(*own), by_number);
    return own;
}

int qpw_compile_peers(struct qpw_compiler *c)
{
    struct adding adding = {.c = c, .set = QPW_SET_PEERS};
    qpw_u128 *own = sorted_own(c->context);
    int ret = own ? 0 : -ENOMEM;

    for (size_t i = 0; i < c->policy->n_peers && ret == 0; i++) {
        const struct qpw_peer *peer = &c->policy->peers[i];
        struct qpw_peer_info *info = peer_info(c, peer->name, &adding.value);
        size_t before = c->out.n_sets;

        if (!info) {
            free(own);
            return qpw_fail(c->err, -E2BIG,
                            "%s:%u: no room for another peer name: %d are used by this and earlier policies; detach "
                            "and attach again to start over",
                            peer->where.file, peer->where.line, QPW_MAX_PEERS - 1);
        }
        for (size_t j = 0; j < peer->addresses.n && ret == 0; j++)
            ret = add_foreign(&adding, &peer->addresses.ranges[j], own, c->context->n_own);
        info->in_force = c->out.n_sets > before;
        info->own = !info->in_force;
    }
    free(own);
    return fail(c, ret == 0 ? drop_doubles(&c->out, 0) : ret);
}
