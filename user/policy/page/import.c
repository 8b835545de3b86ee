/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/page/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/lang/statements.h"
#include "policy/page/import_int.h"
#include "util/text.h"

static int no_memory(struct qpw_importer *im)
{
    return qpw_fail(im->err, -ENOMEM, "%s: out of memory", im->name);
}

/* ---- Sentences about traffic between nodes, on the page that the built-in policies come from ---- */

static void read_text(struct qpw_importer *im, const struct qpw_part *part)
{
    const char *text = part->n_cells ? part->cells[0].text : "";
    bool between =
        qpw_has_words(text, "between nodes") || qpw_has_words(text, "inter-node") || qpw_has_words(text, "internode");
    bool ipv4 = qpw_has_words(text, "IPv4"), ipv6 = qpw_has_words(text, "IPv6");

    if (between && (qpw_has_words(text, "any port") || qpw_has_words(text, "all ports")) && !im->peer_ports_line)
        im->peer_ports_line = part->line;
    if (between && ipv4 != ipv6 && !im->family_line[ipv6])
        im->family_line[ipv6] = part->line;
}

static void read_sentences(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->page.n && im->own; i++)
        if (im->page.parts[i].kind == QPW_PART_TEXT)
            read_text(im, &im->page.parts[i]);
    if (im->family_line[0] && im->family_line[1])
        qpw_import_error(im, im->family_line[0], "the page asks for IPv4 here and for IPv6 in line %u between nodes",
                         im->family_line[1]);
}

/* ---- Input ---- */

static int check_name(struct qpw_importer *im, const char *option, const char *value)
{
    struct qpw_where where = {.file = im->name, .line = 1};
    struct qpw_word word = {.text = (char *)value, .column = 0};
    char name[QPW_NAME_LEN];
    struct qpw_error ignored;

    if (!value || qpw_parse_name(&where, &word, value, name, &ignored) == 0)
        return 0;
    return qpw_fail(im->err, -EINVAL, "%s '%s': a name has lower-case letters, digits and . _ + -", option, value);
}

/* Return whether more lines end with a lone carriage return than with a line feed. */
static bool has_old_line_ends(const char *text)
{
    size_t returns = 0, feeds = 0;

    for (; *text; text++) {
        feeds += *text == '\n';
        returns += *text == '\r' && text[1] != '\n';
    }
    return returns > feeds;
}

/* Return the format of a known binary file, by its first bytes; NULL: none. */
static const char *known_binary(const char *text, size_t length)
{
    static const struct {
        const char *begin;
        const char *advice;
    } known[] = {{"%PDF", "a PDF; take the HTML edition, or put the rows into a CSV file"},
                 {"PK\x03\x04", "a document of an office program; save it as HTML or CSV"},
                 {"\xd0\xcf\x11\xe0", "a document of an office program; save it as HTML or CSV"},
                 {"\xff\xfe", "UTF-16 text; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"},
                 {"\xfe\xff", "UTF-16 text; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"},
                 {"\x1f\x8b", "compressed; unpack it first"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (length >= strlen(known[i].begin) && !memcmp(text, known[i].begin, strlen(known[i].begin)))
            return known[i].advice;
    return NULL;
}

static int check_input(struct qpw_importer *im, const char *text, size_t length)
{
    const char *binary = known_binary(text, length);
    unsigned line = 1;

    if (binary)
        return qpw_fail(im->err, -EINVAL, "%s:1: %s", im->name, binary);

    if (has_old_line_ends(text))
        return qpw_fail(im->err, -EINVAL, "%s:1: lines end with a carriage return alone; convert the file (tr '\\r' '\\n')",
                        im->name);
    if (check_name(im, "--platform", im->options->platform) < 0 || check_name(im, "--vendor", im->options->vendor) < 0)
        return -EINVAL;
    for (size_t i = 0; i < length;) {
        size_t step =
            strchr("\n\r\f", text[i]) && text[i] ? 1 : qpw_utf8_length((const unsigned char *)text + i, length - i);

        if (!step)
            return qpw_fail(im->err, -EINVAL, "%s:%u: byte 0x%02x is %s", im->name, line, (unsigned char)text[i],
                            (unsigned char)text[i] < 0x80 ? "a control character, not text" : "not UTF-8 text");
        line += text[i] == '\n';
        i += step;
    }
    if (strpbrk(im->base, " \t\"#") || !*im->base)
        return qpw_fail(im->err, -EINVAL, "%s: the file's name goes into ref=: it must not have blanks, quotes or #; copy it to another name",
                        im->name);
    return 0;
}

/* ---- The whole import ---- */

static void clear_lines(struct qpw_lines *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        free(lines->list[i]);
    free(lines->list);
}

void qpw_imported_clear(struct qpw_imported *imported)
{
    clear_lines(&imported->errors);
    clear_lines(&imported->warnings);
    free(imported->policy);
    *imported = (struct qpw_imported){0};
}

static void clear(struct qpw_importer *im)
{
    for (size_t i = 0; i < im->n_rows; i++) {
        free(im->rows[i].purpose);
        free(im->rows[i].text);
        free(im->rows[i].groups);
    }
    for (size_t i = 0; i < im->n_sets; i++) {
        free(im->sets[i].text);
        free(im->sets[i].addresses);
    }
    free(im->rows);
    free(im->rules);
    free(im->sets);
    free(im->tables);
    free(im->sections);
    qpw_page_clear(&im->page);
}

/* Interpret the page, collecting all errors. */
static void understand(struct qpw_importer *im)
{
    qpw_import_structure(im);
    if (!im->n_tables) {
        if (!im->out.errors.n)
            qpw_import_refuse(im);
        return;
    }
    qpw_import_elsewhere(im, /* as_errors= */ false);
    qpw_import_check_nodes(im);
    qpw_import_read_rows(im);
    qpw_import_choose(im);
    for (size_t i = 0; i < im->n_tables; i++)
        if (im->tables[i].selected)
            qpw_import_check_leads(im, &im->tables[i]);
    read_sentences(im);
}

static int import(struct qpw_importer *im, const char *text, size_t length)
{
    size_t whole;
    int error = check_input(im, text, length);

    if (error == 0)
        error = qpw_import_read_page(im);
    if (error < 0)
        return error;
    understand(im);
    whole = im->out.errors.n; /* errors about the page as a whole: no part of it can be used */
    if (im->n_tables)
        qpw_import_account(im);
    if (im->no_memory)
        return no_memory(im);
    if (!im->out.errors.n && !im->out.taken)
        qpw_import_error(im, 1, im->out.others ? "no row is left: all are for others, or denied" :
                                                 "the tables of ports have no rows for this platform");
    if (im->out.errors.n && (whole || !im->options->partial || !im->out.taken))
        return qpw_fail(im->err, -EINVAL, "%s", im->out.errors.list[0]);
    return qpw_import_write(im);
}

int qpw_import_text(const char *name, const char *text, size_t length, const struct qpw_import_options *options,
                    struct qpw_imported *ret, struct qpw_error *err)
{
    const char *slash = strrchr(name, '/');
    struct qpw_error own = {""};
    struct qpw_importer im = {.name = name,
                              .base = slash ? slash + 1 : name,
                              .source = text,
                              .length = length,
                              .options = options,
                              .platform = options->platform ? options->platform : QPW_POLICY_DEFAULT_PLATFORM,
                              .err = err ? err : &own};
    int error;

    im.own = options->vendor ? !strcmp(options->vendor, "qumulo") : qpw_has_words(text, "Qumulo");
    error = import(&im, text, length);
    if (error < 0 && !im.out.errors.n) { /* no other error: report the one that ended the reading */
        im.out.errors.list = calloc(1, sizeof(*im.out.errors.list));
        if (im.out.errors.list && (im.out.errors.list[0] = strdup(im.err->text)))
            im.out.errors.n = 1;
    }
    clear(&im);
    if (error < 0) {
        free(im.out.policy);
        im.out.policy = NULL;
    }
    *ret = im.out;
    return error;
}

int qpw_import_file(const char *path, const struct qpw_import_options *options, struct qpw_imported *ret,
                    struct qpw_error *err)
{
    size_t length;
    char *text;
    int error = qpw_read_stream(path, &text, &length, err);

    *ret = (struct qpw_imported){0};
    if (error < 0)
        return error;
    error = qpw_import_text(path, text, length, options, ret, err);
    free(text);
    return error;
}
