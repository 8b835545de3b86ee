/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/compile/judge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Entries sorted by set, prefix length and address; a lookup tries all prefix lengths, longest first. */
struct qpw_judge {
    const struct qpw_compiled *compiled;
    struct qpw_set_entry *entries;
    size_t n;
};

static int by_key(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct qpw_set_key));
}

/* Put the set first and the length in network order, so that memcmp() sorts keys by set, length and address. */
static struct qpw_set_key sort_key(uint32_t set_be32, uint32_t prefixlen, const uint8_t addr[16])
{
    struct qpw_set_key key = {.prefixlen = set_be32, .set = htonl(prefixlen)};

    memcpy(key.addr, addr, 16);
    return key;
}

int qpw_judge_new(const struct qpw_compiled *compiled, struct qpw_judge **ret)
{
    struct qpw_judge *judge = calloc(1, sizeof(*judge));

    if (judge)
        judge->entries = calloc(compiled->n_sets + 1, sizeof(*judge->entries));
    if (!judge || !judge->entries) {
        free(judge);
        return -ENOMEM;
    }
    judge->compiled = compiled;
    judge->n = compiled->n_sets;
    for (size_t i = 0; i < judge->n; i++) {
        const struct qpw_set_key *key = &compiled->sets[i].key;

        judge->entries[i].key = sort_key(key->set, key->prefixlen, key->addr);
        judge->entries[i].value = compiled->sets[i].value;
    }
    qsort(judge->entries, judge->n, sizeof(*judge->entries), by_key);
    *ret = judge;
    return 0;
}

void qpw_judge_free(struct qpw_judge *judge)
{
    if (judge)
        free(judge->entries);
    free(judge);
}

static void mask_address(const uint8_t addr[16], unsigned length, uint8_t ret[16])
{
    memset(ret, 0, 16);
    memcpy(ret, addr, length / 8);
    if (length % 8)
        ret[length / 8] = addr[length / 8] & (uint8_t)(0xff00 >> length % 8);
}

static uint32_t value_in(const struct qpw_judge *judge, uint32_t set, const uint8_t *addr)
{
    for (unsigned length = 129; addr && length-- > 0;) {
        struct qpw_set_entry wanted = {0}, *found;
        uint8_t masked[16];

        mask_address(addr, length, masked);
        wanted.key = sort_key(htonl(set), 32 + length, masked);
        found = bsearch(&wanted, judge->entries, judge->n, sizeof(wanted), by_key);
        if (found)
            return found->value;
    }
    return 0;
}

static uint32_t position_of(const struct qpw_exchange *exchange)
{
    switch (exchange->kind) {
    case QPW_KIND_ETHERTYPE: return QPW_SPACE_ETHERTYPE + exchange->port;
    case QPW_KIND_ICMP:
        return (exchange->protocol == IPPROTO_ICMP ? QPW_SPACE_ICMP : QPW_SPACE_ICMP6) + (exchange->port & 0xff);
    case QPW_KIND_PORT:
        return (exchange->protocol == IPPROTO_TCP ? QPW_SPACE_TCP
                : exchange->protocol == IPPROTO_UDP ? QPW_SPACE_UDP : QPW_SPACE_SCTP) + exchange->port;
    default: return QPW_SPACE_PROTOCOL + exchange->protocol;
    }
}

/* Return whether the step matches, its parent aside; if so, *ret_rule is its rule. */
static bool step_covers(const struct qpw_judge *judge, const struct qpw_step *step, const struct qpw_exchange *exchange,
                        uint16_t *ret_rule)
{
    uint16_t rule = step->rule;

    if ((step->ifindex && step->ifindex != exchange->ifindex) ||
        (step->vlan != QPW_STEP_ANY_VLAN && step->vlan != exchange->vlan) ||
        (step->initiator_port && step->initiator_port != exchange->initiator_port) ||
        (step->flags & QPW_STEP_RX_MULTICAST && !exchange->rx_link_multicast))
        return false;
    if (step->from_set) {
        uint32_t value = value_in(judge, step->from_set, exchange->initiator);

        if (!value)
            return false;
        if (step->flags & QPW_STEP_RULE_FROM_SET)
            rule = (uint16_t)value;
    }
    if (step->to_set && !value_in(judge, step->to_set, exchange->responder))
        return false;
    *ret_rule = rule;
    return true;
}

/* Return whether the step matches; if so, set verdict, rule and flags, and *vouched if a live parent vouches for it. */
static bool step_matches(const struct qpw_judge *judge, const struct qpw_step *step,
                         const struct qpw_exchange *exchange, const uint8_t *remote, struct qpw_judgement *ret,
                         bool *vouched)
{
    uint8_t verdict = step->verdict;
    bool lives = false;
    uint16_t rule;

    if (!step_covers(judge, step, exchange, &rule))
        return false;
    if (step->parent) {
        lives = exchange->parent_live && remote && exchange->parent_live(remote, step->parent, exchange->data);

        if (verdict == QPW_VERDICT_WEAK && lives)
            verdict = QPW_VERDICT_ALLOWED;
        if (verdict == QPW_VERDICT_IMPLIED && !lives)
            return false;
    }
    ret->verdict = step->shape && exchange->misfit ? QPW_VERDICT_UNEXPECTED : verdict;
    ret->rule = rule;
    ret->flags = step->flags;
    ret->services = verdict == QPW_VERDICT_ALLOWED ? step->speaks & QPW_SPEAKS_SERVICES : 0;
    *vouched = lives;
    return true;
}

/* Take the first step that matches; if that is weak, prefer a later one that a live parent vouches for. */
static void walk(const struct qpw_judge *judge, const struct qpw_chain *chain, const struct qpw_exchange *exchange,
                 const uint8_t *remote, struct qpw_judgement *ret)
{
    struct qpw_judgement one = *ret;
    bool weak = false, vouched;

    for (uint32_t i = 0; i < chain->count; i++) {
        if (!step_matches(judge, &judge->compiled->steps[chain->first + i], exchange, remote, &one, &vouched) ||
            (weak && !vouched))
            continue;
        *ret = one;
        weak = one.verdict == QPW_VERDICT_WEAK;
        if (!weak)
            return;
    }
}

/*
 * If the rule of the requested port accepts answers from any port, this exchange is implied; no other verdict of that
 * rule is inherited.
 */
static void judge_asked(const struct qpw_judge *judge, const struct qpw_exchange *exchange, struct qpw_judgement *ret)
{
    struct qpw_exchange asked = *exchange;
    struct qpw_judgement judgement;

    asked.port = exchange->asked_port;
    asked.asked_port = 0;
    judgement = qpw_policy_judge(judge, &asked);
    if (judgement.verdict != QPW_VERDICT_ALLOWED || !(judgement.flags & QPW_STEP_ANY_ANSWER))
        return;
    ret->verdict = QPW_VERDICT_IMPLIED;
    ret->rule = judgement.rule;
}

bool qpw_judge_peer(const struct qpw_judge *judge, const uint8_t *address, uint16_t *ret_peer)
{
    *ret_peer = address ? (uint16_t)value_in(judge, QPW_SET_PEERS, address) : 0;
    return *ret_peer;
}

static uint16_t slot_of(const struct qpw_judge *judge, const struct qpw_exchange *exchange)
{
    uint32_t position = position_of(exchange);
    bool outbound = exchange->direction == QPW_DIR_OUTBOUND;

    return judge->compiled->slots[(outbound ? QPW_CHUNKS_PER_DIR : 0) + position / QPW_CHUNK]
        .slot[position % QPW_CHUNK];
}

void qpw_policy_companions(const struct qpw_judge *judge, const struct qpw_exchange *exchange, qpw_companion_fn *each,
                           void *data)
{
    const struct qpw_chain *chain = &judge->compiled->chains[slot_of(judge, exchange) & QPW_SLOT_CHAIN];
    uint16_t rule;

    for (uint32_t i = 0; i < chain->count; i++) {
        const struct qpw_step *step = &judge->compiled->steps[chain->first + i];

        if (step->parent && step_covers(judge, step, exchange, &rule))
            each(data, rule, step->parent);
    }
}

struct qpw_judgement qpw_policy_judge(const struct qpw_judge *judge, const struct qpw_exchange *exchange)
{
    const struct qpw_compiled *compiled = judge->compiled;
    const uint8_t *remote = exchange->direction == QPW_DIR_OUTBOUND ? exchange->responder : exchange->initiator;
    uint16_t slot = slot_of(judge, exchange);
    const struct qpw_chain *chain = &compiled->chains[slot & QPW_SLOT_CHAIN];
    struct qpw_judgement ret = {.verdict = QPW_VERDICT_UNEXPECTED, .listed = slot & QPW_SLOT_LISTED};

    qpw_judge_peer(judge, remote, &ret.peer);
    walk(judge, chain, exchange, remote, &ret);
    if (exchange->asked_port && ret.verdict != QPW_VERDICT_ALLOWED)
        judge_asked(judge, exchange, &ret);
    if (ret.peer)
        ret.verdict = QPW_VERDICT_PEER;
    return ret;
}

/* ---- Ports, for any initiator ---- */

static const struct qpw_chain *chain_of(const struct qpw_judge *judge, uint32_t position)
{
    const struct qpw_compiled *compiled = judge->compiled;

    return &compiled->chains[compiled->slots[position / QPW_CHUNK].slot[position % QPW_CHUNK] & QPW_SLOT_CHAIN];
}

static uint32_t position_of_port(uint8_t protocol, uint16_t port)
{
    const struct qpw_exchange exchange = {.kind = QPW_KIND_PORT, .protocol = protocol, .port = port};

    return position_of(&exchange);
}

static bool is_any(const uint8_t address[16])
{
    static const uint8_t any[16];

    return !memcmp(address, any, 16);
}

/* Mark the step's rule, or all rules in its set of initiators. */
static void use_step(const struct qpw_judge *judge, const struct qpw_step *step, bool *used, size_t n)
{
    if (!(step->flags & QPW_STEP_RULE_FROM_SET)) {
        if (step->rule < n)
            used[step->rule] = true;
        return;
    }
    for (size_t i = 0; i < judge->n; i++)
        if (judge->entries[i].key.prefixlen == htonl(step->from_set) && judge->entries[i].value < n)
            used[judge->entries[i].value] = true;
}

static uint16_t first_rule(const struct qpw_judge *judge, const struct qpw_step *step)
{
    if (!(step->flags & QPW_STEP_RULE_FROM_SET))
        return step->rule;
    for (size_t i = 0; i < judge->n; i++)
        if (judge->entries[i].key.prefixlen == htonl(step->from_set))
            return (uint16_t)judge->entries[i].value;
    return 0;
}

struct qpw_port_word qpw_policy_port(const struct qpw_judge *judge, uint8_t protocol, uint16_t port,
                                     const uint8_t address[16], uint32_t ifindex)
{
    const struct qpw_chain *chain = chain_of(judge, position_of_port(protocol, port));

    for (uint32_t i = 0; i < chain->count; i++) {
        const struct qpw_step *step = &judge->compiled->steps[chain->first + i];

        if ((step->flags & QPW_STEP_RX_MULTICAST) || (step->ifindex && ifindex && step->ifindex != ifindex) ||
            (step->to_set && !is_any(address) && !value_in(judge, step->to_set, address)))
            continue;
        return (struct qpw_port_word){.verdict = step->verdict, .rule = first_rule(judge, step)};
    }
    return (struct qpw_port_word){.verdict = QPW_VERDICT_UNEXPECTED};
}

static void use_chain(const struct qpw_judge *judge, const struct qpw_chain *chain, bool *used, size_t n)
{
    for (uint32_t i = 0; i < chain->count; i++)
        use_step(judge, &judge->compiled->steps[chain->first + i], used, n);
}

void qpw_policy_mark_port(const struct qpw_judge *judge, uint8_t protocol, uint16_t port, bool *used, size_t n)
{
    use_chain(judge, chain_of(judge, position_of_port(protocol, port)), used, n);
}

void qpw_policy_mark_all_ports(const struct qpw_judge *judge, bool *used, size_t n)
{
    const struct qpw_chain *last = NULL, *chain;

    for (uint32_t position = QPW_SPACE_TCP; position < QPW_SPACE_ETHERTYPE; position++) {
        chain = chain_of(judge, position);
        if (chain != last)
            use_chain(judge, chain, used, n);
        last = chain;
    }
}
