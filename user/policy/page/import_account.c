/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_account.c - count every row, and name everything that was left out. */
#include <stdio.h>
#include <string.h>

#include "policy/page/import_reading.h"

/* Warn, once per table, about every column whose text is not used in the policy. */
static void name_columns(struct qpw_importer *im, const struct qpw_import_table *table)
{
    char names[400] = "";
    size_t used = 0;
    bool first_use = true;

    for (size_t i = 0; i < table->n_columns && used < sizeof(names); i++) {
        enum qpw_page_column column = table->titles[i].column;
        bool left = column == QPW_COLUMN_OTHER || column == QPW_COLUMN_CLIENT_PORT ||
                    (column == QPW_COLUMN_USE && !first_use);

        first_use &= column != QPW_COLUMN_USE;
        if (left)
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%.60s'", used ? ", " : "",
                                     *table->names[i] ? table->names[i] : "(no title)");
    }
    if (used)
        qpw_import_warn(im, table->line, "not in the policy%s: column%s %s; if it restricts the rows, add that by hand",
                        first_use && qpw_import_column(table, QPW_COLUMN_OTHER) >= 0 ? ", or only as a purpose" : "", strchr(names, ',') ? "s" : "", names);
}

/* Warn, once per table, about footnotes: their text is prose, and may restrict the marked rows. */
static void name_notes(struct qpw_importer *im, const struct qpw_import_table *table)
{
    char lines[200] = "";
    size_t used = 0, rows = 0;

    for (size_t i = table->first - 1; i < table->end; i++) { /* beginning with the titles */
        const struct qpw_part *part = &im->page.parts[i];
        bool noted = false;

        for (size_t j = 0; j < part->n_cells && j < table->n_columns; j++)
            noted |= qpw_has_note_mark(part->cells[j].text, qpw_reading_is_prose(table->titles[j].column));
        rows += noted;
        if (noted && used < sizeof(lines) - 16)
            used += (size_t)snprintf(lines + used, sizeof(lines) - used, "%s%u", used ? ", " : "", part->line);
    }
    if (rows)
        qpw_import_warn(im, table->line, "not in the policy: the notes that %zu row%s refer%s to (line%s %s); if one restricts its "
                                         "row, add that by hand",
                        rows, rows > 1 ? "s" : "", rows > 1 ? "" : "s", strchr(lines, ',') ? "s" : "", lines);
}

/*
 * Return whether the heading only gives a direction that no other heading above a table gives: "Inbound" and "Outbound"
 * are no products.
 */
static bool is_directions_own(const struct qpw_importer *im, int section)
{
    unsigned directions = qpw_directions_in(im->sections[section].text);
    bool alone = directions != 0;

    for (size_t i = 0; i < im->n_sections && alone; i++)
        alone = (int)i == section || !im->sections[i].has_ports || im->sections[i].label ||
                qpw_directions_in(im->sections[i].text) != directions;
    return alone;
}

/* Name the headings whose tables were used, except those that give directions: one may belong to another product. */
static void name_sections(struct qpw_importer *im)
{
    char names[500] = "";
    size_t used = 0, n = 0;
    int last = -1;

    for (size_t i = 0; i < im->n_tables && used < sizeof(names); i++) {
        int section = im->tables[i].section;

        if (section >= 0 && im->sections[section].label)
            section = im->sections[section].parent;
        if (!im->tables[i].selected || section < 0 || section == last || is_directions_own(im, section))
            continue;
        last = section;
        n++;
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%.60s' (line %u)", used ? ", " : "",
                                 im->sections[section].text, im->sections[section].line);
    }
    if (n > 1 && !im->own && !im->options->n_sections)
        qpw_import_warn(im, im->tables[0].line, "taken from several sections: %s; choose with --section if one is not this "
                                                "product's", names);
}

/* Name the rows for others, those with the same words in one line. */
static void name_others(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_rows; i++) {
        const struct qpw_import_row *row = &im->rows[i];
        char lines[200];
        size_t used = 0;
        bool first = true;

        if (row->state != QPW_ROW_OTHERS || !row->text || !im->tables[row->table].selected)
            continue;
        for (size_t j = 0; j < i && first; j++)
            first = !(im->rows[j].state == QPW_ROW_OTHERS && im->rows[j].text && im->tables[im->rows[j].table].selected &&
                      !strcmp(im->rows[j].text, row->text));
        if (!first)
            continue;
        for (size_t j = i; j < im->n_rows && used < sizeof(lines) - 16; j++)
            if (im->rows[j].state == QPW_ROW_OTHERS && im->rows[j].text && im->tables[im->rows[j].table].selected &&
                !strcmp(im->rows[j].text, row->text))
                used += (size_t)snprintf(lines + used, sizeof(lines) - used, "%s%u", used ? ", " : "", im->rows[j].line);
        qpw_import_warn(im, row->line, "left out, for others or denied: %s (line%s %s)", row->text,
                        strchr(lines, ',') ? "s" : "", lines);
    }
}

void qpw_import_account(struct qpw_importer *im)
{
    bool refused = im->out.errors.n > 0; /* refused as a whole: what was left out does not matter */

    for (size_t i = 0; i < im->n_tables && !refused; i++) {
        const struct qpw_import_table *table = &im->tables[i];

        if (table->selected) {
            name_columns(im, table);
            name_notes(im, table);
        } else if (im->options->n_sections && table->section >= 0) {
            qpw_import_warn(im, table->line, "left out: section '%s', which was not chosen",
                            im->sections[table->section].text);
        }
    }
    for (size_t i = 0; i < im->n_rows; i++) {
        struct qpw_import_row *row = &im->rows[i];

        im->out.rows++;
        if (!im->tables[row->table].selected || row->state == QPW_ROW_OTHERS) {
            row->state = QPW_ROW_OTHERS;
            im->out.others++;
        } else if (row->state == QPW_ROW_FAILED) {
            im->out.failed++;
            if (row->text)
                qpw_import_error(im, row->line, "%s", row->text);
        } else {
            im->out.taken++;
        }
    }
    im->out.rows += im->left_rows;
    im->out.others += im->left_rows;
    if (!refused) {
        name_sections(im);
        name_others(im);
    }
}
