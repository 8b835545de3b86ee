/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_columns.c - which column of a table is for what: by titles, or by what is in it. */
#include "policy/page/import_int.h"

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

bool qpw_import_has_ports(const struct qpw_import_table *table)
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
bool qpw_import_is_direction_title(const struct qpw_part *row, const char **ret_text)
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

bool qpw_import_columns_by_content(const struct qpw_importer *im, struct qpw_import_table *table, size_t columns)
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

/* Titles are in the first row that is no heading over all columns; or in a later one, if all before are titles. False:
 * there are none. */
bool qpw_import_find_titles(const struct qpw_importer *im, struct qpw_import_table *table, const char **caption)
{
    const struct qpw_part *parts = im->page.parts;
    const char *text = NULL;
    bool titles = false;

    for (; table->first < table->end; table->first++) {
        const struct qpw_part *row = &parts[table->first];

        if (!row->n_cells)
            continue;
        if (row->spanning) {
            *caption = *caption ? *caption : row->cells[0].text;
            continue;
        }
        if (row->n_cells > QPW_MAX_COLUMNS || (titles && !row->titles))
            break;
        titles = row->titles;
        take_titles(table, row);
        if (qpw_import_has_ports(table) || !row->titles)
            break;
        for (size_t i = 0; i < row->n_cells; i++) /* titles over titles may say the direction */
            if (qpw_directions_in(row->cells[i].text))
                *caption = row->cells[i].text;
        if (qpw_import_is_direction_title(row, &text))
            break;
    }
    return table->first < table->end && !(titles && !parts[table->first].titles) &&
           (qpw_import_has_ports(table) || qpw_import_is_direction_title(&parts[table->first], &text));
}
