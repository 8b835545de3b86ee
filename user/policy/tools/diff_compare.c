/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * diff_compare.c - find what one of two policies has open and the other has not: for each direction and protocol, sweep
 * over the ports of both with the rules in force at each.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/tools/diff_int.h"
#include "policy/lang/parse.h"
#include "policy/lang/rule_text.h"
#include "util/array.h"
#include "util/names.h"

/* ---- Conditions as text, numbered: equal text is an equal condition ---- */

#define ANY_ANSWER ", with answers from any port"

static const char *who(bool limited, const struct qpw_addresses *set, char *buf, size_t size)
{
    if (!limited)
        return "any";
    return qpw_addresses_text(set, buf, size);
}

/* "from any", "from 10.0.0.0/8 to the node's 10.2.0.0/24 on VLAN 200", "to any (weak)": the remote end first. */
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

        if (asprintf(&text, "%s %s%s%s%s%s%s", inbound ? "from" : "to", remote,
                     !has_local ? "" : inbound ? " to the node's " : " from the node's ", local, link,
                     rule->flags & QPW_RULE_WEAK ? " (weak)" : "",
                     rule->flags & QPW_RULE_ANY_ANSWER ? ANY_ANSWER : "") < 0)
            text = NULL;
    }
    free(from);
    free(to);
    return text;
}

/* A condition's text, and where to store its number. */
struct numbered {
    const char *text;
    uint32_t *id;
};

static int by_text(const void *left, const void *right)
{
    return strcmp(((const struct numbered *)left)->text, ((const struct numbered *)right)->text);
}

static int find_conditions(struct qpw_diff_side *side, int64_t now)
{
    size_t n = side->policy->n_rules;

    side->conditions = calloc(n + 1, sizeof(*side->conditions));
    side->ids = calloc(n + 1, sizeof(*side->ids));
    if (!side->conditions || !side->ids)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (qpw_rule_in_force(&side->policy->rules[i], now) &&
            !(side->conditions[i] = condition_of(&side->policy->rules[i])))
            return -ENOMEM;
    return 0;
}

/* Number all conditions of both sides from 1. Returns their count, or -ENOMEM. */
static int number_conditions(struct qpw_diff_side *sides[2], uint32_t ret_any[3])
{
    size_t n = 0, room = sides[0]->policy->n_rules + sides[1]->policy->n_rules;
    struct numbered *all = calloc(room + 1, sizeof(*all));
    uint32_t id = 0;

    if (!all)
        return -ENOMEM;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < sides[k]->policy->n_rules; i++)
            if (sides[k]->conditions[i])
                all[n++] = (struct numbered){sides[k]->conditions[i], &sides[k]->ids[i]};
    qsort(all, n, sizeof(*all), by_text);
    ret_any[0] = ret_any[1] = ret_any[2] = 0;
    for (size_t i = 0; i < n; i++) {
        id += i == 0 || strcmp(all[i - 1].text, all[i].text);
        *all[i].id = id;
        if (!strcmp(all[i].text, "from any"))
            ret_any[0] = id;
        if (!strcmp(all[i].text, "to any"))
            ret_any[1] = id;
        if (!strcmp(all[i].text, "from any" ANY_ANSWER))
            ret_any[2] = id;
    }
    free(all);
    return (int)id;
}

/* ---- The sweep ---- */

/* A place where a rule begins or has ended. */
struct edge {
    uint32_t position;
    uint32_t row;
    uint8_t side;
    bool begins;
};

struct sweep {
    struct qpw_diff_side *sides[2];
    /*
     * Numbers of "from any" (inbound), "to any" (outbound), "from any" with answers from any port; 0: no rule has it.
     */
    uint32_t any[3];
    uint32_t *active[2];  /* rules at the current place, in the order of the policy */
    size_t n_active[2];
    uint32_t *stamps[2];  /* by condition: the last segment in which that side had it */
    uint32_t *reported; /* by condition: the last segment and side for which it was reported */
    uint32_t segment;
    struct edge *edges;
    size_t n_edges;
};

static int add_opening(struct qpw_diff_side *side, const struct qpw_opening *opening)
{
    struct qpw_opening *slot;

    for (size_t i = side->n_more; i-- > 0 && side->more[i].direction == opening->direction &&
                                  side->more[i].protocol == opening->protocol;)
        if (side->more[i].last + 1 == opening->first && side->more[i].rule == opening->rule) {
            side->more[i].last = opening->last;
            return 0;
        }
    slot = QPW_ADD(side->more, side->n_more);
    if (!slot)
        return -ENOMEM;
    side->more[side->n_more++] = *opening;
    return 0;
}

/* Add what side k has open in the segment and the other has not; nothing is missing where the other has "any". */
static int compare_segment(struct sweep *s, int k, struct qpw_opening opening)
{
    struct qpw_diff_side *side = s->sides[k];
    uint32_t stamp = 2 * s->segment + (uint32_t)k;
    bool any[3];
    int ret = 0;

    for (int i = 0; i < 3; i++)
        any[i] = s->any[i] && s->stamps[!k][s->any[i]] == s->segment;
    if (any[2])
        return 0;
    for (size_t i = 0; i < s->n_active[k] && ret == 0; i++) {
        uint32_t row = s->active[k][i], id = side->ids[row];

        if (s->stamps[!k][id] == s->segment || s->reported[id] == stamp ||
            ((any[0] || any[1]) && !(side->policy->rules[row].flags & QPW_RULE_ANY_ANSWER)))
            continue;
        s->reported[id] = stamp;
        opening.rule = &side->policy->rules[row];
        opening.condition = side->conditions[row];
        ret = add_opening(side, &opening);
    }
    return ret;
}

static int compare_both(struct sweep *s, const struct qpw_opening *opening)
{
    int ret;

    s->segment++;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < s->n_active[k]; i++)
            s->stamps[k][s->sides[k]->ids[s->active[k][i]]] = s->segment;
    ret = compare_segment(s, 0, *opening);
    return ret < 0 ? ret : compare_segment(s, 1, *opening);
}

static void take_edge(struct sweep *s, const struct edge *edge)
{
    uint32_t *active = s->active[edge->side];
    size_t *n = &s->n_active[edge->side], at = 0;

    while (at < *n && active[at] < edge->row)
        at++;
    if (edge->begins) {
        memmove(active + at + 1, active + at, ((*n)++ - at) * sizeof(*active));
        active[at] = edge->row;
    } else {
        memmove(active + at, active + at + 1, (--*n - at) * sizeof(*active));
    }
}

static int by_position(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;

    return a->position < b->position ? -1 : a->position > b->position;
}

/* Collect the edges of the direction's rules for that protocol; 256: of rules for any protocol. */
static void collect_edges(struct sweep *s, uint8_t direction, unsigned protocol, uint32_t end)
{
    s->n_edges = 0;
    for (uint8_t k = 0; k < 2; k++)
        for (uint32_t i = 0; i < s->sides[k]->policy->n_rules; i++) {
            const struct qpw_rule *rule = &s->sides[k]->policy->rules[i];
            bool any_port = rule->flags & QPW_RULE_ANY_PORT;

            if (!s->sides[k]->conditions[i] || rule->direction != direction ||
                (protocol == 256 ? !(rule->flags & QPW_RULE_ANY_PROTOCOL)
                                 : !qpw_protocol_in(rule->protocols, protocol)))
                continue;
            for (size_t j = 0; j < (any_port ? 1 : rule->n_ports); j++) {
                s->edges[s->n_edges++] = (struct edge){any_port ? 0 : rule->ports[j].first, i, k, true};
                s->edges[s->n_edges++] = (struct edge){any_port ? end : rule->ports[j].last + 1u, i, k, false};
            }
        }
    qsort(s->edges, s->n_edges, sizeof(*s->edges), by_position);
}

static int sweep_protocol(struct sweep *s, uint8_t direction, unsigned protocol)
{
    bool types = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
    struct qpw_opening opening = {
        .direction = direction, .protocol = (uint16_t)protocol, .ports = protocol < 256 && qpw_protocol_name(protocol)};
    int ret = 0;

    collect_edges(s, direction, protocol, types ? 256 : 65536);
    s->n_active[0] = s->n_active[1] = 0;
    for (size_t i = 0; i < s->n_edges && ret == 0;) {
        opening.first = s->edges[i].position;
        for (; i < s->n_edges && s->edges[i].position == opening.first; i++)
            take_edge(s, &s->edges[i]);
        if (i == s->n_edges || !(s->n_active[0] + s->n_active[1]))
            continue;
        opening.last = s->edges[i].position - 1;
        ret = compare_both(s, &opening);
    }
    return ret;
}

/* Return whether some rule names the protocol. Rules for any protocol are compared as protocol 256. */
static bool is_named(const struct qpw_policy *policy, unsigned protocol)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (!(policy->rules[i].flags & QPW_RULE_ANY_PROTOCOL) && qpw_protocol_in(policy->rules[i].protocols, protocol))
            return true;
    return false;
}

static int sweep_all(struct sweep *s)
{
    int ret = 0;

    for (unsigned protocol = 0; protocol <= 256 && ret == 0; protocol++) {
        if (protocol < 256 && !is_named(s->sides[0]->policy, protocol) && !is_named(s->sides[1]->policy, protocol))
            continue;
        ret = sweep_protocol(s, QPW_DIR_INBOUND, protocol);
        if (ret == 0)
            ret = sweep_protocol(s, QPW_DIR_OUTBOUND, protocol);
    }
    return ret;
}

static size_t count_ranges(const struct qpw_policy *policy)
{
    size_t n = 0;

    for (size_t i = 0; i < policy->n_rules; i++)
        n += policy->rules[i].n_ports + 1;
    return n;
}

static int allocate(struct sweep *s, size_t conditions)
{
    for (int k = 0; k < 2; k++) {
        s->active[k] = calloc(count_ranges(s->sides[k]->policy) + 1, sizeof(*s->active[k]));
        s->stamps[k] = calloc(conditions + 1, sizeof(*s->stamps[k]));
    }
    s->reported = calloc(conditions + 1, sizeof(*s->reported));
    s->edges =
        calloc(2 * (count_ranges(s->sides[0]->policy) + count_ranges(s->sides[1]->policy)) + 1, sizeof(*s->edges));
    return s->active[0] && s->active[1] && s->stamps[0] && s->stamps[1] && s->reported && s->edges ? 0 : -ENOMEM;
}

int qpw_diff_compare(struct qpw_diff_side *old, struct qpw_diff_side *new, int64_t now)
{
    struct sweep s = {.sides = {old, new}};
    int conditions, ret = find_conditions(old, now);

    if (ret == 0)
        ret = find_conditions(new, now);
    conditions = ret == 0 ? number_conditions(s.sides, s.any) : ret;
    ret = conditions < 0 ? conditions : allocate(&s, (size_t)conditions);
    if (ret == 0)
        ret = sweep_all(&s);
    for (int k = 0; k < 2; k++) {
        free(s.active[k]);
        free(s.stamps[k]);
    }
    free(s.reported);
    free(s.edges);
    return ret;
}

bool qpw_diff_covers(const struct qpw_rule *rule, unsigned protocol, uint32_t first, uint32_t last)
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

void qpw_diff_side_clear(struct qpw_diff_side *side)
{
    for (size_t i = 0; side->conditions && i < side->policy->n_rules; i++)
        free(side->conditions[i]);
    free(side->conditions);
    free(side->ids);
    free(side->more);
}
