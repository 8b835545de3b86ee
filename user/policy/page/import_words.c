/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import_words.c - compare words of a page, take them from lists, turn them into names.
 *
 * Words are whole cells or whole items of a list in a cell, never parts of them: "Storage Nodes" is not "Storage Nodes
 * with ADC".
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/page/import_int.h"

void qpw_import_plain(const char *text, char *ret, size_t size)
{
    size_t used = 0;

    for (const char *p = text; *p && used + 2 < size; p++) {
        if (!strncasecmp(p, "(s)", 3)) {
            ret[used++] = 's';
            p += 2;
        } else if (isspace((unsigned char)*p)) {
            if (used && ret[used - 1] != ' ')
                ret[used++] = ' ';
        } else if (*p == '"') { /* keep the quoted words */
            continue;
        } else if (strncmp(p, "\xef\xbf\xbc", 3)) {
            ret[used++] = (char)tolower((unsigned char)*p);
        } else {
            p += 2;
        }
    }
    while (used && strchr(" *.:;,", ret[used - 1]))
        used--;
    ret[used] = '\0';
}

bool qpw_import_same_words(const char *a, const char *b)
{
    char left[QPW_ITEM_SIZE], right[QPW_ITEM_SIZE];
    size_t n, m;

    qpw_import_plain(a, left, sizeof(left));
    qpw_import_plain(b, right, sizeof(right));
    n = strlen(left);
    m = strlen(right);
    if (n > m + 1 || m > n + 1 || !n || !m)
        return false;
    if (n == m)
        return !strcmp(left, right);
    return n > m ? left[n - 1] == 's' && !strncmp(left, right, m) : right[m - 1] == 's' && !strncmp(left, right, n);
}

/* Return whether the cell has words that tie a list's items together: text after them may apply to all items. */
static bool is_bound(const char *cell)
{
    static const char *const words[] = {"on", "for", "with", "in", "of", "at", "that", "from", "to", "except", "excluding",
                                        "excl", "without", "only", "not", "but", "if", "when", "where", "unless", "until",
                                        "via", "through", "between", "than", "no", "non", "neither", "nor", "never",
                                        "minus", "instead", "besides", "which", "whose", "during", "before", "after", NULL};

    return qpw_has_any_of(cell, words);
}

/* Return the length of the separator of items at p, or 0. */
static size_t list_mark(const char *p, bool bound)
{
    static const char *const words[] = {" and ", " or ", " & ", NULL};

    if (*p == '\n')
        return 1;
    if (bound)
        return 0;
    if (strchr(",;/&", *p))
        return 1;
    for (size_t i = 0; words[i]; i++)
        if (!strncasecmp(p, words[i], strlen(words[i])))
            return strlen(words[i]) - 1; /* its last blank may begin the next separator */
    return 0;
}

bool qpw_import_next_item(const char **at, const char *cell, char *ret, size_t size)
{
    bool bound = is_bound(cell);
    size_t used = 0;
    int depth = 0;

    while (**at && (isspace((unsigned char)**at) || list_mark(*at, bound)))
        (*at)++;
    if (!strncasecmp(*at, "and ", 4) || !strncasecmp(*at, "or ", 3))
        *at += strcspn(*at, " ");
    while (isspace((unsigned char)**at))
        (*at)++;
    while (**at) {
        size_t mark = depth > 0 ? 0 : list_mark(*at, bound);

        if (mark) {
            *at += mark;
            break;
        }
        depth += (**at == '(') - (**at == ')' && depth > 0);
        if (used + 1 < size)
            ret[used++] = **at;
        (*at)++;
    }
    while (used && isspace((unsigned char)ret[used - 1]))
        used--;
    ret[used] = '\0';
    return used > 0;
}

/* Get the last word of the last item: "Nodes" in "Admin/Storage Nodes" belongs to "Admin", too. */
static void shared_noun(const char *cell, char *ret, size_t size)
{
    char item[QPW_ITEM_SIZE], last[QPW_ITEM_SIZE] = "";
    const char *blank;
    size_t n = 0;

    for (const char *at = cell; qpw_import_next_item(&at, cell, item, sizeof(item)); n++)
        memcpy(last, item, sizeof(last));
    blank = strrchr(last, ' ');
    snprintf(ret, size, "%s", n > 1 && blank ? blank : "");
}

/* Return whether a bracket adds meaning, as in "Vault nodes (with Tape)"; "(s)" and a footnote's mark do not. */
static bool has_bracket(const char *cell)
{
    for (const char *p = cell; (p = strpbrk(p, "([{:")); p++)
        if (strncasecmp(p, "(s)", 3) && strncmp(p, "(*", 2))
            return true;
    return false;
}

enum qpw_import_match qpw_import_match(const char *cell, const char *word)
{
    char item[QPW_ITEM_SIZE], noun[QPW_ITEM_SIZE], with[2 * QPW_ITEM_SIZE];
    bool pure = !is_bound(cell) && !has_bracket(cell), found = false;

    if (qpw_import_same_words(cell, word))
        return QPW_IMPORT_MATCH;
    shared_noun(cell, noun, sizeof(noun));
    for (const char *at = cell; !found && qpw_import_next_item(&at, cell, item, sizeof(item));) {
        snprintf(with, sizeof(with), "%s%s", item, noun);
        found = qpw_import_same_words(item, word) ||
                (*noun && !strchr(item, ' ') && qpw_import_same_words(with, word));
    }
    return !found ? QPW_IMPORT_MATCH_NOT : pure ? QPW_IMPORT_MATCH : QPW_IMPORT_MATCH_UNCLEAR;
}

void qpw_import_slug(const char *text, char *ret, size_t size)
{
    size_t used = 0;

    for (const char *p = text; *p && used + 1 < size; p++) {
        if (isalnum((unsigned char)*p) && (unsigned char)*p < 0x80)
            ret[used++] = (char)tolower((unsigned char)*p);
        else if (used && ret[used - 1] != '-')
            ret[used++] = '-';
    }
    while (used && ret[used - 1] == '-')
        used--;
    ret[used] = '\0';
}
