/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/diff_int.h"
#include "policy/parse.h"
#include "policy/rule_text.h"
#include "util/names.h"

/* A run of ports that one policy has open under some conditions and the other has not. */
struct opening {
    uint8_t direction;
    uint16_t protocol; /* 256: any */
    uint32_t first;
    uint32_t last;
    bool ports;        /* the protocol has ports or types */
    const char *condition;
    const struct qpw_rule *rule;
    bool used;
};

struct openings {
    struct opening *list;
    size_t n;
};

/* A row's conditions in words; equal words are equal conditions. */
struct conditions {
    char **text; /* by row; NULL: not in force */
    size_t n;
};

struct side {
    const struct qpw_policy *policy;
    struct conditions conditions;
    struct openings more; /* what the other has not */
};

static const char *who(bool limited, const struct qpw_addresses *set, char *buf, size_t size)
{
    if (!limited)
        return "everyone";
    return qpw_addresses_text(set, buf, size);
}

/* "to everyone", "to 10.0.0.0/8 only for 10.2.0.0/24 on VLAN 200", " (weak)". */
static char *condition_of(const struct qpw_rule *rule)
{
    size_t room = 256 + (rule->from.n + rule->to.n) * 96;
    char *from = malloc(room), *to = malloc(room), *text = NULL, link[64] = "";
    bool inbound = rule->direction == QPW_DIR_INBOUND;

    if (rule->vlan != QPW_ANY_VLAN)
        snprintf(link, sizeof(link), rule->vlan ? " on VLAN %d" : " untagged", rule->vlan);
    if (rule->iface)
        snprintf(link + strlen(link), sizeof(link) - strlen(link), " on %s", rule->iface);
    if (from && to) {
        const char *remote = inbound ? who(rule->flags & QPW_RULE_FROM, &rule->from, from, room)
                                     : who(rule->flags & QPW_RULE_TO, &rule->to, to, room);
        bool has_local = rule->flags & (inbound ? QPW_RULE_TO : QPW_RULE_FROM);
        const char *local = has_local ? (inbound ? qpw_addresses_text(&rule->to, to, room)
                                                 : qpw_addresses_text(&rule->from, from, room))
                                      : "";

        if (asprintf(&text, "to %s%s%s%s%s", remote, has_local ? " for the node's " : "", local, link,
                     rule->flags & QPW_RULE_WEAK ? " (weak)" : "") < 0)
            text = NULL;
    }
    free(from);
    free(to);
    return text;
}

static int find_conditions(struct side *side, int64_t now)
{
    side->conditions.n = side->policy->n_rules;
    side->conditions.text = calloc(side->conditions.n + 1, sizeof(char *));
    for (size_t i = 0; side->conditions.text && i < side->conditions.n; i++)
        if (qpw_rule_in_force(&side->policy->rules[i], now) &&
            !(side->conditions.text[i] = condition_of(&side->policy->rules[i])))
            return -ENOMEM;
    return side->conditions.text ? 0 : -ENOMEM;
}

/* Whether the row speaks of the protocol (256: of any) and of all of first…last: borders are those of all rows. */
static bool covers(const struct qpw_rule *rule, unsigned protocol, uint32_t first, uint32_t last)
{
    if (protocol == 256 ? !(rule->flags & QPW_RULE_ANY_PROTOCOL) : !qpw_protocol_in(rule->protocols, protocol))
        return false;
    if (rule->flags & QPW_RULE_ANY_PORT)
        return true;
    for (size_t i = 0; i < rule->n_ports; i++)
        if (first >= rule->ports[i].first && last <= rule->ports[i].last)
            return true;
    return false;
}

static int add_opening(struct openings *openings, const struct opening *opening)
{
    void *array = openings->list;
    struct opening *place;

    for (size_t i = openings->n; i-- > 0 && openings->list[i].direction == opening->direction &&
                                 openings->list[i].protocol == opening->protocol;)
        if (openings->list[i].last + 1 == opening->first && openings->list[i].rule == opening->rule) {
            openings->list[i].last = opening->last;
            return 0;
        }
    place = qpw_grow(&array, openings->n, sizeof(*place));
    if (!place)
        return -ENOMEM;
    openings->list = array;
    openings->list[openings->n++] = *opening;
    return 0;
}

/* What `side` has open in a segment under a condition that `other` has not; "to everyone" leaves no narrower one. */
static int compare_segment(struct side *side, const struct side *other, const struct opening *segment)
{
    int ret = 0;

    for (size_t i = 0; i < side->conditions.n && ret == 0; i++) {
        const struct qpw_rule *rule = &side->policy->rules[i];
        const char *mine = side->conditions.text[i];
        struct opening opening = *segment;
        bool found = false;

        if (!mine || rule->direction != segment->direction ||
            !covers(rule, segment->protocol, segment->first, segment->last))
            continue;
        for (size_t j = 0; j < other->conditions.n && !found; j++)
            found = other->conditions.text[j] && other->policy->rules[j].direction == segment->direction &&
                    (!strcmp(other->conditions.text[j], mine) || !strcmp(other->conditions.text[j], "to everyone")) &&
                    covers(&other->policy->rules[j], segment->protocol, segment->first, segment->last);
        for (size_t j = 0; j < i && !found; j++) /* said by an earlier row already */
            found = side->conditions.text[j] && side->policy->rules[j].direction == segment->direction &&
                    !strcmp(side->conditions.text[j], mine) &&
                    covers(&side->policy->rules[j], segment->protocol, segment->first, segment->last);
        if (found)
            continue;
        opening.rule = rule;
        opening.condition = mine;
        ret = add_opening(&side->more, &opening);
    }
    return ret;
}

static int by_value(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

static size_t borders_of(const struct qpw_policy *policy, uint8_t direction, unsigned protocol, uint32_t *borders)
{
    size_t n = 0;

    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct qpw_rule *rule = &policy->rules[i];

        if (rule->direction != direction || !qpw_protocol_in(rule->protocols, protocol))
            continue;
        for (size_t j = 0; j < rule->n_ports; j++) {
            borders[n++] = rule->ports[j].first;
            borders[n++] = rule->ports[j].last + 1u;
        }
    }
    return n;
}

static size_t count_ranges(const struct qpw_policy *policy)
{
    size_t n = 0;

    for (size_t i = 0; i < policy->n_rules; i++)
        n += 2 * policy->rules[i].n_ports;
    return n;
}

static int compare_protocol(struct side *old, struct side *new, uint8_t direction, unsigned protocol)
{
    uint32_t *borders = malloc((count_ranges(old->policy) + count_ranges(new->policy) + 4) * sizeof(*borders));
    bool types = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
    uint32_t end = types ? 256 : 65536;
    size_t n = 0;
    int ret = 0;

    if (!borders)
        return -ENOMEM;
    n += borders_of(old->policy, direction, protocol, borders);
    n += borders_of(new->policy, direction, protocol, borders + n);
    borders[n++] = 0;
    borders[n++] = end;
    qsort(borders, n, sizeof(*borders), by_value);
    for (size_t i = 0; i + 1 < n && ret == 0; i++) {
        struct opening segment = {.direction = direction,
                                  .protocol = (uint16_t)protocol,
                                  .ports = qpw_protocol_name(protocol) != NULL,
                                  .first = borders[i],
                                  .last = borders[i + 1] - 1};

        if (borders[i] == borders[i + 1])
            continue;
        ret = compare_segment(old, new, &segment);
        if (ret == 0)
            ret = compare_segment(new, old, &segment);
    }
    free(borders);
    return ret;
}

/* Protocols that a row of either names by itself; rows for any protocol are compared as 256. */
static bool is_named(const struct qpw_policy *policy, unsigned protocol)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (!(policy->rules[i].flags & QPW_RULE_ANY_PROTOCOL) && qpw_protocol_in(policy->rules[i].protocols, protocol))
            return true;
    return false;
}

static int compare_rows(struct side *old, struct side *new)
{
    int ret = 0;

    for (uint8_t direction = QPW_DIR_INBOUND; direction <= QPW_DIR_OUTBOUND && ret == 0; direction++) {
        struct opening any = {.direction = direction, .protocol = 256, .last = 65535};

        for (unsigned protocol = 0; protocol < 256 && ret == 0; protocol++)
            if (is_named(old->policy, protocol) || is_named(new->policy, protocol))
                ret = compare_protocol(old, new, direction, protocol);
        if (ret == 0)
            ret = compare_segment(old, new, &any);
        if (ret == 0)
            ret = compare_segment(new, old, &any);
    }
    return ret;
}

/* ---- Words ---- */

int qpw_diff_say(struct qpw_differences *ret, enum qpw_change change, char *text)
{
    void *array = ret->list;
    struct qpw_difference *difference = text ? qpw_grow(&array, ret->n, sizeof(*difference)) : NULL;

    if (!difference) {
        free(text);
        return -ENOMEM;
    }
    ret->list = array;
    ret->n++;
    difference->change = change;
    difference->text = text;
    return 0;
}

static void what_text(const struct opening *opening, char *buf, size_t size)
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

static int say_move(struct qpw_differences *ret, const struct opening *from, const struct opening *to)
{
    char *text, what[64];
    struct opening bare = *from;

    bare.ports = false;
    what_text(&bare, what, sizeof(what));
    if (asprintf(&text, "moves %s %u → %u (%s)", from->rule->purpose ? from->rule->purpose : from->rule->name,
                 from->first, to->first, what) < 0)
        text = NULL;
    return qpw_diff_say(ret, QPW_CHANGE_MOVES, text);
}

static int say_moves(struct side *old, struct side *new, struct qpw_differences *ret)
{
    int error = 0;

    for (size_t i = 0; i < old->more.n && error == 0; i++) {
        struct opening *from = &old->more.list[i];

        for (size_t j = 0; j < new->more.n && !from->used && error == 0; j++) {
            struct opening *to = &new->more.list[j];

            if (to->used || from->first != from->last || to->first != to->last || from->direction != to->direction ||
                from->protocol != to->protocol || strcmp(from->condition, to->condition) ||
                strcmp(from->rule->name, to->rule->name) ||
                !(to->rule->flags & QPW_RULE_MOVED) == !(from->rule->flags & QPW_RULE_MOVED))
                continue;
            from->used = to->used = true;
            error = say_move(ret, from, to);
        }
    }
    return error;
}

/* How the other policy has the same ports open, NULL: not at all. */
static const char *counterpart(const struct side *other, const struct opening *opening)
{
    for (size_t i = 0; i < other->conditions.n; i++)
        if (other->conditions.text[i] && other->policy->rules[i].direction == opening->direction &&
            covers(&other->policy->rules[i], opening->protocol, opening->first, opening->last))
            return other->conditions.text[i];
    return NULL;
}

/* What is open in both, under other conditions, becomes one line; the line of the other direction is used up. */
static int say_narrowings(struct side *old, struct side *new, struct qpw_differences *ret)
{
    struct side *sides[] = {old, new};
    int error = 0;

    for (int k = 0; k < 2; k++) {
        struct side *side = sides[k], *other = sides[!k];

        for (size_t i = 0; i < side->more.n && error == 0; i++) {
            struct opening *opening = &side->more.list[i];
            const char *theirs = counterpart(other, opening), *purpose = opening->rule->purpose;
            bool both = false;
            char what[64], *text;

            if (opening->used || !theirs)
                continue;
            opening->used = true;
            for (size_t j = 0; j < other->more.n; j++)
                if (!other->more.list[j].used && other->more.list[j].direction == opening->direction &&
                    other->more.list[j].protocol == opening->protocol && other->more.list[j].first == opening->first &&
                    other->more.list[j].last == opening->last && other->more.list[j].condition == theirs)
                    both = other->more.list[j].used = true;
            what_text(opening, what, sizeof(what));
            if (asprintf(&text, "%s %s%s%s%s: %s → %s",
                         both ? "changes"
                         : k  ? "widens"
                              : "narrows",
                         what, purpose ? " (" : "", purpose ? purpose : "", purpose ? ")" : "",
                         k ? theirs : opening->condition, k ? opening->condition : theirs) < 0)
                text = NULL;
            error = qpw_diff_say(ret, k ? QPW_CHANGE_OPENS : QPW_CHANGE_CLOSES, text);
        }
    }
    return error;
}

static int say_openings(const struct side *side, enum qpw_change change, struct qpw_differences *ret)
{
    int error = 0;

    for (size_t i = 0; i < side->more.n && error == 0; i++) {
        const struct opening *opening = &side->more.list[i];
        const char *purpose = opening->rule->purpose;
        char what[64], *text;

        if (opening->used)
            continue;
        what_text(opening, what, sizeof(what));
        if (asprintf(&text, "%s %s%s%s%s %s", qpw_change_name(change), what, purpose ? " (" : "",
                     purpose ? purpose : "", purpose ? ")" : "", opening->condition) < 0)
            text = NULL;
        error = qpw_diff_say(ret, change, text);
    }
    return error;
}

/* ---- The whole ---- */

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

static void clear_side(struct side *side)
{
    for (size_t i = 0; side->conditions.text && i < side->conditions.n; i++)
        free(side->conditions.text[i]);
    free(side->conditions.text);
    free(side->more.list);
}

int qpw_policy_diff(const struct qpw_policy *old, const struct qpw_policy *new, int64_t now,
                    struct qpw_differences *ret)
{
    struct side before = {.policy = old}, after = {.policy = new};
    struct qpw_differences differences = {0};
    int error = find_conditions(&before, now);

    if (error == 0)
        error = find_conditions(&after, now);
    if (error == 0)
        error = compare_rows(&before, &after);
    if (error == 0)
        error = say_moves(&before, &after, &differences);
    if (error == 0)
        error = say_narrowings(&before, &after, &differences);
    if (error == 0)
        error = say_openings(&after, QPW_CHANGE_OPENS, &differences);
    if (error == 0)
        error = say_openings(&before, QPW_CHANGE_CLOSES, &differences);
    if (error == 0)
        error = qpw_diff_settings(old, new, now, &differences);
    clear_side(&before);
    clear_side(&after);
    if (error < 0)
        qpw_differences_clear(&differences);
    else
        *ret = differences;
    return error;
}
