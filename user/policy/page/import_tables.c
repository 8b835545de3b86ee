/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_tables.c - the page's sections as a tree, and its tables of ports with their columns and direction. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/page/import_int.h"

/* Where the reading of the parts stands. */
struct place {
    int section;
    const char *before;      /* the paragraph straight before */
    const char *short_text;  /* the last one since the heading that has few words and a direction */
};

int qpw_import_column(const struct qpw_import_table *table, enum qpw_column column)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->titles[i].column == column)
            return (int)i;
    return -1;
}

static bool has(const struct qpw_import_table *table, enum qpw_column column)
{
    return qpw_import_column(table, column) >= 0;
}

static size_t count_words(const char *text)
{
    size_t n = 0;

    for (const char *p = text; *p; p++)
        n += !isspace((unsigned char)*p) && (p == text || isspace((unsigned char)p[-1]));
    return n;
}

/* ---- Sections ---- */

static void add_section(struct qpw_importer *im, const struct qpw_part *part, struct place *place)
{
    void *array = im->sections;
    struct qpw_section *section;
    bool tab = part->kind == QPW_PART_TAB;

    while (!tab && place->section >= 0 && !im->sections[place->section].tab &&
           im->sections[place->section].level >= part->level)
        place->section = im->sections[place->section].parent;
    section = qpw_grow(&array, im->n_sections, sizeof(*section));
    if (!section) {
        im->no_memory = true;
        return;
    }
    im->sections = array;
    *section = (struct qpw_section){.text = part->n_cells ? part->cells[0].text : "",
                                    .line = part->line,
                                    .level = part->level,
                                    .parent = place->section,
                                    .tab = tab};
    place->section = (int)im->n_sections++;
}

static void end_tab(struct qpw_importer *im, struct place *place)
{
    int at = place->section;

    while (at >= 0 && !im->sections[at].tab)
        at = im->sections[at].parent;
    if (at >= 0)
        place->section = im->sections[at].parent;
}

/* ---- Titles ---- */

static bool has_ports(const struct qpw_import_table *table)
{
    return has(table, QPW_COLUMN_PORT) || (has(table, QPW_COLUMN_PORT_FIRST) && has(table, QPW_COLUMN_PORT_LAST));
}

static void take_titles(struct qpw_import_table *table, const struct qpw_part *row)
{
    int transport = -1;

    table->n_columns = row->n_cells;
    table->line = row->line;
    for (size_t i = 0; i < row->n_cells; i++) {
        table->names[i] = row->cells[i].text;
        qpw_title_of(row->cells[i].text, &table->titles[i]);
        if (table->titles[i].transport)
            transport = (int)i;
    }
    /* Beside "TCP or UDP", a column "Protocol" is the application's. */
    for (size_t i = 0; transport >= 0 && i < row->n_cells; i++)
        if (table->titles[i].column == QPW_COLUMN_PROTOCOL && (int)i != transport)
            table->titles[i].column = QPW_COLUMN_USE;
}

/* "Inbound:" in one cell, and nothing in the others: the columns are known by what is in them. */
static bool is_direction_title(const struct qpw_part *row, const char **ret_text)
{
    uint8_t directions[8];
    size_t filled = 0;

    for (size_t i = 0; i < row->n_cells; i++)
        if (*row->cells[i].text) {
            filled++;
            *ret_text = row->cells[i].text;
        }
    return row->n_cells > 1 && filled == 1 && qpw_directions_of(*ret_text, directions) > 0;
}

/* The only column all of whose cells pass; -1: none, or several. */
static int column_by_content(const struct qpw_importer *im, const struct qpw_import_table *table, size_t columns,
                             bool (*passes)(const char *))
{
    int found = -1;

    for (size_t i = 0; i < columns; i++) {
        bool all = table->first < table->end;

        for (size_t j = table->first; j < table->end && all; j++)
            all = im->page.parts[j].n_cells == columns && passes(im->page.parts[j].cells[i].text);
        if (all && found >= 0)
            return -1;
        if (all)
            found = (int)i;
    }
    return found;
}

static bool take_columns_by_content(const struct qpw_importer *im, struct qpw_import_table *table, size_t columns)
{
    static const char *const names[] = {"(protocol)", "(port)", "(use)"};
    int protocol = column_by_content(im, table, columns, qpw_is_protocol_cell);
    int port = column_by_content(im, table, columns, qpw_is_port_cell);
    bool use = false;

    if (protocol < 0 || port < 0 || protocol == port)
        return false;
    table->n_columns = columns;
    for (size_t i = 0; i < columns; i++) {
        enum qpw_column column = (int)i == protocol ? QPW_COLUMN_PROTOCOL
                                 : (int)i == port   ? QPW_COLUMN_PORT
                                 : use              ? QPW_COLUMN_OTHER
                                                    : QPW_COLUMN_USE;

        table->titles[i] = (struct qpw_title){.column = column};
        table->names[i] = names[column == QPW_COLUMN_PROTOCOL ? 0 : column == QPW_COLUMN_PORT ? 1 : 2];
        use |= column == QPW_COLUMN_USE;
    }
    return true;
}

/* ---- Direction ---- */

static void say_direction(struct qpw_import_table *table, const char *text)
{
    if (table->directions || !text)
        return;
    table->directions = qpw_directions_in(text);
    table->direction_text = text;
}

static void find_direction(const struct qpw_importer *im, struct qpw_import_table *table, const struct place *place,
                           const char *caption)
{
    int port = qpw_import_column(table, QPW_COLUMN_PORT);

    if (port >= 0 && table->titles[port].directions) {
        table->directions = table->titles[port].directions;
        table->direction_text = table->names[port];
    }
    say_direction(table, caption);
    say_direction(table, place->before && count_words(place->before) <= 10 ? place->before : NULL);
    say_direction(table, place->short_text);
    for (int i = table->section; i >= 0; i = im->sections[i].parent)
        say_direction(table, im->sections[i].text);
}

/* What around the table says that its ports are not to be open, or NULL. */
static const char *find_denial(const struct qpw_importer *im, const struct qpw_import_table *table,
                               const struct place *place, const char *caption)
{
    if (caption && qpw_denies(caption))
        return caption;
    if (place->before && count_words(place->before) <= 10 && qpw_denies(place->before))
        return place->before;
    for (int i = table->section; i >= 0; i = im->sections[i].parent)
        if (qpw_denies(im->sections[i].text))
            return im->sections[i].text;
    return NULL;
}

/* ---- Tables ---- */

static bool repeats_allowed(enum qpw_column column)
{
    return column == QPW_COLUMN_OTHER || column == QPW_COLUMN_USE || column == QPW_COLUMN_CLIENT_PORT;
}

static bool names_server(const struct qpw_import_table *table)
{
    int client = qpw_import_column(table, QPW_COLUMN_CLIENT_PORT), server = qpw_import_column(table, QPW_COLUMN_PORT);

    return client >= 0 && server >= 0 && qpw_has_words(table->names[client], "client") &&
           qpw_has_words(table->names[server], "server") && !has(table, QPW_COLUMN_SOURCE) &&
           !has(table, QPW_COLUMN_DESTINATION) && !has(table, QPW_COLUMN_HOSTS) && !has(table, QPW_COLUMN_DIRECTION);
}

/* Faults of the table as a whole. */
static void check_table(struct qpw_importer *im, struct qpw_import_table *table, const char *denial)
{
    for (size_t i = 0; i < table->n_columns; i++)
        for (size_t j = 0; j < i; j++)
            if (table->titles[i].column == table->titles[j].column && !repeats_allowed(table->titles[i].column))
                qpw_import_error(im, table->line, "two columns for the same thing: '%.60s' and '%.60s'",
                                 table->names[j], table->names[i]);
    if (denial)
        qpw_import_error(im, table->line, "'%.80s' says that these ports are not to be open: nothing is taken from here",
                         denial);
    if (!table->directions && !has(table, QPW_COLUMN_DIRECTION) && !table->client_server &&
        !(has(table, QPW_COLUMN_SOURCE) && has(table, QPW_COLUMN_DESTINATION)))
        qpw_import_error(im, table->line,
                         "no direction: neither a heading above says inbound or outbound, nor is there a column for it");
}

/* The table whose rows are the parts [first, end). */
static void read_table(struct qpw_importer *im, size_t at, size_t end, const struct place *place)
{
    const struct qpw_part *parts = im->page.parts;
    const char *caption = parts[at].n_cells ? parts[at].cells[0].text : NULL, *text = NULL;
    struct qpw_import_table table = {.section = place->section, .line = parts[at].line};
    bool titles = false;
    size_t first = at + 1;
    void *array;
    struct qpw_import_table *added;

    /* Titles are in the first row that is no heading over all columns; or in a later one, if all before are titles. */
    for (table.first = first; table.first < end; table.first++) {
        const struct qpw_part *row = &parts[table.first];

        if (!row->n_cells)
            continue;
        if (row->spanning) {
            caption = caption ? caption : row->cells[0].text;
            continue;
        }
        if (row->n_cells > QPW_MAX_COLUMNS || (titles && !row->titles))
            break;
        titles = row->titles;
        take_titles(&table, row);
        if (has_ports(&table) || !row->titles)
            break;
        for (size_t i = 0; i < row->n_cells; i++) /* titles over titles may say the direction */
            if (qpw_directions_in(row->cells[i].text))
                caption = row->cells[i].text;
        if (is_direction_title(row, &text))
            break;
    }
    table.end = end;
    if (table.first == end || (titles && !parts[table.first].titles) || (!has_ports(&table) && !is_direction_title(&parts[table.first], &text))) {
        qpw_import_warn(im, parts[at].line, "skipped a table without a column of ports");
        return;
    }
    table.first++;
    if (!has_ports(&table)) {
        if (!take_columns_by_content(im, &table, parts[table.first - 1].n_cells)) {
            qpw_import_error(im, table.line, "columns without titles: which are the ports and which the protocols?");
            return;
        }
        caption = text;
    }
    array = im->tables;
    added = qpw_grow(&array, im->n_tables, sizeof(*added));
    if (!added) {
        im->no_memory = true;
        return;
    }
    im->tables = array;
    im->n_tables++;
    *added = table;
    added->client_server = names_server(added);
    find_direction(im, added, place, caption);
    for (int i = table.section; i >= 0; i = im->sections[i].parent)
        im->sections[i].has_ports = true;
    for (size_t i = first; i < table.first; i++) /* what keeps the whole table from being read stands before its titles */
        if (parts[i].fault)
            qpw_import_error(im, parts[i].line, "%s", parts[i].fault);
    check_table(im, added, find_denial(im, added, place, caption));
}

void qpw_import_structure(struct qpw_importer *im)
{
    struct place place = {.section = -1};

    for (size_t i = 0; i < im->page.n && !im->no_memory; i++) {
        const struct qpw_part *part = &im->page.parts[i];
        size_t end = i + 1;

        switch (part->kind) {
        case QPW_PART_HEADING:
        case QPW_PART_TAB:
            add_section(im, part, &place);
            place.before = place.short_text = NULL;
            break;
        case QPW_PART_TAB_END:
            end_tab(im, &place);
            place.before = place.short_text = NULL;
            break;
        case QPW_PART_TEXT:
            if (!part->n_cells)
                break;
            place.before = part->cells[0].text;
            if (count_words(place.before) <= 6 && qpw_directions_in(place.before))
                place.short_text = place.before;
            break;
        case QPW_PART_TABLE:
            while (end < im->page.n && im->page.parts[end].kind == QPW_PART_ROW)
                end++;
            read_table(im, i, end, &place);
            place.before = NULL;
            i = end - 1;
            break;
        default: break;
        }
    }
}
