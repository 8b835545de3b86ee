/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/owner.h"

#include <stdio.h>
#include <string.h>

#include "host/executable.h"

const char *qpw_owner_program(const struct qpw_process *owner, char *buf, size_t size)
{
    if (owner->match == QPW_MATCH_KERNEL)
        snprintf(buf, size, "kernel");
    else if (owner->exe[0])
        qpw_executable_bare(owner->exe, buf, size);
    else
        snprintf(buf, size, "%s", owner->name);
    return buf;
}

static enum qpw_owner_word path_word(const char *wanted, size_t length, const struct qpw_process *owner)
{
    char path[sizeof(owner->exe)];

    if (owner->match == QPW_MATCH_KERNEL || length >= sizeof(path))
        return QPW_OWNER_OTHER;
    if (!owner->exe[0])
        return QPW_OWNER_UNSURE;
    snprintf(path, sizeof(path), "%.*s", (int)length, wanted);
    switch (qpw_executes(owner, path)) {
    case QPW_EXECUTES_IT: return QPW_OWNER_FITS;
    case QPW_EXECUTES_UNSURE: return QPW_OWNER_UNSURE;
    default: return QPW_OWNER_OTHER;
    }
}

/* "smbd" names smbd.service; "user@1000" names all units of that user, which have longer names of their own. */
static bool is_unit(const char *name, size_t length, const char *unit)
{
    const char *rest = unit + length;

    if (strncmp(unit, name, length))
        return false;
    if (!strncmp(rest, ".service", 8))
        rest += 8;
    return !*rest || *rest == '/';
}

static enum qpw_owner_word one_word(const char *wanted, size_t length, const struct qpw_process *owner)
{
    bool kernel = owner->match == QPW_MATCH_KERNEL;

    if (*wanted == '/')
        return path_word(wanted, length, owner);
    if (!strncmp(wanted, "unit:", 5)) {
        if (!kernel && !owner->unit[0] && owner->ended)
            return QPW_OWNER_UNSURE;
        return is_unit(wanted + 5, length - 5, owner->unit) ? QPW_OWNER_FITS : QPW_OWNER_OTHER;
    }
    return kernel ? QPW_OWNER_FITS : QPW_OWNER_OTHER;
}

enum qpw_owner_word qpw_owner_judge(const char *wanted, const struct qpw_process *owner)
{
    enum qpw_owner_word word = QPW_OWNER_OTHER, one;
    size_t length;

    if (!wanted || !strcmp(wanted, "any"))
        return QPW_OWNER_FITS;
    if (!owner->pid && owner->match != QPW_MATCH_KERNEL)
        return QPW_OWNER_UNSURE;
    for (;; wanted += length + 1) {
        length = strcspn(wanted, ",");
        one = one_word(wanted, length, owner);
        if (one == QPW_OWNER_FITS)
            return one;
        if (one == QPW_OWNER_UNSURE)
            word = one;
        if (!wanted[length])
            break;
    }
    return owner->pid == 1 ? QPW_OWNER_UNSURE : word;
}

static bool covers_port(const struct qpw_rule *rule, uint8_t protocol, uint16_t port)
{
    bool found = rule->flags & QPW_RULE_ANY_PORT;

    for (size_t i = 0; !found && i < rule->n_ports; i++)
        found = port >= rule->ports[i].first && port <= rule->ports[i].last;
    return found && (rule->flags & QPW_RULE_ANY_PROTOCOL || qpw_protocol_in(rule->protocols, protocol));
}

static bool names_owner(const struct qpw_rule *rule, int64_t now)
{
    return rule->owner && strcmp(rule->owner, "any") && qpw_rule_in_force(rule, now);
}

bool qpw_policy_names_owners(const struct qpw_policy *policy, int64_t now)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (names_owner(&policy->rules[i], now))
            return true;
    return false;
}

enum qpw_owner_word qpw_owner_of_rule(const struct qpw_owner_question *q, const struct qpw_process *owner,
                                      const char **ret_wanted)
{
    enum qpw_owner_word word = QPW_OWNER_FITS, one;
    const char *wanted = NULL;

    for (size_t i = 0; i < q->policy->n_rules; i++) {
        const struct qpw_rule *rule = &q->policy->rules[i];

        if (rule->direction != q->direction || strcmp(rule->name, q->rule) || !qpw_rule_in_force(rule, q->now) ||
            !covers_port(rule, q->protocol, q->port))
            continue;
        one = qpw_owner_judge(rule->owner, owner);
        if (names_owner(rule, q->now) && (!wanted || one == QPW_OWNER_FITS))
            wanted = rule->owner;
        if (one == QPW_OWNER_FITS) {
            word = one;
            break;
        }
        word = one == QPW_OWNER_UNSURE ? one : word == QPW_OWNER_FITS ? one : word;
    }
    if (ret_wanted)
        *ret_wanted = wanted;
    return word;
}
