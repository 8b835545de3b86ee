/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * audit_policy.c - a test's rules into the tables by which packets are judged. Written independently of the policy
 * compiler, so that the two check each other: this one examines every place of the verdict table.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit.h"
#include "policy/compile/compile.h"

#define SLOTS (2 * (size_t)QPW_SPACE_SLOTS)
#define MAX_SETS (2 * AUDIT_MAX_RULES + AUDIT_MAX_PEERS)

void audit_address(const char *text, uint8_t ret[16])
{
    memset(ret, 0, 16);
    if (strchr(text, ':')) {
        cr_assert(inet_pton(AF_INET6, text, ret) == 1, "not an address: %s", text);
        return;
    }
    ret[10] = ret[11] = 0xff;
    cr_assert(inet_pton(AF_INET, text, ret + 12) == 1, "not an address: %s", text);
}

static void add_to_set(struct qpw_compiled *c, uint32_t set, const char *prefix, uint32_t value)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(prefix, '/');
    struct qpw_set_entry *e = &c->sets[c->n_sets++];
    uint32_t bits;

    snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - prefix) : (int)strlen(prefix), prefix);
    bits = slash ? (uint32_t)atoi(slash + 1) + (strchr(address, ':') ? 0 : 96) : 128;
    e->key.prefixlen = 32 + bits;
    e->key.set = htonl(set);
    audit_address(address, e->key.addr);
    e->value = value;
}

/* Return the first place of a rule's ports in the verdict table, and their number. */
static uint32_t space_of(const struct audit_rule *r, uint32_t *count)
{
    *count = (r->last ? r->last : r->first) - r->first + 1u;
    switch (r->protocol) {
    case 6: return QPW_SPACE_TCP + r->first;
    case 17: return QPW_SPACE_UDP + r->first;
    case 132: return QPW_SPACE_SCTP + r->first;
    case 1: return QPW_SPACE_ICMP + r->first;
    case 58: return QPW_SPACE_ICMP6 + r->first;
    case AUDIT_ETHERTYPE: return QPW_SPACE_ETHERTYPE + r->first;
    }
    *count = 1;
    return QPW_SPACE_PROTOCOL + r->protocol;
}

static uint16_t id_of(const struct qpw_registry *names, const char *name)
{
    for (size_t i = 1; i < names->n_rules; i++)
        if (!strcmp(names->rules[i].name, name))
            return (uint16_t)i;
    return 0;
}

static uint16_t name_rule(struct qpw_registry *names, const struct audit_rule *r)
{
    uint16_t id = id_of(names, r->name);

    if (id)
        return id;
    cr_assert(names->n_rules < QPW_MAX_RULES);
    snprintf(names->rules[names->n_rules].name, QPW_NAME_LEN, "%s", r->name);
    names->rules[names->n_rules].in_force = 1;
    return (uint16_t)names->n_rules++;
}

static uint16_t name_peer(struct qpw_registry *names, const char *peer)
{
    for (size_t i = 1; i < names->n_peers; i++)
        if (!strcmp(names->peers[i].name, peer))
            return (uint16_t)i;
    snprintf(names->peers[names->n_peers].name, QPW_NAME_LEN, "%s", peer);
    names->peers[names->n_peers].in_force = 1;
    return (uint16_t)names->n_peers++;
}

static struct qpw_step step_of(struct audit *a, struct qpw_compiled *c, const struct audit_rule *rules, size_t n,
                               size_t i, uint32_t *next_set)
{
    const struct audit_rule *r = &rules[i];
    struct qpw_step s = {.ifindex = r->ifindex, .initiator_port = r->initiator_port, .speaks = r->speaks};

    s.rule = id_of(&a->names, r->name);
    s.verdict = (uint8_t)(r->verdict ? r->verdict : QPW_VERDICT_ALLOWED);
    s.vlan = r->vlan == 0 ? 0xffff : r->vlan == AUDIT_UNTAGGED ? 0 : (uint16_t)r->vlan;
    s.flags = (r->rx_multicast ? QPW_STEP_RX_MULTICAST : 0) | (r->any_answer ? QPW_STEP_ANY_ANSWER : 0);
    if (r->from) {
        s.from_set = (*next_set)++;
        add_to_set(c, s.from_set, r->from, 1);
    }
    if (r->to) {
        s.to_set = (*next_set)++;
        add_to_set(c, s.to_set, r->to, 1);
    }
    if (r->parent) {
        s.parent = id_of(&a->names, r->parent);
        cr_assert(s.parent, "no rule '%s' to be the parent of '%s'", r->parent, r->name);
    }
    for (size_t other = 0; other < n; other++)
        if (rules[other].parent && !strcmp(rules[other].parent, r->name))
            s.flags |= QPW_STEP_IS_PARENT;
    return s;
}

/* Mark the rules that match each place: one bit per rule. */
static uint64_t *mark_places(const struct audit_rule *rules, size_t n)
{
    uint64_t *places = calloc(SLOTS, sizeof(*places));

    cr_assert(places != NULL);
    for (size_t i = 0; i < n; i++) {
        uint32_t count, first = space_of(&rules[i], &count);

        for (int outbound = 0; outbound < 2; outbound++) {
            if (rules[i].direction != QPW_DIR_UNKNOWN && (rules[i].direction == QPW_DIR_OUTBOUND) != outbound)
                continue;
            for (uint32_t at = first; at < first + count; at++)
                places[(size_t)outbound * QPW_SPACE_SLOTS + at] |= 1ull << i;
        }
    }
    return places;
}

/* Return the chain of a set of rules, adding it if it is new, with the flag that directions may be inferred from it. */
static uint16_t chain_of(struct qpw_compiled *c, const struct audit_rule *rules, const struct qpw_step *steps,
                         uint64_t *masks, uint64_t mask)
{
    size_t chain = 1;
    uint16_t listed = 0;

    for (int i = 0; i < AUDIT_MAX_RULES; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): a bit of the mask is a step */
        if (mask >> i & 1 && steps[i].verdict == QPW_VERDICT_ALLOWED && rules[i].last < rules[i].first + 1024u)
            listed = QPW_SLOT_LISTED;
    while (chain < c->n_chains && masks[chain] != mask)
        chain++;
    if (chain == c->n_chains) {
        masks[chain] = mask;
        c->chains[chain].first = (uint32_t)c->n_steps;
        for (int verdict = QPW_VERDICT_ALLOWED; verdict <= QPW_VERDICT_UNEXPECTED; verdict++)
            for (int i = 0; i < AUDIT_MAX_RULES; i++)
                if (mask >> i & 1 && steps[i].verdict == verdict)
                    c->steps[c->n_steps++] = steps[i];
        c->chains[chain].count = (uint32_t)c->n_steps - c->chains[chain].first;
        c->n_chains++;
        cr_assert(c->n_chains < 200 && c->chains[chain].count <= QPW_MAX_STEPS);
    }
    return (uint16_t)chain | listed;
}

static void start_names(struct qpw_registry *names)
{
    if (names->rules)
        return;
    names->rules = calloc(QPW_MAX_RULES, sizeof(*names->rules));
    names->peers = calloc(QPW_MAX_PEERS, sizeof(*names->peers));
    cr_assert(names->rules && names->peers);
    names->n_rules = names->n_peers = 1;
}

void audit_policy(struct audit *a, const struct audit_rule *rules, size_t n_rules, const char *const *peers)
{
    struct qpw_step steps[AUDIT_MAX_RULES];
    struct qpw_compiled c = {.n_chains = 1};
    static uint64_t masks[256];
    struct qpw_error err = {0};
    uint32_t next_set = QPW_SET_PEERS + 1;
    uint64_t *places;

    cr_assert(n_rules <= AUDIT_MAX_RULES);
    start_names(&a->names);
    c.slots = calloc(2 * QPW_CHUNKS_PER_DIR, sizeof(*c.slots));
    c.chains = calloc(256, sizeof(*c.chains));
    c.steps = calloc(256 * (size_t)QPW_MAX_STEPS, sizeof(*c.steps));
    c.sets = calloc(MAX_SETS, sizeof(*c.sets));
    cr_assert(c.slots && c.chains && c.steps && c.sets);

    for (size_t i = 0; i < n_rules; i++)
        name_rule(&a->names, &rules[i]);
    for (size_t i = 0; i < n_rules; i++)
        steps[i] = step_of(a, &c, rules, n_rules, i, &next_set);
    for (size_t i = 0; peers && peers[i]; i++)
        add_to_set(&c, QPW_SET_PEERS, peers[i], name_peer(&a->names, peers[i]));
    places = mark_places(rules, n_rules);
    for (size_t at = 0; at < SLOTS; at++) {
        size_t outbound = at / QPW_SPACE_SLOTS, space = at % QPW_SPACE_SLOTS;

        if (places[at])
            c.slots[outbound * QPW_CHUNKS_PER_DIR + space / QPW_CHUNK].slot[space % QPW_CHUNK] =
                chain_of(&c, rules, steps, masks, places[at]);
    }
    free(places);
    cr_assert(qpw_kernel_set_policy(&a->kernel, &c, &a->names, &err) == 0, "%s", err.text);
    qpw_compiled_clear(&c);
}

void audit_policy_text(struct audit *a, const char *text)
{
    uint8_t own[2][16];
    struct qpw_compile_context context = {.now = time(NULL), .own = own, .n_own = 2};
    struct qpw_compiled compiled;
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    audit_address(AUDIT_NODE, own[0]);
    audit_address(AUDIT_NODE6, own[1]);
    cr_assert(qpw_policy_parse_text("test", text, strlen(text), &policy, &err) == 0, "%s", err.text);
    cr_assert(qpw_policy_compile(&policy, &context, &a->names, &compiled, &err) == 0, "%s", err.text);
    cr_assert(qpw_kernel_set_policy(&a->kernel, &compiled, &a->names, &err) == 0, "%s", err.text);
    qpw_compiled_clear(&compiled);
    qpw_policy_clear(&policy);
}

uint16_t audit_rule_id(struct audit *a, const char *name)
{
    uint16_t id = id_of(&a->names, name);

    cr_assert(id, "no rule '%s'", name);
    return id;
}
