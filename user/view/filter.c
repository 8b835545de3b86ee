/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/filter.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alert/signatures.h"
#include "qportwatch.h"
#include "util/near.h"
#include "util/names.h"

#define BIT(n) (1u << (n))
#define NON_IP 256u /* after the 256 protocol numbers */

static const struct {
    const char *name, *other, *help;
} fields[] = {
#define ROW(s, n, o, d) {n, o, d},
    QPW_FIELDS(ROW)
#undef ROW
};

const char *qpw_field_name(enum qpw_field field)
{
    return fields[field].name;
}

const char *qpw_field_help(enum qpw_field field)
{
    return fields[field].help;
}

/* ---- Values of one field ---- */

struct word_list {
    const char *(*name)(unsigned value);
    unsigned first, count;
};

static const struct word_list *word_list(enum qpw_field field)
{
    static const struct word_list lists[QPW_FIELD_COUNT] = {
        [QPW_FIELD_DIR] = {qpw_direction_name, 0, QPW_DIR_COUNT},
        [QPW_FIELD_VERDICT] = {qpw_verdict_name, 1, QPW_VERDICT_COUNT},
        [QPW_FIELD_OUTCOME] = {qpw_outcome_name, 0, QPW_OUTCOME_COUNT},
        [QPW_FIELD_EVIDENCE] = {qpw_evidence_name, 0, QPW_EVIDENCE_COUNT},
        [QPW_FIELD_SEVERITY] = {qpw_severity_name, QPW_SEVERITY_HIGH, QPW_SEVERITY_INFO + 1},
    };

    return lists[field].name ? &lists[field] : NULL;
}

static int parse_word(const struct word_list *list, const char *value, struct qpw_term *term, struct qpw_error *err)
{
    struct qpw_near near = qpw_near_to(value, strlen(value));
    char known[160] = "", hint[64];
    size_t used = 0;

    for (unsigned v = list->first; v < list->count; v++) {
        if (!strcasecmp(list->name(v), value)) {
            term->words = BIT(v);
            return 0;
        }
        if (!strncasecmp(list->name(v), value, strlen(value)))
            term->words |= BIT(v);
        qpw_near_offer(&near, list->name(v));
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", list->name(v));
        if (used >= sizeof(known))
            used = sizeof(known) - 1;
    }
    if (term->words)
        return 0;
    return qpw_fail(err, -EINVAL, "%s:%s: no such %s; it is one of %s%s", fields[term->field].name, value,
                    fields[term->field].name, known, qpw_near_hint(&near, hint, sizeof(hint)));
}

static bool parse_number(const char *text, const char **end, unsigned long limit, uint32_t *ret)
{
    char *stop;
    unsigned long number;

    if (!isdigit((unsigned char)*text))
        return false;
    number = strtoul(text, &stop, strncmp(text, "0x", 2) ? 10 : 16);
    if (number > limit)
        return false;
    *ret = (uint32_t)number;
    *end = stop;
    return true;
}

static int parse_range(const char *value, unsigned long limit, struct qpw_term *term, struct qpw_error *err)
{
    const char *end = value;

    if (parse_number(value, &end, limit, &term->low)) {
        term->high = term->low;
        if (*end == '-' && end[1])
            end = parse_number(end + 1, &end, limit, &term->high) ? end : "?";
        if (!*end && term->low <= term->high)
            return 0;
    }
    return qpw_fail(err, -EINVAL, "%s:%s: not a number from 0 to %lu, nor a range such as 1000-2000",
                    fields[term->field].name, value, limit);
}

/* Parse a prefix. Bits below it are cleared rather than rejected, because in a filter the intent is clear. */
static int parse_addr(const char *value, struct qpw_term *term, struct qpw_error *err)
{
    char copy[64];
    char *slash;
    const char *end = "";
    uint32_t length;
    unsigned base = strchr(value, ':') ? 0 : 96;

    snprintf(copy, sizeof(copy), "%.63s", value);
    slash = strchr(copy, '/');
    if (slash)
        *slash++ = '\0';
    length = 128 - base;
    if (qpw_address_parse(copy, term->addr) < 0 || (slash && (!parse_number(slash, &end, length, &length) || *end)))
        return qpw_fail(err, -EINVAL, "%s:%s: not an address nor a prefix such as 10.0.0.0/8 or fd00::/8",
                        fields[term->field].name, value);
    term->prefix = base + length;
    for (unsigned bit = term->prefix; bit < 128; bit++)
        term->addr[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
    return 0;
}

static int parse_protocol(const char *value, struct qpw_term *term, struct qpw_error *err)
{
    const char *end = "?";

    for (unsigned p = 0; p < 256; p++) {
        if (qpw_protocol_name(p) && !strcasecmp(qpw_protocol_name(p), value)) {
            term->low = term->high = p;
            return 0;
        }
    }
    if (!strcasecmp(value, "icmpv6") || !strcasecmp(value, "non-ip") || !strcasecmp(value, "non_ip")) {
        term->low = term->high = tolower((unsigned char)*value) == 'i' ? 58 : NON_IP;
        return 0;
    }
    if (parse_number(value, &end, 255, &term->low) && !*end) {
        term->high = term->low;
        return 0;
    }
    return qpw_fail(err, -EINVAL, "proto:%s: not tcp, udp, sctp, icmp, icmp6, non-ip or a number below 256", value);
}

static int parse_text(const char *value, struct qpw_term *term, struct qpw_error *err)
{
    size_t length = strlen(value);

    if (length >= sizeof(term->text))
        return qpw_fail(err, -EINVAL, "'%.20s…' is longer than %zu characters", value, sizeof(term->text) - 1);
    for (size_t i = 0; i <= length; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript): only up to its NUL */
        term->text[i] = (char)tolower((unsigned char)value[i]);
    return 0;
}

static int parse_value(const char *value, struct qpw_term *term, struct qpw_error *err)
{
    const struct word_list *list = word_list(term->field);

    if (!*value)
        return qpw_fail(err, -EINVAL, "%s: needs a value: %s", fields[term->field].name, fields[term->field].help);
    if (list)
        return parse_word(list, value, term, err);
    switch (term->field) {
    case QPW_FIELD_PORT: return parse_range(value, 65535, term, err);
    case QPW_FIELD_VLAN: return parse_range(value, 4095, term, err);
    case QPW_FIELD_ADDR:
    case QPW_FIELD_FROM:
    case QPW_FIELD_TO: return parse_addr(value, term, err);
    case QPW_FIELD_PROTO: return parse_protocol(value, term, err);
    default: return parse_text(value, term, err);
    }
}

/* ---- Terms ---- */

static int find_field(const char *name, size_t length)
{
    for (int i = 1; i < QPW_FIELD_COUNT; i++)
        if ((strlen(fields[i].name) == length && !strncasecmp(fields[i].name, name, length)) ||
            (strlen(fields[i].other) == length && !strncasecmp(fields[i].other, name, length)))
            return i;
    return -1;
}

static int unknown_field(const char *token, size_t length, struct qpw_error *err)
{
    struct qpw_near near = qpw_near_to(token, length);
    char known[200] = "", hint[80];
    size_t used = 0;

    for (int i = 1; i < QPW_FIELD_COUNT; i++) {
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i > 1 ? ", " : "", fields[i].name);
        qpw_near_offer(&near, fields[i].name);
        qpw_near_offer(&near, fields[i].other);
    }
    if (near.best)
        return qpw_fail(err, -EINVAL, "'%.*s' is not a field%s", (int)length, token,
                        qpw_near_hint(&near, hint, sizeof(hint)));
    return qpw_fail(err, -EINVAL, "'%.*s' is not a field; fields are %s", (int)length, token, known);
}

/* Read the next value up to an unquoted comma, without its quotes. Returns the rest. */
static const char *next_value(const char *at, bool split, char *ret, size_t size)
{
    bool quoted = false;
    size_t used = 0;

    for (; *at && (quoted || !split || *at != ','); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (used + 1 < size)
            ret[used++] = *at;
    }
    ret[used] = '\0';
    return at;
}

/* Return whether the token is an address; the colons of IPv6 do not separate a field. */
static bool looks_like_address(const char *token)
{
    uint8_t addr[16];

    return qpw_address_parse(token, addr) == 0;
}

static int parse_token(const char *token, struct qpw_filter *filter, struct qpw_error *err)
{
    struct qpw_term first = {.field = QPW_FIELD_WORD};
    const char *colon;
    char value[QPW_FILTER_TEXT];

    if ((*token == '-' || *token == '!') && token[1]) {
        first.negate = true;
        token++;
    }
    colon = *token == '"' || looks_like_address(token) ? NULL : strchr(token, ':');
    if (colon) {
        int field = find_field(token, (size_t)(colon - token));

        if (field < 0)
            return unknown_field(token, (size_t)(colon - token), err);
        first.field = (enum qpw_field)field;
        token = colon + 1;
    }
    do {
        struct qpw_term term = first;
        int r;

        token = next_value(token, first.field != QPW_FIELD_WORD, value, sizeof(value));
        if (filter->n_terms == QPW_FILTER_TERMS)
            return qpw_fail(err, -EINVAL, "more than %d terms", QPW_FILTER_TERMS);
        r = parse_value(value, &term, err);
        if (r < 0)
            return r;
        filter->terms[filter->n_terms++] = term;
        filter->fields |= BIT(term.field);
    } while (*token++ == ',');
    return 0;
}

int qpw_filter_parse(const char *text, struct qpw_filter *ret, struct qpw_error *err)
{
    struct qpw_filter filter = {0};

    while (*text) {
        char token[QPW_FILTER_TEXT];
        size_t used = 0;
        bool quoted = false;
        int r;

        text += strspn(text, " \t\n");
        for (; *text && (quoted || !isspace((unsigned char)*text)); text++) {
            quoted ^= *text == '"';
            if (used + 1 == sizeof(token))
                return qpw_fail(err, -EINVAL, "a term is longer than %d characters", QPW_FILTER_TEXT - 1);
            token[used++] = *text;
        }
        token[used] = '\0';
        if (quoted)
            return qpw_fail(err, -EINVAL, "%s: missing closing quote", token);
        if (!used)
            break;
        r = parse_token(token, &filter, err);
        if (r < 0)
            return r;
    }
    *ret = filter;
    return 0;
}

/* ---- Matching ---- */

static bool in_prefix(const uint8_t *addr, const struct qpw_term *term)
{
    unsigned whole = term->prefix / 8, rest = term->prefix % 8;

    if (!addr || memcmp(addr, term->addr, whole))
        return false;
    return !rest || !((addr[whole] ^ term->addr[whole]) >> (8 - rest));
}

static bool is_name(const char *name, const struct qpw_term *term)
{
    return *name && fnmatch(term->text, name, FNM_CASEFOLD) == 0;
}

static bool has_part(const char *text, const struct qpw_term *term)
{
    char pattern[sizeof(term->text) + 2];

    if (!strpbrk(term->text, "*?["))
        return strcasestr(text, term->text) != NULL;
    snprintf(pattern, sizeof(pattern), "*%s*", term->text);
    return fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

static bool holds(const struct qpw_term *term, const struct qpw_facts *f)
{
    unsigned protocol = f->non_ip ? NON_IP : f->protocol;

    switch (term->field) {
    case QPW_FIELD_PORT: return f->port >= term->low && f->port <= term->high;
    case QPW_FIELD_VLAN: return f->vlan >= term->low && f->vlan <= term->high;
    case QPW_FIELD_PROTO: return protocol == term->low;
    case QPW_FIELD_DIR: return term->words & BIT(f->direction);
    case QPW_FIELD_VERDICT: return term->words & BIT(f->verdict);
    case QPW_FIELD_OUTCOME: return term->words & BIT(f->outcome);
    case QPW_FIELD_EVIDENCE: return term->words & BIT(f->evidence);
    case QPW_FIELD_SEVERITY: return term->words & BIT(f->severity);
    case QPW_FIELD_ADDR: return in_prefix(f->from, term) || in_prefix(f->to, term);
    case QPW_FIELD_FROM: return in_prefix(f->from, term);
    case QPW_FIELD_TO: return in_prefix(f->to, term);
    case QPW_FIELD_PROC: return has_part(f->process, term);
    case QPW_FIELD_PEER: return is_name(f->peer, term);
    case QPW_FIELD_RULE: return is_name(f->rule, term);
    case QPW_FIELD_REASON: return is_name(f->reason, term);
    case QPW_FIELD_IFACE: return is_name(f->iface, term);
    case QPW_FIELD_WORD: return has_part(f->words, term);
    case QPW_FIELD_COUNT: break;
    }
    return false;
}

bool qpw_filter_match(const struct qpw_filter *filter, const struct qpw_facts *facts)
{
    uint32_t asked = 0, met = 0;

    for (size_t i = 0; i < filter->n_terms; i++) {
        const struct qpw_term *term = &filter->terms[i];
        bool yes;

        if (term->field != QPW_FIELD_WORD && !(facts->has & BIT(term->field)))
            continue;
        yes = holds(term, facts);
        if (term->negate || term->field == QPW_FIELD_WORD) {
            if (yes == term->negate)
                return false;
            continue;
        }
        asked |= BIT(term->field);
        met |= yes ? BIT(term->field) : 0;
    }
    return asked == met;
}
