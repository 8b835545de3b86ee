/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/tools/diff.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/tools/diff_int.h"
#include "policy/lang/parse.h"
#include "util/names.h"

static void what_text(const struct qpw_opening *opening, char *buf, size_t size)
{
    const char *name = opening->protocol == 256 ? "any" : qpw_protocol_name(opening->protocol);
    char protocol[16], ports[32] = "";
    bool all =
        opening->first <= 1 &&
        opening->last >= (opening->protocol == IPPROTO_ICMP || opening->protocol == IPPROTO_ICMPV6 ? 255 : 65535);

    snprintf(protocol, sizeof(protocol), "protocol %u", opening->protocol);
    if (opening->ports && !all)
        snprintf(ports, sizeof(ports), opening->first == opening->last ? " %u" : " %u-%u", opening->first,
                 opening->last);
    else if (opening->ports)
        snprintf(ports, sizeof(ports), " any");
    snprintf(buf, size, "%s %s%s", opening->direction == QPW_DIR_INBOUND ? "inbound" : "outbound",
             name ? name : protocol, ports);
}

static int add_move(struct qpw_differences *ret, const struct qpw_opening *from, const struct qpw_opening *to)
{
    char *text, what[64];
    struct qpw_opening bare = *from;

    bare.ports = false;
    what_text(&bare, what, sizeof(what));
    if (asprintf(&text, "moved: %s %u → %u (%s)", from->rule->purpose ? from->rule->purpose : from->rule->name,
                 from->first, to->first, what) < 0)
        text = NULL;
    return qpw_diff_add(ret, QPW_CHANGE_MOVES, text);
}

static int add_moves(struct qpw_diff_side *old, struct qpw_diff_side *new, struct qpw_differences *ret)
{
    int error = 0;

    for (size_t i = 0; i < old->n_more && error == 0; i++) {
        struct qpw_opening *from = &old->more[i];

        for (size_t j = 0; j < new->n_more && !from->used && error == 0; j++) {
            struct qpw_opening *to = &new->more[j];

            if (to->used || from->first != from->last || to->first != to->last || from->direction != to->direction ||
                from->protocol != to->protocol || strcmp(from->condition, to->condition) ||
                strcmp(from->rule->name, to->rule->name) ||
                !(to->rule->flags & QPW_RULE_MOVED) == !(from->rule->flags & QPW_RULE_MOVED))
                continue;
            from->used = to->used = true;
            error = add_move(ret, from, to);
        }
    }
    return error;
}

/* Return the number of the rule's condition if it covers that opening, otherwise 0. */
static uint32_t condition_at(const struct qpw_diff_side *side, size_t row, const struct qpw_opening *opening)
{
    const struct qpw_rule *rule = &side->policy->rules[row];

    return side->conditions[row] && rule->direction == opening->direction &&
                   qpw_diff_covers(rule, opening->protocol, opening->first, opening->last)
               ? side->ids[row]
               : 0;
}

/* Return the condition that replaced this one on the same ports: one of `other` that `side` lacks. NULL: none did. */
static const char *counterpart(const struct qpw_diff_side *side, const struct qpw_diff_side *other,
                               const struct qpw_opening *opening)
{
    for (size_t i = 0; i < other->policy->n_rules; i++) {
        uint32_t id = condition_at(other, i, opening);
        bool both = false;

        for (size_t j = 0; id && j < side->policy->n_rules && !both; j++)
            both = condition_at(side, j, opening) == id;
        if (id && !both)
            return other->conditions[i];
    }
    return NULL;
}

/* Merge ports open in both policies under different conditions into one line; mark the opposite line as used. */
static int add_narrowings(struct qpw_diff_side *old, struct qpw_diff_side *new, struct qpw_differences *ret)
{
    struct qpw_diff_side *sides[] = {old, new};
    int error = 0;

    for (int k = 0; k < 2; k++) {
        struct qpw_diff_side *side = sides[k], *other = sides[!k];

        for (size_t i = 0; i < side->n_more && error == 0; i++) {
            struct qpw_opening *opening = &side->more[i];
            const char *theirs = counterpart(side, other, opening), *purpose = opening->rule->purpose;
            bool both = false;
            char what[64], *text;

            if (opening->used || !theirs)
                continue;
            opening->used = true;
            for (size_t j = 0; j < other->n_more; j++)
                if (!other->more[j].used && other->more[j].direction == opening->direction &&
                    other->more[j].protocol == opening->protocol && other->more[j].first == opening->first &&
                    other->more[j].last == opening->last && other->more[j].condition == theirs)
                    both = other->more[j].used = true;
            what_text(opening, what, sizeof(what));
            if (asprintf(&text, "%s: %s%s%s%s: %s → %s",
                         both ? "changed"
                         : k  ? "widened"
                              : "narrowed",
                         what, purpose ? " (" : "", purpose ? purpose : "", purpose ? ")" : "",
                         k ? theirs : opening->condition, k ? opening->condition : theirs) < 0)
                text = NULL;
            error = qpw_diff_add(ret, k ? QPW_CHANGE_OPENS : QPW_CHANGE_CLOSES, text);
        }
    }
    return error;
}

static int add_openings(const struct qpw_diff_side *side, enum qpw_change change, struct qpw_differences *ret)
{
    int error = 0;

    for (size_t i = 0; i < side->n_more && error == 0; i++) {
        const struct qpw_opening *opening = &side->more[i];
        const char *purpose = opening->rule->purpose;
        char what[64], *text;

        if (opening->used)
            continue;
        what_text(opening, what, sizeof(what));
        if (asprintf(&text, "%s: %s%s%s%s %s",
                     change == QPW_CHANGE_OPENS ? "now allowed" : "no longer allowed", what, purpose ? " (" : "",
                     purpose ? purpose : "", purpose ? ")" : "", opening->condition) < 0)
            text = NULL;
        error = qpw_diff_add(ret, change, text);
    }
    return error;
}

/* ---- Whole policies ---- */

const char *qpw_change_name(enum qpw_change change)
{
    static const char *const names[] = {"none", "opens", "closes", "moves", "setting"};

    return change <= QPW_CHANGE_SETTING ? names[change] : "invalid";
}

void qpw_differences_clear(struct qpw_differences *differences)
{
    for (size_t i = 0; i < differences->n; i++)
        free(differences->list[i].text);
    free(differences->list);
    *differences = (struct qpw_differences){0};
}

int qpw_policy_diff(const struct qpw_policy *old, const struct qpw_policy *new, int64_t now,
                    struct qpw_differences *ret)
{
    struct qpw_diff_side before = {.policy = old}, after = {.policy = new};
    struct qpw_differences differences = {0};
    int error = qpw_diff_compare(&before, &after, now);

    if (error == 0)
        error = add_moves(&before, &after, &differences);
    if (error == 0)
        error = add_narrowings(&before, &after, &differences);
    if (error == 0)
        error = add_openings(&after, QPW_CHANGE_OPENS, &differences);
    if (error == 0)
        error = add_openings(&before, QPW_CHANGE_CLOSES, &differences);
    if (error == 0)
        error = qpw_diff_settings(old, new, now, &differences);
    qpw_diff_side_clear(&before);
    qpw_diff_side_clear(&after);
    if (error < 0)
        qpw_differences_clear(&differences);
    else
        *ret = differences;
    return error;
}
