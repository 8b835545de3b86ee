/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* dialect.c - choose the reader for a page, and explain why a page without tables of ports was refused. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/import_int.h"
#include "policy/page/liquid.h"

enum dialect { DIALECT_MARKDOWN, DIALECT_HTML, DIALECT_ASCIIDOC, DIALECT_RST, DIALECT_CSV, DIALECT_TSV };

/* ---- Which dialect ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), n = strlen(end);

    return length > n && !strcasecmp(name + length - n, end);
}

static bool by_name(const char *name, enum dialect *ret)
{
    static const struct {
        const char *end;
        enum dialect dialect;
    } known[] = {{".md", DIALECT_MARKDOWN},   {".markdown", DIALECT_MARKDOWN}, {".mdx", DIALECT_MARKDOWN},
                 {".html", DIALECT_HTML},     {".htm", DIALECT_HTML},          {".xhtml", DIALECT_HTML},
                 {".adoc", DIALECT_ASCIIDOC}, {".asciidoc", DIALECT_ASCIIDOC}, {".asc", DIALECT_ASCIIDOC},
                 {".rst", DIALECT_RST},       {".rst.txt", DIALECT_RST},       {".rest", DIALECT_RST},
                 {".csv", DIALECT_CSV},       {".tsv", DIALECT_TSV},           {".tab", DIALECT_TSV}};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (ends_with(name, known[i].end)) {
            *ret = known[i].dialect;
            return true;
        }
    return false;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

static bool begins(const char *line, const char *text)
{
    return !strncasecmp(line + strspn(line, " \t"), text, strlen(text));
}

/*
 * Return whether the first line has titles, of ports and protocols among them, separated by commas, semicolons or tabs.
 */
static bool looks_like_csv(const char *text)
{
    size_t length = strcspn(text, "\n");
    char *line = strndup(text, length), *save = NULL;
    bool port = false, protocol = false;

    if (!line || strchr(line, '|'))
        length = 0;
    for (char *title = length ? strtok_r(line, ",;\t\r\"", &save) : NULL; title; title = strtok_r(NULL, ",;\t\r\"", &save)) {
        struct qpw_title known;

        qpw_title_of(title, &known);
        port |= known.column == QPW_COLUMN_PORT || known.column == QPW_COLUMN_PORT_FIRST;
        protocol |= known.column == QPW_COLUMN_PROTOCOL;
    }
    free(line);
    return port && protocol;
}

static enum dialect by_text(const char *text)
{
    if (looks_like_csv(text))
        return DIALECT_CSV;
    for (const char *line = text; *line; line = next_line(line)) {
        if (begins(line, "<!doctype html") || begins(line, "<html"))
            return DIALECT_HTML;
        if (!strncmp(line, "|===", 4) || !strncmp(line, "= ", 2))
            return DIALECT_ASCIIDOC;
        if (begins(line, ".. list-table::") || begins(line, ".. csv-table::") || begins(line, "+---") ||
            begins(line, ".. contents::"))
            return DIALECT_RST;
        if (begins(line, "|-") || begins(line, "# ") || begins(line, "## "))
            return DIALECT_MARKDOWN;
    }
    return DIALECT_MARKDOWN;
}

/* ---- Reading ---- */

static unsigned first_line(const struct qpw_importer *im, bool (*is)(const char *))
{
    unsigned number = 1;

    for (const char *line = im->source; *line; line = next_line(line), number++)
        if (is(line))
            return number;
    return 0;
}

/* Return whether the line has an element of a table that no browser shows: DocBook and DITA. */
static bool is_docbook(const char *line)
{
    return begins(line, "<tgroup") || begins(line, "<simpletable") || begins(line, "<table><tgroup");
}

/* Markdown and HTML may be templates (Jekyll, GitBook), so evaluate their conditions first. */
static int read_template(struct qpw_importer *im, bool html)
{
    struct qpw_liquid_text rendered = {0};
    bool template = strstr(im->source, "{%") || (!html && (strstr(im->source, "{{") ||
                                                                              !strncmp(im->source, "---", 3)));
    int error;

    if (qpw_import_check_conditions(im) < 0)
        return -EINVAL;
    if (template && qpw_liquid_render(im->name, im->source, im->length, im->platform, &rendered, im->err) < 0)
        return -EINVAL;
    im->left_rows = template ? rendered.left : im->left_rows;
    if (!rendered.mentioned && (im->own || im->options->platform))
        qpw_import_warn(im, 1, "the page never mentions platform '%s': what no condition excludes was taken",
                        im->platform);
    error = html ? qpw_read_html(im->name, rendered.text ? rendered.text : im->source, &im->page, im->err)
                 : qpw_read_markdown(im->name, rendered.text ? rendered.text : im->source, &im->page, im->err);
    free(rendered.text);
    return error;
}

int qpw_import_read_page(struct qpw_importer *im)
{
    enum dialect dialect;

    unsigned docbook = first_line(im, is_docbook);

    if (docbook)
        return qpw_fail(im->err, -EINVAL,
                        "%s:%u: a DocBook or DITA table; take the HTML edition, or put the rows into a CSV file", im->name,
                        docbook);
    if (!by_name(im->name, &dialect))
        dialect = by_text(im->source);
    if (dialect == DIALECT_MARKDOWN && (strcasestr(im->source, "<html") || strcasestr(im->source, "<!doctype html")))
        dialect = DIALECT_HTML;
    switch (dialect) {
    case DIALECT_HTML: return read_template(im, /* html= */ true);
    case DIALECT_ASCIIDOC: return qpw_read_asciidoc(im->name, im->source, &im->page, im->err);
    case DIALECT_RST: return qpw_read_rst(im->name, im->source, &im->page, im->err);
    case DIALECT_CSV: return qpw_read_csv(im->name, im->source, 0, &im->page, im->err);
    case DIALECT_TSV: return qpw_read_csv(im->name, im->source, '\t', &im->page, im->err);
    default: return read_template(im, /* html= */ false);
    }
}

/* ---- Content from elsewhere ---- */

/* import Ports from './_ports.mdx'; */
static bool has_markdown_name(const char *line)
{
    size_t length = strcspn(line, "\n");

    return memmem(line, length, ".md'", 4) || memmem(line, length, ".md\"", 4) || memmem(line, length, ".mdx", 4);
}

/* <PortTable rows={…} /> of MDX: its content is elsewhere. */
static bool is_component(const char *line)
{
    const char *name = line + strspn(line, " \t") + 1;
    size_t length = name[-1] == '<' && isupper((unsigned char)*name) ? strcspn(name, " \t/>\n") : 0;

    for (size_t i = 0; i + 4 <= length; i++)
        if (!strncasecmp(name + i, "port", 4) && !memmem(name, length, "Import", 6))
            return true;
    return false;
}

/* "{{ ports_table }}" alone on a line; not the delimiter of a note's box (Jekyll's alerts). */
static bool is_variable(const char *line)
{
    const char *text = line + strspn(line, " \t"), *end = text + strcspn(text, "\n");

    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    return end - text > 4 && !memmem(text, (size_t)(end - text), "alerts.", 7) && !strncmp(text, "{{", 2) && !strncmp(end - 2, "}}", 2) && !strchr("<%#/^!>", text[2 + strspn(text + 2, " -")]);
}

/* "{% data ports %}" without {% enddata %}: another system's tag that inserts text. */
static bool is_lone_tag(const char *line)
{
    static const char *const control[] = {"if", "else", "elsif", "unless", "assign", "comment", "capture", "include", "tab", "tabs",
                                          "hint", "for", "case", "when", "raw", "toc", "embed", NULL};
    const char *text = line + strspn(line, " \t"), *word;
    size_t length;
    char end[48];

    if (strncmp(text, "{%", 2))
        return false;
    word = text + 2 + strspn(text + 2, " -");
    length = strspn(word, "abcdefghijklmnopqrstuvwxyz_");
    if (!length || length > 32 || !strncmp(word, "end", 3))
        return false;
    for (size_t i = 0; control[i]; i++)
        if (strlen(control[i]) == length && !strncmp(word, control[i], length))
            return false;
    snprintf(end, sizeof(end), "end%.*s", (int)length, word);
    return !memmem(line, strnlen(line, 65536), end, strlen(end));
}

/* Directives that insert text anywhere on a line. */
static bool has_inline_include(const char *line)
{
    static const char *const words[] = {"@@include(", "[[include ", "<?php", "<?=", "<iframe", "{{>", "@import \"", ".csv)", ".xlsx)", NULL};
    size_t length = strcspn(line, "\n");

    for (size_t i = 0; words[i]; i++)
        if (memmem(line, length, words[i], strlen(words[i])))
            return true;
    return false;
}

static bool is_include(const char *line)
{
    static const char *const words[] = {"{% include", "{%- include", "include::", ".. include::", "--8<--", "{{< include",
                                        "{{< readfile", "{{% include", "[!INCLUDE", "{!", ":file:", ":url:",
                                        ".. literalinclude::", NULL};

    if (is_variable(line) || is_lone_tag(line) || has_inline_include(line))
        return true;
    for (size_t i = 0; words[i]; i++)
        if (begins(line, words[i]) || is_component(line) || (begins(line, "import ") && has_markdown_name(line)))
            /* The text of a note is part of the page, though its box is not. */
            return !memmem(line, strcspn(line, "\n"), "content=", 8);
    return false;
}

bool qpw_import_elsewhere(struct qpw_importer *im, bool as_errors)
{
    unsigned number = 1;
    bool found = false;

    for (const char *line = im->source; *line; line = next_line(line), number++) {
        const char *text = line + strspn(line, " \t");

        if (!is_include(line))
            continue;
        found = true;
        if (as_errors)
            qpw_import_error(im, number, "the text of '%.*s' is not on this page; import the file it names",
                             (int)strcspn(text, "\r\n"), text);
        else
            qpw_import_warn(im, number, "the text of '%.*s' is not on this page, and not in the policy",
                            (int)strcspn(text, "\r\n"), text);
    }
    return found;
}

/* ---- Refusals ---- */

static bool line_has(const char *line, const char *words)
{
    char copy[512];

    snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line, "\n"), line);
    return qpw_has_words(copy, words);
}

static bool has_digit(const char *line)
{
    for (; *line && *line != '\n'; line++)
        if (isdigit((unsigned char)*line))
            return true;
    return false;
}

static bool has_protocol(const char *line)
{
    return line_has(line, "TCP") || line_has(line, "UDP");
}

/*
 * Return whether the line has words separated by runs of blanks, a table's titles among them, or a page break: text
 * from a PDF, or flattened.
 */
static bool is_flattened(const char *line)
{
    size_t runs = 0, length = strcspn(line, "\n");

    for (size_t i = strspn(line, " \t"); i + 1 < length; i++)
        runs += line[i] == ' ' && line[i + 1] == ' ' && i && line[i - 1] != ' ';
    return memchr(line, '\f', length) || (runs >= 2 && (line_has(line, "port") || has_protocol(line)));
}

/* "|---|---|" */
static bool is_markdown_table(const char *line)
{
    size_t length = strspn(line, "-:| \t\r");

    return line[length] == '\n' && memmem(line, length, "|-", 2) && memmem(line, length, "-|", 2);
}

static bool is_bullet(const char *line)
{
    line += strspn(line, " \t");
    return (*line == '*' || *line == '-' || *line == '+') && line[1] == ' ' && has_digit(line) &&
           (has_protocol(line) || line_has(line, "port") || line_has(line, "ports"));
}

static bool is_prose(const char *line)
{
    return has_digit(line) && (has_protocol(line) || line_has(line, "port") || line_has(line, "ports"));
}

/*
 * Find a table for each service, with its facts in rows: "Port" and "Protocol" in the first column. Returns its line,
 * 0: none.
 */
static unsigned find_transposed(const struct qpw_importer *im)
{
    unsigned port = 0, protocol = 0;

    for (size_t i = 0; i < im->page.n && !(port && protocol); i++) {
        const struct qpw_part *part = &im->page.parts[i];
        struct qpw_title title;

        if (part->kind == QPW_PART_TABLE)
            port = protocol = 0;
        if (part->kind != QPW_PART_ROW || part->n_cells < 2)
            continue;
        qpw_title_of(part->cells[0].text, &title);
        if (title.column == QPW_COLUMN_PORT)
            port = part->line;
        if (title.column == QPW_COLUMN_PROTOCOL)
            protocol = part->line;
    }
    return port && protocol ? port : 0;
}

void qpw_import_refuse(struct qpw_importer *im)
{
    static const struct {
        bool (*is)(const char *);
        const char *what;
    } reasons[] = {
        {is_flattened, "text without a table (from a PDF, or flattened); take the HTML edition, or put the rows into a CSV "
                       "file"},
        {is_bullet, "ports in a list, not in a table; put the rows into a CSV file"},
        {is_prose, "ports in prose only, which are never taken; put the rows into a CSV file"},
    };
    unsigned line = find_transposed(im);
    enum dialect dialect;

    qpw_import_error(im, 1, "the page has no table with a column of ports");
    if (qpw_import_elsewhere(im, /* as_errors= */ true))
        return;
    if (by_name(im->name, &dialect) && dialect != DIALECT_MARKDOWN && first_line(im, is_markdown_table)) {
        qpw_import_error(im, first_line(im, is_markdown_table),
                         "a table of Markdown: give the file a name with .md at its end");
        return;
    }
    if (line) {
        qpw_import_error(im, line, "a table for each service, with its port in a row; put the rows into a CSV file");
        return;
    }
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if ((line = first_line(im, reasons[i].is))) {
            qpw_import_error(im, line, "%s", reasons[i].what);
            return;
        }
}
