/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cell_words.c - split a cell into lines and words: separators, footnote marks, names of protocols. */
#include "policy/page/cells_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int qpw_cell_unclear(struct qpw_cell_fault *fault, enum qpw_page_column column, const char *what, const char *text,
                     size_t length)
{
    fault->column = column;
    snprintf(fault->text, sizeof(fault->text), "%s '%.*s'", what, (int)(length > 60 ? 60 : length), text);
    for (char *p = fault->text; *p; p++) {
        if (*p == '\n')
            *p = ' ';
        if (!strncmp(p, "\xe2\x80\x8b", 3)) /* zero width: nobody would see it */
            memcpy(p, "<?>", 3);
    }
    return -EINVAL;
}

bool qpw_cell_is_text(const char *word, size_t length, const char *text)
{
    return strlen(text) == length && !strncasecmp(word, text, length);
}

bool qpw_cell_is_one_of(const char *word, size_t length, const char *const *texts)
{
    for (; *texts; texts++)
        if (qpw_cell_is_text(word, length, *texts))
            return true;
    return false;
}

bool qpw_cell_is_any(const char *word, size_t length)
{
    return qpw_cell_is_text(word, length, "all") || qpw_cell_is_text(word, length, "any");
}

bool qpw_cell_is_filler(const char *word, size_t length)
{
    static const char *const words[] = {"and", "or", "port", "ports", "protocol", "protocols", "type", "types", NULL};

    return qpw_cell_is_one_of(word, length, words);
}

/* Return the length in bytes of the footnote mark at p, or 0. */
static size_t mark_at(const char *p)
{
    static const char *const marks[] = {"\xe2\x80\xa0", "\xe2\x80\xa1", "\xc2\xb9", "\xc2\xb2",
                                        "\xc2\xb3",     "\xc2\xa7",     "*",        NULL};

    for (size_t i = 0; marks[i]; i++)
        if (!strncmp(p, marks[i], strlen(marks[i])))
            return strlen(marks[i]);
    return 0;
}

static bool is_separator(char c)
{
    return c && strchr(" ,;&|", c) != NULL;
}

void qpw_cell_skip(struct qpw_scan *s)
{
    while (s->at < s->end && (is_separator(*s->at) || mark_at(s->at)))
        s->at += is_separator(*s->at) ? 1 : mark_at(s->at);
}

size_t qpw_cell_word_length(const struct qpw_scan *s)
{
    size_t length = 0;

    while (s->at + length < s->end && !is_separator(s->at[length]) && !strchr("/()<>+", s->at[length]) &&
           !mark_at(s->at + length))
        length++;
    return length;
}

bool qpw_cell_next_line(const char **at, struct qpw_scan *ret)
{
    while (**at == '\n' || **at == ' ')
        (*at)++;
    if (!**at)
        return false;
    ret->at = *at;
    ret->end = *at + strcspn(*at, "\n");
    *at = ret->end;
    return true;
}

bool qpw_has_note_mark(const char *cell, bool prose)
{
    bool other = false, mark = false;

    for (const char *p = cell; *p;) {
        size_t length = mark_at(p);

        mark = length || (mark && !prose);
        other |= !length && *p != ' ';
        p += length ? length : 1;
    }
    return mark && other;
}

bool qpw_cell_add_protocol(const char *word, size_t length, uint64_t bits[4])
{
    static const struct {
        const char *name;
        unsigned number;
    } known[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}, {"icmp", IPPROTO_ICMP},
                 {"icmpv4", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6}, {"icmp6", IPPROTO_ICMPV6}, {"gre", IPPROTO_GRE},
                 {"esp", IPPROTO_ESP}, {"ah", IPPROTO_AH}, {"igmp", IPPROTO_IGMP}, {"vrrp", 112}, {"ospf", 89}};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (qpw_cell_is_text(word, length, known[i].name)) {
            qpw_cell_set_bit(bits, known[i].number);
            return true;
        }
    return false;
}
