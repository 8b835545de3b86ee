/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/page/import.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/import_int.h"
#include "policy/page/liquid.h"
#include "policy/page/markdown.h"
#include "policy/lang/parse.h"
#include "policy/lang/statements.h"
#include "util/text.h"

static int fault(struct qpw_importer *im, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fault(struct qpw_importer *im, unsigned line, const char *format, ...)
{
    char what[384];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return qpw_fail(im->err, -EINVAL, "%s:%u: %s", im->name, line, what);
}

static int no_memory(struct qpw_importer *im)
{
    return qpw_fail(im->err, -ENOMEM, "%s: out of memory", im->name);
}

static int warn(struct qpw_importer *im, unsigned line, const char *what)
{
    void *array = im->out.warnings;
    char **place = qpw_grow(&array, im->out.n_warnings, sizeof(*place));

    if (!place)
        return no_memory(im);
    im->out.warnings = array;
    if (asprintf(place, "%s:%u: %s", im->name, line, what) < 0)
        return no_memory(im);
    im->out.n_warnings++;
    return 0;
}

/* ---- Titles ---- */

static bool has_column(const struct qpw_importer *im, enum qpw_column column)
{
    for (size_t i = 0; i < im->n_columns; i++)
        if (im->columns[i] == column)
            return true;
    return false;
}

static int read_titles(struct qpw_importer *im, const struct qpw_part *part)
{
    bool both_ends;

    im->n_columns = part->n_cells;
    for (size_t i = 0; i < part->n_cells; i++) {
        im->columns[i] = qpw_column_of(part->cells[i]);
        for (size_t j = 0; j < i; j++)
            if (im->columns[i] == im->columns[j] && im->columns[i] != QPW_COLUMN_USE &&
                im->columns[i] != QPW_COLUMN_OTHER)
                return fault(im, part->line, "two columns for the same thing: '%.60s' and '%.60s'", part->cells[j],
                             part->cells[i]);
    }
    if (!has_column(im, QPW_COLUMN_PORT)) {
        if (has_column(im, QPW_COLUMN_PROTOCOL))
            return fault(im, part->line, "a table with a column of protocols, but none of ports");
        im->ignored = true;
        return warn(im, part->line, "this table has no column of ports: nothing was read from it");
    }
    im->tables++;
    both_ends = has_column(im, QPW_COLUMN_SOURCE) && has_column(im, QPW_COLUMN_DESTINATION);
    if (!im->heading && !both_ends && !has_column(im, QPW_COLUMN_DIRECTION))
        return fault(im, part->line,
                     "no direction: neither the heading above says inbound or outbound, nor is there a column for it");
    return 0;
}

/* ---- Rows ---- */

static const char *cell_of(const struct qpw_importer *im, const struct qpw_part *part, enum qpw_column column)
{
    for (size_t i = 0; i < im->n_columns; i++)
        if (im->columns[i] == column)
            return part->cells[i];
    return NULL;
}

static int directions_of(struct qpw_importer *im, const struct qpw_part *part, unsigned *ret, bool *ret_peers)
{
    const char *direction = cell_of(im, part, QPW_COLUMN_DIRECTION);
    const char *source = cell_of(im, part, QPW_COLUMN_SOURCE), *destination = cell_of(im, part, QPW_COLUMN_DESTINATION);

    *ret = im->section ? im->section : im->heading;
    *ret_peers = false;
    if (direction) {
        *ret = qpw_directions_in(direction);
        return *ret ? 0 : fault(im, part->line, "'%.60s' is not a direction", direction);
    }
    if (source && destination) {
        bool from_node = qpw_names_node(source, im->options->node),
             to_node = qpw_names_node(destination, im->options->node);

        if (from_node && to_node)
            *ret_peers = true;
        else if (from_node != to_node)
            *ret = 1u << (to_node ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND);
        else if (!*ret)
            return fault(im, part->line, "which of '%.60s' and '%.60s' is the node? say so with --node NAME", source,
                         destination);
    }
    return *ret || *ret_peers ? 0 : fault(im, part->line, "no direction is known for this row");
}

static bool any_in(const uint64_t protocols[4])
{
    return protocols[0] | protocols[1] | protocols[2] | protocols[3];
}

static int read_ports(struct qpw_importer *im, const struct qpw_part *part, struct qpw_row_ports *ret)
{
    const char *port = cell_of(im, part, QPW_COLUMN_PORT), *protocol = cell_of(im, part, QPW_COLUMN_PROTOCOL);
    struct qpw_row_ports from_cell = {0};
    char why[160];

    if (qpw_cell_ports(port, ret, why, sizeof(why)) < 0)
        return fault(im, part->line, "port: %s", why);
    if (protocol && qpw_cell_protocols(protocol, &from_cell, why, sizeof(why)) < 0)
        return fault(im, part->line, "protocol: %s", why);
    if (any_in(ret->protocols) && any_in(from_cell.protocols) &&
        memcmp(ret->protocols, from_cell.protocols, sizeof(ret->protocols)))
        return fault(im, part->line, "the cells of port ('%.40s') and protocol ('%.40s') contradict each other", port,
                     protocol);
    for (size_t i = 0; i < 4; i++)
        ret->protocols[i] |= from_cell.protocols[i];
    ret->any_protocol = from_cell.any_protocol;
    if (!any_in(ret->protocols) && !ret->any_protocol)
        return fault(im, part->line, "no protocol");
    if (!ret->n && !ret->any)
        return fault(im, part->line, "no port");
    if (ret->any_protocol && any_in(ret->protocols))
        return fault(im, part->line, "all protocols and single ones in one cell");
    if (ret->any_protocol && ret->n) { /* "All" with ports: those that have ports */
        ret->any_protocol = false;
        ret->protocols[0] |= (uint64_t)1 << IPPROTO_TCP | (uint64_t)1 << IPPROTO_UDP;
    }
    if (ret->n && qpw_highest_port(ret->protocols, false) != 65535)
        return fault(im, part->line, "ports of a protocol that has none");
    return 0;
}

static unsigned width_of(const struct qpw_row_ports *ports)
{
    unsigned width = ports->any ? 65535 : 0;

    for (size_t i = 0; i < ports->n; i++)
        width += ports->ports[i].last - ports->ports[i].first + 1u;
    return width;
}

static int add_row(struct qpw_importer *im, const struct qpw_part *part, const struct qpw_import_row *model,
                   uint8_t direction)
{
    void *array = im->rows;
    struct qpw_import_row *row = qpw_grow(&array, im->n_rows, sizeof(*row));

    if (!row)
        return no_memory(im);
    im->rows = array;
    *row = *model;
    row->purpose = strdup(model->purpose);
    if (!row->purpose)
        return no_memory(im);
    row->line = part->line;
    row->direction = direction;
    im->n_rows++;
    return 0;
}

/* All cells for people: the use, and what other columns add to it. */
static const char *use_of(const struct qpw_importer *im, const struct qpw_part *part)
{
    const char *use = cell_of(im, part, QPW_COLUMN_USE);

    if (!use || !*use)
        use = cell_of(im, part, QPW_COLUMN_OTHER);
    return use ? use : "";
}

static bool says(const struct qpw_importer *im, const struct qpw_part *part, const char *words)
{
    for (size_t i = 0; i < part->n_cells; i++)
        if ((im->columns[i] == QPW_COLUMN_USE || im->columns[i] == QPW_COLUMN_OTHER) &&
            strcasestr(part->cells[i], words))
            return true;
    return false;
}

static int read_row(struct qpw_importer *im, const struct qpw_part *part)
{
    struct qpw_import_row row = {0};
    unsigned directions;
    bool peers;
    int ret;

    if (part->n_cells != im->n_columns)
        return fault(im, part->line, "%zu cells in a table of %zu columns", part->n_cells, im->n_columns);
    ret = directions_of(im, part, &directions, &peers);
    if (ret == 0)
        ret = read_ports(im, part, &row.ports);
    if (ret < 0)
        return ret;
    if (peers)
        return warn(im, part->line,
                    "this row is about traffic between nodes, which the verdict peer covers whatever the port");
    row.purpose = qpw_purpose_text(use_of(im, part));
    if (!row.purpose)
        return no_memory(im);
    row.is_default = says(im, part, "(by default)");
    row.optional = says(im, part, "if you enable") || says(im, part, "if enabled") || says(im, part, "when enabled") ||
                   says(im, part, "optional");
    row.weak = says(im, part, "FTP") && says(im, part, "passive") && width_of(&row.ports) > 1024;
    for (uint8_t direction = QPW_DIR_INBOUND; direction <= QPW_DIR_OUTBOUND && ret == 0; direction++)
        if (directions & 1u << direction)
            ret = add_row(im, part, &row, direction);
    free(row.purpose);
    return ret;
}

static int read_part_of_table(struct qpw_importer *im, const struct qpw_part *part)
{
    if (im->ignored || (!part->n_cells && !part->titles))
        return 0;
    if (!im->n_columns)
        return read_titles(im, part);
    if (part->spanning || (part->n_cells == 1 && part->titles)) {
        im->section = qpw_directions_in(part->cells[0]);
        return im->section
                   ? 0
                   : fault(im, part->line, "a row over all columns that names no direction: '%.60s'", part->cells[0]);
    }
    if (part->titles) { /* titles again, in the middle of a table */
        for (size_t i = 0; i < part->n_cells && i < im->n_columns; i++)
            if (qpw_column_of(part->cells[i]) != im->columns[i])
                return fault(im, part->line, "other titles within a table");
        return part->n_cells == im->n_columns ? 0 : fault(im, part->line, "other titles within a table");
    }
    return read_row(im, part);
}

/* ---- Sentences about the nodes of a cluster ---- */

static void read_text(struct qpw_importer *im, const struct qpw_part *part)
{
    const char *text = part->cells[0];
    bool between =
        qpw_has_words(text, "between nodes") || qpw_has_words(text, "inter-node") || qpw_has_words(text, "internode");
    bool ipv4 = qpw_has_words(text, "IPv4"), ipv6 = qpw_has_words(text, "IPv6");

    if (between && (qpw_has_words(text, "any port") || qpw_has_words(text, "all ports")) && !im->peer_ports_line)
        im->peer_ports_line = part->line ? part->line : 1;
    if (between && ipv4 != ipv6 && !im->family_line[ipv6])
        im->family_line[ipv6] = part->line ? part->line : 1;
}

static int read_page(struct qpw_importer *im)
{
    int ret = 0;

    for (size_t i = 0; i < im->page.n && ret == 0; i++) {
        const struct qpw_part *part = &im->page.parts[i];
        unsigned directions;

        switch (part->kind) {
        case QPW_PART_HEADING:
            directions = qpw_directions_in(part->cells[0]);
            im->heading = directions;
            break;
        case QPW_PART_TABLE:
            im->n_columns = 0;
            im->section = 0;
            im->ignored = false;
            break;
        case QPW_PART_ROW: ret = read_part_of_table(im, part); break;
        case QPW_PART_TEXT: read_text(im, part); break;
        default: break;
        }
    }
    if (ret == 0 && !im->tables)
        ret = fault(im, 1, "the page has no table with a column of ports");
    if (ret == 0 && !im->n_rows)
        ret = fault(im, 1, "the tables of ports have no rows for this platform");
    if (ret == 0 && im->family_line[0] && im->family_line[1])
        ret = fault(im, im->family_line[0], "the page asks for IPv4 here and for IPv6 in line %u between nodes",
                    im->family_line[1]);
    return ret;
}

/* ---- The whole ---- */

void qpw_imported_clear(struct qpw_imported *imported)
{
    for (size_t i = 0; i < imported->n_warnings; i++)
        free(imported->warnings[i]);
    free(imported->warnings);
    free(imported->policy);
    *imported = (struct qpw_imported){0};
}

static int check_input(struct qpw_importer *im, const char *text, size_t length)
{
    struct qpw_where where = {.file = im->name, .line = 1};
    struct qpw_word word = {.text = (char *)im->options->platform, .column = 0};
    char name[QPW_NAME_LEN];
    struct qpw_error ignored;
    unsigned line = 1;

    if (qpw_parse_name(&where, &word, im->options->platform, name, &ignored) < 0)
        return qpw_fail(im->err, -EINVAL, "--platform '%s': a name has lower-case letters, digits and . _ + -",
                        im->options->platform);
    for (size_t i = 0; i < length;) {
        size_t step =
            strchr("\n\r\f", text[i]) && text[i] ? 1 : qpw_utf8_length((const unsigned char *)text + i, length - i);

        if (!step)
            return fault(im, line, "byte 0x%02x is not UTF-8 text", (unsigned char)text[i]);
        line += text[i] == '\n';
        i += step;
    }
    if (strpbrk(im->base, " \t\"#") || !*im->base)
        return qpw_fail(im->err, -EINVAL, "%s: the file's name goes into ref=: it must not have blanks, quotes or #",
                        im->name);
    return 0;
}

static int import(struct qpw_importer *im, const char *text, size_t length)
{
    char *rendered = NULL, *html = NULL;
    bool mentioned = true;
    int ret = check_input(im, text, length);

    if (ret == 0)
        ret = qpw_liquid_render(im->name, text, length, im->options->platform, &rendered, &mentioned, im->err);
    if (ret == 0 && !mentioned)
        ret = warn(im, 1, "the page never mentions this platform: what is left when no condition names it was taken");
    /* A whole HTML document has no Markdown; lines of its scripts may look like it. */
    if (ret == 0 && strcasestr(rendered, "<html")) {
        html = rendered;
        rendered = NULL;
    } else if (ret == 0) {
        ret = qpw_markdown_to_html(im->name, rendered, &html, im->err);
    }
    if (ret == 0)
        ret = qpw_page_read(im->name, html, &im->page, im->err);
    if (ret == 0)
        ret = read_page(im);
    if (ret == 0)
        ret = qpw_import_write(im, text, length);
    free(rendered);
    free(html);
    return ret;
}

int qpw_import_text(const char *name, const char *text, size_t length, const struct qpw_import_options *options,
                    struct qpw_imported *ret, struct qpw_error *err)
{
    const char *slash = strrchr(name, '/');
    struct qpw_importer im = {.name = name, .base = slash ? slash + 1 : name, .options = options, .err = err};
    int error = import(&im, text, length);

    for (size_t i = 0; i < im.n_rows; i++)
        free(im.rows[i].purpose);
    free(im.rows);
    qpw_page_clear(&im.page);
    if (error < 0)
        qpw_imported_clear(&im.out);
    else
        *ret = im.out;
    return error;
}

int qpw_import_file(const char *path, const struct qpw_import_options *options, struct qpw_imported *ret,
                    struct qpw_error *err)
{
    size_t length;
    char *text;
    int error = qpw_read_whole(path, &text, &length, err);

    if (error < 0)
        return error;
    error = qpw_import_text(path, text, length, options, ret, err);
    free(text);
    return error;
}
