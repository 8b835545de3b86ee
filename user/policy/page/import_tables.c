/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_tables.c - build the tree of sections, and find the tables of ports with their columns and direction. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/page/import_int.h"
#include "util/array.h"

#define BOLD_LEVEL 7 /* of a bold paragraph: below all headings */

/* The position in the page's structure. */
struct position {
    int section;
    struct qpw_around around;
    bool brief_used; /* a table used it */
};

static bool has(const struct qpw_import_table *table, enum qpw_page_column column)
{
    return qpw_import_column(table, column) >= 0;
}

/* ---- Sections ---- */

static void add_section(struct qpw_importer *im, const struct qpw_part *part, struct position *position)
{
    struct qpw_page_section *section;
    bool tab = part->kind == QPW_PART_TAB;
    unsigned level = part->kind == QPW_PART_TEXT ? BOLD_LEVEL : part->level;

    while (!tab && position->section >= 0 && !im->sections[position->section].tab &&
           im->sections[position->section].level >= level)
        position->section = im->sections[position->section].parent;
    section = QPW_ADD(im->sections, im->n_sections);
    if (!section) {
        im->no_memory = true;
        return;
    }
    *section = (struct qpw_page_section){.text = part->n_cells ? part->cells[0].text : "",
                                         .line = part->line,
                                         .level = level,
                                         .parent = position->section,
                                         .tab = tab,
                                         .fold = tab && part->level == QPW_TAB_FOLD,
                                         .condition = tab && part->level == QPW_TAB_CONDITION};
    position->section = (int)im->n_sections++;
}

static void end_tab(struct qpw_importer *im, struct position *position)
{
    int at = position->section;

    while (at >= 0 && !im->sections[at].tab)
        at = im->sections[at].parent;
    if (at >= 0)
        position->section = im->sections[at].parent;
}

/* ---- Faults of a table as a whole ---- */

/* Return the text around the table that forbids its ports, or NULL. */
static const char *find_denial(const struct qpw_importer *im, const struct qpw_import_table *table)
{
    const struct qpw_around *around = &table->around;

    if (around->caption.text && qpw_denies(around->caption.text))
        return around->caption.text;
    if (around->before.text && qpw_count_words(around->before.text) <= QPW_LABEL_WORDS && qpw_denies(around->before.text))
        return around->before.text;
    if (around->denial)
        return around->denial;
    for (int i = table->section; i >= 0; i = im->sections[i].parent)
        if (qpw_denies(im->sections[i].text))
            return im->sections[i].text;
    return NULL;
}

static bool repeats_allowed(enum qpw_page_column column)
{
    return column == QPW_COLUMN_OTHER || column == QPW_COLUMN_USE || column == QPW_COLUMN_CLIENT_PORT ||
           column == QPW_COLUMN_MARK;
}

static bool names_server(const struct qpw_import_table *table)
{
    int client = qpw_import_column(table, QPW_COLUMN_CLIENT_PORT), server = qpw_import_column(table, QPW_COLUMN_PORT);

    return client >= 0 && server >= 0 && qpw_has_words(table->names[client], "client") &&
           qpw_has_words(table->names[server], "server") && !has(table, QPW_COLUMN_SOURCE) &&
           !has(table, QPW_COLUMN_DESTINATION) && !has(table, QPW_COLUMN_HOSTS) && !has(table, QPW_COLUMN_DIRECTION);
}

/* Report faults of the table as a whole. */
static void check_table(struct qpw_importer *im, struct qpw_import_table *table, const char *denial)
{
    for (size_t i = 0; i < table->n_columns; i++)
        for (size_t j = 0; j < i; j++)
            if (table->titles[i].column == table->titles[j].column && !repeats_allowed(table->titles[i].column))
                qpw_import_error(im, table->line, "two columns for the same thing: '%.60s' and '%.60s'",
                                 table->names[j], table->names[i]);
    if (denial)
        qpw_import_error(im, table->line,
                         "'%.80s' says that these ports are not to be open, or an example: nothing is taken from here", denial);
    if (table->directions && !has(table, QPW_COLUMN_DIRECTION) && qpw_is_clients_direction(table->direction_text) &&
        !(has(table, QPW_COLUMN_SOURCE) && has(table, QPW_COLUMN_DESTINATION)))
        qpw_import_error(im, table->line,
                         "'%.80s' is the direction as clients see it; put the node's direction there in your copy of the page",
                         table->direction_text);
    if (!table->directions && !has(table, QPW_COLUMN_DIRECTION) && !table->client_server &&
        !(has(table, QPW_COLUMN_SOURCE) && has(table, QPW_COLUMN_DESTINATION)))
        qpw_import_error(im, table->line,
                         "no direction: neither a heading above says inbound or outbound, nor is there a column for it");
}

/* ---- Tables ---- */

/* Return whether all rows hold ports and protocols: a table's continuation, or a table without titles. */
static bool has_no_titles(const struct qpw_importer *im, size_t at, size_t end)
{
    struct qpw_import_table table = {.first = at + 1, .end = end};

    return at + 1 < end && im->page.parts[at + 1].n_cells > 1 && im->page.parts[at + 1].n_cells <= QPW_MAX_COLUMNS &&
           qpw_import_columns_by_content(im, &table, im->page.parts[at + 1].n_cells);
}

/*
 * Skip a table without ports. One with protocols and a title that mentions ports is an error: it may be a table of
 * ports.
 */
static void pass_over(struct qpw_importer *im, size_t at, const struct qpw_import_table *table)
{
    const struct qpw_part *parts = im->page.parts;
    char names[200] = "";
    size_t used = 0;

    for (size_t i = 0; i < table->n_columns && has(table, QPW_COLUMN_PROTOCOL); i++)
        if (qpw_has_words(table->names[i], "port") || qpw_has_words(table->names[i], "ports")) {
            qpw_import_error(im, table->line,
                             "column '%.60s': is it the port that is asked for? If it is, call it 'Port' in your copy of the page",
                             table->names[i]);
            return;
        }
    if (has_no_titles(im, at, table->end)) {
        qpw_import_error(im, parts[at + 1].line, "rows of ports without titles: put them under the table that they belong to");
        return;
    }
    if (at + 1 < table->end && parts[at + 1].fault && !parts[at + 1].n_cells) { /* nothing of it could be read */
        qpw_import_warn(im, parts[at].line, "skipped a table: %s", parts[at + 1].fault);
        return;
    }
    for (size_t i = 0; i < table->n_columns && i < 4 && used < sizeof(names); i++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%.30s'", used ? ", " : "", table->names[i]);
    qpw_import_warn(im, parts[at].line, "skipped a table without a column of ports%s%s%s%s", used ? " (" : "", names,
                    table->n_columns > 4 ? ", …" : "", used ? ")" : "");
}

/* Text directly above a table may distinguish it from others, as a heading would. */
static int add_label(struct qpw_importer *im, const struct position *position,
                     const struct qpw_statement_near *statement)
{
    struct qpw_page_section *section = QPW_ADD(im->sections, im->n_sections);

    if (!section) {
        im->no_memory = true;
        return position->section;
    }
    *section = (struct qpw_page_section){
        .text = statement->text, .line = statement->line, .level = 99, .parent = position->section, .label = true};
    return (int)im->n_sections++;
}

/* Check the rows above the titles: faults of the whole table, and headings across all columns. */
static void check_above(struct qpw_importer *im, struct qpw_import_table *table, size_t from)
{
    for (size_t i = from; i < table->first; i++) {
        const struct qpw_part *part = &im->page.parts[i];

        if (part->fault)
            qpw_import_error(im, part->line, "%s", part->fault);
        else if (part->spanning && !qpw_import_take_row_lead(table, part->cells[0].text))
            qpw_import_error(im, part->line, "a row above the titles that may restrict the table: '%.100s'",
                             part->cells[0].text);
    }
}

/* Read the table whose rows are the parts ]at, end). */
static void read_table(struct qpw_importer *im, size_t at, size_t end, struct position *position)
{
    const struct qpw_part *parts = im->page.parts;
    const char *caption = parts[at].n_cells ? parts[at].cells[0].text : NULL, *text = NULL;
    struct qpw_import_table table = {.section = position->section, .first = at + 1, .line = parts[at].line};
    struct qpw_statement_near label = {caption, parts[at].line};
    struct qpw_import_table *added;

    table.end = end;
    if (!qpw_import_find_titles(im, &table, &caption)) {
        pass_over(im, at, &table);
        return;
    }
    table.first++;
    if (!qpw_import_has_ports(&table)) {
        qpw_import_is_direction_title(&parts[table.first - 1], &text);
        if (!qpw_import_columns_by_content(im, &table, parts[table.first - 1].n_cells)) {
            qpw_import_error(im, table.line, "columns without titles: which are the ports and which the protocols?");
            return;
        }
        caption = text;
    }
    table.around = position->around;
    table.around.caption = (struct qpw_statement_near){caption, parts[at].line};
    if (!label.text && position->around.before.text && qpw_count_words(position->around.before.text) <= QPW_LABEL_WORDS)
        label = position->around.before;
    if (label.text)
        table.section = add_label(im, position, &label);
    added = QPW_ADD(im->tables, im->n_tables);
    if (!added) {
        im->no_memory = true;
        return;
    }
    im->n_tables++;
    *added = table;
    added->client_server = names_server(added);
    qpw_import_find_marks(im, added);
    qpw_import_read_leads(im, added);
    position->brief_used |= added->direction_text && added->direction_text == added->around.brief.text;
    for (int i = table.section; i >= 0; i = im->sections[i].parent)
        im->sections[i].has_ports = true;
    check_above(im, added, at + 1);
    check_table(im, added, find_denial(im, added));
}

static void forget_text(struct position *position)
{
    *position = (struct position){.section = position->section};
}

static void take_text(struct qpw_importer *im, const struct qpw_part *part, struct position *position)
{
    const char *text = qpw_behind_marks(part->cells[0].text);
    struct qpw_around *around = &position->around;
    size_t words = qpw_count_words(text);

    if (!*text)
        return;
    if (part->bold && words <= QPW_LABEL_WORDS) { /* a heading, whatever its markup */
        add_section(im, part, position);
        forget_text(position);
        return;
    }
    around->before = (struct qpw_statement_near){text, part->line};
    if (words <= QPW_DIRECTION_WORDS && qpw_import_gives_direction(text)) {
        around->brief = around->before;
        position->brief_used = false;
        around->stale = NULL;
    } else if (position->brief_used) {
        around->stale = around->brief.text;
        around->brief.text = NULL;
        position->brief_used = false;
    }
    if (qpw_takes_back(text))
        around->denial = text;
}

void qpw_import_structure(struct qpw_importer *im)
{
    struct position position = {.section = -1};

    for (size_t i = 0; i < im->page.n && !im->no_memory; i++) {
        const struct qpw_part *part = &im->page.parts[i];
        size_t end = i + 1;

        switch (part->kind) {
        case QPW_PART_HEADING:
        case QPW_PART_TAB:
            add_section(im, part, &position);
            forget_text(&position);
            break;
        case QPW_PART_TAB_END:
            end_tab(im, &position);
            forget_text(&position);
            break;
        case QPW_PART_LISTING: position.around.before.text = NULL; break;
        case QPW_PART_TEXT:
            if (part->n_cells)
                take_text(im, part, &position);
            break;
        case QPW_PART_TABLE:
            while (end < im->page.n && im->page.parts[end].kind == QPW_PART_ROW)
                end++;
            read_table(im, i, end, &position);
            position.around.before.text = position.around.denial = NULL;
            i = end - 1;
            break;
        default: break;
        }
    }
}
