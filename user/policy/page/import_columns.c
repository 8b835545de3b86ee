/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_columns.c - find the meaning of a table's columns, from titles or content. */
#include <string.h>
#include <strings.h>

#include "policy/page/import_int.h"

int qpw_import_column(const struct qpw_import_table *table, enum qpw_page_column column)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->titles[i].column == column)
            return (int)i;
    return -1;
}

static bool has(const struct qpw_import_table *table, enum qpw_page_column column)
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
    /* Beside "TCP or UDP", a column "Protocol" names applications. */
    for (size_t i = 0; transport >= 0 && i < row->n_cells; i++)
        if (table->titles[i].column == QPW_COLUMN_PROTOCOL && (int)i != transport)
            table->titles[i].column = QPW_COLUMN_USE;
}

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

/* Return the only column all of whose cells pass; -1: none, or several. */
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
    static const char *const names[] = {"(column 1)", "(column 2)", "(column 3)", "(column 4)", "(column 5)", "(column 6)",
                                        "(another column)"};
    const size_t last = sizeof(names) / sizeof(*names) - 1;
    int protocol = column_by_content(im, table, columns, qpw_is_protocol_cell);
    int port = column_by_content(im, table, columns, qpw_is_port_cell);
    bool use = false;

    if (protocol < 0 || port < 0 || protocol == port)
        return false;
    table->n_columns = columns;
    for (size_t i = 0; i < columns; i++) {
        enum qpw_page_column column = (int)i == protocol   ? QPW_COLUMN_PROTOCOL
                                      : (int)i == port     ? QPW_COLUMN_PORT
                                      : columns > 3 || use ? QPW_COLUMN_OTHER /* one of the others may name ends */
                                                           : QPW_COLUMN_USE;

        table->titles[i] = (struct qpw_title){.column = column};
        table->names[i] = names[i < last ? i : last];
        use |= column == QPW_COLUMN_USE;
    }
    return true;
}

/* ---- Columns of marks ---- */

/* 1: "X" and the like; 0: an empty cell; -1: anything else. */
static int mark_of(const char *cell)
{
    static const char *const marks[] = {"x", "\xe2\x9c\x93", "\xe2\x9c\x94", "\xe2\x9c\x85", "\xe2\x98\x91", "\xe2\x80\xa2",
                                        "\xe2\x97\x8f", "yes", "y", NULL};
    static const char *const none[] = {"", "-", "no", "n", "n/a", "\xe2\x9c\x97", "\xe2\x9c\x98", "\xe2\x9c\x96", "\xe2\x9d\x8c", NULL};

    for (size_t i = 0; marks[i]; i++)
        if (!strcasecmp(cell, marks[i]))
            return 1;
    for (size_t i = 0; none[i]; i++)
        if (!strcasecmp(cell, none[i]))
            return 0;
    return -1;
}

bool qpw_import_has_mark(const char *cell)
{
    return mark_of(cell) > 0;
}

/* Return whether the title is a property of the port, rather than a node or version. */
static bool is_property(const char *title)
{
    static const char *const words[] = {"encrypted", "encryption", "tls", "ssl", "secure", "secured", "configurable", "changeable",
                                        "authenticated", "authentication", "registered", "iana", "fixed", "static", "default", NULL};

    return qpw_has_any_of(title, words);
}

static bool is_marked(const struct qpw_importer *im, const struct qpw_import_table *table, size_t column)
{
    bool marked = false;

    for (size_t i = table->first; i < table->end; i++) {
        const struct qpw_part *row = &im->page.parts[i];
        int mark = row->n_cells == table->n_columns ? mark_of(row->cells[column].text) : 0;

        if (mark < 0)
            return false;
        marked |= mark > 0;
    }
    return marked && *table->names[column] && !is_property(table->names[column]);
}

void qpw_import_find_marks(const struct qpw_importer *im, struct qpw_import_table *table)
{
    size_t n = 0;

    for (unsigned pass = 0; pass < 2 && (!pass || n > 1); pass++)
        for (size_t i = 0; i < table->n_columns; i++) {
            enum qpw_page_column column = table->titles[i].column;

            if ((column != QPW_COLUMN_OTHER && column != QPW_COLUMN_USE) || !is_marked(im, table, i))
                continue;
            n += !pass;
            if (pass)
                table->titles[i].column = QPW_COLUMN_MARK;
        }
}

/*
 * The titles are in the first row that is not a heading across all columns, or in a later one if all rows before are
 * titles.
 */
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
        for (size_t i = 0; i < row->n_cells; i++) /* a title above other titles may give the direction */
            if (qpw_directions_in(row->cells[i].text))
                *caption = row->cells[i].text;
        if (qpw_import_is_direction_title(row, &text))
            break;
    }
    return table->first < table->end && !(titles && !parts[table->first].titles) &&
           (qpw_import_has_ports(table) || qpw_import_is_direction_title(&parts[table->first], &text));
}
