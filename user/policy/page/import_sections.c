/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import_sections.c - sections that are alternatives (tabs, versions, Basic or Advanced).
 *
 * The union of alternatives is wider than the page. They are known by tabs, by words of their headings, and by listing
 * the same ports: topics share out the ports among them, alternatives repeat them.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/import_int.h"

static bool is_within(const struct qpw_importer *im, int section, int outer)
{
    while (section >= 0 && section != outer)
        section = im->sections[section].parent;
    return section == outer;
}

static bool has_column(const struct qpw_import_table *table, enum qpw_column column)
{
    return qpw_import_column(table, column) >= 0;
}

static bool names_ends(const struct qpw_import_table *table)
{
    return has_column(table, QPW_COLUMN_SOURCE) || has_column(table, QPW_COLUMN_DESTINATION) ||
           has_column(table, QPW_COLUMN_HOSTS);
}

static bool is_one_of_tabs(const struct qpw_section *section)
{
    return section->tab && !section->fold;
}

/* ---- By words ---- */

/* "9.8", "v2": a version. */
static bool has_version(const char *text)
{
    for (const char *p = text; *p; p++)
        if (isdigit((unsigned char)*p) && p[1] == '.' && isdigit((unsigned char)p[2]))
            return true;
    return false;
}

static bool is_variant(const char *text)
{
    static const char *const words[] = {"basic", "advanced", "minimal", "minimum", "alternative", "alternatively",
                                        "version", "versions", "release", "releases", "later", "earlier", "older",
                                        "newer", "legacy", "old", "previous", "former", "option", "specific", "only", "either", "windows", "linux",
                                        "aws", "azure", "gcp", "google cloud", "vmware", "on-premises", "on-prem",
                                        "ipv4", "ipv6", "single-node", "multi-node", "if you use", "when using", NULL};

    for (size_t i = 0; words[i]; i++)
        if (qpw_has_words(text, words[i]))
            return true;
    return has_version(text);
}

/* "Worker nodes", "Control plane": a kind of node; "from clients" is the other end. */
static bool is_kind_of_node(const char *text)
{
    static const char *const kinds[] = {"node", "nodes", "server", "servers", "client", "clients", "host", "hosts",
                                        "worker", "workers", "agent", "agents", "master", "masters", "manager",
                                        "managers", "controller", "controllers", "control plane", "appliance",
                                        "appliances", "balancer", "balancers", "proxy", "database", "workstation", "gateway", "gateways", NULL};
    char copy[256];
    size_t length;

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *p; (p = strcasestr(copy, "(s)"));) /* "node(s)" */
        memmove(p, p + 3, strlen(p + 3) + 1);
    if (qpw_has_words(copy, "from") || qpw_has_words(copy, "to") || qpw_has_words(copy, "between"))
        return false;
    length = strlen(copy);
    for (size_t i = 0; kinds[i]; i++) {
        size_t n = strlen(kinds[i]);

        if (length >= n && !strcasecmp(copy + length - n, kinds[i]) && (length == n || copy[length - n - 1] == ' '))
            return true;
    }
    return false;
}

/* Whether a table of ports is outside the section, so that it is one of several. */
static bool has_others(const struct qpw_importer *im, int section)
{
    for (size_t i = 0; i < im->n_tables; i++)
        if (!is_within(im, im->tables[i].section, section))
            return true;
    return false;
}

static bool all_name_ends(const struct qpw_importer *im, int section)
{
    for (size_t i = 0; i < im->n_tables; i++)
        if (is_within(im, im->tables[i].section, section) && !names_ends(&im->tables[i]))
            return false;
    return true;
}

static void mark_by_words(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++) {
        struct qpw_section *section = &im->sections[i];

        if (!section->has_ports || is_one_of_tabs(section) || !has_others(im, (int)i))
            continue;
        if (is_variant(section->text) || (is_kind_of_node(section->text) && !all_name_ends(im, (int)i)))
            section->alternative = true;
    }
}

/* ---- By tabs ---- */

static void mark_tabs(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++)
        for (size_t j = 0; j < im->n_sections && is_one_of_tabs(&im->sections[i]) && im->sections[i].has_ports; j++)
            if ((j != i && is_one_of_tabs(&im->sections[j]) && im->sections[j].parent == im->sections[i].parent) ||
                im->sections[i].condition)
                im->sections[i].alternative = true;
}

/* ---- By the same ports ---- */

static bool share_ports(const struct qpw_row_ports *a, const struct qpw_row_ports *b)
{
    uint64_t common = 0;

    for (size_t i = 0; i < 4; i++)
        common |= a->protocols[i] & b->protocols[i];
    if (!common)
        return false;
    if (a->any || b->any)
        return true;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            if (a->ports[i].first <= b->ports[j].last && b->ports[j].first <= a->ports[i].last)
                return true;
    return false;
}

static bool rows_overlap(const struct qpw_import_row *a, const struct qpw_import_row *b)
{
    if (a->directions && b->directions && !(a->directions & b->directions))
        return false;
    for (size_t i = 0; i < a->n_groups; i++)
        for (size_t j = 0; j < b->n_groups; j++)
            if (share_ports(&a->groups[i], &b->groups[j]))
                return true;
    return false;
}

/* The section on the way from `section` up to `ancestor` that is straight below it; the ancestor where it is the same. */
static int branch_below(const struct qpw_importer *im, int section, int ancestor)
{
    while (section != ancestor && im->sections[section].parent != ancestor)
        section = im->sections[section].parent;
    return section;
}

static void mark_branches(struct qpw_importer *im, int a, int b)
{
    int common = a;
    int branches[2];

    while (common >= 0 && !is_within(im, b, common))
        common = im->sections[common].parent;
    branches[0] = a == common ? a : branch_below(im, a, common);
    branches[1] = b == common ? b : branch_below(im, b, common);
    for (size_t i = 0; i < 2; i++) {
        if (branches[i] < 0)
            continue;
        if (branches[i] == common)
            im->sections[common].own_alternative = true;
        else
            im->sections[branches[i]].alternative = true;
    }
}

static bool in_tab(const struct qpw_importer *im, int section)
{
    while (section >= 0 && !is_one_of_tabs(&im->sections[section]))
        section = im->sections[section].parent;
    return section >= 0;
}

/* The heading or tab that a table stands under; a label of its own does not part it from its neighbours. */
static int outer_section(const struct qpw_importer *im, const struct qpw_import_table *table)
{
    int section = table->section;

    return section >= 0 && im->sections[section].label ? im->sections[section].parent : section;
}

static void mark_by_ports(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_rows; i++) {
        const struct qpw_import_table *a = &im->tables[im->rows[i].table];

        if (!im->rows[i].n_groups || names_ends(a) || in_tab(im, a->section))
            continue;
        for (size_t j = i + 1; j < im->n_rows; j++) {
            const struct qpw_import_table *b = &im->tables[im->rows[j].table];

            if (!im->rows[j].n_groups || outer_section(im, a) == outer_section(im, b) || names_ends(b) || in_tab(im, b->section))
                continue;
            if (rows_overlap(&im->rows[i], &im->rows[j]))
                mark_branches(im, outer_section(im, a), outer_section(im, b));
        }
    }
}

/* ---- The choice ---- */

static bool matches(const struct qpw_section *section, const char *words)
{
    return qpw_import_same_words(section->text, words);
}

static void list_sections(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++)
        if (im->sections[i].has_ports)
            qpw_import_error(im, im->sections[i].line, "--section '%s'", im->sections[i].text);
}

static void take_choices(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->options->n_sections; i++) {
        bool found = false;

        for (size_t j = 0; j < im->n_sections; j++)
            if (im->sections[j].has_ports && matches(&im->sections[j], im->options->sections[i]))
                im->sections[j].chosen = found = true;
        if (!found) {
            qpw_import_error(im, 1, "--section '%s': no heading or tab above a table of ports is called that; there are",
                             im->options->sections[i]);
            list_sections(im);
            return;
        }
    }
}

/* Chosen itself, or by a deeper heading that the table is under. */
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

static bool is_selected(const struct qpw_importer *im, const struct qpw_import_table *table, bool narrowed)
{
    bool alternative = false, chosen = false;
    int outer = outer_section(im, table);

    if (outer >= 0 && im->sections[outer].own_alternative) {
        alternative = true;
        if (!im->sections[outer].chosen)
            return false;
    }
    for (int i = table->section; i >= 0; i = im->sections[i].parent) {
        chosen |= im->sections[i].chosen;
        if (!im->sections[i].alternative)
            continue;
        alternative = true;
        if (!chosen_between(im, table->section, i))
            return false;
    }
    /* A heading that is no alternative was named, too: of those without an alternative, only what is under it. */
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
        const struct qpw_section *section = &im->sections[i];

        if (!section->alternative && !section->own_alternative)
            continue;
        if (!asked)
            qpw_import_error(im, section->line,
                             "this page has alternatives: choose with --section WORDS (repeatable) from these words");
        asked = true;
        qpw_import_error(im, section->line, "--section '%s'%s", section->text, is_one_of_tabs(section) ? " (a tab)" : "");
    }
}

void qpw_import_choose(struct qpw_importer *im)
{
    bool narrowed;

    mark_tabs(im);
    mark_by_words(im);
    mark_by_ports(im);
    take_choices(im);
    narrowed = is_narrowed(im);
    for (size_t i = 0; i < im->n_tables; i++)
        im->tables[i].selected = is_selected(im, &im->tables[i], narrowed);
    if (!im->options->n_sections)
        ask(im);
}
