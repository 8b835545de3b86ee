/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* asciidoc_text.c - strip AsciiDoc markup from text. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>

#include "policy/page/asciidoc.h"

/* Decode the entity at p ("&#8211;", "&#x2013;", "&nbsp;") into out (7 bytes). Returns its length at p, or 0. */
static size_t entity(const char *p, char *out)
{
    const htmlEntityDesc *known;
    char name[12];
    size_t length;
    unsigned long code = 0;
    char *end;

    if (p[1] == '#') {
        bool hex = p[2] == 'x' || p[2] == 'X';

        code = strtoul(p + (hex ? 3 : 2), &end, hex ? 16 : 10);
        length = *end == ';' ? (size_t)(end + 1 - p) : 0;
    } else {
        length = strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (!length || length >= sizeof(name) || p[1 + length] != ';')
            return 0;
        snprintf(name, sizeof(name), "%.*s", (int)length, p + 1);
        known = htmlEntityLookup(BAD_CAST name);
        code = known ? known->value : 0;
        length += 2;
    }
    if (!code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || code < 0x20)
        return 0;
    out[xmlCopyCharMultiByte(BAD_CAST out, (int)code)] = '\0';
    return length;
}

/* Find the text of the link, cross reference or footnote at p. Returns its end, or NULL if there is none. */
static const char *macro(const char *p, const char **ret_text, size_t *ret_length)
{
    static const char *const names[] = {"link:", "xref:", "mailto:", "http://", "https://", "footnote:", "footnoteref:",
                                        "anchor:", "pass:", NULL};
    const char *open, *close;

    for (size_t i = 0; names[i]; i++) {
        if (strncmp(p, names[i], strlen(names[i])))
            continue;
        open = p + strcspn(p, "[ \t\n\v");
        close = *open == '[' ? strchr(open, ']') : NULL;
        if (!close)
            return NULL;
        *ret_text = open + 1;
        *ret_length = strcspn(open + 1, "^]");
        if (!strncmp(p, "footnote", 8) || !strncmp(p, "anchor", 6))
            *ret_length = 0;
        return close + 1;
    }
    return NULL;
}

/* Find the text of the <<id,text>> at p. Returns its end, or NULL. */
static const char *reference(const char *p, const char **ret_text, size_t *ret_length)
{
    const char *close = strstr(p, ">>"), *comma;

    if (!close)
        return NULL;
    comma = memchr(p, ',', (size_t)(close - p));
    *ret_text = comma ? comma + 1 : p + 2;
    *ret_length = (size_t)(close - *ret_text);
    return close + 2;
}

/* Return the end of ^raised^ text, which is a footnote's mark, or NULL. */
static const char *raised(const char *p)
{
    size_t length = strcspn(p + 1, "^ \t\n\v");

    return length && p[1 + length] == '^' ? p + length + 2 : NULL;
}

/* Return whether p begins a footnote or raised text, which is left out. */
static bool is_note(const char *p)
{
    return *p == '^' || !strncmp(p, "footnote", 8);
}

/*
 * Write the text [inner, inner+length) of the macro at p: as it is, as a note's mark, or in brackets. Returns the new
 * end.
 */
static char *put_link(const char *begin, char *out, const char *p, const char *inner, size_t length)
{
    bool in_page = !strncmp(p, "<<", 2) || !strncmp(p, "xref:#", 6) || !strncmp(p, "link:#", 6);
    enum qpw_page_link kind = is_note(p) ? QPW_LINK_MARK
                              : length   ? qpw_link_of(begin, (size_t)(out - begin), inner, length, in_page)
                                         : QPW_LINK_TEXT;

    if (kind == QPW_LINK_MARK) {
        *out++ = '*';
        return out;
    }
    if (kind == QPW_LINK_ASIDE)
        *out++ = '(';
    memmove(out, inner, length);
    out += length;
    if (kind == QPW_LINK_ASIDE)
        *out++ = ')';
    return out;
}

bool qpw_adoc_clean(char *text)
{
    char *out = text;
    bool stands = true;

    for (const char *p = text; *p;) {
        bool word = p > text && isalnum((unsigned char)p[-1]);
        const char *inner = p, *next = NULL;
        size_t length = 0;

        if (*p == '`') {
            p++;
            continue;
        }
        if (*p == '&') {
            char character[8];
            size_t step = entity(p, character);

            if (step) {
                length = strlen(character);
                memmove(out, character, length);
                out += length;
                p += step;
                continue;
            }
        }
        if (*p == '[' && !strncmp(p, "[.line-through]", 15))
            stands = false;
        if (*p == '[' && !strncmp(p, "[line-through]", 14))
            stands = false;
        if (*p == '[' && (!strncmp(p, "[.strike", 8) || !strncmp(p, "[.removed", 9) || !strncmp(p, "[.deprecated", 12)))
            stands = false;
        if (!word)
            next = macro(p, &inner, &length);
        if (!next && !strncmp(p, "<<", 2))
            next = reference(p, &inner, &length);
        if (!next && *p == '^' && (next = raised(p)))
            length = 0;
        if (next) {
            out = put_link(text, out, p, inner, length);
            p = next;
            continue;
        }
        *out++ = *p++;
    }
    *out = '\0';
    qpw_tidy(text);
    return stands;
}
