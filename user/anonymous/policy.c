/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules: keep the parts of a statement that reveal nothing about the site. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymous/anonymous.h"
#include "policy/lang/rule_text.h"
#include "policy/lang/services.h"
#include "policy/lang/statements.h"
#include "util/names.h"

/* Return whether the name is generated from protocols and ports: "in-tcp-445", "out-tcp+udp-111", "in-47-any". */
static bool is_generated(const char *name)
{
    static const char *const protocols[] = {"tcp", "udp", "sctp", "icmp6", "icmp", "any"};
    const char *p = !strncmp(name, "in-", 3) ? name + 3 : !strncmp(name, "out-", 4) ? name + 4 : NULL;

    if (p && !*p)
        return false;
    while (p && *p) {
        size_t length = strspn(p, "0123456789"), i;

        for (i = 0; !length && i < sizeof(protocols) / sizeof(*protocols); i++)
            if (!strncmp(p, protocols[i], strlen(protocols[i])))
                length = strlen(protocols[i]);
        if (!length || (p[length] && !strchr("+-.", p[length])))
            return false;
        p += length + (p[length] != '\0');
    }
    return p != NULL;
}

/* Return whether the name is one of the tool or of a built-in policy. */
static bool is_own(const char *name)
{
    struct qpw_policy policy;
    struct qpw_error ignored;
    const char *builtin;
    bool own = !*name || !strncmp(name, "infra-", 6);
    char group[QPW_NAME_LEN];

    for (unsigned i = 0; !own && i < QPW_IMPLIED_COUNT; i++)
        own = !strcmp(name, (snprintf(group, sizeof(group), "implied-%s", qpw_implied_name(i)), group));
    for (unsigned i = 0; !own && (builtin = qpw_builtin_name(i)); i++) {
        if (qpw_policy_parse_builtin(builtin, &policy, &ignored) < 0)
            continue;
        for (size_t rule = 0; !own && rule < policy.n_rules; rule++)
            own = !strcmp(policy.rules[rule].name, name);
        qpw_policy_clear(&policy);
    }
    return own;
}

const char *qpw_anonymous_rule(const struct qpw_anonymous *a, const char *name, char *buf, size_t size)
{
    if (!is_generated(name) && !is_own(name))
        return qpw_anonymous_name(a, "rule", name, buf, size);
    snprintf(buf, size, "%s", name);
    return buf;
}

/* Append to a text in a buffer of `size` bytes. */
static void append(char *buf, size_t size, const char *text)
{
    size_t length = strlen(buf);

    if (length < size)
        snprintf(buf + length, size - length, "%s", text);
}

/* Append "10.0.0.5,10.1.0.0/16,10.0.0.1-10.0.0.9,@set" with each address mapped and each set renamed. */
static void append_ends(const struct qpw_anonymous *a, const char *list, char *buf, size_t size)
{
    char *copy = strdup(list), *rest = copy, *one, text[64];

    for (bool first = true; copy && (one = strsep(&rest, ",")); first = false) {
        char *slash = strchr(one, '/');
        uint8_t addr[16];

        if (!first)
            append(buf, size, ",");
        if (slash)
            *slash = '\0';
        if (qpw_address_parse(one, addr) == 0) {
            qpw_anonymous_address(a, addr, addr);
            append(buf, size, qpw_address_text(addr, text, sizeof(text)));
            if (slash && strspn(slash + 1, "0123456789") == strlen(slash + 1)) {
                append(buf, size, "/");
                append(buf, size, slash + 1);
            }
        } else {
            append(buf, size, qpw_anonymous_name(a, "set", one, text, sizeof(text)));
        }
    }
    free(copy);
}

static bool is_numbers(const char *text)
{
    return *text && strspn(text, "0123456789,-.:TZ") == strlen(text);
}

static void append_page(const struct qpw_anonymous *a, const char *ref, char *buf, size_t size)
{
    const char *line = strrchr(ref, ':');
    char page[128], text[64];

    snprintf(page, sizeof(page), "%.*s", (int)(line - ref), ref);
    append(buf, size, qpw_anonymous_name(a, "page", page, text, sizeof(text)));
    append(buf, size, ".page");
    append(buf, size, line);
}

static void append_option(const struct qpw_anonymous *a, const struct qpw_word *word, char *buf, size_t size)
{
    static const char *const flags[] = {"default", "optional", "weak", "answers=any-port"};
    static const char *const kept[] = {"until=", "vlan="};
    const char *value = word->quoted ? NULL : strchr(word->text, '=');
    char text[64], key[16];
    uint32_t speaks;

    for (size_t i = 0; !word->quoted && i < sizeof(flags) / sizeof(*flags); i++)
        if (!strcmp(word->text, flags[i])) {
            append(buf, size, word->text);
            return;
        }
    for (size_t i = 0; value && i < sizeof(kept) / sizeof(*kept); i++)
        if (!strncmp(word->text, kept[i], strlen(kept[i])) && is_numbers(value + 1)) {
            append(buf, size, word->text);
            return;
        }
    if (value && !strncmp(word->text, "speaks=", 7) && !qpw_speaks_read(value + 1, &speaks)) {
        append(buf, size, word->text);
        return;
    }
    if (value && (!strncmp(word->text, "from=", 5) || !strncmp(word->text, "to=", 3))) {
        append(buf, size, *word->text == 'f' ? "from=" : "to=");
        append_ends(a, value + 1, buf, size);
        return;
    }
    snprintf(key, sizeof(key), "%s", "purpose");
    for (size_t i = 0; i < 6; i++) {
        static const char *const keys[] = {"name", "ref", "owner", "iface", "feature", "parent"};
        size_t length = strlen(keys[i]);

        if (value && (size_t)(value - word->text) == length && !strncmp(word->text, keys[i], length)) {
            append(buf, size, keys[i]);
            append(buf, size, "=");
            snprintf(key, sizeof(key), "%s", keys[i]);
        }
    }
    if (value && !strcmp(key, "ref") && qpw_ref_is_page(value + 1, NULL)) { /* a page, not an approval */
        append_page(a, value + 1, buf, size);
        return;
    }
    append(buf, size, qpw_anonymous_name(a, key, value && strcmp(key, "purpose") ? value + 1 : word->text, text, sizeof(text)));
}

/* Return whether one of the first three words is a known one or numbers, which stay. */
static bool is_plain(size_t position, const struct qpw_word *word)
{
    static const char *const directions[] = {"inbound", "outbound"};
    char protocols[64], *rest = protocols, *one;

    if (position == 0)
        return !strcmp(word->text, directions[0]) || !strcmp(word->text, directions[1]);
    if (position == 2 && (is_numbers(word->text) || !strcmp(word->text, "any")))
        return true;
    snprintf(protocols, sizeof(protocols), "%s", word->text);
    while (position == 1 && (one = strsep(&rest, ",")))
        if (strcmp(one, "tcp") && strcmp(one, "udp") && strcmp(one, "sctp") && strcmp(one, "icmp") && strcmp(one, "icmp6") &&
            strcmp(one, "any") && !is_numbers(one))
            return false;
    return position == 1;
}

const char *qpw_anonymous_statement(const struct qpw_anonymous *a, const char *text, char *buf, size_t size)
{
    struct qpw_statements all;
    struct qpw_error ignored;
    const struct qpw_policy_statement *statement = NULL;
    char name[64], whole[1024];
    size_t quotes = 0;

    *buf = '\0';
    if (!strncmp(text, "infra ", 6) || !strncmp(text, "implied ", 8)) { /* the tool's own words */
        snprintf(buf, size, "%s", text);
        return buf;
    }
    for (const char *c = text; *c; c++)
        quotes += *c == '"';
    snprintf(whole, sizeof(whole), "%s%s", text, quotes % 2 ? "\"" : ""); /* a truncated text may end within a quote */
    if (qpw_statements_read_text(&all, "", whole, strlen(whole), &ignored) == 0 && all.n == 1)
        statement = &all.list[0];
    for (size_t i = 0; statement && i < statement->n_words; i++) {
        if (i)
            append(buf, size, " ");
        if (i < 3 && is_plain(i, &statement->words[i]))
            append(buf, size, statement->words[i].text);
        else
            append_option(a, &statement->words[i], buf, size);
    }
    if (!statement && *text)
        append(buf, size, qpw_anonymous_name(a, "statement", text, name, sizeof(name)));
    qpw_statements_clear(&all);
    return buf;
}
