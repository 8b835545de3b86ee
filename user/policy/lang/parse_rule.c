/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/lang/parse_options.h"
#include "policy/lang/services.h"
#include "util/hash.h"
#include "util/near.h"

static void generate_name(const char *direction, const char *protocols, const struct qpw_port_range *ports, size_t n,
                          char ret[QPW_NAME_LEN])
{
    char name[1024 + 12 * QPW_MAX_PORT_RANGES];

    snprintf(name, sizeof(name) - 12 * QPW_MAX_PORT_RANGES, "%s-%s-%s", direction, protocols, n ? "" : "any");
    for (char *p = name; *p; p++)
        if (*p == ',')
            *p = '+';
    qpw_ports_into_name(ports, n, name, sizeof(name));
    if (strlen(name) < QPW_NAME_LEN)
        strcpy(ret, name);
    else
        snprintf(ret, QPW_NAME_LEN, "%.36s-%08x", name, qpw_hash_text(name));
} /* NOLINT(clang-analyzer-unix.Malloc): the text of the suppression is the caller's */

static int parse_what(const struct qpw_policy_statement *statement, uint64_t protocols[4], uint16_t *flags,
                      struct qpw_port_range **ports, size_t *n_ports, struct qpw_error *err)
{
    struct qpw_port_list list;
    bool any;
    int ret = qpw_parse_protocols(&statement->where, &statement->words[1], protocols, &any, err);

    if (ret < 0)
        return ret;
    ret = qpw_parse_ports(&statement->where, &statement->words[2], statement->words[2].text,
                          qpw_highest_port(protocols, any), &list, err);
    if (ret < 0)
        return ret;
    *flags |= (any ? QPW_RULE_ANY_PROTOCOL : 0) | (list.any ? QPW_RULE_ANY_PORT : 0);
    *ports = list.ranges;
    *n_ports = list.n;
    return 0;
}

/* Find the purpose: the one word after the ports that is neither key=value nor a flag. */
static bool is_purpose(const struct qpw_word *word)
{
    return word->quoted || (!strchr(word->text, '=') && strcmp(word->text, "default") &&
                            strcmp(word->text, "optional") && strcmp(word->text, "weak"));
}

int qpw_parse_rule(const struct qpw_policy *policy, const struct qpw_policy_statement *statement, struct qpw_rule *ret,
                   struct qpw_error *err)
{
    struct qpw_rule rule = {.where = statement->where, .vlan = QPW_ANY_VLAN};
    bool inbound = !strcmp(statement->words[0].text, "inbound");
    struct qpw_option_targets to = {
        .policy = policy, .where = &statement->where, .from = &rule.from, .to = &rule.to, .flags = &rule.flags,
        .vlan = &rule.vlan, .until = &rule.until, .name = rule.name, .speaks = &rule.speaks, .row = true,
        .texts = {{"feature", &rule.feature, true}, {"parent", &rule.parent, true}, {"ref", &rule.ref, false},
                  {"iface", &rule.iface, false}, {"owner", &rule.owner, false}},
    };
    size_t options = 3;
    int error;

    if (statement->n_words < 3)
        return qpw_fail_at(err, &statement->where, statement->words[0].column,
                           "%s needs a protocol and ports, as in: %s tcp 445 SMB", statement->words[0].text,
                           statement->words[0].text);
    rule.direction = inbound ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND;
    error = parse_what(statement, rule.protocols, &rule.flags, &rule.ports, &rule.n_ports, err);
    if (error == 0 && statement->n_words > 3 && is_purpose(&statement->words[3])) {
        rule.purpose = strdup(statement->words[3].text);
        options = 4;
        if (!rule.purpose)
            error = qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
    }
    if (error == 0)
        error = qpw_options_set(&to, statement, options, err);
    if (error == 0 && rule.parent && !(rule.flags & QPW_RULE_WEAK))
        error = qpw_fail_at(err, &statement->where, 0, "parent= is for weak rules only: add the flag weak");
    if (error == 0 && (rule.flags & QPW_RULE_ANY_ANSWER) && !inbound)
        error = qpw_fail_at(err, &statement->where, 0, "answers=any-port is about what the node answers: inbound only");
    if (error == 0)
        error = qpw_check_speaks(&rule, &statement->where, err);
    if (error == 0 && !(rule.text = strdup(statement->text)))
        error = qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
    if (error < 0) {
        qpw_rule_clear(&rule);
        return error;
    }
    generate_name(inbound ? "in" : "out", statement->words[1].text, rule.ports, rule.n_ports, rule.generated);
    if (!*rule.name)
        strcpy(rule.name, rule.generated);
    if (!strncmp(statement->where.file, "built-in:", 9))
        rule.flags |= QPW_RULE_BUILTIN;
    *ret = rule;
    return 0;
}

void qpw_unread_rule(const struct qpw_policy_statement *statement, struct qpw_rule *ret)
{
    const char *protocols = statement->n_words > 1 ? statement->words[1].text : "",
               *ports = statement->n_words > 2 ? statement->words[2].text : "", *value;

    *ret = (struct qpw_rule){.where = statement->where, .vlan = QPW_ANY_VLAN, .flags = QPW_RULE_UNREAD | QPW_RULE_DISABLED};
    snprintf(ret->generated, sizeof(ret->generated), "%s-%.16s-%.24s", strcmp(statement->words[0].text, "inbound") ? "out" : "in",
             protocols, ports);
    for (char *p = ret->generated; *p; p++)
        if (*p == ',')
            *p = '+';
    strcpy(ret->name, ret->generated);
    for (size_t i = 3; i < statement->n_words; i++) {
        value = qpw_word_value(&statement->words[i], "name");
        if (value)
            snprintf(ret->name, sizeof(ret->name), "%s", value);
        value = qpw_word_value(&statement->words[i], "feature");
        if (value && !ret->feature)
            ret->feature = strdup(value);
    }
}

int qpw_parse_suppression(const struct qpw_policy *policy, const struct qpw_policy_statement *statement,
                          struct qpw_suppression *ret, struct qpw_error *err)
{
    struct qpw_suppression line = {.where = statement->where};
    struct qpw_option_targets to = {
        .policy = policy, .where = &statement->where, .from = &line.from, .to = &line.to, .flags = &line.flags,
        .until = &line.until, .name = line.name, .outcome = &line.outcome,
        .texts = {{"reason", &line.reason, false}, {"ref", &line.ref, false}, {"rule", &line.rule, true}},
    };
    struct qpw_policy_statement what = *statement;
    const char *direction = statement->n_words > 1 ? statement->words[1].text : "";
    int error;

    if (statement->n_words < 4)
        return qpw_fail_at(
            err, &statement->where, statement->words[0].column,
            "suppress needs direction, protocol and ports, as in: suppress inbound tcp any from=10.9.9.9");
    if (!strcmp(direction, "inbound"))
        line.direction = QPW_DIR_INBOUND;
    else if (!strcmp(direction, "outbound"))
        line.direction = QPW_DIR_OUTBOUND;
    else if (strcmp(direction, "any"))
        return qpw_fail_at(err, &statement->where, statement->words[1].column,
                           "'%s' is not a direction: inbound, outbound or any%s", direction,
                           QPW_NEAR(direction, "inbound", "outbound", "any"));
    what.words++;
    what.n_words--;
    error = parse_what(&what, line.protocols, &line.flags, &line.ports, &line.n_ports, err);
    if (error == 0)
        error = qpw_options_set(&to, statement, 4, err);
    if (error == 0 && !(line.text = strdup(statement->text)))
        error = qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
    if (error < 0) {
        qpw_suppression_clear(&line);
        return error;
    }
    if (!line.outcome)
        line.outcome = QPW_OUTCOME_REFUSED;
    if (!*line.name)
        generate_name(line.direction == QPW_DIR_INBOUND    ? "suppress-in"
                      : line.direction == QPW_DIR_OUTBOUND ? "suppress-out"
                                                           : "suppress-any",
                      what.words[1].text, line.ports, line.n_ports, line.name);
    *ret = line;
    return 0;
}

static bool names_owner(const char *owners, const char *one, size_t length)
{
    for (size_t at = 0, next; owners[at]; at += next + (owners[at + next] != '\0')) {
        next = strcspn(owners + at, ",");
        if (next == length && !strncmp(owners + at, one, length))
            return true;
    }
    return false;
}

/* Intersect the rule's owners with those that `by` names. */
static int narrow_owner(struct qpw_rule *rule, const char *by)
{
    char both[QPW_OWNER_TEXT] = "";
    size_t used = 0;

    if (!strcmp(by, "any"))
        return 0;
    for (size_t at = 0, length; rule->owner && by[at]; at += length + (by[at + length] != '\0')) {
        length = strcspn(by + at, ",");
        if (names_owner(rule->owner, by + at, length))
            used += (size_t)snprintf(both + used, sizeof(both) - used, "%s%.*s", used ? "," : "", (int)length, by + at);
    }
    if (rule->owner && strcmp(rule->owner, "any")) {
        if (!used) {
            rule->flags |= QPW_RULE_NEVER;
            return 0;
        }
        by = both;
    }
    free(rule->owner);
    rule->owner = strdup(by);
    return rule->owner ? 0 : -ENOMEM;
}

/* Apply an `only` line to a rule. */
static int narrow(struct qpw_rule *rule, const struct qpw_rule *by)
{
    struct {
        struct qpw_addresses *row;
        const struct qpw_addresses *by;
        uint16_t flag;
    } sides[] = {{&rule->from, &by->from, QPW_RULE_FROM}, {&rule->to, &by->to, QPW_RULE_TO}};

    for (size_t i = 0; i < 2; i++) {
        struct qpw_addresses both = {0};
        int ret;

        if (!(by->flags & sides[i].flag))
            continue;
        ret = rule->flags & sides[i].flag ? qpw_addresses_intersect(sides[i].row, sides[i].by, &both)
                                          : qpw_addresses_add_all(&both, sides[i].by);
        if (ret < 0) {
            qpw_addresses_clear(&both);
            return ret;
        }
        qpw_addresses_clear(sides[i].row);
        *sides[i].row = both;
        rule->flags |= sides[i].flag;
    }
    if (by->vlan != QPW_ANY_VLAN && rule->vlan != QPW_ANY_VLAN && by->vlan != rule->vlan)
        rule->flags |= QPW_RULE_NEVER;
    else if (by->vlan != QPW_ANY_VLAN)
        rule->vlan = by->vlan;
    if (by->iface && rule->iface && strcmp(by->iface, rule->iface))
        rule->flags |= QPW_RULE_NEVER;
    else if (by->iface && !rule->iface && !(rule->iface = strdup(by->iface)))
        return -ENOMEM;
    return by->owner ? narrow_owner(rule, by->owner) : 0;
}

int qpw_apply_only(struct qpw_policy *policy, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    char hint[80];
    struct qpw_rule by = {.vlan = QPW_ANY_VLAN};
    struct qpw_option_targets to = {
        .policy = policy, .where = &statement->where, .from = &by.from, .to = &by.to, .flags = &by.flags,
        .vlan = &by.vlan, .texts = {{"iface", &by.iface, false}, {"owner", &by.owner, false}},
    };
    size_t narrowed = 0;
    int ret;

    if (statement->n_words < 3)
        return qpw_fail_at(err, &statement->where, statement->words[0].column,
                           "only needs a rule's name and what to narrow it to, as in: only ssh from=@admin");
    for (size_t i = 2; i < statement->n_words; i++)
        if (qpw_word_value(&statement->words[i], "speaks"))
            return qpw_fail_at(err, &statement->where, statement->words[i].column,
                               "only does not take speaks=; write: override %s %s", statement->words[1].text,
                               statement->words[i].text);
        else if (qpw_word_value(&statement->words[i], "ref")) /* a rule would keep it; an `only` line does not */
            return qpw_fail_at(err, &statement->where, statement->words[i].column,
                               "only takes from=, to=, vlan=, iface= and owner=; write a change number after #");
    ret = qpw_options_set(&to, statement, 2, err);
    for (size_t i = 0; i < policy->n_rules && ret == 0; i++) {
        if (!qpw_rule_is_named(&policy->rules[i], statement->words[1].text))
            continue;
        narrowed++;
        if (narrow(&policy->rules[i], &by) < 0)
            ret = qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
    }
    if (ret == 0 && !narrowed) {
        qpw_fail_at(err, &statement->where, statement->words[1].column, "no rule above is named '%s'%s",
                    statement->words[1].text, qpw_near_rule(policy, statement->words[1].text, hint, sizeof(hint)));
        ret = -ENOENT;
    }
    qpw_rule_clear(&by);
    return ret;
}
