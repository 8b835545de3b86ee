/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import_alternatives.c - find sections that are alternatives: tabs, versions, Basic or Advanced.
 *
 * The union of alternatives is wider than the page allows. A section is one if it is a tab, if its heading has certain
 * words, if it lists the same ports as another (topics divide the ports among them, alternatives repeat them), if a
 * sibling is one, or if it has a name that is not a topic of products in general.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/page/import_int.h"
#include "policy/page/lead.h"

bool qpw_import_is_within(const struct qpw_importer *im, int section, int outer)
{
    while (section >= 0 && section != outer)
        section = im->sections[section].parent;
    return section == outer;
}

static bool has_column(const struct qpw_import_table *table, enum qpw_page_column column)
{
    return qpw_import_column(table, column) >= 0;
}

static bool names_ends(const struct qpw_import_table *table)
{
    return has_column(table, QPW_COLUMN_SOURCE) || has_column(table, QPW_COLUMN_DESTINATION) ||
           has_column(table, QPW_COLUMN_HOSTS);
}

bool qpw_import_is_tab(const struct qpw_page_section *section)
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

/* "Worker nodes", "Control plane": a kind of node. "From clients" names the other end. */
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

/* Return whether a table of ports lies outside the section, which is then one of several. */
static bool has_others(const struct qpw_importer *im, int section)
{
    for (size_t i = 0; i < im->n_tables; i++)
        if (!qpw_import_is_within(im, im->tables[i].section, section))
            return true;
    return false;
}

static bool all_name_ends(const struct qpw_importer *im, int section)
{
    for (size_t i = 0; i < im->n_tables; i++)
        if (qpw_import_is_within(im, im->tables[i].section, section) && !names_ends(&im->tables[i]))
            return false;
    return true;
}

static void mark_by_words(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++) {
        struct qpw_page_section *section = &im->sections[i];

        if (!section->has_ports || qpw_import_is_tab(section) || !has_others(im, (int)i))
            continue;
        if (is_variant(section->text) || (is_kind_of_node(section->text) && !all_name_ends(im, (int)i)))
            section->alternative = true;
    }
}

/* ---- By tabs ---- */

static void mark_tabs(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++)
        for (size_t j = 0; j < im->n_sections && qpw_import_is_tab(&im->sections[i]) && im->sections[i].has_ports; j++)
            if ((j != i && qpw_import_is_tab(&im->sections[j]) && im->sections[j].parent == im->sections[i].parent) ||
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

/* Return the ancestor-or-self of `section` directly below `ancestor`; `ancestor` if they are the same. */
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

    while (common >= 0 && !qpw_import_is_within(im, b, common))
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
    while (section >= 0 && !qpw_import_is_tab(&im->sections[section]))
        section = im->sections[section].parent;
    return section >= 0;
}

int qpw_import_outer_section(const struct qpw_importer *im, const struct qpw_import_table *table)
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

            if (!im->rows[j].n_groups || qpw_import_outer_section(im, a) == qpw_import_outer_section(im, b) || names_ends(b) || in_tab(im, b->section))
                continue;
            if (rows_overlap(&im->rows[i], &im->rows[j]))
                mark_branches(im, qpw_import_outer_section(im, a), qpw_import_outer_section(im, b));
        }
    }
}

/* ---- By siblings ---- */

/* Headings of one level, tabs of one kind, or labels, within the same section. */
static bool are_siblings(const struct qpw_page_section *a, const struct qpw_page_section *b)
{
    return a->parent == b->parent && a->tab == b->tab && a->fold == b->fold && a->label == b->label && a->level == b->level;
}

/* Return whether the section itself has a table without a label, beside its labels and folds. */
static bool has_bare_table(const struct qpw_importer *im, int section)
{
    for (size_t i = 0; i < im->n_tables; i++)
        if (im->tables[i].section == section)
            return true;
    return false;
}

/* Mark the siblings of an alternative as alternatives, except those that only give a direction. */
static void mark_siblings(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++) {
        const struct qpw_page_section *one = &im->sections[i];

        if (!one->alternative || one->weak)
            continue;
        if ((one->label || one->fold) && one->parent >= 0 && has_bare_table(im, one->parent))
            im->sections[one->parent].own_alternative = true;
        for (size_t j = 0; j < im->n_sections; j++) {
            struct qpw_page_section *other = &im->sections[j];
            struct qpw_lead lead;

            if (j == i || other->alternative || !other->has_ports || !are_siblings(one, other) ||
                (!other->tab && all_name_ends(im, (int)j)))
                continue;
            qpw_lead_of(other->text, &lead);
            other->alternative = !qpw_lead_is_plain(&lead);
        }
    }
}

/* ---- By names ---- */

/* Return whether the section's text has a name that is missing from some sibling above ports. */
static bool is_named(const struct qpw_importer *im, const struct qpw_page_section *section)
{
    char word[48];

    for (size_t at = 0; qpw_lead_next_name(section->text, &at, word);)
        for (size_t i = 0; i < im->n_sections; i++)
            if (&im->sections[i] != section && im->sections[i].has_ports && are_siblings(section, &im->sections[i]) &&
                !qpw_has_words(im->sections[i].text, word))
                return true;
    return false;
}

/* Siblings with different names may be different products. */
static void mark_by_names(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_sections; i++)
        im->sections[i].named = im->sections[i].has_ports && !im->sections[i].alternative && !all_name_ends(im, (int)i) &&
                                is_named(im, &im->sections[i]);
    for (size_t i = 0; i < im->n_sections; i++)
        for (size_t j = 0; j < im->n_sections && im->sections[i].named; j++)
            if (j != i && im->sections[j].named && are_siblings(&im->sections[i], &im->sections[j]))
                im->sections[i].alternative = im->sections[i].weak = true;
}

void qpw_import_mark_alternatives(struct qpw_importer *im)
{
    mark_tabs(im);
    mark_by_words(im);
    mark_by_ports(im);
    if (im->own)
        return;
    mark_siblings(im);
    mark_by_names(im);
}
