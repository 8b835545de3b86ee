/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rst.c - reStructuredText as parts of a page: section titles, paragraphs, tabs; tables are rst_table.c's business.
 * Comments, literal blocks and listings have no tables; a directive around others (note, container) only indents them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/rst.h"

#define MAX_LEVELS 16

struct reader {
    const char *name;
    struct qpw_rst_lines lines;
    size_t i; /* line that is read, from 0 */
    struct qpw_page *page;
    struct qpw_error *err;
    char levels[MAX_LEVELS][2]; /* underline's character, and whether there is a line above, too */
    unsigned n_levels;
    size_t tab_indent[8];
    unsigned n_tabs;
    size_t only_indent;         /* of an `only::`, + 1 */
    char caption[256];
};

static const char *line_at(const struct reader *r, size_t i)
{
    return i < r->lines.n ? r->lines.at[i] : "";
}

static size_t length_at(const struct reader *r, size_t i)
{
    return i < r->lines.n ? r->lines.length[i] : 0;
}

static size_t indent_at(const struct reader *r, size_t i)
{
    return qpw_rst_indent(line_at(r, i), length_at(r, i));
}

static const char *text_at(const struct reader *r, size_t i)
{
    return line_at(r, i) + strspn(line_at(r, i), " \t");
}

static size_t text_length(const struct reader *r, size_t i)
{
    return length_at(r, i) - (length_at(r, i) ? (size_t)(text_at(r, i) - line_at(r, i)) : 0);
}

/* The first line behind those that are blank or indented more than `indent`. */
static size_t behind_body(const struct reader *r, size_t i, size_t indent)
{
    while (i < r->lines.n && (!length_at(r, i) || indent_at(r, i) > indent))
        i++;
    return i;
}

/* ---- Titles ---- */

static size_t characters(const char *text, size_t length)
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++)
        n += (text[i] & 0xc0) != 0x80;
    return n;
}

/* A line of one punctuation character, at least `least` long. */
static bool is_bar(const struct reader *r, size_t i, size_t least)
{
    const char *line = line_at(r, i);
    size_t length = length_at(r, i);

    if (length < 2 || length < least || !ispunct((unsigned char)*line))
        return false;
    for (size_t j = 1; j < length; j++)
        if (line[j] != *line)
            return false;
    return true;
}

static unsigned level_of(struct reader *r, char character, bool overlined)
{
    char key[2] = {character, overlined};

    for (unsigned i = 0; i < r->n_levels; i++)
        if (!memcmp(r->levels[i], key, 2))
            return i + 1;
    if (r->n_levels < MAX_LEVELS)
        memcpy(r->levels[r->n_levels++], key, 2);
    return r->n_levels;
}

static bool title(struct reader *r)
{
    bool overlined = is_bar(r, r->i, 2) && length_at(r, r->i + 1) && is_bar(r, r->i + 2, 2) &&
                     *line_at(r, r->i) == *line_at(r, r->i + 2);
    size_t text = r->i + overlined, width = characters(text_at(r, text), text_length(r, text));
    struct qpw_part *part;
    char *copy;

    if (!width || (!overlined && (indent_at(r, text) || is_bar(r, text, 4))) ||
        !is_bar(r, text + 1, width < 4 ? width : 4))
        return false;
    copy = strndup(text_at(r, text), text_length(r, text));
    if (copy)
        qpw_rst_clean(copy);
    part = copy ? qpw_page_add_text(r->page, QPW_PART_HEADING, (unsigned)text + 1, copy) : NULL;
    if (part)
        part->level = level_of(r, *line_at(r, text + 1), overlined);
    else
        r->page->no_memory = true;
    free(copy);
    r->i = text + 2;
    return true;
}

/* ---- Directives ---- */

/* ".. name:: argument": the argument and its length, where the line is that directive. */
static const char *directive(const struct reader *r, const char *name, size_t *ret_length)
{
    const char *text = text_at(r, r->i);
    size_t length = text_length(r, r->i), n = strlen(name);

    if (length < n + 5 || strncmp(text, ".. ", 3) || strncmp(text + 3, name, n) || strncmp(text + 3 + n, "::", 2))
        return NULL;
    text += n + 5;
    length -= n + 5;
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    *ret_length = length;
    return text;
}

/* The value of ":name: value" among a directive's options; NULL: it is not given. */
static const char *option(const struct reader *r, size_t end, const char *name, size_t *ret_length)
{
    for (size_t i = r->i + 1; i < end && length_at(r, i) && *text_at(r, i) == ':'; i++) {
        const char *text = text_at(r, i);
        size_t length = text_length(r, i), n = strlen(name);

        if (length < n + 2 || strncmp(text + 1, name, n) || text[n + 1] != ':')
            continue;
        for (n += 2; n < length && isspace((unsigned char)text[n]); n++)
            ;
        *ret_length = length - n;
        return text + n;
    }
    return NULL;
}

static size_t behind_options(const struct reader *r, size_t end)
{
    size_t i = r->i + 1;

    while (i < end && length_at(r, i) && *text_at(r, i) == ':')
        i++;
    return i;
}

static void begin_table(struct reader *r, const char *caption, size_t length)
{
    char *copy = length ? strndup(caption, length) : NULL;

    if (copy)
        qpw_rst_clean(copy);
    else if (*r->caption)
        copy = strdup(r->caption);
    if (copy)
        qpw_page_add_text(r->page, QPW_PART_TABLE, (unsigned)r->i + 1, copy);
    else
        qpw_page_add(r->page, QPW_PART_TABLE, (unsigned)r->i + 1);
    free(copy);
    *r->caption = '\0';
    if (r->only_indent) {
        qpw_page_add(r->page, QPW_PART_ROW, (unsigned)r->i + 1);
        qpw_page_fault(r->page, "this table stands under a condition (only::), which only its author can decide");
    }
}

static size_t number_option(const struct reader *r, size_t end, const char *name)
{
    size_t length = 0;
    const char *value = option(r, end, name, &length);

    return value && length ? strtoul(value, NULL, 10) : 0;
}

/* The separator that :delim: names. */
static char separator_of(const struct reader *r, size_t end)
{
    size_t length = 0;
    const char *value = option(r, end, "delim", &length);

    if (!value || !length)
        return ',';
    if (length == 3 && !strncmp(value, "tab", 3))
        return '\t';
    if (length == 5 && !strncmp(value, "space", 5))
        return ' ';
    return *value;
}

static int csv_table(struct reader *r, size_t end, const char *caption, size_t length)
{
    struct qpw_csv csv = {.name = r->name, .separator = separator_of(r, end), .n_titles = number_option(r, end, "header-rows")};
    size_t header_length = 0, file_length = 0, first = behind_options(r, end), size;
    const char *header = option(r, end, "header", &header_length);
    bool elsewhere = option(r, end, "file", &file_length) || option(r, end, "url", &file_length);
    char *text = NULL;
    FILE *out;
    int error = 0;

    begin_table(r, caption, length);
    if (elsewhere) {
        qpw_page_add(r->page, QPW_PART_ROW, (unsigned)r->i + 1);
        qpw_page_fault(r->page, "the rows of this table are in another file; import that one");
        return 0;
    }
    if (header) {
        char *titles = strndup(header, header_length);
        struct qpw_csv one = csv;

        one.line = (unsigned)r->i + 1;
        one.n_titles = 1;
        error = titles ? qpw_csv_rows(&one, titles, r->page, r->err)
                       : qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->name);
        free(titles);
    }
    out = error == 0 ? open_memstream(&text, &size) : NULL;
    if (!out)
        return error < 0 ? error : qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->name);
    for (size_t i = first; i < end; i++) {
        fwrite(text_at(r, i), 1, text_length(r, i), out);
        fputc('\n', out);
    }
    csv.line = (unsigned)first + 1;
    error = fclose(out) == 0 ? qpw_csv_rows(&csv, text, r->page, r->err)
                             : qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->name);
    free(text);
    return error;
}

/* What is between brackets of no meaning here: listings, raw text, comments. */
static bool is_opaque(const struct reader *r)
{
    static const char *const names[] = {"code-block", "code", "sourcecode", "highlight", "parsed-literal", "raw",
                                        "literalinclude", "math", "productionlist", "graphviz", "image", "figure",
                                        "toctree", "prompt", "meta", "index", NULL};
    const char *text = text_at(r, r->i);
    size_t length = text_length(r, r->i), ignored;

    for (size_t i = 0; names[i]; i++)
        if (directive(r, names[i], &ignored))
            return true;
    /* ".. words" is a comment, unless it is a directive, a target, a footnote or a substitution. */
    return length >= 2 && !strncmp(text, "..", 2) && (length == 2 || text[2] == ' ') && !memmem(text, length, "::", 2) &&
           !(length > 3 && strchr("_[|", text[3]));
}

static const char *tab_directive(const struct reader *r, size_t *ret_length)
{
    static const char *const names[] = {"tab", "tab-item", "group-tab", "code-tab", "tab-set-code", NULL};
    const char *label = NULL;

    for (size_t i = 0; names[i] && !label; i++)
        label = directive(r, names[i], ret_length);
    return label;
}

static void begin_tab(struct reader *r, const char *label, size_t length)
{
    char *copy = strndup(label, length);

    if (copy && r->n_tabs < sizeof(r->tab_indent) / sizeof(*r->tab_indent)) {
        qpw_rst_clean(copy);
        qpw_page_add_text(r->page, QPW_PART_TAB, (unsigned)r->i + 1, copy);
        r->tab_indent[r->n_tabs++] = indent_at(r, r->i);
    }
    free(copy);
    r->i++;
}

static int read_directive(struct reader *r, bool *ret_taken)
{
    size_t length = 0, end = behind_body(r, r->i + 1, indent_at(r, r->i));
    const char *argument = tab_directive(r, &length);
    int error = 0;

    *ret_taken = true;
    if (argument) {
        begin_tab(r, argument, length);
    } else if ((argument = directive(r, "list-table", &length))) {
        begin_table(r, argument, length);
        qpw_rst_list(&r->lines, behind_options(r, end), end, number_option(r, end, "header-rows"), r->page);
        r->i = end;
    } else if ((argument = directive(r, "csv-table", &length))) {
        error = csv_table(r, end, argument, length);
        r->i = end;
    } else if ((argument = directive(r, "table", &length))) {
        snprintf(r->caption, sizeof(r->caption), "%.*s", (int)length, argument);
        qpw_rst_clean(r->caption);
        r->i = behind_options(r, end);
    } else if (directive(r, "only", &length) || directive(r, "ifconfig", &length)) {
        r->only_indent = indent_at(r, r->i) + 1;
        r->i++;
    } else if (is_opaque(r)) {
        r->i = end;
    } else if (text_length(r, r->i) > 3 && !strncmp(text_at(r, r->i), ".. ", 3)) {
        r->i = behind_options(r, end); /* what it holds is read as if it stood alone */
    } else {
        *ret_taken = false;
    }
    return error;
}

/* ---- Lines ---- */

/* Lines up to a blank one as one paragraph; "::" at its end makes a listing of what is indented behind it. */
static void paragraph(struct reader *r)
{
    size_t first = r->i, indent = indent_at(r, r->i), size, last;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    while (out && length_at(r, r->i) && (r->i == first || !(is_bar(r, r->i + 1, 4) && !indent_at(r, r->i)))) {
        fwrite(text_at(r, r->i), 1, text_length(r, r->i), out);
        fputc('\n', out);
        r->i++;
    }
    last = r->i - (r->i > first);
    if (!out || fclose(out) != 0) {
        r->page->no_memory = true;
        r->i++;
        free(text);
        return;
    }
    qpw_rst_clean(text);
    if (*text)
        qpw_page_add_text(r->page, QPW_PART_TEXT, (unsigned)first + 1, text);
    free(text);
    if (length_at(r, last) >= 2 && !strncmp(line_at(r, last) + length_at(r, last) - 2, "::", 2))
        r->i = behind_body(r, r->i, indent);
}

static void end_blocks(struct reader *r)
{
    size_t indent = indent_at(r, r->i);

    while (r->n_tabs && indent <= r->tab_indent[r->n_tabs - 1]) {
        qpw_page_add(r->page, QPW_PART_TAB_END, (unsigned)r->i + 1);
        r->n_tabs--;
    }
    if (r->only_indent && indent + 1 <= r->only_indent)
        r->only_indent = 0;
}

static int read_line(struct reader *r)
{
    const char *line = line_at(r, r->i);
    size_t length = length_at(r, r->i);
    bool taken = false;
    int error;

    if (!length) {
        r->i++;
        return 0;
    }
    end_blocks(r);
    error = read_directive(r, &taken);
    if (taken || error < 0)
        return error;
    if (qpw_rst_is_grid_edge(line, length)) {
        begin_table(r, NULL, 0);
        r->i = qpw_rst_grid(&r->lines, r->i, r->page);
    } else if (qpw_rst_is_simple_edge(line, length)) {
        begin_table(r, NULL, 0);
        r->i = qpw_rst_simple(&r->lines, r->i, r->page);
    } else if (!title(r)) {
        paragraph(r);
    }
    return 0;
}

static bool split(const char *text, struct qpw_rst_lines *ret)
{
    size_t n = 1, i = 0;

    for (const char *p = text; *p; p++)
        n += *p == '\n';
    ret->at = calloc(n, sizeof(*ret->at));
    ret->length = calloc(n, sizeof(*ret->length));
    if (!ret->at || !ret->length)
        return false;
    for (const char *p = text; i < n; i++) {
        size_t length = strcspn(p, "\n"), end = length;

        while (end && isspace((unsigned char)p[end - 1]))
            end--;
        ret->at[i] = p;
        ret->length[i] = end;
        p += length + (p[length] == '\n');
    }
    ret->n = n;
    return true;
}

int qpw_read_rst(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err)
{
    struct reader r = {.name = name, .page = ret, .err = err};
    int error = split(text, &r.lines) ? 0 : qpw_fail(err, -ENOMEM, "%s: out of memory", name);

    while (error == 0 && r.i < r.lines.n && !ret->no_memory)
        error = read_line(&r);
    free(r.lines.at);
    free(r.lines.length);
    return error < 0 ? error : qpw_page_check(ret, name, err);
}
