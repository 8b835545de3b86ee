/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_sections.c - choose among sections that are alternatives. */
#include <stdio.h>
#include <string.h>

#include "policy/page/import_int.h"

/* ---- The choice ---- */

#define MARK " > "

/* Return the last separator between two names, or NULL. */
static char *last_mark(char *text)
{
    char *found = NULL;

    for (char *p = text; (p = strstr(p, MARK)); p++)
        found = p;
    return found;
}

/* Write the path of a section, outermost first, as far as it fits: "Vault > Inbound". */
static void path_of(const struct qpw_importer *im, int section, char *ret, size_t size)
{
    const char *texts[8];
    size_t n = 0, used = 0;

    for (; section >= 0 && n < sizeof(texts) / sizeof(*texts); section = im->sections[section].parent)
        texts[n++] = im->sections[section].text;
    *ret = '\0';
    while (n-- > 0 && used < size)
        used += (size_t)snprintf(ret + used, size - used, "%s%.60s", used ? " > " : "", texts[n]);
}

/* Return whether the words are the section's text; "OUTER > TEXT" also names an enclosing section. */
static bool matches(const struct qpw_importer *im, int section, const char *words)
{
    char copy[512], *part;

    if (qpw_import_same_words(im->sections[section].text, words))
        return true;
    snprintf(copy, sizeof(copy), "%s", words);
    part = last_mark(copy);
    if (!part || !qpw_import_same_words(im->sections[section].text, part + strlen(MARK)))
        return false;
    while (part) {
        *part = '\0';
        part = last_mark(copy);
        section = im->sections[section].parent;
        while (section >= 0 && !qpw_import_same_words(im->sections[section].text, part ? part + strlen(MARK) : copy))
            section = im->sections[section].parent;
        if (section < 0)
            return false;
    }
    return true;
}

static void list_sections(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++)
        if (im->sections[i].has_ports)
            qpw_import_error(im, im->sections[i].line, "--section '%s'", im->sections[i].text);
}

/* Return the outermost alternative around a section, or the section itself, that was not chosen; -1: none. */
static int open_alternative(const struct qpw_importer *im, int section)
{
    int found = -1;

    for (int i = im->sections[section].parent; i >= 0; i = im->sections[i].parent)
        if (im->sections[i].alternative && !im->sections[i].chosen)
            found = i;
    return found;
}

/* Return whether one word means two alternatives: within one section, or in two that are alternatives themselves. */
static bool is_ambiguous(const struct qpw_importer *im, int a, int b)
{
    int left = open_alternative(im, a), right = open_alternative(im, b);

    if (im->sections[a].parent == im->sections[b].parent)
        return im->sections[a].alternative && im->sections[b].alternative && !im->sections[a].label;
    return left != right && left >= 0 && right >= 0;
}

/* Report an ambiguous choice: list the paths, or ask for distinct names in a copy of the page. */
static void say_ambiguous(struct qpw_importer *im, int first, int second, const char *words, bool begin)
{
    char path[400];

    if (im->sections[first].parent == im->sections[second].parent) {
        qpw_import_error(im, im->sections[first].line,
                         "--section '%s' names two alternatives (line %u, too): give each a name of its own in your copy of the page",
                         words, im->sections[second].line);
        return;
    }
    if (begin) {
        path_of(im, first, path, sizeof(path));
        qpw_import_error(im, im->sections[first].line, "--section '%s' names several alternatives: choose from these words", words);
        qpw_import_error(im, im->sections[first].line, "--section '%s'", path);
    }
    path_of(im, second, path, sizeof(path));
    qpw_import_error(im, im->sections[second].line, "--section '%s'", path);
}

static void check_choice(struct qpw_importer *im, const char *words)
{
    bool reported = false;

    for (size_t i = 0; i < im->n_sections && !reported; i++)
        for (size_t j = im->sections[i].has_ports ? i + 1 : im->n_sections; j < im->n_sections; j++)
            if (im->sections[j].has_ports && matches(im, (int)i, words) &&
                matches(im, (int)j, words) && is_ambiguous(im, (int)i, (int)j)) {
                say_ambiguous(im, (int)i, (int)j, words, !reported);
                reported = true;
            }
}

static void take_choices(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->options->n_sections; i++) {
        bool found = false;

        for (size_t j = 0; j < im->n_sections; j++)
            if (im->sections[j].has_ports && matches(im, (int)j, im->options->sections[i]))
                im->sections[j].chosen = found = true;
        if (!found) {
            qpw_import_error(im, 1, "--section '%s': no heading or tab above a table of ports is called that; there are",
                             im->options->sections[i]);
            list_sections(im);
            return;
        }
    }
    for (size_t i = 0; i < im->options->n_sections; i++)
        check_choice(im, im->options->sections[i]);
}

/* Return whether the section, or one around it up to `outer`, was chosen. */
static bool chosen_between(const struct qpw_importer *im, int section, int outer)
{
    for (; section >= 0; section = im->sections[section].parent) {
        if (im->sections[section].chosen)
            return true;
        if (section == outer)
            return false;
    }
    return false;
}

/* Return whether a weak alternative beside this one, or a section in it, was chosen. */
static bool sibling_chosen(const struct qpw_importer *im, int section)
{
    for (size_t i = 0; i < im->n_sections; i++)
        for (int j = im->sections[i].chosen ? (int)i : -1; j >= 0; j = im->sections[j].parent)
            if (j != section && im->sections[j].weak && im->sections[j].parent == im->sections[section].parent)
                return true;
    return false;
}

/* An alternative is used if it or a section in it was chosen; a weak one also if an enclosing section was. */
static bool is_taken(const struct qpw_importer *im, const struct qpw_import_table *table, int section)
{
    if (chosen_between(im, table->section, section))
        return true;
    return im->sections[section].weak && !sibling_chosen(im, section) && chosen_between(im, im->sections[section].parent, -1);
}

static bool is_selected(const struct qpw_importer *im, const struct qpw_import_table *table, bool narrowed)
{
    bool alternative = false, chosen = false;
    int outer = qpw_import_outer_section(im, table);

    if (outer >= 0 && im->sections[outer].own_alternative) {
        alternative = true;
        if (!im->sections[outer].chosen && !im->sections[table->section].chosen)
            return false;
    }
    for (int i = table->section; i >= 0; i = im->sections[i].parent) {
        chosen |= im->sections[i].chosen;
        if (!im->sections[i].alternative)
            continue;
        alternative = true;
        if (!is_taken(im, table, i))
            return false;
    }
    /* If a section that is no alternative was chosen, too, use only tables below it. */
    return alternative || !narrowed || chosen;
}

static bool is_narrowed(const struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++)
        if (im->sections[i].chosen && !im->sections[i].alternative && !im->sections[i].own_alternative) {
            bool below = false;

            for (int j = im->sections[i].parent; j >= 0; j = im->sections[j].parent)
                below |= im->sections[j].alternative;
            if (!below)
                return true;
        }
    return false;
}

static void ask(struct qpw_importer *im)
{
    bool asked = false;

    for (size_t i = 0; i < im->n_sections; i++) {
        const struct qpw_page_section *section = &im->sections[i];

        if (!section->alternative && !section->own_alternative)
            continue;
        if (!asked)
            qpw_import_error(im, section->line,
                             "this page has alternatives: choose with --section WORDS (repeatable) from these words");
        asked = true;
        qpw_import_error(im, section->line, "--section '%s'%s", section->text, qpw_import_is_tab(section) ? " (a tab)" : "");
    }
}

void qpw_import_choose(struct qpw_importer *im)
{
    bool narrowed;

    qpw_import_mark_alternatives(im);
    take_choices(im);
    narrowed = is_narrowed(im);
    for (size_t i = 0; i < im->n_tables; i++)
        im->tables[i].selected = is_selected(im, &im->tables[i], narrowed);
    if (!im->options->n_sections)
        ask(im);
}
