/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* conditions.c - find the conditions of Markdown and HTML templates, which show text to some readers only. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/page/import_int.h"

/* A condition follows one of these, after optional blanks. */
static const char *const opens[] = {"{{#", "{{^", "{{-", "{{", "<%-", "<%", "[[%", "[%", "<!--#", "<!--", NULL};
static const char *const words[] = {"if", "unless", "ifdef", "ifndef", "ifeq", "elseif", "elif", "each", "range", "with", "only",
                                    NULL};

static bool is_word(const char *p)
{
    size_t length = 0;

    while (isalpha((unsigned char)p[length]))
        length++;
    for (size_t i = 0; words[i]; i++)
        if (strlen(words[i]) == length && !strncasecmp(p, words[i], length))
            return true;
    return false;
}

/*
 * Return whether a comment that ends a condition ("<!-- endif -->") follows p; "<!-- if you edit this -->" is only a
 * comment.
 */
static bool has_end_comment(const char *p)
{
    while ((p = strstr(p + 1, "<!--"))) {
        const char *word = p + 4 + strspn(p + 4, "# \t");

        if (!strncasecmp(word, "end", 3) || *word == '/')
            return true;
    }
    return false;
}

/*
 * Return whether a condition begins at p. *end_comments: a comment that ends a condition may still follow; cleared once
 * none does.
 */
static bool opens_condition(const char *p, bool *end_comments)
{
    for (size_t i = 0; opens[i]; i++) {
        const char *word = p + strlen(opens[i]);

        if (strncmp(p, opens[i], strlen(opens[i])))
            continue;
        word += strspn(word, " \t");
        if (!is_word(word) || *opens[i] != '<' || opens[i][1] != '!')
            return is_word(word);
        return *end_comments && (*end_comments = has_end_comment(p));
    }
    return false;
}

/* Return whether a line begins with a condition: ":::only cloud", "::: {only=…}", "::::{only} html", "@if (…)". */
static bool opens_line(const char *p)
{
    size_t colons = strspn(p, ":");

    if (!strncasecmp(p, "@if", 3) && (p[3] == '(' || p[3] == ' '))
        return true;
    if (colons < 3)
        return false;
    p += colons + strspn(p + colons, " \t{");
    return !strncasecmp(p, "only", 4) && !isalnum((unsigned char)p[4]);
}

/* Return the end of the Markdown listing, or of the element whose text is not shown, that begins at p; otherwise p. */
static const char *behind_listing(const char *p, bool line_start)
{
    static const char *const elements[] = {"script", "style", "pre", "textarea", NULL};
    char end[16];

    if (line_start && (!strncmp(p, "```", 3) || !strncmp(p, "~~~", 3))) {
        const char *close = p;

        while ((close = strchr(close, '\n'))) {
            close += 1 + strspn(close + 1, " \t>");
            if (!strncmp(close, p, 3))
                return close + 3;
        }
        return p + strlen(p);
    }
    for (size_t i = 0; *p == '<' && elements[i]; i++) {
        size_t length = strlen(elements[i]);
        const char *close;

        if (strncasecmp(p + 1, elements[i], length) || isalnum((unsigned char)p[1 + length]))
            continue;
        snprintf(end, sizeof(end), "</%s", elements[i]);
        close = strcasestr(p, end);
        return close ? close + 2 : p + strlen(p);
    }
    return p;
}

int qpw_import_check_conditions(struct qpw_importer *im)
{
    unsigned line = 1;
    bool start = true, end_comments = true;

    for (const char *p = im->source; *p;) {
        const char *next = behind_listing(p, start);

        if (next == p && ((strchr("{<[", *p) && opens_condition(p, &end_comments)) || (start && opens_line(p)))) {
            size_t length = strcspn(p, "\n");

            return qpw_fail(im->err, -EINVAL, "%s:%u: a condition, which only the page's author can decide: %.*s", im->name, line,
                            (int)(length > 60 ? 60 : length), p);
        }
        next += next == p;
        start &= strchr(" \t>", *p) != NULL;
        for (; p < next; p++)
            if (*p == '\n') {
                line++;
                start = true;
            }
    }
    return 0;
}
