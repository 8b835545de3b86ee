/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/compile/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile_int.h"
#include "policy/lang/suppress.h"
#include "policy/lang/rule_text.h"

void qpw_compiled_clear(struct qpw_compiled *c)
{
    free(c->slots);
    free(c->chains);
    free(c->steps);
    free(c->sets);
    free(c->listed);
    free(c->exceptions);
    memset(c, 0, sizeof(*c));
}

static bool chain_lists(const struct qpw_compiled *c, const struct qpw_chain *chain)
{
    for (uint32_t i = 0; i < chain->count; i++)
        if (c->steps[chain->first + i].verdict == QPW_VERDICT_ALLOWED ||
            c->steps[chain->first + i].verdict == QPW_VERDICT_WEAK)
            return true;
    return false;
}

/* List the ports that some rule allows, from the finished tables, so that no reader has to interpret rules again. */
static int list_ports(struct qpw_compiler *c)
{
    static const uint32_t spaces[] = {QPW_SPACE_TCP, QPW_SPACE_UDP, QPW_SPACE_SCTP};
    struct qpw_compiled *out = &c->out;

    out->listed = calloc(QPW_LISTED_TABLES, sizeof(*out->listed));
    if (!out->listed)
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", c->policy->path);
    for (uint32_t i = 0; i < 2 * 3 * 65536u; i++) {
        uint32_t outbound = i / (3 * 65536u), protocol = i / 65536u % 3, port = i % 65536u;
        uint32_t position = spaces[protocol] + port;
        uint16_t slot = out->slots[outbound * QPW_CHUNKS_PER_DIR + position / QPW_CHUNK].slot[position % QPW_CHUNK];

        if (chain_lists(out, &out->chains[slot & QPW_SLOT_CHAIN]))
            out->listed[QPW_LISTED_TABLE(outbound, protocol)].bits[port / 64] |= 1ull << port % 64;
    }
    return 0;
}

/* True if the rule was agreed on locally: it ends (until=), or its ref= is not a reference into the vendor's page. */
static bool is_exception(const struct qpw_policy *policy, const struct qpw_rule *rule)
{
    if (rule->until)
        return true;
    return rule->ref && !(rule->flags & QPW_RULE_BUILTIN) && !qpw_ref_is_page(rule->ref, policy->source_name);
}

static void add_exception(struct qpw_compiled *out, const char *name, const char *text, int64_t until, bool suppression)
{
    struct qpw_exception *e = &out->exceptions[out->n_exceptions++];

    e->until = until;
    e->suppression = suppression;
    snprintf(e->name, sizeof(e->name), "%s", name);
    snprintf(e->text, sizeof(e->text), "%s", text ? text : "");
}

/* List the rules in force that end or were agreed on locally, and the suppressions in force. */
static int list_exceptions(struct qpw_compiler *c)
{
    const struct qpw_policy *policy = c->policy;

    c->out.exceptions = calloc(policy->n_rules + policy->n_suppressions + 1, sizeof(*c->out.exceptions));
    if (!c->out.exceptions)
        return qpw_fail(c->err, -ENOMEM, "%s: out of memory", policy->path);
    for (size_t i = 0; i < policy->n_rules; i++)
        if (is_exception(policy, &policy->rules[i]) && qpw_rule_in_force(&policy->rules[i], c->context->now))
            add_exception(&c->out, policy->rules[i].name, policy->rules[i].text, policy->rules[i].until,
                          /* suppression= */ false);
    for (size_t i = 0; i < policy->n_suppressions; i++)
        if (qpw_suppression_in_force(&policy->suppressions[i], c->context->now))
            add_exception(&c->out, policy->suppressions[i].name, policy->suppressions[i].text,
                          policy->suppressions[i].until, /* suppression= */ true);
    for (size_t i = 0; i < c->out.n_exceptions; i++)
        c->out.exceptions[i].of = (uint32_t)c->out.n_exceptions;
    return 0;
}

static int compile_all(struct qpw_compiler *c)
{
    static int (*const steps[])(struct qpw_compiler *) = {qpw_compile_rows,     qpw_compile_infra, qpw_compile_implied,
                                                          qpw_number_addresses, qpw_sets_new,      qpw_compile_peers,
                                                          qpw_compile_chains,   list_ports,        list_exceptions};
    int error;

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        error = steps[i](c);
        if (error)
            return error;
    }
    return 0;
}

int qpw_policy_compile(const struct qpw_policy *policy, const struct qpw_compile_context *context,
                       struct qpw_registry *names, struct qpw_compiled *ret, struct qpw_error *err)
{
    struct qpw_compiler c = {.policy = policy, .context = context, .err = err};
    int error = qpw_registry_copy(names, &c.names, &c.index);

    error = error ? qpw_fail(err, error, "%s: out of memory", policy->path) : compile_all(&c);
    qpw_sets_free(c.sets);
    qpw_name_index_free(c.index);
    free(c.atoms);
    free(c.marks);
    if (error) {
        qpw_compiled_clear(&c.out);
        qpw_registry_clear(&c.names);
        return error;
    }
    qpw_registry_clear(names);
    *names = c.names;
    *ret = c.out;
    return 0;
}
