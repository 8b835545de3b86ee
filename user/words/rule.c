/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/rule.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/rule_text.h"
#include "policy/lang/statements.h"
#include "util/names.h"

#define CUT "…" /* marks the end of a truncated statement */

static const char *value_of(const struct qpw_word *word, const char *key)
{
    size_t length = strlen(key);

    return !word->quoted && !strncmp(word->text, key, length) ? word->text + length : NULL;
}

static void take(char *to, size_t size, const char *value)
{
    if (value)
        snprintf(to, size, "%s", value);
}

/*
 * Return whether the word is the purpose: as in parse_rule.c, the one word after the ports that is neither a flag nor
 * key=value.
 */
static bool is_purpose(const struct qpw_word *word)
{
    return word->quoted || (!strchr(word->text, '=') && strcmp(word->text, "default") && strcmp(word->text, "optional") &&
                            strcmp(word->text, "weak"));
}

/* Parse "infra arp: EtherType 0x0806, of its form": the description follows the colon. */
static void from_group(const char *text, struct qpw_rule_words *ret)
{
    const char *what = strstr(text, ": ");

    ret->own = true;
    take(ret->purpose, sizeof(ret->purpose), what ? what + 2 : NULL);
}

static void from_words(const struct qpw_policy_statement *statement, struct qpw_rule_words *ret)
{
    for (size_t i = 3; i < statement->n_words; i++) {
        const struct qpw_word *word = &statement->words[i];

        if (i == 3 && is_purpose(word))
            take(ret->purpose, sizeof(ret->purpose), word->text);
        take(ret->ref, sizeof(ret->ref), value_of(word, "ref="));
        take(ret->owner, sizeof(ret->owner), value_of(word, "owner="));
        take(ret->until, sizeof(ret->until), value_of(word, "until="));
        take(ret->from, sizeof(ret->from), value_of(word, "from="));
    }
}

/* Parse the statement as the instance keeps it, which may be truncated within a word or a quotation. */
static void from_text(const struct qpw_rule_info *info, struct qpw_rule_words *ret)
{
    struct qpw_statements all;
    struct qpw_error ignored;
    char text[sizeof(info->text) + 2];
    size_t quotes = 0;
    char *last;

    snprintf(text, sizeof(text) - 1, "%.*s", (int)sizeof(info->text) - 1, info->text);
    if (strncmp(text, "inbound", 7) && strncmp(text, "outbound", 8)) {
        from_group(text, ret);
        return;
    }
    ret->cut = strlen(text) == sizeof(info->text) - 1 || (strlen(text) > strlen(CUT) && !strcmp(text + strlen(text) - strlen(CUT), CUT));
    last = ret->cut ? strrchr(text, ' ') : NULL;
    if (last)
        *last = '\0';
    for (const char *c = text; ret->cut && *c; c++)
        quotes += *c == '"';
    if (quotes % 2) /* truncated within the quotation, but still the beginning of the purpose */
        strcat(text, "\"");
    if (qpw_statements_read_text(&all, "", text, strlen(text), &ignored) == 0 && all.n)
        from_words(&all.list[0], ret);
    qpw_statements_clear(&all);
    ret->vendor = !strncmp(info->file, "built-in:", strlen("built-in:")) || (*ret->ref && qpw_ref_is_page(ret->ref, NULL));
}

static void from_rule(const struct qpw_policy *policy, const struct qpw_rule *rule, struct qpw_rule_words *ret)
{
    take(ret->purpose, sizeof(ret->purpose), rule->purpose);
    take(ret->ref, sizeof(ret->ref), rule->ref);
    ret->vendor = rule->flags & QPW_RULE_BUILTIN || (rule->ref && qpw_ref_is_page(rule->ref, policy->source_name));
    take(ret->owner, sizeof(ret->owner), rule->owner);
    if (rule->until)
        qpw_until_text(rule->until, ret->until, sizeof(ret->until));
    if (rule->flags & QPW_RULE_FROM)
        qpw_addresses_text(&rule->from, ret->from, sizeof(ret->from));
}

void qpw_rule_words(const struct qpw_policy *policy, const struct qpw_rule_info *info, struct qpw_rule_words *ret)
{
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; policy && i < policy->n_rules; i++)
        if (!strcmp(policy->rules[i].name, info->name)) {
            from_rule(policy, &policy->rules[i], ret);
            return;
        }
    from_text(info, ret);
}

const char *qpw_rule_statement(const struct qpw_policy *policy, const struct qpw_rule_info *info, char *buf, size_t size)
{
    size_t length = strnlen(info->text, sizeof(info->text));

    for (size_t i = 0; policy && i < policy->n_rules; i++)
        if (!strcmp(policy->rules[i].name, info->name) && policy->rules[i].text)
            return policy->rules[i].text;
    snprintf(buf, size, "%.*s%s", (int)length, info->text, length >= sizeof(info->text) - 1 ? CUT : "");
    return buf;
}

const char *qpw_rule_origin(const struct qpw_rule_words *words)
{
    return words->own ? "tool" : words->vendor ? "vendor" : "site";
}

/* ---- Services with an insecure protocol, or named by hardening guides ---- */

static const struct {
    uint8_t protocol;
    uint16_t port;
    const char *why;
} insecure[] = {
    {IPPROTO_TCP, 20, "FTP: data in clear text"},
    {IPPROTO_TCP, 21, "FTP: passwords and data in clear text"},
    {IPPROTO_TCP, 23, "Telnet: passwords and data in clear text"},
    {IPPROTO_UDP, 69, "TFTP: no authentication, clear text"},
    {IPPROTO_TCP, 80, "HTTP: clear text"},
    {IPPROTO_TCP, 111, "rpcbind: lists RPC services to anybody"},
    {IPPROTO_UDP, 111, "rpcbind: lists RPC services to anybody, amplifies"},
    {IPPROTO_UDP, 137, "NetBIOS name service: no authentication"},
    {IPPROTO_UDP, 138, "NetBIOS datagrams: no authentication"},
    {IPPROTO_TCP, 139, "SMB over NetBIOS: old dialects"},
    {IPPROTO_UDP, 161, "SNMP: versions 1 and 2c are clear text"},
    {IPPROTO_TCP, 389, "LDAP: clear text without StartTLS"},
    {IPPROTO_TCP, 512, "rexec: passwords in clear text"},
    {IPPROTO_TCP, 513, "rlogin: trusts addresses"},
    {IPPROTO_TCP, 514, "rsh, or syslog: clear text"},
};

const char *qpw_words_insecure(unsigned protocol, unsigned port)
{
    for (size_t i = 0; i < sizeof(insecure) / sizeof(*insecure); i++)
        if (insecure[i].protocol == protocol && insecure[i].port == port)
            return insecure[i].why;
    return NULL;
}

/* Return whether a statement's port list "21,80,100-200" names the port itself; a wide range names none. */
static bool names_port(const char *ports, unsigned wanted)
{
    while (*ports) {
        char *end;
        unsigned long first = strtoul(ports, &end, 10), last = first;

        if (end == ports)
            return false;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (first <= wanted && wanted <= last && last - first < 16)
            return true;
        ports = *end == ',' ? end + 1 : end + strlen(end);
    }
    return false;
}

const char *qpw_words_insecure_rule(const struct qpw_rule_info *info)
{
    char protocols[48], ports[112];

    if (sscanf(info->text, "%*s %47s %111s", protocols, ports) != 2)
        return NULL;
    for (size_t i = 0; i < sizeof(insecure) / sizeof(*insecure); i++)
        if (strstr(protocols, qpw_protocol_name(insecure[i].protocol)) && names_port(ports, insecure[i].port))
            return insecure[i].why;
    return NULL;
}
