/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* diff_settings.c - compare what is not a rule: groups, peers, suppressions, required links between nodes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/tools/diff_int.h"
#include "policy/lang/parse.h"
#include "policy/lang/rule_text.h"
#include "policy/lang/services.h"
#include "util/array.h"

int qpw_diff_add(struct qpw_differences *ret, enum qpw_change change, char *text)
{
    struct qpw_policy_difference *difference = text ? QPW_ADD(ret->list, ret->n) : NULL;

    if (!difference) {
        free(text);
        return -ENOMEM;
    }
    ret->n++;
    difference->change = change;
    difference->text = text;
    return 0;
}

static int add_groups(const char *kind, const char *(*name_of)(unsigned), const struct qpw_group_setting *old,
                      const struct qpw_group_setting *new, unsigned n, struct qpw_differences *ret)
{
    int error = 0;

    for (unsigned i = 0; i < n && error == 0; i++) {
        char *text;

        if (old[i].unexpected == new[i].unexpected)
            continue;
        if (asprintf(&text, "now %s: %s %s", new[i].unexpected ? "unexpected" : "allowed", kind, name_of(i)) < 0)
            text = NULL;
        error = qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
    }
    return error;
}

static const struct qpw_peer *find_peer(const struct qpw_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_peers; i++)
        if (!strcmp(policy->peers[i].name, name))
            return &policy->peers[i];
    return NULL;
}

static bool keys_equal(const struct qpw_keys *a, const struct qpw_keys *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->text[i], b->text[i]))
            return false;
    return true;
}

static int add_peer_keys(const struct qpw_peer *before, const struct qpw_peer *peer, struct qpw_differences *ret)
{
    char keys[QPW_KEYS_TEXT], *text;

    if (before ? keys_equal(&before->keys, &peer->keys) : !peer->keys.n)
        return 0;
    if (asprintf(&text, "peer %s: %s: key %s", before ? "changed" : "added", peer->name,
                 peer->keys.n ? qpw_keys_text(&peer->keys, keys) : "removed") < 0)
        text = NULL;
    return qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
}

static int add_cluster(const struct qpw_policy *old, const struct qpw_policy *new, struct qpw_differences *ret)
{
    const char *before = old->cluster_ca ? old->cluster_ca : "", *after = new->cluster_ca ? new->cluster_ca : "";
    char *text;
    int r = 0;

    if (strcmp(old->cluster, new->cluster)) {
        if ((*new->cluster ? asprintf(&text, "cluster %s: %s", *old->cluster ? "changed" : "added", new->cluster)
                           : asprintf(&text, "cluster removed: %s", old->cluster)) < 0)
            text = NULL;
        r = qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
    }
    if (r == 0 && strcmp(before, after)) {
        if ((*after ? asprintf(&text, "now trusted for the names of peers: certificates signed by %s", after)
                    : asprintf(&text, "no longer trusted for the names of peers: certificates signed by %s", before)) < 0)
            text = NULL;
        r = qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
    }
    return r;
}

static const struct qpw_policy_reader *find_reader(const struct qpw_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_readers; i++)
        if (!strcmp(policy->readers[i].name, name))
            return &policy->readers[i];
    return NULL;
}

static int add_readers(const struct qpw_policy *old, const struct qpw_policy *new, struct qpw_differences *ret)
{
    char addresses[256], keys[QPW_KEYS_TEXT], *text;
    int r = 0;

    for (size_t i = 0; i < new->n_readers && r == 0; i++) {
        const struct qpw_policy_reader *reader = &new->readers[i], *before = find_reader(old, reader->name);

        if (before && qpw_addresses_equal(&before->addresses, &reader->addresses) && keys_equal(&before->keys, &reader->keys))
            continue;
        if (asprintf(&text, "reader %s: %s: %s, key %s", before ? "changed" : "added", reader->name,
                     qpw_addresses_text(&reader->addresses, addresses, sizeof(addresses)), qpw_keys_text(&reader->keys, keys)) < 0)
            text = NULL;
        r = qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
    }
    for (size_t i = 0; i < old->n_readers && r == 0; i++) {
        if (find_reader(new, old->readers[i].name))
            continue;
        if (asprintf(&text, "reader removed: %s", old->readers[i].name) < 0)
            text = NULL;
        r = qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
    }
    return r;
}

static int add_peers(const struct qpw_policy *old, const struct qpw_policy *new, struct qpw_differences *ret)
{
    char addresses[256], *text;
    int error;

    for (size_t i = 0; i < new->n_peers; i++) {
        const struct qpw_peer *peer = &new->peers[i], *before = find_peer(old, peer->name);

        if (!before || !qpw_addresses_equal(&before->addresses, &peer->addresses)) {
            if (asprintf(&text, "peer %s: %s: %s", before ? "changed" : "added", peer->name,
                         qpw_addresses_text(&peer->addresses, addresses, sizeof(addresses))) < 0)
                text = NULL;
            error = qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
            if (error < 0)
                return error;
        }
        error = add_peer_keys(before, peer, ret);
        if (error < 0)
            return error;
    }
    for (size_t i = 0; i < old->n_peers; i++) {
        if (find_peer(new, old->peers[i].name))
            continue;
        if (asprintf(&text, "peer removed: %s", old->peers[i].name) < 0)
            text = NULL;
        error = qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
        if (error < 0)
            return error;
    }
    return 0;
}

static bool has_suppression(const struct qpw_policy *policy, const char *text, int64_t now)
{
    for (size_t i = 0; i < policy->n_suppressions; i++)
        if (!strcmp(policy->suppressions[i].text, text) &&
            (!policy->suppressions[i].until || policy->suppressions[i].until > now))
            return true;
    return false;
}

static int add_suppressions(const struct qpw_policy *from, const struct qpw_policy *other, const char *verb,
                            int64_t now, struct qpw_differences *ret)
{
    int error = 0;

    for (size_t i = 0; i < from->n_suppressions && error == 0; i++) {
        const char *line = from->suppressions[i].text;
        char *text;

        if (!has_suppression(from, line, now) || has_suppression(other, line, now))
            continue;
        if (asprintf(&text, "%s: %s", verb, line + strcspn(line, " \t") + strspn(line + strcspn(line, " \t"), " \t")) <
            0)
            text = NULL;
        error = qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
    }
    return error;
}

/* Return the same rule of another policy; NULL if it has no such rule in force. */
static const struct qpw_rule *same_row(const struct qpw_policy *policy, const struct qpw_rule *rule, int64_t now)
{
    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct qpw_rule *other = &policy->rules[i];

        if (!strcmp(other->name, rule->name) && !strcmp(other->generated, rule->generated) &&
            qpw_rule_in_force(other, now))
            return other;
    }
    return NULL;
}

static int add_change(struct qpw_differences *ret, const char *what, const struct qpw_rule *rule, const char *before,
                      const char *after)
{
    char *text;

    if (!strcmp(before, after))
        return 0;
    if (asprintf(&text, "%s of %s: now %s (was %s)", what, rule->name, after, before) < 0)
        text = NULL;
    return qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
}

/* Owner and services (speaks=) change no packet's verdict, so they are compared as settings of the rule. */
static int add_checks(const struct qpw_policy *old, const struct qpw_policy *new, int64_t now,
                      struct qpw_differences *ret)
{
    char before[QPW_SPEAKS_ROOM], after[QPW_SPEAKS_ROOM];
    int error = 0;

    for (size_t i = 0; i < new->n_rules && error == 0; i++) {
        const struct qpw_rule *rule = &new->rules[i], *was = same_row(old, rule, now);

        if (!qpw_rule_in_force(rule, now))
            continue;
        error = add_change(ret, "owner", rule, was ? qpw_rule_owner(was) : "any", qpw_rule_owner(rule));
        if (error == 0)
            error = add_change(ret, "protocol", rule, qpw_speaks_text(was ? was->speaks : 0, before, sizeof(before)),
                               qpw_speaks_text(rule->speaks, after, sizeof(after)));
    }
    return error;
}

static int add_peer_family(const struct qpw_policy *old, const struct qpw_policy *new, struct qpw_differences *ret)
{
    char *text;

    if (old->peer_family.family == new->peer_family.family)
        return 0;
    if ((new->peer_family.family ? asprintf(&text, "now required between nodes: IPv%u", new->peer_family.family)
                                 : asprintf(&text, "no longer required between nodes: any address family")) < 0)
        text = NULL;
    return qpw_diff_add(ret, QPW_CHANGE_SETTING, text);
}

int qpw_diff_settings(const struct qpw_policy *old, const struct qpw_policy *new, int64_t now,
                        struct qpw_differences *ret)
{
    int error = add_groups("infra", qpw_infra_name, old->infra, new->infra, QPW_INFRA_COUNT, ret);

    if (error < 0)
        return error;
    error = add_groups("implied", qpw_implied_name, old->implied, new->implied, QPW_IMPLIED_COUNT, ret);
    if (error < 0)
        return error;
    error = add_checks(old, new, now, ret);
    if (error < 0)
        return error;
    error = add_peers(old, new, ret);
    if (error < 0)
        return error;
    error = add_readers(old, new, ret);
    if (error < 0)
        return error;
    error = add_cluster(old, new, ret);
    if (error < 0)
        return error;
    error = add_suppressions(new, old, "now suppressed", now, ret);
    if (error < 0)
        return error;
    error = add_suppressions(old, new, "no longer suppressed", now, ret);
    return error < 0 ? error : add_peer_family(old, new, ret);
}
