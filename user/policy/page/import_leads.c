/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_leads.c - find the direction of a table, and what else the text around it means for its rows. */
#include <stdio.h>
#include <string.h>

#include "policy/page/import_int.h"
#include "policy/page/lead.h"

static bool has(const struct qpw_import_table *table, enum qpw_page_column column)
{
    return qpw_import_column(table, column) >= 0;
}

bool qpw_import_gives_direction(const char *text)
{
    struct qpw_lead lead;

    qpw_lead_of(text, &lead);
    return lead.directions && !lead.pointer;
}

static bool is_short(const struct qpw_statement_near *statement)
{
    return statement->text && qpw_count_words(statement->text) <= QPW_LABEL_WORDS;
}

/* ---- The direction ---- */

/* Take the direction from this text, unless another text already gave it. */
static void take(struct qpw_import_table *table, const struct qpw_statement_near *statement, bool heading)
{
    struct qpw_lead lead;

    if (table->direction_text || !statement->text)
        return;
    qpw_lead_of(statement->text, &lead);
    if (!lead.directions || (lead.pointer && !heading))
        return;
    table->direction_text = statement->text;
    table->direction_line = statement->line;
    table->direction_heading = heading;
    table->directions = lead.directions;
}

/* Return the nearest heading that names a direction, or -1. */
static int find_heading(const struct qpw_importer *im, int section)
{
    while (section >= 0 && (im->sections[section].label || !qpw_directions_in(im->sections[section].text)))
        section = im->sections[section].parent;
    return section;
}

static void find_direction(const struct qpw_importer *im, struct qpw_import_table *table)
{
    const struct qpw_around *around = &table->around;
    int port = qpw_import_column(table, QPW_COLUMN_PORT), heading = find_heading(im, table->section);

    if (port >= 0 && table->titles[port].directions) {
        table->directions = table->titles[port].directions;
        table->direction_text = table->names[port];
        return;
    }
    take(table, &around->caption, /* heading= */ false);
    if (is_short(&around->before))
        take(table, &around->before, /* heading= */ false);
    take(table, &around->brief, /* heading= */ false);
    if (heading >= 0)
        take(table, &(struct qpw_statement_near){im->sections[heading].text, im->sections[heading].line},
             /* heading= */ true);
    if (around->stale && table->direction_heading && table->directions != qpw_directions_in(around->stale))
        table->directions = 0; /* ambiguous: the heading's direction, or that of the paragraph before the last table */
}

/* ---- The other end ---- */

static void set_end(struct qpw_import_table *table, const struct qpw_lead *lead)
{
    if (!*lead->end || *table->other_end)
        return;
    snprintf(table->other_end, sizeof(table->other_end), "%s", lead->end);
    table->other_end_of = 1u << lead->end_of;
}

/* Return whether the words restrict the other end without naming a direction: "Only from admin hosts". */
static bool keeps_others_out(const struct qpw_statement_near *statement, const struct qpw_lead *lead)
{
    return *lead->end && lead->only && !*lead->restriction && lead->end_of == QPW_DIR_INBOUND && is_short(statement);
}

static void find_end(struct qpw_import_table *table)
{
    const struct qpw_statement_near *const others[] = {&table->around.caption, &table->around.before};
    struct qpw_lead lead;

    if (table->direction_line) {
        qpw_lead_of(table->direction_text, &lead);
        set_end(table, &lead);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (!others[i]->text)
            continue;
        qpw_lead_of(others[i]->text, &lead);
        if (keeps_others_out(others[i], &lead))
            set_end(table, &lead);
    }
}

void qpw_import_read_leads(const struct qpw_importer *im, struct qpw_import_table *table)
{
    find_direction(im, table);
    find_end(table);
    for (int i = table->section; i >= 0 && !table->family && !im->own; i = im->sections[i].parent)
        table->family = qpw_family_of(im->sections[i].text, /* heading= */ true);
}

bool qpw_import_take_row_lead(struct qpw_import_table *table, const char *text)
{
    struct qpw_lead lead;

    qpw_lead_of(text, &lead);
    if (*lead.restriction || *lead.location || lead.pointer || (lead.directions && *lead.unknown))
        return false;
    if (lead.directions) /* a heading within the table replaces the text before it */
        *table->other_end = '\0';
    set_end(table, &lead);
    return true;
}

/* ---- Other statements ---- */

static bool is_chosen(const struct qpw_importer *im, const char *text)
{
    for (size_t i = 0; i < im->options->n_sections; i++)
        if (qpw_import_same_words(text, im->options->sections[i]))
            return true;
    return false;
}

/* Text before a table that says more than a direction does not override a heading with the opposite direction. */
static void check_heading(struct qpw_importer *im, const struct qpw_import_table *table)
{
    int heading = find_heading(im, table->section);

    if (heading >= 0 && !table->direction_heading &&
        !(qpw_directions_in(im->sections[heading].text) & qpw_directions_in(table->direction_text)))
        qpw_import_error(im, table->direction_line, "'%.80s' says another direction than '%.80s' (line %u): which one holds?",
                         table->direction_text, im->sections[heading].text, im->sections[heading].line);
}

/* Report whatever the text that gives the direction contains besides. */
static void check_direction(struct qpw_importer *im, const struct qpw_import_table *table)
{
    const char *text = table->direction_text;
    struct qpw_lead lead;

    if (!table->direction_line || qpw_denies(text) || qpw_is_clients_direction(text))
        return;
    qpw_lead_of(text, &lead);
    if (qpw_lead_is_plain(&lead))
        return;
    check_heading(im, table);
    if (*lead.location)
        qpw_import_error(
            im, table->direction_line,
            "'%.80s' may be the direction of '%.60s', not of the node; put the node's direction there in your copy "
            "of the page",
            text, lead.location);
    else if (*lead.restriction || lead.pointer)
        qpw_import_error(im, table->direction_line,
                         "'%.80s' may restrict the table%s%.60s%s; put what holds for the node there in your copy of the page", text,
                         *lead.restriction ? " ('" : "", lead.restriction, *lead.restriction ? "')" : "");
    else if (*lead.unknown && !is_chosen(im, text))
        qpw_import_warn(im, table->direction_line, "'%.80s' is read as %s; if '%.60s' restricts the table, add that by hand", text,
                        lead.directions == 1u << QPW_DIR_INBOUND    ? "inbound"
                        : lead.directions == 1u << QPW_DIR_OUTBOUND ? "outbound"
                                                                    : "inbound and outbound", lead.unknown);
}

/* Check text that does not give the direction; `caption`: the table's own. */
static void check_other(struct qpw_importer *im, const struct qpw_import_table *table,
                        const struct qpw_statement_near *statement, bool caption)
{
    struct qpw_lead lead;

    if (!statement->text || statement->text == table->direction_text || (!caption && is_chosen(im, statement->text)) ||
        (is_short(statement) && qpw_denies(statement->text)) || qpw_takes_back(statement->text))
        return;
    qpw_lead_of(statement->text, &lead);
    if (keeps_others_out(statement, &lead))
        return;
    if (*lead.restriction && caption)
        qpw_import_error(im, statement->line, "'%.100s' may restrict the table ('%.60s')", statement->text,
                         lead.restriction);
    else if (*lead.restriction || (lead.only && *lead.end) ||
             (lead.pointer && lead.directions && table->directions != lead.directions))
        qpw_import_warn(im, statement->line, "'%.100s' may restrict the table below; if it does, add that by hand",
                        statement->text);
}

void qpw_import_check_leads(struct qpw_importer *im, const struct qpw_import_table *table)
{
    bool ends = has(table, QPW_COLUMN_SOURCE) && has(table, QPW_COLUMN_DESTINATION);

    if (!ends && !has(table, QPW_COLUMN_DIRECTION) && !table->client_server)
        check_direction(im, table);
    check_other(im, table, &table->around.caption, /* caption= */ true);
    check_other(im, table, &table->around.before, /* caption= */ false);
    for (int i = table->section; i >= 0; i = im->sections[i].parent)
        if (!im->sections[i].label && !im->sections[i].tab)
            check_other(im, table, &(struct qpw_statement_near){im->sections[i].text, im->sections[i].line},
                        /* caption= */ false);
}
