/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/lang/services.h"
#include "util/near.h"

const char *qpw_near_rule(const struct qpw_policy *policy, const char *name, char *buf, size_t size)
{
    struct qpw_near near = qpw_near_to(name, strlen(name));

    for (size_t i = 0; i < policy->n_rules; i++) {
        qpw_near_offer(&near, policy->rules[i].name);
        qpw_near_offer(&near, policy->rules[i].generated);
        qpw_near_offer(&near, policy->rules[i].feature);
    }
    return qpw_near_hint(&near, buf, size);
}

static int no_such_rule(const struct qpw_policy *policy, const struct qpw_policy_statement *statement,
                        struct qpw_error *err)
{
    const char *name = statement->words[1].text;
    char hint[80];

    qpw_fail_at(err, &statement->where, statement->words[1].column, "no rule above is named '%s'%s", name,
                qpw_near_rule(policy, name, hint, sizeof(hint)));
    return -ENOENT;
}

/* Replace one port in the rule's ranges by another. Returns 0, or 1: the rule has no such port. */
static int move_port(struct qpw_rule *rule, uint16_t from, uint16_t to)
{
    struct qpw_port_range *ports = malloc((rule->n_ports + 2) * sizeof(*ports));
    size_t n = 0;
    bool found = false, placed = false;

    if (!ports)
        return -ENOMEM;
    for (size_t i = 0; i < rule->n_ports; i++) {
        struct qpw_port_range range = rule->ports[i];

        if (from < range.first || from > range.last) {
            ports[n++] = range;
            continue;
        }
        found = true;
        if (from > range.first)
            ports[n++] = (struct qpw_port_range){range.first, (uint16_t)(from - 1)};
        if (from < range.last)
            ports[n++] = (struct qpw_port_range){(uint16_t)(from + 1), range.last};
    }
    if (!found) {
        free(ports);
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        placed |= to >= ports[i].first && to <= ports[i].last;
    if (!placed) {
        size_t at = n;

        while (at > 0 && ports[at - 1].first > to)
            at--;
        memmove(ports + at + 1, ports + at, (n - at) * sizeof(*ports));
        ports[at] = (struct qpw_port_range){to, to};
        n++;
    }
    free(rule->ports);
    rule->ports = ports;
    rule->n_ports = n;
    rule->flags |= QPW_RULE_MOVED;
    return 0;
}

static int one_move(struct qpw_policy *policy, const struct qpw_policy_statement *statement,
                    const struct qpw_word *word, struct qpw_error *err)
{
    const char *name = statement->words[1].text, *equals = strchr(word->text, '=');
    struct qpw_port_list old = {0}, new = {0};
    char left[16];
    bool named = false, moved = false;
    int ret = 0;

    if (!equals || (size_t)snprintf(left, sizeof(left), "%.*s", (int)(equals - word->text), word->text) >= sizeof(left))
        return qpw_fail_at(err, &statement->where, word->column, "'%s' is not OLD=NEW, as in: override ldap 389=10389",
                           word->text);
    struct qpw_word part = {.text = left, .column = word->column};
    ret = qpw_parse_ports(&statement->where, &part, left, 65535, &old, err);
    if (ret == 0)
        ret = qpw_parse_ports(&statement->where, word, equals + 1, 65535, &new, err);
    if (ret == 0 &&
        (old.n != 1 || new.n != 1 || old.ranges->first != old.ranges->last || new.ranges->first != new.ranges->last))
        ret = qpw_fail_at(err, &statement->where, word->column, "override moves one port to one port, as in 389=10389");
    for (size_t i = 0; i < policy->n_rules && ret == 0; i++) {
        struct qpw_rule *rule = &policy->rules[i];
        int done;

        if (!qpw_rule_is_named(rule, name))
            continue;
        named = true;
        moved |= (rule->flags & QPW_RULE_UNREAD) != 0;
        if (rule->flags & QPW_RULE_UNREAD)
            continue;
        done = move_port(rule, old.ranges->first, new.ranges->first);
        if (done < 0)
            ret = qpw_fail(err, done, "%s: out of memory", statement->where.file);
        else if (done == 0 && !(rule->flags & QPW_RULE_DEFAULT))
            ret = qpw_policy_warn(policy, &statement->where,
                                  "rule %s is not marked default, so its port cannot be moved", rule->name);
        moved |= done == 0;
    }
    if (ret == 0 && !named)
        ret = no_such_rule(policy, statement, err);
    if (ret == 0 && !moved)
        ret = qpw_fail_at(err, &statement->where, word->column, "no rule named '%s' has port %s", name, left);
    free(old.ranges);
    free(new.ranges);
    return ret;
}

/* Replace speaks= of every rule of that name. */
static int change_speaks(struct qpw_policy *policy, const struct qpw_policy_statement *statement,
                         const struct qpw_word *word, const char *value, struct qpw_error *err)
{
    uint32_t speaks;
    bool named = false;
    int ret = qpw_parse_speaks(&statement->where, word, value, &speaks, err);

    for (size_t i = 0; i < policy->n_rules && ret == 0; i++) {
        if (!qpw_rule_is_named(&policy->rules[i], statement->words[1].text))
            continue;
        named = true;
        policy->rules[i].speaks = speaks;
        if (!(policy->rules[i].flags & QPW_RULE_UNREAD))
            ret = qpw_check_speaks(&policy->rules[i], &statement->where, err);
    }
    return ret < 0 || named ? ret : no_such_rule(policy, statement, err);
}

int qpw_apply_override(struct qpw_policy *policy, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    bool speaks = false;
    int ret = 0;

    if (statement->n_words < 3)
        return qpw_fail_at(err, &statement->where, statement->words[0].column,
                           "override needs a rule's name and OLD=NEW or speaks=, as in: override ldap 389=10389");
    for (size_t i = 2; i < statement->n_words && ret == 0; i++) {
        const struct qpw_word *word = &statement->words[i];
        const char *value = qpw_word_value(word, "speaks");

        if (value && speaks)
            ret = qpw_fail_at(err, &statement->where, word->column, "'%s': given twice on this line", word->text);
        else if (value)
            ret = change_speaks(policy, statement, word, value, err);
        else
            ret = one_move(policy, statement, word, err);
        speaks |= value != NULL;
    }
    return ret;
}

int qpw_apply_disable(struct qpw_policy *policy, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    char hint[80];

    if (statement->n_words < 2)
        return qpw_fail_at(err, &statement->where, statement->words[0].column,
                           "disable needs the name of a rule or feature");
    for (size_t word = 1; word < statement->n_words; word++) {
        bool found = false;

        for (size_t i = 0; i < policy->n_rules; i++) {
            if (!qpw_rule_is_named(&policy->rules[i], statement->words[word].text))
                continue;
            policy->rules[i].flags |= QPW_RULE_DISABLED;
            found = true;
        }
        if (!found) {
            qpw_fail_at(err, &statement->where, statement->words[word].column,
                        "no rule above has the name or feature '%s'%s", statement->words[word].text,
                        qpw_near_rule(policy, statement->words[word].text, hint, sizeof(hint)));
            return -ENOENT;
        }
    }
    return 0;
}

int qpw_check_parent(const struct qpw_policy *policy, size_t row, struct qpw_error *err)
{
    const struct qpw_rule *rule = &policy->rules[row];
    bool found = !rule->parent;

    for (size_t i = 0; i < policy->n_rules && !found; i++)
        found = i != row &&
                (!strcmp(policy->rules[i].name, rule->parent) || !strcmp(policy->rules[i].generated, rule->parent));
    if (found)
        return 0;
    qpw_fail_at(err, &rule->where, 0, "parent=%s: no other rule has that name", rule->parent);
    return -ENOENT;
}
