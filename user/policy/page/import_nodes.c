/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_nodes.c - decide which end on the page is the node (--node), and list the words to choose from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/import_int.h"
#include "util/array.h"

enum qpw_import_match qpw_import_is_node(struct qpw_importer *im, const char *cell)
{
    enum qpw_import_match found = QPW_IMPORT_MATCH_NOT;

    for (size_t i = 0; i < im->options->n_nodes; i++) {
        enum qpw_import_match match = qpw_import_match(cell, im->options->nodes[i]);

        im->nodes_used[i] |= match != QPW_IMPORT_MATCH_NOT;
        if (match != QPW_IMPORT_MATCH_NOT && found != QPW_IMPORT_MATCH)
            found = match;
    }
    return found;
}

/* ---- The words to choose from ---- */

struct offer {
    char *text;
    unsigned lines[6];
    size_t n;
};

static void list_lines(const struct offer *offer, char *ret, size_t size)
{
    size_t used = (size_t)snprintf(ret, size, "line%s ", offer->n > 1 ? "s" : "");

    for (size_t i = 0; i < offer->n && i < 5 && used < size; i++)
        used += (size_t)snprintf(ret + used, size - used, "%s%u", i ? ", " : "", offer->lines[i]);
    if (offer->n > 5 && used < size)
        snprintf(ret + used, size - used, " …");
}

static void add_offer(struct qpw_importer *im, struct offer **offers, size_t *n, const char *text, unsigned line)
{
    struct offer *more;

    if (!*text)
        return;
    for (size_t i = 0; i < *n; i++)
        if (qpw_import_same_words((*offers)[i].text, text)) {
            struct offer *same = &(*offers)[i];

            if (same->n < 6 && same->lines[same->n - 1] != line)
                same->lines[same->n++] = line;
            return;
        }
    if (*n >= 200)
        return;
    more = QPW_ADD(*offers, *n);
    if (!more) {
        im->no_memory = true;
        return;
    }
    *more = (struct offer){.text = strdup(text), .lines = {line}, .n = 1};
    im->no_memory |= !more->text;
    *n += more->text != NULL;
}

static void clear_offers(struct offer *offers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(offers[i].text);
    free(offers);
}

/* Offer each host of a list separately. */
static void add_hosts(struct qpw_importer *im, struct offer **offers, size_t *n, const char *cell, unsigned line)
{
    char item[QPW_ITEM_SIZE];

    for (const char *at = cell; qpw_import_next_item(&at, cell, item, sizeof(item));)
        add_offer(im, offers, n, item, line);
}

/* Collect the cells of the columns that name ends, or their titles. */
static void collect(struct qpw_importer *im, const struct qpw_import_table *table, struct offer **offers, size_t *n)
{
    static const enum qpw_page_column columns[] = {QPW_COLUMN_HOSTS, QPW_COLUMN_SOURCE, QPW_COLUMN_DESTINATION};
    int client = qpw_import_column(table, QPW_COLUMN_CLIENT_PORT), server = qpw_import_column(table, QPW_COLUMN_PORT);

    if (table->client_server) {
        add_offer(im, offers, n, table->names[server], table->line);
        add_offer(im, offers, n, table->names[client], table->line);
        return;
    }
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->titles[i].column == QPW_COLUMN_MARK)
            add_offer(im, offers, n, table->names[i], table->line);
    for (size_t row = table->first; row < table->end; row++)
        for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
            const struct qpw_part *part = &im->page.parts[row];
            int column = qpw_import_column(table, columns[i]);

            if (column >= 0 && (size_t)column < part->n_cells && !part->spanning)
                (i ? add_offer : add_hosts)(im, offers, n, part->cells[column].text, part->line);
        }
}

/* ---- Tables whose node has to be chosen ---- */

/*
 * "Intercluster LIF", "node-mgmt LIFs": a logical interface is an address of the same node, not another kind of node.
 */
static bool is_interface(const char *cell)
{
    char item[QPW_ITEM_SIZE];
    bool all = *cell != '\0';

    for (const char *at = cell; all && qpw_import_next_item(&at, cell, item, sizeof(item));)
        all = qpw_has_words(item, "LIF") || qpw_has_words(item, "LIFs");
    return all;
}

/*
 * Return whether a table with one direction names only interfaces on the node's side, none of which appears on the
 * other.
 */
static bool names_own_interfaces(const struct qpw_importer *im, const struct qpw_import_table *table)
{
    int source = qpw_import_column(table, QPW_COLUMN_SOURCE), destination = qpw_import_column(table, QPW_COLUMN_DESTINATION);
    bool inbound = table->directions == 1u << QPW_DIR_INBOUND, outbound = table->directions == 1u << QPW_DIR_OUTBOUND;
    int own = inbound ? destination : source, other = inbound ? source : destination;

    if ((!inbound && !outbound) || own < 0 || other < 0 || qpw_import_column(table, QPW_COLUMN_DIRECTION) >= 0)
        return false;
    for (size_t i = table->first; i < table->end; i++) {
        const struct qpw_part *row = &im->page.parts[i];

        if (row->n_cells != table->n_columns || !is_interface(row->cells[own].text))
            return false;
        for (size_t j = table->first; j < table->end; j++)
            if (im->page.parts[j].n_cells == table->n_columns &&
                qpw_import_same_words(im->page.parts[j].cells[other].text, row->cells[own].text))
                return false;
    }
    return true;
}

static bool needs_node(const struct qpw_importer *im, const struct qpw_import_table *table)
{
    bool source = qpw_import_column(table, QPW_COLUMN_SOURCE) >= 0;
    bool destination = qpw_import_column(table, QPW_COLUMN_DESTINATION) >= 0;
    bool direction = qpw_import_column(table, QPW_COLUMN_DIRECTION) >= 0;

    if (table->client_server || qpw_import_column(table, QPW_COLUMN_HOSTS) >= 0 ||
        qpw_import_column(table, QPW_COLUMN_MARK) >= 0)
        return true;
    if (source && destination)
        return !table->own_interfaces;
    /* A single column of ends names the node itself for the opposite direction. */
    return (source && (direction || table->directions & 1u << QPW_DIR_OUTBOUND)) ||
           (destination && (direction || table->directions & 1u << QPW_DIR_INBOUND));
}

static void ask(struct qpw_importer *im, const struct qpw_import_table *first, const struct offer *offers, size_t n)
{
    qpw_import_error(im, first->line,
                     "this page is about several nodes: choose yours with --node WORDS (repeatable) from these words");
    for (size_t i = 0; i < n; i++) {
        char lines[96];

        list_lines(&offers[i], lines, sizeof(lines));
        qpw_import_error(im, offers[i].lines[0], "--node '%s' (%s)", offers[i].text, lines);
    }
}

/* A --node word that is not on the page only leaves rows out; if none of them is, that is an error. */
static void check_used(struct qpw_importer *im, const struct qpw_import_table *first, const struct offer *offers, size_t n)
{
    bool used = false;

    for (size_t i = 0; i < im->options->n_nodes; i++)
        used |= im->nodes_used[i];
    for (size_t i = 0; i < im->options->n_nodes; i++) {
        if (im->nodes_used[i])
            continue;
        if (used)
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a word that was used is in a table */
            qpw_import_warn(im, first->line, "--node '%s' is no whole cell or item of a list here", im->options->nodes[i]);
        else
            qpw_import_error(im, first ? first->line : 1,
                             first ? "--node '%s' is no whole cell or item of a list here; choose from these words"
                                   : "--node '%s': no table of this page names nodes",
                             im->options->nodes[i]);
    }
    for (size_t i = 0; i < n && !used && im->options->n_nodes; i++)
        qpw_import_error(im, offers[i].lines[0], "--node '%s'", offers[i].text);
}

void qpw_import_check_nodes(struct qpw_importer *im)
{
    const struct qpw_import_table *first = NULL;
    struct offer *offers = NULL;
    size_t n = 0;

    for (size_t i = 0; i < im->n_tables && !im->no_memory; i++) {
        struct qpw_import_table *table = &im->tables[i];

        table->own_interfaces = names_own_interfaces(im, table);
        table->needs_node = needs_node(im, table);
        if (!table->needs_node)
            continue;
        if (!first)
            first = table;
        collect(im, table, &offers, &n);
    }
    for (size_t i = 0; i < n; i++)
        qpw_import_is_node(im, offers[i].text);
    if (first && !im->options->n_nodes)
        ask(im, first, offers, n);
    check_used(im, first, offers, n);
    clear_offers(offers, n);
}
