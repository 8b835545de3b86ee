/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* suggest_rules.c - rules that traffic does not need, or not as wide as they are. */
#include "advice/suggest_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/rules.h"
#include "policy/lang/parse.h"
#include "util/cleanup.h"
#include "util/names.h"
#include "words/words.h"

/* ---- Rules without traffic ---- */

static int by_id(const void *left, const void *right)
{
    const struct qpw_rule_use *a = left, *b = right;

    return a->id - b->id;
}

/* A rule that could explain undecided traffic does not count as unused. */
static bool is_unused(const struct qpw_rule_use *rule)
{
    return rule->info->in_force && !qpw_rule_is_own(rule->info) && !qpw_sum_of(&rule->counts).packets && !rule->inferred &&
           (rule->info->verdict == QPW_VERDICT_ALLOWED || rule->info->verdict == QPW_VERDICT_WEAK);
}

int qpw_suggest_unused(const struct qpw_snapshot *s, FILE *out)
{
    struct qpw_rule_use *rules;
    bool titled = false;
    size_t n;

    if (qpw_rules_use(s, &rules, &n) < 0)
        return -ENOMEM;
    qsort(rules, n, sizeof(*rules), by_id);
    for (size_t i = 0; i < n; i++) {
        if (!is_unused(&rules[i]))
            continue;
        if (!titled)
            fputs("\n# Rules with no traffic in this period. Consider disabling:\n", out);
        titled = true;
        fprintf(out, "#disable   %s\n", rules[i].info->name);
    }
    free(rules);
    return 0;
}

/* ---- Rules with few users ---- */

/* Return whether the policy language accepts the path unquoted, and it is readable. */
static bool is_plain_path(const char *path)
{
    return path[0] == '/' && path[1] && strlen(path) < QPW_OWNER_TEXT &&
           !path[strspn(path, "/._+-@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")];
}

/* The users of one kind of a rule: n rows from `first`. */
struct users {
    const struct qpw_rule_user_row *first;
    size_t n;
};

static struct users users_of(const struct qpw_suggest_options *options, uint16_t rule, uint8_t kind)
{
    struct users u = {0};

    for (size_t i = 0; i < options->n_users; i++) {
        const struct qpw_rule_user_row *row = &options->users[i];

        if (row->key.rule != rule || row->key.kind != kind)
            continue;
        u.first = u.n ? u.first : row;
        u.n++;
    }
    return u;
}

static bool are_few_programs(const struct users *u)
{
    size_t length = 0;

    for (size_t i = 0; i < u->n; i++) {
        if (!is_plain_path(u->first[i].key.who))
            return false; /* unknown, or cannot be written */
        length += strlen(u->first[i].key.who) + 1;
    }
    return u->n && u->n <= QPW_RULE_FEW_PROGRAMS && length < QPW_OWNER_TEXT;
}

static int remotes_of(const struct users *u, struct qpw_addresses *ret)
{
    for (size_t i = 0; i < u->n; i++) {
        qpw_u128 number = qpw_address_number((const uint8_t *)u->first[i].key.who);
        struct qpw_range range = {number, number};

        if (qpw_addresses_add(ret, &range) < 0)
            return -ENOMEM;
    }
    qpw_addresses_normalise(ret);
    return 0;
}

static int write_remote_limit(const struct qpw_rule_use *rule, const struct users *u, FILE *out)
{
    struct qpw_prefix_list list = {.out = out};
    QPW_CLEANUP(qpw_addresses_clear) struct qpw_addresses remotes = {0};

    if (remotes_of(u, &remotes) < 0)
        return -ENOMEM;
    fprintf(out, "#only      %s %s=", rule->info->name, rule->info->direction == QPW_DIR_OUTBOUND ? "to" : "from");
    qpw_suggest_addresses(&remotes, &list);
    fputc('\n', out);
    return 0;
}

static int write_narrowed(const struct qpw_rule_use *rule, const struct users *remotes, const struct users *programs,
                          bool few_remotes, FILE *out)
{
    bool few_programs = are_few_programs(programs);
    char address[40], packets[40];
    int r = 0;

    if (!few_remotes && !few_programs)
        return 0;
    fprintf(out, "# %s: %s", rule->info->name,
            qpw_words_many(qpw_sum_of(&rule->counts).packets, "packet", packets, sizeof(packets)));
    if (few_remotes)
        fprintf(out, ", %s", qpw_words_many(remotes->n, "remote address", address, sizeof(address)));
    fputc('\n', out);
    if (few_remotes)
        r = write_remote_limit(rule, remotes, out);
    if (r == 0 && few_programs) {
        fprintf(out, "#only      %s owner=", rule->info->name);
        for (size_t i = 0; i < programs->n; i++)
            fprintf(out, "%s%s", i ? "," : "", programs->first[i].key.who);
        fputc('\n', out);
    }
    return r;
}

int qpw_suggest_narrowed(const struct qpw_snapshot *s, const struct qpw_suggest_options *options, FILE *out)
{
    struct qpw_rule_use *rules;
    bool titled = false;
    char since[40] = "";
    size_t n;
    int r = 0;

    if (qpw_rules_use(s, &rules, &n) < 0)
        return -ENOMEM;
    if (options->users_since_unix_ns)
        qpw_words_time(options->users_since_unix_ns, since, sizeof(since));
    qsort(rules, n, sizeof(*rules), by_id);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct users remotes = users_of(options, rules[i].id, QPW_RULE_REMOTE);
        struct users programs = users_of(options, rules[i].id, QPW_RULE_PROGRAM);
        bool few = remotes.n && remotes.n <= QPW_RULE_FEW_REMOTES;

        if (!rules[i].info->in_force || (!few && !are_few_programs(&programs)))
            continue;
        if (!titled)
            fprintf(out, "\n# Rules used by few, as far as seen%s%s. Consider narrowing them to these:\n", *since ? ", remote addresses since " : "", since);
        titled = true;
        r = write_narrowed(&rules[i], &remotes, &programs, few, out);
    }
    free(rules);
    return r;
}
