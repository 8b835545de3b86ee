/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/parse_options.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/lang/services.h"
#include "util/near.h"

static int twice(const struct qpw_option_targets *to, const struct qpw_word *word, struct qpw_error *err)
{
    return qpw_fail_at(err, to->where, word->column, "'%s': given twice on this line", word->text);
}

/* Find the most similar flag or key= that this statement accepts. */
static void near_option(const struct qpw_option_targets *to, const struct qpw_word *word, char *buf, size_t size)
{
    struct qpw_near near = qpw_near_to(word->text, strcspn(word->text, "="));
    const struct {
        const char *name;
        bool taken;
    } keys[] = {{"from", to->from}, {"to", to->to}, {"vlan", to->vlan}, {"until", to->until}, {"outcome", to->outcome},
                {"answers", to->row}, {"name", to->name}, {"speaks", to->speaks}};

    *buf = '\0';
    if (word->quoted)
        return;
    if (!word->text[near.length]) { /* a flag */
        for (const char *const *flag = (const char *const[]){"default", "optional", "weak", NULL}; to->row && *flag; flag++)
            qpw_near_offer(&near, *flag);
        qpw_near_hint(&near, buf, size);
        return;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        qpw_near_offer(&near, keys[i].taken ? keys[i].name : NULL);
    for (unsigned i = 0; to->texts[i].key; i++)
        qpw_near_offer(&near, to->texts[i].key);
    if (near.best)
        snprintf(buf, size, "; did you mean '%s='?", near.best);
}

static int set_flag(const struct qpw_option_targets *to, const struct qpw_word *word, struct qpw_error *err)
{
    uint16_t flag = !strcmp(word->text, "default") ? QPW_RULE_DEFAULT
                    : !strcmp(word->text, "optional") ? QPW_RULE_OPTIONAL
                    : !strcmp(word->text, "weak") ? QPW_RULE_WEAK : 0;
    char hint[80];

    if (!to->row || !flag || word->quoted) {
        near_option(to, word, hint, sizeof(hint));
        return qpw_fail_at(err, to->where, word->column,
                           to->row && !hint[0] && !strchr(word->text, '=')
                               ? "unexpected '%s'; quote a purpose of several words: \"my ssh\"%s"
                               : "unexpected '%s'%s",
                           word->text, hint);
    }
    if (*to->flags & flag)
        return twice(to, word, err);
    *to->flags |= flag;
    return 0;
}

static int set_addresses(const struct qpw_option_targets *to, const struct qpw_word *word, const char *value,
                         struct qpw_addresses *set, uint16_t flag, struct qpw_error *err)
{
    int ret;

    if (*to->flags & flag)
        return twice(to, word, err);
    ret = qpw_parse_addresses(to->policy, to->where, word, value, set, err);
    if (ret == 0) {
        qpw_addresses_normalise(set);
        *to->flags |= flag;
    }
    return ret;
}

static int set_vlan(const struct qpw_option_targets *to, const struct qpw_word *word, const char *value, struct qpw_error *err)
{
    char *end;
    unsigned long vlan = strtoul(value, &end, 10);

    if (*to->vlan != QPW_ANY_VLAN)
        return twice(to, word, err);
    if (!strcmp(value, "untagged"))
        vlan = 0;
    else if (*value < '0' || *value > '9' || *end || vlan < 1 || vlan > 4094)
        return qpw_fail_at(err, to->where, word->column + 5, "'%s' is not a VLAN: 1-4094, or untagged%s", value,
                           QPW_NEAR(value, "untagged"));
    *to->vlan = (int)vlan;
    return 0;
}

static int set_outcome(const struct qpw_option_targets *to, const struct qpw_word *word, const char *value, struct qpw_error *err)
{
    if (*to->outcome != QPW_OUTCOME_NONE)
        return twice(to, word, err);
    if (!strcmp(value, "attempted"))
        *to->outcome = QPW_OUTCOME_ATTEMPTED;
    else if (!strcmp(value, "refused"))
        *to->outcome = QPW_OUTCOME_REFUSED;
    else if (!strcmp(value, "answered"))
        *to->outcome = QPW_OUTCOME_DATA; /* and every higher outcome */
    else
        return qpw_fail_at(err, to->where, word->column + 8, "'%s' is not an outcome: attempted, refused or answered%s",
                           value, QPW_NEAR(value, "attempted", "refused", "answered"));
    return 0;
}

static int set_answers(const struct qpw_option_targets *to, const struct qpw_word *word, const char *value, struct qpw_error *err)
{
    if (strcmp(value, "any-port"))
        return qpw_fail_at(err, to->where, word->column + 8, "'%s' is not what answers= takes: any-port%s", value,
                           QPW_NEAR(value, "any-port"));
    if (*to->flags & QPW_RULE_ANY_ANSWER)
        return twice(to, word, err);
    *to->flags |= QPW_RULE_ANY_ANSWER;
    return 0;
}

static const char *near_owner(const char *text, size_t length, char *buf, size_t size)
{
    const char *colon = memchr(text, ':', length);
    struct qpw_near near = qpw_near_to(text, colon ? (size_t)(colon - text) + 1 : length);

    qpw_near_offer(&near, "kernel");
    qpw_near_offer(&near, "unit:");
    return qpw_near_hint(&near, buf, size);
}

/* Check alternatives separated by commas: an executable's path, unit:NAME, kernel; or `any` alone. */
static int check_owner(const struct qpw_option_targets *to, const struct qpw_word *word, const char *value, struct qpw_error *err)
{
    size_t at = 0, length;
    char hint[48];

    if (strlen(value) >= QPW_OWNER_TEXT)
        return qpw_fail_at(err, to->where, word->column + 6, "owner= takes at most %d characters", QPW_OWNER_TEXT - 1);
    for (;; at += length + 1) {
        length = strcspn(value + at, ",");
        if ((value[at] == '/' && length > 1) || (!strncmp(value + at, "unit:", 5) && length > 5) ||
            (length == 6 && !strncmp(value + at, "kernel", 6)) || !strcmp(value, "any")) {
            if (!value[at + length])
                return 0;
            continue;
        }
        return qpw_fail_at(err, to->where, word->column + 6 + (unsigned)at,
                           "'%.*s' is not an owner: an executable's path, unit:NAME, kernel or any%s", (int)length,
                           value + at, near_owner(value + at, length, hint, sizeof(hint)));
    }
}

static int set_text(const struct qpw_option_targets *to, const struct qpw_word *word, struct qpw_error *err)
{
    for (unsigned i = 0; to->texts[i].key; i++) {
        const char *value = qpw_word_value(word, to->texts[i].key);
        char name[QPW_NAME_LEN];
        int ret = 0;

        if (!value)
            continue;
        if (*to->texts[i].value)
            return twice(to, word, err);
        if (!*value)
            return qpw_fail_at(err, to->where, word->column, "%s= needs a value", to->texts[i].key);
        if (to->texts[i].is_name)
            ret = qpw_parse_name(to->where, word, value, name, err);
        else if (!strcmp(to->texts[i].key, "owner"))
            ret = check_owner(to, word, value, err);
        else if (!strcmp(to->texts[i].key, "iface") && (strlen(value) >= IFNAMSIZ || strpbrk(value, "/ :")))
            ret = qpw_fail_at(err, to->where, word->column + 6, "'%s' is not an interface name", value);
        if (ret == 0 && !(*to->texts[i].value = strdup(value)))
            ret = qpw_fail(err, -ENOMEM, "%s: out of memory", to->where->file);
        return ret;
    }
    return set_flag(to, word, err);
}

static int set_option(const struct qpw_option_targets *to, const struct qpw_word *word, struct qpw_error *err)
{
    const char *value;

    if (to->from && (value = qpw_word_value(word, "from")))
        return set_addresses(to, word, value, to->from, QPW_RULE_FROM, err);
    if (to->to && (value = qpw_word_value(word, "to")))
        return set_addresses(to, word, value, to->to, QPW_RULE_TO, err);
    if (to->vlan && (value = qpw_word_value(word, "vlan")))
        return set_vlan(to, word, value, err);
    if (to->until && (value = qpw_word_value(word, "until")))
        return *to->until ? twice(to, word, err) : qpw_parse_until(to->where, word, value, to->until, err);
    if (to->outcome && (value = qpw_word_value(word, "outcome")))
        return set_outcome(to, word, value, err);
    if (to->row && (value = qpw_word_value(word, "answers")))
        return set_answers(to, word, value, err);
    if (to->speaks && (value = qpw_word_value(word, "speaks")))
        return *to->speaks ? twice(to, word, err) : qpw_parse_speaks(to->where, word, value, to->speaks, err);
    if (to->name && (value = qpw_word_value(word, "name"))) {
        if (*to->name)
            return twice(to, word, err);
        if (!strncmp(value, "infra-", 6) || !strncmp(value, "implied-", 8))
            return qpw_fail_at(err, to->where, word->column + 5,
                               "names that begin with infra- or implied- are reserved");
        return qpw_parse_name(to->where, word, value, to->name, err);
    }
    return set_text(to, word, err);
}

int qpw_options_set(const struct qpw_option_targets *to, const struct qpw_policy_statement *statement, size_t first,
                       struct qpw_error *err)
{
    int ret = 0;

    for (size_t i = first; i < statement->n_words && ret == 0; i++)
        ret = set_option(to, &statement->words[i], err);
    return ret;
}
