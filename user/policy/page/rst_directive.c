/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rst_directive.c - directives: list-table, csv-table, tabs, conditions, and those without tables. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/rst.h"

/* Return the argument of ".. name:: argument" and its length, if the line is that directive. */
static const char *directive(const struct qpw_rst_reader *r, const char *name, size_t *ret_length)
{
    const char *text = qpw_rst_text_at(r, r->i);
    size_t length = qpw_rst_text_length(r, r->i), n = strlen(name);

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

/* Return the value of ":name: value" among a directive's options; NULL: not given. */
static const char *option(const struct qpw_rst_reader *r, size_t end, const char *name, size_t *ret_length)
{
    for (size_t i = r->i + 1; i < end && qpw_rst_length_at(r, i) && *qpw_rst_text_at(r, i) == ':'; i++) {
        const char *text = qpw_rst_text_at(r, i);
        size_t length = qpw_rst_text_length(r, i), n = strlen(name);

        if (length < n + 2 || strncmp(text + 1, name, n) || text[n + 1] != ':')
            continue;
        for (n += 2; n < length && isspace((unsigned char)text[n]); n++)
            ;
        *ret_length = length - n;
        return text + n;
    }
    return NULL;
}

static size_t behind_options(const struct qpw_rst_reader *r, size_t end)
{
    size_t i = r->i + 1;

    while (i < end && qpw_rst_length_at(r, i) && *qpw_rst_text_at(r, i) == ':')
        i++;
    return i;
}

void qpw_rst_begin_table(struct qpw_rst_reader *r, const char *caption, size_t length)
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

static size_t number_option(const struct qpw_rst_reader *r, size_t end, const char *name)
{
    size_t length = 0;
    const char *value = option(r, end, name, &length);

    return value && length ? strtoul(value, NULL, 10) : 0;
}

/* Return the separator of :delim:. */
static char separator_of(const struct qpw_rst_reader *r, size_t end)
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

static int csv_table(struct qpw_rst_reader *r, size_t end, const char *caption, size_t length)
{
    struct qpw_csv csv = {.name = r->name, .separator = separator_of(r, end), .n_titles = number_option(r, end, "header-rows")};
    size_t header_length = 0, file_length = 0, first = behind_options(r, end), size;
    const char *header = option(r, end, "header", &header_length);
    bool elsewhere = option(r, end, "file", &file_length) || option(r, end, "url", &file_length);
    char *text = NULL;
    FILE *out;
    int error = 0;

    qpw_rst_begin_table(r, caption, length);
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
        fwrite(qpw_rst_text_at(r, i), 1, qpw_rst_text_length(r, i), out);
        fputc('\n', out);
    }
    csv.line = (unsigned)first + 1;
    error = fclose(out) == 0 ? qpw_csv_rows(&csv, text, r->page, r->err)
                             : qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->name);
    free(text);
    return error;
}

/* Return whether the directive's body is not read: listings, raw text, comments. */
static bool is_opaque(const struct qpw_rst_reader *r)
{
    static const char *const names[] = {"code-block", "code", "sourcecode", "highlight", "parsed-literal",
                                        "literalinclude", "math", "productionlist", "graphviz", "image", "figure",
                                        "toctree", "prompt", "meta", "index", NULL};
    const char *text = qpw_rst_text_at(r, r->i);
    size_t length = qpw_rst_text_length(r, r->i), ignored;

    for (size_t i = 0; names[i]; i++)
        if (directive(r, names[i], &ignored))
            return true;
    /* ".. words" is a comment, unless it is a directive, a target, a footnote or a substitution. */
    return length >= 2 && !strncmp(text, "..", 2) && (length == 2 || text[2] == ' ') && !memmem(text, length, "::", 2) &&
           !(length > 3 && strchr("_[|", text[3]));
}

static const char *tab_directive(const struct qpw_rst_reader *r, size_t *ret_length)
{
    static const char *const names[] = {"tab", "tab-item", "group-tab", "code-tab", "tab-set-code", "dropdown", "collapse",
                                        "details", NULL};
    const char *label = NULL;

    for (size_t i = 0; names[i] && !label; i++)
        label = directive(r, names[i], ret_length);
    return label;
}

static void begin_tab(struct qpw_rst_reader *r, const char *label, size_t length)
{
    char *copy = strndup(label, length);
    size_t ignored;
    bool fold = directive(r, "dropdown", &ignored) || directive(r, "collapse", &ignored) || directive(r, "details", &ignored);
    struct qpw_part *part;

    if (copy && r->n_tabs < sizeof(r->tab_indent) / sizeof(*r->tab_indent)) {
        qpw_rst_clean(copy);
        part = qpw_page_add_text(r->page, QPW_PART_TAB, (unsigned)r->i + 1, copy);
        if (part && fold)
            part->level = QPW_TAB_FOLD;
        r->tab_indent[r->n_tabs++] = qpw_rst_indent_at(r, r->i);
    }
    free(copy);
    r->i++;
}

/* Raw text for a browser: note that a table in it is not read. */
static void add_raw(struct qpw_rst_reader *r, size_t end)
{
    for (size_t i = r->i + 1; i < end; i++)
        if (strncasecmp(qpw_rst_text_at(r, i), "<table", 6) == 0) {
            qpw_page_add(r->page, QPW_PART_TABLE, (unsigned)i + 1);
            qpw_page_add(r->page, QPW_PART_ROW, (unsigned)i + 1);
            qpw_page_fault(r->page, "a table in raw HTML is not read; import the HTML edition");
            return;
        }
    qpw_page_add(r->page, QPW_PART_LISTING, (unsigned)r->i + 1);
}

/* Add the title of a box as a paragraph: "deprecated: 5.0" may withdraw the ports in it. */
static void add_note(struct qpw_rst_reader *r)
{
    static const char *const names[] = {"admonition", "note", "warning", "danger", "caution", "attention", "important", "hint",
                                        "tip", "error", "deprecated", "versionremoved", "versionchanged", "topic", "sidebar",
                                        NULL};
    size_t length = 0;

    for (size_t i = 0; names[i]; i++) {
        const char *argument = directive(r, names[i], &length);
        char *text;

        if (!argument || (!length && strcmp(names[i], "deprecated") && strcmp(names[i], "versionremoved")))
            continue;
        if (asprintf(&text, "%s: %.*s", strcmp(names[i], "versionremoved") ? names[i] : "deprecated", (int)length, argument) < 0) {
            r->page->no_memory = true;
            return;
        }
        qpw_rst_clean(text);
        qpw_page_add_text(r->page, QPW_PART_TEXT, (unsigned)r->i + 1, text);
        free(text);
        return;
    }
}

int qpw_rst_read_directive(struct qpw_rst_reader *r, bool *ret_taken)
{
    size_t length = 0, end = qpw_rst_behind_body(r, r->i + 1, qpw_rst_indent_at(r, r->i));
    const char *argument = tab_directive(r, &length);
    int error = 0;

    *ret_taken = true;
    if (argument) {
        begin_tab(r, argument, length);
    } else if ((argument = directive(r, "list-table", &length))) {
        qpw_rst_begin_table(r, argument, length);
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
        r->only_indent = qpw_rst_indent_at(r, r->i) + 1;
        r->i++;
    } else if (directive(r, "raw", &length)) {
        add_raw(r, end);
        r->i = end;
    } else if (is_opaque(r)) {
        qpw_page_add(r->page, QPW_PART_LISTING, (unsigned)r->i + 1);
        r->i = end;
    } else if (qpw_rst_text_length(r, r->i) > 3 && !strncmp(qpw_rst_text_at(r, r->i), ".. ", 3)) {
        add_note(r);
        r->i = behind_options(r, end); /* read its content as if it stood alone */
    } else {
        *ret_taken = false;
    }
    return error;
}
