/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile_int.h"
#include "policy/lang/parse.h"
#include "policy/lang/services.h"
#include "util/array.h"

#define LISTED_AT_MOST 1024u /* a rule over more ports is no evidence of direction */

uint32_t qpw_space_of(unsigned protocol)
{
    switch (protocol) {
    case IPPROTO_TCP: return QPW_SPACE_TCP;
    case IPPROTO_UDP: return QPW_SPACE_UDP;
    case IPPROTO_SCTP: return QPW_SPACE_SCTP;
    case IPPROTO_ICMP: return QPW_SPACE_ICMP;
    case IPPROTO_ICMPV6: return QPW_SPACE_ICMP6;
    default: return QPW_SPACE_PROTOCOL + protocol;
    }
}

static uint32_t last_of_space(unsigned protocol)
{
    switch (protocol) {
    case IPPROTO_TCP: case IPPROTO_UDP: case IPPROTO_SCTP: return qpw_space_of(protocol) + 65535;
    case IPPROTO_ICMP: case IPPROTO_ICMPV6: return qpw_space_of(protocol) + 255;
    default: return qpw_space_of(protocol);
    }
}

int qpw_add_atom(struct qpw_compiler *c, const struct qpw_atom *atom)
{
    struct qpw_atom *position = QPW_ADD(c->atoms, c->n_atoms);

    if (!position)
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", c->policy->path);
    *position = *atom;
    position->order = (uint32_t)c->n_atoms++;
    return 0;
}

int qpw_add_port_mark(struct qpw_compiler *c, uint8_t direction, uint32_t position, uint16_t rule)
{
    struct qpw_port_mark *mark = QPW_ADD(c->marks, c->n_marks);

    if (!mark)
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", c->policy->path);
    c->n_marks++;
    *mark = (struct qpw_port_mark){.position = position, .rule = rule, .direction = direction};
    return 0;
}

bool qpw_row_active(const struct qpw_compiler *c, const struct qpw_rule *rule, uint32_t *ret_ifindex)
{
    uint32_t ifindex = 0;

    if (!qpw_rule_in_force(rule, c->context->now))
        return false;
    if (rule->iface) {
        ifindex =
            c->context->ifindex ? c->context->ifindex(rule->iface, c->context->data) : if_nametoindex(rule->iface);
        if (!ifindex)
            return false;
    }
    *ret_ifindex = ifindex;
    return true;
}

static int register_row(struct qpw_compiler *c, const struct qpw_rule *rule, bool active)
{
    struct qpw_rule_info info = {
        .line = rule->where.line,
        .direction = rule->direction,
        .verdict = rule->flags & QPW_RULE_WEAK ? QPW_VERDICT_WEAK : QPW_VERDICT_ALLOWED,
        .in_force = active,
    };

    snprintf(info.name, sizeof(info.name), "%s", rule->name);
    snprintf(info.file, sizeof(info.file), "%s", rule->where.file);
    snprintf(info.text, sizeof(info.text), "%s", rule->text);
    return qpw_registry_add_rule(c, &info);
}

#define KPASSWD 464u /* next to Kerberos, with a header of its own: RFC 3244, 2 */

/* Ports first…last of the row, with what is spoken there. */
static int add_range(struct qpw_compiler *c, struct qpw_atom *atom, unsigned protocol, unsigned first, unsigned last)
{
    uint32_t speaks = atom->step.speaks;
    int ret;

    if (speaks & QPW_SPEAKS(KERBEROS) && first <= KPASSWD && last >= KPASSWD) {
        ret = first < KPASSWD ? add_range(c, atom, protocol, first, KPASSWD - 1) : 0;
        atom->step.speaks = speaks & ~QPW_SPEAKS(KERBEROS);
        if (ret == 0)
            ret = add_range(c, atom, protocol, KPASSWD, KPASSWD);
        atom->step.speaks = speaks;
        return ret < 0 || last == KPASSWD ? ret : add_range(c, atom, protocol, KPASSWD + 1, last);
    }
    atom->first = qpw_space_of(protocol) + first;
    atom->last = qpw_space_of(protocol) + last;
    return qpw_add_atom(c, atom);
}

static int add_row_ports(struct qpw_compiler *c, const struct qpw_rule *rule, unsigned protocol, struct qpw_atom *atom)
{
    int ret = 0;

    atom->step.speaks = qpw_speaks_over(rule->speaks, protocol);
    if (rule->flags & QPW_RULE_ANY_PORT)
        return add_range(c, atom, protocol, 0, last_of_space(protocol) - qpw_space_of(protocol));
    for (size_t i = 0; i < rule->n_ports && ret == 0; i++)
        ret = add_range(c, atom, protocol, rule->ports[i].first, rule->ports[i].last);
    return ret;
}

static int add_row(struct qpw_compiler *c, const struct qpw_rule *rule, uint16_t id, uint32_t ifindex)
{
    bool weak = rule->flags & QPW_RULE_WEAK;
    struct qpw_atom atom = {
        .direction = rule->direction,
        .listed = !weak && qpw_rule_width(rule) <= LISTED_AT_MOST,
        .from = rule->flags & QPW_RULE_FROM ? &rule->from : NULL,
        .to = rule->flags & QPW_RULE_TO ? &rule->to : NULL,
        .where = &rule->where,
        .step = {
            .ifindex = ifindex,
            .vlan = rule->vlan == QPW_ANY_VLAN ? QPW_STEP_ANY_VLAN : (uint16_t)rule->vlan,
            .rule = id,
            .verdict = weak ? QPW_VERDICT_WEAK : QPW_VERDICT_ALLOWED,
            .flags = rule->flags & QPW_RULE_ANY_ANSWER ? QPW_STEP_ANY_ANSWER : 0,
        },
    };
    int ret = 0;

    if (rule->parent) {
        /* The registry holds every rule by its name, but parent= may also give a rule's generated name. */
        const struct qpw_policy *policy = c->policy;

        for (size_t i = 0; i < policy->n_rules && !atom.step.parent; i++)
            if (&policy->rules[i] != rule &&
                (!strcmp(policy->rules[i].name, rule->parent) || !strcmp(policy->rules[i].generated, rule->parent)))
                atom.step.parent = qpw_registry_rule(&c->names, policy->rules[i].name);
    }
    if (rule->flags & QPW_RULE_ANY_PROTOCOL) {
        atom.first = QPW_SPACE_TCP;
        atom.last = QPW_SPACE_SCTP + 65535;
        ret = qpw_add_atom(c, &atom);
        atom.first = QPW_SPACE_ICMP;
        atom.last = QPW_SPACE_PROTOCOL + 255;
        return ret < 0 ? ret : qpw_add_atom(c, &atom);
    }
    for (unsigned protocol = 0; protocol < 256 && ret == 0; protocol++)
        if (qpw_protocol_in(rule->protocols, protocol))
            ret = add_row_ports(c, rule, protocol, &atom);
    return ret;
}

/* A rule named in some parent= vouches for companions on all of its ports. */
static void flag_parents(struct qpw_compiler *c)
{
    bool is_parent[QPW_MAX_RULES] = {false};

    for (size_t i = 0; i < c->n_atoms; i++)
        is_parent[c->atoms[i].step.parent] = true;
    is_parent[0] = false;
    for (size_t i = 0; i < c->n_atoms; i++)
        if (is_parent[c->atoms[i].step.rule])
            c->atoms[i].step.flags |= QPW_STEP_IS_PARENT;
}

int qpw_compile_rows(struct qpw_compiler *c)
{
    const struct qpw_policy *policy = c->policy;
    uint16_t *ids = calloc(policy->n_rules + 1, sizeof(*ids));
    uint32_t ifindex;
    int ret = ids ? 0 : qpw_fail(c->err, -ENOMEM, "%s: out of memory", policy->path);

    for (size_t i = 0; i < policy->n_rules && ret >= 0; i++) {
        ret = register_row(c, &policy->rules[i], qpw_row_active(c, &policy->rules[i], &ifindex));
        ids[i] = ret < 0 ? 0 : (uint16_t)ret;
    }
    for (size_t i = 0; i < policy->n_rules && ret >= 0; i++)
        if (qpw_row_active(c, &policy->rules[i], &ifindex))
            ret = add_row(c, &policy->rules[i], ids[i], ifindex);
    free(ids);
    if (ret >= 0)
        flag_parents(c);
    return ret < 0 ? ret : 0;
}
