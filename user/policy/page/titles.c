/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* titles.c - classify column titles by their whole text, directions by their words; clean the purpose for display. */
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/cells.h"

#define INBOUND (1u << QPW_DIR_INBOUND)
#define OUTBOUND (1u << QPW_DIR_OUTBOUND)
#define MAX_WORDS 8

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool qpw_has_words(const char *text, const char *words)
{
    size_t length = strlen(words);

    for (const char *p = text; (p = strcasestr(p, words)); p++)
        if ((p == text || !is_word(p[-1])) && !is_word(p[length]))
            return true;
    return false;
}

bool qpw_has_any_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (qpw_has_words(text, *list))
            return true;
    return false;
}

/* ---- A title as words ---- */

struct words {
    char text[128];
    const char *list[MAX_WORDS];
    size_t n;
    bool too_many;
};

/* Split into lower-case words of letters and digits; drop "(s)". */
static void split(const char *title, struct words *ret)
{
    size_t used = 0;

    *ret = (struct words){.n = 0};
    for (const char *p = title; *p && used + 2 < sizeof(ret->text); p++) {
        if (!strncasecmp(p, "(s)", 3))
            p += 2;
        else if (is_word(*p) || (unsigned char)*p >= 0x80)
            ret->text[used++] = (char)tolower((unsigned char)*p);
        else if (used && ret->text[used - 1])
            ret->text[used++] = '\0';
    }
    for (size_t i = 0; i < used; i += strlen(ret->text + i) + 1) {
        if (ret->n == MAX_WORDS) {
            ret->too_many = true;
            break;
        }
        ret->list[ret->n++] = ret->text + i;
    }
}

static bool in_list(const char *word, const char *list)
{
    size_t length = strlen(word);

    for (const char *p = list; (p = strstr(p, word)); p++)
        if ((p == list || p[-1] == ' ') && (!p[length] || p[length] == ' '))
            return true;
    return false;
}

/* Return whether one word is in `one`, and all others in `rest` or `one`. */
static bool made_of(const struct words *words, const char *one, const char *rest)
{
    bool found = false;

    for (size_t i = 0; i < words->n; i++) {
        bool is = in_list(words->list[i], one);

        if (!is && !in_list(words->list[i], rest))
            return false;
        found |= is;
    }
    return found && !words->too_many;
}

static unsigned direction_word(const char *word)
{
    if (in_list(word, "inbound ingress incoming"))
        return INBOUND;
    return in_list(word, "outbound egress outgoing") ? OUTBOUND : 0;
}

/* Take protocols and directions from a port title's words. */
static void take_qualifiers(const struct words *words, struct qpw_title *ret)
{
    static const struct {
        const char *name;
        unsigned number;
    } known[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}};

    for (size_t i = 0; i < words->n; i++) {
        ret->directions |= direction_word(words->list[i]);
        for (size_t j = 0; j < sizeof(known) / sizeof(*known); j++)
            if (!strcmp(words->list[i], known[j].name))
                ret->protocols[known[j].number / 64] |= (uint64_t)1 << known[j].number % 64;
    }
}

#define PORT_WORDS \
    "number numbers no nr range ranges protocol protocols and or destination dest dst target server service listen " \
    "listening default network used firewall required open tcp udp sctp inbound outbound ingress egress incoming " \
    "outgoing the type types ip of"
#define END_WORDS "ip ips address addresses host hosts system systems network networks component components device " \
                  "devices machine machines endpoint endpoints subnet subnets traffic name names zone node nodes"

#define ACCESS_WORDS "allow allowed permit permitted access accessed accessible reach reached reachable connect connects open opened"

/* Titles with one word of `one` and all others of `rest`; the first match counts. */
static const struct {
    const char *one;
    const char *rest;
    enum qpw_page_column column;
} titles[] = {
    {"start from first fromport begin", "port ports number range", QPW_COLUMN_PORT_FIRST},
    {"end to last toport", "port ports number range", QPW_COLUMN_PORT_LAST},
    {"client source src", "port ports number numbers range ranges", QPW_COLUMN_CLIENT_PORT},
    {"port ports", PORT_WORDS, QPW_COLUMN_PORT},
    {"direction directions inbound outbound ingress egress incoming outgoing in out", "traffic connection flow or and of",
     QPW_COLUMN_DIRECTION},
    {"protocol protocols transport ipprotocol l4", "ip transport layer network 4 type name tcp udp or and sctp icmp",
     QPW_COLUMN_PROTOCOL},
    {"tcp", "udp or and sctp icmp", QPW_COLUMN_PROTOCOL},
    {"source sources from initiator src client clients", END_WORDS " type " ACCESS_WORDS, QPW_COLUMN_SOURCE},
    {"destination destinations target targets to responder dst dest server servers receiver",
     END_WORDS " type " ACCESS_WORDS, QPW_COLUMN_DESTINATION},
    {"remote peer ipranges cidr cidrs source destination", END_WORDS " ranges range peer or and client server",
     QPW_COLUMN_REMOTE},
    {"allowed permitted allow permit", END_WORDS " peer peers", QPW_COLUMN_REMOTE},
    {"host hosts node nodes role roles machine machines",
     "type types name names server applies to required on which runs installed", QPW_COLUMN_HOSTS},
    {"applies runs installed required", "to on", QPW_COLUMN_HOSTS},
    {"originator sender caller connecting", END_WORDS, QPW_COLUMN_SOURCE},
    {"by", "accessed accessible reached reachable", QPW_COLUMN_SOURCE},
    {"action access permission", "rule allow deny block type", QPW_COLUMN_ACTION},
    {"status state open opened enabled allowed permitted firewall used", "rule yes no the", QPW_COLUMN_ACTION},
    {"blocked denied closed deprecated disabled obsolete removed unused forbidden", "yes no by in since",
     QPW_COLUMN_DENIAL},
    {"default", "enabled open opened on active state status by is in", QPW_COLUMN_REQUIRED},
    {"optional", "yes no", QPW_COLUMN_OPTIONAL},
    {"required mandatory", "optional or yes no is", QPW_COLUMN_REQUIRED},
};

void qpw_title_of(const char *text, struct qpw_title *ret)
{
    static const char *const uses[] = {"use",   "purpose",  "description", "service",  "application", "usage",
                                       "used for", "feature", "function",  NULL};
    struct words words;

    *ret = (struct qpw_title){.column = QPW_COLUMN_OTHER};
    split(text, &words);
    if (words.n > 1 && in_list(words.list[0], "number count amount no") && !strcmp(words.list[1], "of"))
        return; /* a number of ports */
    for (size_t i = 0; words.n && i < sizeof(titles) / sizeof(*titles); i++) {
        bool port = in_list("port", titles[i].rest) && titles[i].column != QPW_COLUMN_PORT;

        if (!made_of(&words, titles[i].one, titles[i].rest))
            continue;
        if (words.n == 1 && ((titles[i].column == QPW_COLUMN_REQUIRED && !strcmp(words.list[0], "default")) ||
                             (titles[i].column == QPW_COLUMN_HOSTS && in_list(words.list[0], "applies runs installed required")) ||
                             (titles[i].column == QPW_COLUMN_REMOTE && in_list(words.list[0], "allowed permitted allow permit"))))
            continue; /* a value, whatever of; an action */
        /* "From" alone names an end; "From port" begins a range. */
        if (port && !strstr(text, "ort"))
            continue;
        ret->column = titles[i].column;
        if (ret->column == QPW_COLUMN_PORT)
            take_qualifiers(&words, ret);
        if (ret->column == QPW_COLUMN_PROTOCOL)
            ret->transport = made_of(&words, "tcp transport ipprotocol l4", titles[i].rest) ||
                             made_of(&words, "tcp", "udp or and sctp icmp protocol protocols");
        return;
    }
    for (size_t i = 0; uses[i]; i++)
        if (qpw_has_words(text, uses[i]))
            ret->column = QPW_COLUMN_USE;
}

/* ---- Directions and denials ---- */

unsigned qpw_directions_in(const char *text)
{
    static const struct {
        const char *words;
        unsigned directions;
    } known[] = {{"inbound", INBOUND},
                 {"ingress", INBOUND},
                 {"incoming", INBOUND},
                 {"outbound", OUTBOUND},
                 {"egress", OUTBOUND},
                 {"outgoing", OUTBOUND},
                 {"bidirectional", INBOUND | OUTBOUND},
                 {"bi-directional", INBOUND | OUTBOUND}};
    unsigned directions = 0;

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (qpw_has_words(text, known[i].words))
            directions |= known[i].directions;
    return directions;
}

/* Return the word at p as directions; 0: it is none. *ret_skip: it has no meaning. */
static unsigned whole_word(const char *p, size_t length, bool *ret_skip)
{
    static const struct {
        const char *word;
        unsigned directions;
    } known[] = {{"inbound", INBOUND}, {"ingress", INBOUND}, {"incoming", INBOUND}, {"in", INBOUND},
                 {"outbound", OUTBOUND}, {"egress", OUTBOUND}, {"outgoing", OUTBOUND}, {"out", OUTBOUND},
                 {"both", INBOUND | OUTBOUND}, {"bidirectional", INBOUND | OUTBOUND},
                 {"bi-directional", INBOUND | OUTBOUND}};
    static const char *const nothing[] = {"and", "or", "only", "traffic", "connections", "ports", "directions", "ways", "rules",
                                          NULL};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strlen(known[i].word) == length && !strncasecmp(p, known[i].word, length))
            return known[i].directions;
    *ret_skip = false;
    for (size_t i = 0; nothing[i]; i++)
        *ret_skip |= strlen(nothing[i]) == length && !strncasecmp(p, nothing[i], length);
    return 0;
}

size_t qpw_directions_of(const char *text, uint8_t ret[8])
{
    size_t n = 0;

    for (const char *p = text; *p;) {
        size_t length = strcspn(p, " \n,;/&+:*.");
        bool skip = true;
        unsigned directions = length ? whole_word(p, length, &skip) : 0;

        if (length && !directions && !skip)
            return 0;
        for (unsigned direction = QPW_DIR_INBOUND; direction <= QPW_DIR_OUTBOUND; direction++)
            if (directions & 1u << direction) {
                if (n == 8)
                    return 0;
                ret[n++] = (uint8_t)direction;
            }
        p += length ? length : 1;
    }
    return n;
}

/* ---- Purpose ---- */

char *qpw_purpose_text(const char *cell)
{
    static const char *const cut_from[] = {", if you ", " if you enable", ", when you ", NULL};
    static const char *const drop[] = {"(by default)", "(optional)", "\xef\xbf\xbc", NULL};
    char *text = strdup(cell);
    size_t length;

    if (!text)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    for (size_t i = 0; cut_from[i]; i++) {
        char *found = strcasestr(text, cut_from[i]);

        if (found)
            *found = '\0';
    }
    for (size_t i = 0; drop[i]; i++) {
        char *found = strcasestr(text, drop[i]);

        if (found)
            memmove(found, found + strlen(drop[i]), strlen(found + strlen(drop[i])) + 1);
    }
    length = strlen(text);
    while (length && strchr(" .,;:*", text[length - 1]))
        text[--length] = '\0';
    return text;
}
