/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_rows.c - turn the rows of tables into rules. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/lang/parse.h"
#include "policy/page/import_reading.h"
#include "util/array.h"
#include "util/text.h"

/* Rules with more ports are warned about; those with more than the second number are weak, as they prove little. */
#define MANY_PORTS 1024u
#define TOO_MANY_PORTS 4096u

/* ---- Text ---- */

static const char *use_of(const struct qpw_reading *r)
{
    const char *use = qpw_reading_cell_of(r, QPW_COLUMN_USE);

    for (size_t i = 0; (!use || !*use) && i < r->table->n_columns; i++)
        if (qpw_reading_is_prose(r->table->titles[i].column))
            use = r->part->cells[i].text;
    return use ? use : "";
}

static bool has_words(const struct qpw_reading *r, const char *words)
{
    for (size_t i = 0; i < r->part->n_cells; i++)
        if (qpw_reading_is_prose(r->table->titles[i].column) && strcasestr(r->part->cells[i].text, words))
            return true;
    return false;
}

/* ---- Ports ---- */

/* Return the text of a range over two columns; without a last port, the first port alone. Caller frees. */
static char *port_text(const struct qpw_reading *r)
{
    const char *port = qpw_reading_cell_of(r, QPW_COLUMN_PORT), *first = qpw_reading_cell_of(r, QPW_COLUMN_PORT_FIRST),
               *last = qpw_reading_cell_of(r, QPW_COLUMN_PORT_LAST);
    char *text;

    if (port)
        return strdup(port);
    if (!first || !*first || !last)
        return strdup("");
    return asprintf(&text, "%s%s%s", first, *last ? "-" : "", last) < 0 ? NULL : text;
}

static int keep_groups(struct qpw_reading *r, const struct qpw_port_cells *cells)
{
    struct qpw_row_ports *added = QPW_EXTEND(r->row->groups, r->row->n_groups, cells->n);

    if (!added) {
        r->im->no_memory = true;
        return -ENOMEM;
    }
    memcpy(added, cells->groups, cells->n * sizeof(*cells->groups));
    r->first_group = r->row->n_groups;
    r->row->n_groups += cells->n;
    return 0;
}

/* Keep only protocols that the client's and the server's column share: the narrower reading. */
static void narrow_to_client(struct qpw_reading *r, struct qpw_port_cells *cells)
{
    const char *client = qpw_reading_cell_of(r, QPW_COLUMN_CLIENT_PORT);
    struct qpw_port_cells own;
    struct qpw_cell_fault fault;
    uint64_t bits[4] = {0};

    if (!client || qpw_cells_read(client, qpw_reading_cell_of(r, QPW_COLUMN_PROTOCOL), NULL, &own, &fault) < 0)
        return;
    for (size_t i = 0; i < own.n; i++)
        for (size_t j = 0; j < 4; j++)
            bits[j] |= own.groups[i].protocols[j];
    for (size_t i = 0; i < cells->n; i++) {
        uint64_t common[4], any = 0;

        for (size_t j = 0; j < 4; j++)
            any |= common[j] = cells->groups[i].protocols[j] & bits[j];
        if (!any || !memcmp(common, cells->groups[i].protocols, sizeof(common)))
            continue;
        memcpy(cells->groups[i].protocols, common, sizeof(common));
        qpw_import_warn(r->im, r->part->line, "'%.80s': the columns of ports differ in protocols; only what both have is taken",
                        r->row->purpose);
    }
}

/* Return whether the purpose contains each remark's text: "(SMB)" beside "SMB". */
static bool has_remarks(const char *purpose, const char *remarks)
{
    for (const char *p = remarks; (p = strpbrk(p, "(<")); p++) {
        char text[160];

        snprintf(text, sizeof(text), "%.*s", (int)strcspn(p + 1, ")>"), p + 1);
        if (!qpw_has_words(purpose, text))
            return false;
    }
    return true;
}

/* Append remarks beside ports to the purpose, and warn, because they may restrict the row. */
static int keep_remarks(struct qpw_reading *r, const char *remarks)
{
    char *purpose;

    if (has_remarks(r->row->purpose, remarks))
        return 0;

    qpw_import_warn(r->im, r->part->line, "'%.80s': only in the purpose: the remark beside the port, '%.150s'; if it restricts the "
                                          "row, add that by hand", r->row->purpose, remarks);
    if (asprintf(&purpose, "%s%s%s", r->row->purpose, *r->row->purpose ? " " : "", remarks) < 0) {
        r->im->no_memory = true;
        return -ENOMEM;
    }
    free(r->row->purpose);
    r->row->purpose = purpose;
    return 0;
}

static int read_ports(struct qpw_reading *r)
{
    int column = qpw_import_column(r->table, QPW_COLUMN_PORT);
    const uint64_t *titles = column >= 0 ? r->table->titles[column].protocols : NULL;
    char *text = port_text(r);
    struct qpw_port_cells cells;
    struct qpw_cell_fault fault;
    int error;

    if (!text) {
        r->im->no_memory = true;
        return -ENOMEM;
    }
    error = qpw_cells_read(text, qpw_reading_cell_of(r, QPW_COLUMN_PROTOCOL), titles, &cells, &fault);
    free(text);
    if (error == -EINVAL)
        return qpw_reading_fail(r, fault.column == QPW_COLUMN_OTHER ? NULL
                       : fault.column == QPW_COLUMN_PROTOCOL && qpw_import_column(r->table, QPW_COLUMN_PROTOCOL) >= 0
                           ? qpw_reading_name_of(r, QPW_COLUMN_PROTOCOL)
                           : qpw_reading_name_of(r, column >= 0 ? QPW_COLUMN_PORT : QPW_COLUMN_PORT_FIRST),
                    "%s", fault.text);
    if (error < 0) {
        r->im->no_memory = true;
        return error;
    }
    if (r->row->state != QPW_ROW_TAKEN)
        return keep_groups(r, &cells);
    if (r->table->client_server)
        narrow_to_client(r, &cells);
    r->optional = cells.signs.optional;
    if (*cells.signs.remarks && keep_remarks(r, cells.signs.remarks) < 0)
        return -ENOMEM;
    if (cells.signs.application)
        qpw_import_warn(r->im, r->part->line, "'%.80s': '%.40s' is read as tcp", r->row->purpose,
                        qpw_reading_cell_of(r, QPW_COLUMN_PROTOCOL));
    if (cells.signs.all_protocols)
        qpw_import_warn(r->im, r->part->line, "'%.80s': all protocols with ports is read as tcp and udp", r->row->purpose);
    return keep_groups(r, &cells);
}

/* ---- Rules ---- */

static void remark_width(const struct qpw_reading *r, const struct qpw_import_rule *rule, unsigned width)
{
    if (rule->passive || width <= MANY_PORTS)
        return;
    if (rule->weak)
        qpw_import_warn(r->im, r->part->line, "'%.80s': %u ports; the rule is weak, a match with it proves little",
                        r->row->purpose, width);
    else
        qpw_import_warn(r->im, r->part->line, "'%.80s': %u ports", r->row->purpose, width);
}

static void add_rules(struct qpw_reading *r, size_t row)
{
    for (size_t i = r->first_group; i < r->row->n_groups; i++) {
        unsigned width = qpw_ports_width(&r->row->groups[i]);
        struct qpw_import_rule rule = {.row = row, .ports = r->row->groups[i]};

        rule.is_default = has_words(r, "(by default)");
        rule.optional = qpw_reading_is_optional(r);
        rule.passive = has_words(r, "FTP") && has_words(r, "passive") && width > MANY_PORTS && width < 65535;
        rule.weak = rule.passive || width > TOO_MANY_PORTS;
        remark_width(r, &rule, width);
        for (size_t j = 0; j < r->n_ways; j++) {
            struct qpw_import_rule *added = QPW_ADD(r->im->rules, r->im->n_rules);

            if (!added) {
                r->im->no_memory = true;
                return;
            }
            r->im->n_rules++;
            *added = rule;
            added->direction = r->ways[j].direction;
            added->set = r->ways[j].set;
        }
    }
}

/* ---- Rows ---- */

/* Check that the cells match the titles and that no cell with a meaning spans several columns. */
static int check_cells(struct qpw_reading *r)
{
    if (r->part->fault)
        return qpw_reading_fail(r, NULL, "%s", r->part->fault);
    if (r->part->spanning)
        return qpw_reading_fail(r, NULL, "a row over all columns that %s: '%.80s'",
                                qpw_directions_in(r->part->cells[0].text) ? "may say more than a direction" : "names no direction",
                                r->part->cells[0].text);
    if (r->part->n_cells != r->table->n_columns)
        return qpw_reading_fail(r, NULL, "%zu cells in a table of %zu columns", r->part->n_cells, r->table->n_columns);
    for (size_t i = 0; i < r->part->n_cells; i++) {
        if (qpw_reading_is_prose(r->table->titles[i].column))
            continue;
        if (r->part->cells[i].joined)
            return qpw_reading_fail(r, r->table->names[i], "a cell over several columns");
        if (strstr(r->part->cells[i].text, "\xef\xbf\xbc"))
            return qpw_reading_fail(r, r->table->names[i], "text that comes from elsewhere (an include or a variable)");
    }
    return 0;
}

static char *purpose_of(const struct qpw_reading *r)
{
    char *purpose = qpw_purpose_text(r->part->n_cells == r->table->n_columns && !r->part->spanning ? use_of(r) : "");

    for (unsigned char *p = (unsigned char *)purpose; p && *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = ' ';
    return purpose ? qpw_text_clean(purpose) : NULL;
}

/* A heading above some rows of a table that is none of its titles. */
struct heading {
    const char *text;
    unsigned line; /* 0: none */
};

/* Make the rules of the row, or of one line of its lists. False: it failed. */
static bool read_rules(struct qpw_reading *r, size_t row)
{
    r->row->state = QPW_ROW_TAKEN;
    free(r->row->text);
    r->row->text = NULL;
    r->n_ways = r->n_directions = 0;
    if (qpw_reading_find_ways(r) == 0 && read_ports(r) == 0)
        add_rules(r, row);
    return r->row->state != QPW_ROW_FAILED;
}

/* Read a row of parallel lists line by line. It is for others only if all lines are. */
static void read_lines(struct qpw_reading *r, size_t row, size_t lines)
{
    const struct qpw_part *whole = r->part;
    struct qpw_part part;
    bool taken = false, going = true;

    for (size_t i = 0; i < lines && going; i++) {
        going = qpw_reading_line_of(r, whole, i, &part);
        r->part = &part;
        going = going && read_rules(r, row);
        taken |= going && r->row->state == QPW_ROW_TAKEN;
        qpw_reading_clear_line(&part);
    }
    r->part = whole;
    if (!going || !taken)
        return;
    qpw_import_warn(r->im, whole->line, "'%.80s': lists side by side are read line by line, the narrower reading",
                    r->row->purpose);
    r->row->state = QPW_ROW_TAKEN;
    free(r->row->text);
    r->row->text = NULL;
}

static void read_row(struct qpw_importer *im, size_t table, const struct qpw_part *part, const struct heading *above)
{
    struct qpw_import_row *row = QPW_ADD(im->rows, im->n_rows);
    struct qpw_reading r = {.im = im, .table = &im->tables[table], .part = part, .row = row};
    size_t lines;

    if (!row) {
        im->no_memory = true;
        return;
    }
    *row = (struct qpw_import_row){.line = part->line, .table = table};
    row->purpose = purpose_of(&r);
    im->n_rows++;
    if (!row->purpose) {
        im->no_memory = true;
        return;
    }
    if (check_cells(&r) < 0 || qpw_reading_check_said(&r) < 0)
        return;
    if (above->line) {
        qpw_reading_fail(&r, NULL, "it stands below '%.80s' (line %u), which is not understood", above->text, above->line);
        return;
    }
    /* No node was chosen, so the row is not used; its ports still help to find alternative sections. */
    if (r.table->needs_node && !im->options->n_nodes) {
        row->state = QPW_ROW_OTHERS;
        read_ports(&r);
        row->state = QPW_ROW_OTHERS;
        free(row->text);
        row->text = NULL;
        return;
    }
    if (qpw_reading_count_lines(&r, &lines) < 0)
        return;
    if (lines > 1)
        read_lines(&r, im->n_rows - 1, lines);
    else
        read_rules(&r, im->n_rows - 1);
}

/* Accept a heading across all columns within the table, or a repeated row of titles. False: it is neither. */
static bool is_heading(struct qpw_import_table *table, const struct qpw_part *part)
{
    bool same = part->n_cells == table->n_columns && !part->fault;

    for (size_t i = 0; same && i < part->n_cells; i++)
        same = !strcmp(part->cells[i].text, table->names[i]);
    if (same)
        return true;
    if (!part->spanning || part->fault)
        return false;
    if (qpw_denies(part->cells[0].text) || !qpw_directions_in(part->cells[0].text) ||
        qpw_is_clients_direction(part->cells[0].text) || !qpw_import_take_row_lead(table, part->cells[0].text))
        return false;
    table->directions = qpw_directions_in(part->cells[0].text);
    table->direction_text = part->cells[0].text;
    return true;
}

/* Other titles, a row across all columns, or text in the first column only: the rows below may mean something else. */
static bool is_unknown_heading(const struct qpw_part *part)
{
    size_t filled = 0;

    if (part->spanning || part->titles)
        return true;
    for (size_t i = 0; i < part->n_cells; i++)
        filled += *part->cells[i].text != '\0';
    return part->n_cells > 1 && filled == 1 && *part->cells[0].text && !qpw_is_port_cell(part->cells[0].text);
}

/* Return whether the row is empty: spreadsheets leave some at a table's end. */
static bool is_empty(const struct qpw_part *part)
{
    for (size_t i = 0; i < part->n_cells; i++)
        if (*part->cells[i].text)
            return false;
    return !part->fault;
}

static void read_table_rows(struct qpw_importer *im, size_t table)
{
    struct heading above = {.line = 0};

    for (size_t i = im->tables[table].first; i < im->tables[table].end && !im->no_memory; i++) {
        const struct qpw_part *part = &im->page.parts[i];

        if (is_empty(part))
            continue;
        if (is_heading(&im->tables[table], part)) {
            above.line = 0;
            continue;
        }
        if (im->n_rows == QPW_MAX_IMPORT_ROWS) {
            qpw_import_error(im, part->line, "more than %u rows in tables of ports", QPW_MAX_IMPORT_ROWS);
            return;
        }
        if (is_unknown_heading(part))
            above.line = 0; /* its own row reports the fault */
        read_row(im, table, part, &above);
        if (is_unknown_heading(part) && im->rows[im->n_rows - 1].state == QPW_ROW_FAILED)
            above = (struct heading){part->n_cells ? part->cells[0].text : "", part->line};
    }
}

void qpw_import_read_rows(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_tables; i++)
        read_table_rows(im, i);
}
