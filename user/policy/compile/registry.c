/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile_int.h"
#include "util/hash.h"

/* Hash index over names->rules with open addressing: a policy may have thousands of names. */
struct qpw_name_index {
    uint16_t bucket[2 * QPW_MAX_RULES]; /* rule id, 0: free */
};

void qpw_registry_clear(struct qpw_registry *r)
{
    free(r->rules);
    free(r->peers);
    *r = (struct qpw_registry){0};
}

uint16_t qpw_registry_rule(const struct qpw_registry *names, const char *name)
{
    for (size_t i = 1; i < names->n_rules; i++)
        if (!strcmp(names->rules[i].name, name))
            return (uint16_t)i;
    return 0;
}

uint16_t qpw_registry_peer(const struct qpw_registry *names, const char *name)
{
    for (size_t i = 1; i < names->n_peers; i++)
        if (!strcmp(names->peers[i].name, name))
            return (uint16_t)i;
    return 0;
}

/* Return the bucket that holds the name, or the free one where it belongs. */
static uint16_t *bucket_of(const struct qpw_registry *names, struct qpw_name_index *index, const char *name)
{
    size_t buckets = sizeof(index->bucket) / sizeof(*index->bucket), at = qpw_hash_text(name) % buckets;

    while (index->bucket[at] && strcmp(names->rules[index->bucket[at]].name, name))
        at = (at + 1) % buckets;
    return &index->bucket[at];
}

int qpw_registry_copy(const struct qpw_registry *from, struct qpw_registry *ret, struct qpw_name_index **ret_index)
{
    struct qpw_registry copy = {
        .rules = calloc(QPW_MAX_RULES, sizeof(*copy.rules)),
        .peers = calloc(QPW_MAX_PEERS, sizeof(*copy.peers)),
        .n_rules = from->n_rules ? from->n_rules : 1,
        .n_peers = from->n_peers ? from->n_peers : 1,
    };
    struct qpw_name_index *index = calloc(1, sizeof(*index));

    if (!copy.rules || !copy.peers || !index || copy.n_rules > QPW_MAX_RULES || copy.n_peers > QPW_MAX_PEERS) {
        qpw_registry_clear(&copy);
        free(index);
        return -ENOMEM;
    }
    if (from->n_rules)
        memcpy(copy.rules, from->rules, from->n_rules * sizeof(*copy.rules));
    if (from->n_peers)
        memcpy(copy.peers, from->peers, from->n_peers * sizeof(*copy.peers));
    for (size_t i = 1; i < copy.n_rules; i++) {
        copy.rules[i].in_force = 0;
        if (*copy.rules[i].name)
            *bucket_of(&copy, index, copy.rules[i].name) = (uint16_t)i;
    }
    for (size_t i = 1; i < copy.n_peers; i++)
        copy.peers[i].in_force = 0;
    *ret = copy;
    *ret_index = index;
    return 0;
}

void qpw_name_index_free(struct qpw_name_index *index)
{
    free(index);
}

int qpw_registry_add_rule(struct qpw_compiler *c, const struct qpw_rule_info *info)
{
    uint16_t *bucket = bucket_of(&c->names, c->index, info->name);
    struct qpw_rule_info *known = &c->names.rules[*bucket];

    if (*bucket) {
        bool in_force = known->in_force;

        /* The first rule of a name in this policy describes it, but one in force replaces one that is not. */
        if (!in_force)
            *known = *info;
        return *bucket;
    }
    if (c->names.n_rules == QPW_MAX_RULES)
        return qpw_fail(c->err, -E2BIG,
                        "%s:%u: no room for another rule name: %d are used by this and earlier policies; detach and "
                        "attach again to start over",
                        info->file, info->line, QPW_MAX_RULES - 1);
    *bucket = (uint16_t)c->names.n_rules;
    c->names.rules[c->names.n_rules] = *info;
    return (int)c->names.n_rules++;
}
