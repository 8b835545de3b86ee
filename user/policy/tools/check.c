/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/tools/check_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/lang/rule_text.h"
#include "policy/lang/services.h"
#include "util/array.h"

#define WIDE 16384u /* a quarter of all ports */

int qpw_remark_add(struct qpw_remarks *remarks, enum qpw_remark_kind kind, const struct qpw_where *where,
                   const char *format, ...)
{
    struct qpw_policy_remark *slot = QPW_ADD(remarks->list, remarks->n);
    va_list args;
    int length;

    if (!slot)
        return -ENOMEM;
    va_start(args, format);
    length = vasprintf(&slot->text, format, args);
    va_end(args);
    if (length < 0)
        return -ENOMEM;
    slot->kind = kind;
    if (where)
        slot->where = *where;
    remarks->n++;
    return 0;
}

const char *qpw_remark_name(enum qpw_remark_kind kind)
{
    static const char *const names[] = {"none",        "warning", "duplicate", "shadowed",       "overlap",
                                        "contradicts", "wide",    "never",     "peer-and-client", "purpose", "endless", "speaks", "keyless"};

    return kind < sizeof(names) / sizeof(*names) ? names[kind] : "invalid";
}

void qpw_remarks_clear(struct qpw_remarks *remarks)
{
    for (size_t i = 0; i < remarks->n; i++)
        free(remarks->list[i].text);
    free(remarks->list);
    *remarks = (struct qpw_remarks){0};
}

/* ---- Comparing two rules ---- */

static bool ports_cover(const struct qpw_rule *outer, const struct qpw_rule *inner)
{
    size_t i = 0;

    if (outer->flags & QPW_RULE_ANY_PORT)
        return true;
    if (inner->flags & QPW_RULE_ANY_PORT)
        return false;
    for (size_t j = 0; j < inner->n_ports; j++) {
        while (i < outer->n_ports && outer->ports[i].last < inner->ports[j].first)
            i++;
        if (i == outer->n_ports || outer->ports[i].first > inner->ports[j].first ||
            outer->ports[i].last < inner->ports[j].last)
            return false;
    }
    return true;
}

static bool ports_meet(const struct qpw_rule *a, const struct qpw_rule *b)
{
    if ((a->flags | b->flags) & QPW_RULE_ANY_PORT)
        return true;
    for (size_t i = 0, j = 0; i < a->n_ports && j < b->n_ports;) {
        if (a->ports[i].first <= b->ports[j].last && b->ports[j].first <= a->ports[i].last)
            return true;
        if (a->ports[i].last < b->ports[j].last)
            i++;
        else
            j++;
    }
    return false;
}

static bool protocols_cover(const struct qpw_rule *outer, const struct qpw_rule *inner)
{
    for (int i = 0; i < 4; i++)
        if (inner->protocols[i] & ~outer->protocols[i])
            return false;
    return true;
}

static bool protocols_meet(const struct qpw_rule *a, const struct qpw_rule *b)
{
    for (int i = 0; i < 4; i++)
        if (a->protocols[i] & b->protocols[i])
            return true;
    return false;
}

static bool side_covers(const struct qpw_rule *outer, const struct qpw_rule *inner, uint16_t flag)
{
    const struct qpw_addresses *wide = flag == QPW_RULE_FROM ? &outer->from : &outer->to;
    const struct qpw_addresses *narrow = flag == QPW_RULE_FROM ? &inner->from : &inner->to;

    if (!(outer->flags & flag))
        return true;
    return inner->flags & flag && qpw_addresses_cover(wide, narrow);
}

static bool link_covers(const struct qpw_rule *outer, const struct qpw_rule *inner)
{
    if (outer->vlan != QPW_ANY_VLAN && outer->vlan != inner->vlan)
        return false;
    return !outer->iface || (inner->iface && !strcmp(outer->iface, inner->iface));
}

/* Both rules are needed if only one names the owner of the node's end, or if they name different ones. */
static bool same_owner(const struct qpw_rule *a, const struct qpw_rule *b)
{
    return !strcmp(qpw_rule_owner(a), qpw_rule_owner(b));
}

/* Return whether outer allows everything that inner allows, for at least as long. */
static bool covers(const struct qpw_rule *outer, const struct qpw_rule *inner)
{
    if (outer->flags & QPW_RULE_WEAK && !(inner->flags & QPW_RULE_WEAK))
        return false;
    if (outer->until && (!inner->until || inner->until > outer->until))
        return false;
    return outer->direction == inner->direction && protocols_cover(outer, inner) && ports_cover(outer, inner) &&
           side_covers(outer, inner, QPW_RULE_FROM) && side_covers(outer, inner, QPW_RULE_TO) &&
           link_covers(outer, inner) && same_owner(outer, inner);
}

static int compare_rows(const struct qpw_rule *first, const struct qpw_rule *second, struct qpw_remarks *ret)
{
    bool forth, back, same = qpw_speaks_services(first->speaks) == qpw_speaks_services(second->speaks);
    char one[QPW_SPEAKS_ROOM], other[QPW_SPEAKS_ROOM];

    if (first->direction != second->direction || !protocols_meet(first, second) || !ports_meet(first, second))
        return 0;
    forth = covers(first, second);
    back = covers(second, first);
    if (forth && !same && second->speaks)
        return qpw_remark_add(ret, QPW_REMARK_CONTRADICTS, &second->where,
                      "%s has speaks=%s, but %s in %s:%u matches first, with speaks=%s; put the narrower rule first, or "
                      "write 'override %s speaks=%s'",
                      second->name, qpw_speaks_text(second->speaks, one, sizeof(one)), first->name, first->where.file,
                      first->where.line, qpw_speaks_text(first->speaks, other, sizeof(other)), first->name, one);
    if (back && !same && !forth && (!(first->flags & QPW_RULE_WEAK) || second->flags & QPW_RULE_WEAK))
        return 0; /* the narrower rule stands first and adds something of its own */
    if (forth && back)
        return qpw_remark_add(ret, QPW_REMARK_DUPLICATE, &second->where,
                      "%s is the same as %s in %s:%u; delete one of them", second->name, first->name,
                      first->where.file, first->where.line);
    if (forth)
        return qpw_remark_add(
            ret, QPW_REMARK_SHADOWED, &second->where,
            "%s is redundant: %s in %s:%u already allows it; to narrow that rule, write 'only %s …', or disable it",
            second->name, first->name, first->where.file, first->where.line, first->name);
    if (back)
        return qpw_remark_add(ret, QPW_REMARK_SHADOWED, &first->where,
                      "%s is redundant: %s in %s:%u already allows it; delete one of them", first->name, second->name,
                      second->where.file, second->where.line);
    /* Rules that share ports but differ in address, VLAN or interface are meant to do so. */
    if (first->flags & (QPW_RULE_FROM | QPW_RULE_TO | QPW_RULE_WEAK) ||
        second->flags & (QPW_RULE_FROM | QPW_RULE_TO | QPW_RULE_WEAK) || !link_covers(first, second) ||
        !link_covers(second, first))
        return 0;
    return qpw_remark_add(ret, QPW_REMARK_OVERLAP, &second->where,
                  "%s and %s in %s:%u overlap: the first match wins; split the ranges so that they do not overlap",
                  second->name, first->name, first->where.file, first->where.line);
}

/* ---- Checking one rule ---- */

static int check_width(const struct qpw_rule *rule, struct qpw_remarks *ret)
{
    unsigned width = qpw_rule_width(rule);
    bool ports = qpw_protocol_in(rule->protocols, IPPROTO_TCP) || qpw_protocol_in(rule->protocols, IPPROTO_UDP);

    if (rule->flags & QPW_RULE_WEAK || !ports || width <= WIDE)
        return 0;
    return qpw_remark_add(ret, QPW_REMARK_WIDE, &rule->where,
                  "%s allows %u %% of all ports%s: name the ports, or mark the rule weak", rule->name,
                  width * 100 / 65536, rule->flags & (QPW_RULE_FROM | QPW_RULE_TO) ? " (to some addresses)" : "");
}

static int check_never(const struct qpw_rule *rule, int64_t now, struct qpw_remarks *ret)
{
    struct qpw_rule lasting = *rule;

    lasting.until = 0;
    if (rule->flags & QPW_RULE_DISABLED || qpw_rule_in_force(&lasting, now))
        return 0;
    return qpw_remark_add(ret, QPW_REMARK_NEVER, &rule->where,
                  "%s can never match: its 'only' lines leave no address, VLAN or interface",
                  rule->name);
}

static int check_purpose(const struct qpw_rule *rule, struct qpw_remarks *ret)
{
    if (!rule->purpose || strncmp(rule->purpose, "TODO", 4))
        return 0;
    return qpw_remark_add(ret, QPW_REMARK_PURPOSE, &rule->where, "%s has no purpose yet: replace \"%s\" with what it is for",
                  rule->name, rule->purpose);
}

static bool has_port(const struct qpw_rule *rule, unsigned protocol, uint16_t port)
{
    if (!qpw_protocol_in(rule->protocols, protocol))
        return false;
    for (size_t i = 0; i < rule->n_ports; i++)
        if (port >= rule->ports[i].first && port <= rule->ports[i].last)
            return true;
    return false;
}

/* Warn about a rule for traffic that a group line calls unexpected. */
static int check_groups(const struct qpw_policy *policy, const struct qpw_rule *rule, struct qpw_remarks *ret)
{
    static const struct {
        bool infra;
        unsigned group;
        unsigned protocol;
        uint16_t port;
    } known[] = {{false, QPW_IMPLIED_DNS_TCP, IPPROTO_TCP, 53},
                 {false, QPW_IMPLIED_KERBEROS_UDP, IPPROTO_UDP, 88},
                 {false, QPW_IMPLIED_KPASSWD, IPPROTO_TCP, 464},
                 {false, QPW_IMPLIED_CLDAP, IPPROTO_UDP, 389},
                 {false, QPW_IMPLIED_GLOBAL_CATALOG, IPPROTO_TCP, 3268},
                 {false, QPW_IMPLIED_SMB_TO_DC, IPPROTO_TCP, 445},
                 {true, QPW_INFRA_DHCP, IPPROTO_UDP, 67},
                 {true, QPW_INFRA_DHCP, IPPROTO_UDP, 547}};
    int error = 0;

    for (size_t i = 0; i < sizeof(known) / sizeof(*known) && error == 0; i++) {
        const struct qpw_group_setting *setting =
            known[i].infra ? &policy->infra[known[i].group] : &policy->implied[known[i].group];

        if (rule->direction == QPW_DIR_OUTBOUND && setting->unexpected && setting->where.file &&
            has_port(rule, known[i].protocol, known[i].port))
            error = qpw_remark_add(ret, QPW_REMARK_CONTRADICTS, &rule->where,
                           "%s allows what '%s %s unexpected' in %s:%u forbids; the rule wins; delete one of them",
                           rule->name, known[i].infra ? "infra" : "implied",
                           known[i].infra ? qpw_infra_name(known[i].group) : qpw_implied_name(known[i].group),
                           setting->where.file, setting->where.line);
    }
    return error;
}

static int check_peers(const struct qpw_policy *policy, const struct qpw_rule *rule, struct qpw_remarks *ret)
{
    bool inbound = rule->direction == QPW_DIR_INBOUND;
    const struct qpw_addresses *remote = inbound ? &rule->from : &rule->to;
    int error = 0;

    if (!rule->where.line)
        return 0; /* the tool's own, made of the peers' lines */
    for (size_t i = 0; i < policy->n_peers && error == 0 && rule->flags & (inbound ? QPW_RULE_FROM : QPW_RULE_TO); i++)
        if (qpw_addresses_overlap(&policy->peers[i].addresses, remote))
            error = qpw_remark_add(ret, QPW_REMARK_PEER_CLIENT, &policy->peers[i].where,
                           "peer %s shares addresses with rule %s in %s:%u: they count as peer on every port; remove "
                           "them from the peer",
                           policy->peers[i].name, rule->name, rule->where.file, rule->where.line);
    return error;
}

static int check_row(const struct qpw_policy *policy, size_t at, int64_t now, struct qpw_remarks *ret)
{
    const struct qpw_rule *rule = &policy->rules[at];
    int error = check_never(rule, now, ret);

    if (error < 0 || !qpw_rule_in_force(rule, now))
        return error;
    error = check_width(rule, ret);
    if (error < 0)
        return error;
    error = check_purpose(rule, ret);
    if (error < 0)
        return error;
    error = check_groups(policy, rule, ret);
    if (error < 0)
        return error;
    error = check_peers(policy, rule, ret);
    if (error < 0)
        return error;
    error = qpw_check_row_speaks(policy, rule, ret);
    for (size_t i = 0; i < at && error == 0; i++)
        if (qpw_rule_in_force(&policy->rules[i], now))
            error = compare_rows(&policy->rules[i], rule, ret);
    return error;
}

/* Warn about two peers with the same address: only the first one's name is shown. */
static int check_peer_pairs(const struct qpw_policy *policy, struct qpw_remarks *ret)
{
    int error = 0;

    for (size_t i = 1; i < policy->n_peers && error == 0; i++)
        for (size_t j = 0; j < i && error == 0; j++)
            if (qpw_addresses_overlap(&policy->peers[i].addresses, &policy->peers[j].addresses))
                error = qpw_remark_add(ret, QPW_REMARK_DUPLICATE, &policy->peers[i].where,
                               "peers %s and %s share addresses; give each its own", policy->peers[i].name,
                               policy->peers[j].name);
    return error;
}

/* Warn about a peer that cannot prove itself while others can: it is neither asked nor answered. */
static int check_peer_keys(const struct qpw_policy *policy, struct qpw_remarks *ret)
{
    bool any = false;
    int r = 0;

    for (size_t i = 0; i < policy->n_peers; i++)
        any |= policy->peers[i].keys.n != 0;
    for (size_t i = 0; i < policy->n_peers && r == 0 && any && !policy->cluster_ca; i++)
        if (!policy->peers[i].keys.n)
            r = qpw_remark_add(ret, QPW_REMARK_KEYLESS, &policy->peers[i].where,
                               "peer %s has no key, so that it is neither asked nor answered; 'qportwatch cluster key' on it prints one",
                               policy->peers[i].name);
    return r;
}

/* A suppression that hides any port or protocol of any host should have an end. */
static int check_suppression(const struct qpw_suppression *line, struct qpw_remarks *ret)
{
    const char *any = line->flags & QPW_RULE_ANY_PROTOCOL ? "any protocol" : line->flags & QPW_RULE_ANY_PORT ? "any port" : NULL;

    if (!any || line->until)
        return 0;
    return qpw_remark_add(ret, QPW_REMARK_ENDLESS, &line->where, "%s hides %s and has no expiry date; add until=", line->name, any);
}

static int check_all(const struct qpw_policy *policy, int64_t now, struct qpw_remarks *ret)
{
    int error = 0;

    for (size_t i = 0; i < policy->n_warnings && error == 0; i++)
        error = qpw_remark_add(ret, QPW_REMARK_WARNING, NULL, "%s", policy->warnings[i]);
    if (error < 0)
        return error;
    if (!policy->n_rules) {
        error = qpw_remark_add(ret, QPW_REMARK_NEVER, NULL, "%s: no rules: everything except peers and infra is unexpected",
                               policy->path);
        if (error < 0)
            return error;
    }
    for (size_t i = 0; i < policy->n_rules && error == 0; i++)
        error = check_row(policy, i, now, ret);
    if (error < 0)
        return error;
    error = check_peer_pairs(policy, ret);
    if (error < 0)
        return error;
    error = check_peer_keys(policy, ret);
    for (size_t i = 0; i < policy->n_suppressions && error == 0; i++)
        error = check_suppression(&policy->suppressions[i], ret);
    return error;
}

int qpw_policy_check(const struct qpw_policy *policy, int64_t now, struct qpw_remarks *ret)
{
    struct qpw_remarks remarks = {0};
    int error = check_all(policy, now, &remarks);

    if (error < 0)
        qpw_remarks_clear(&remarks);
    else
        *ret = remarks;
    return error;
}
