/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* markdown_tabs.c - tabs in the notations of GitBook, Hugo, MkDocs and Microsoft. */
#include <string.h>

#include "policy/page/markdown.h"

void qpw_md_end_table(struct qpw_md_converter *c)
{
    if (c->in_table)
        fputs("</tbody></table>", c->out);
    c->in_table = false;
}

/* Begin a tab whose label is the first quoted text in [p, end), or the value of title=, name= or label=. */
static void write_tab(struct qpw_md_converter *c, const char *p, const char *end)
{
    static const char *const keys[] = {"title=", "label=", "name=", "header=", NULL};
    const char *open = NULL, *close;
    char quote;

    for (size_t i = 0; keys[i] && !open; i++) {
        open = memmem(p, (size_t)(end - p), keys[i], strlen(keys[i]));
        if (open)
            open += strlen(keys[i]);
    }
    if (!open)
        for (open = p; open < end && *open != '"' && *open != '\''; open++)
            ;
    quote = open < end ? *open : 0;
    close = quote == '"' || quote == '\'' ? memchr(open + 1, quote, (size_t)(end - open - 1)) : NULL;
    fputs("<tabitem value=\"", c->out);
    while (end > p && strchr(" %-", end[-1]))
        end--;
    for (const char *q = close ? open + 1 : p; q < (close ? close : end); q++) /* unquoted: the whole text */
        if (*q != '"')
            qpw_md_write_escaped(c->out, *q);
    fputs("\">", c->out);
}

/* Turn {% tab title="…" %}, {{< tab "…" >}}, {% endtab %} and the like into elements. False: the line has none. */
bool qpw_md_tab_line(struct qpw_md_converter *c, const char *line, const char *end)
{
    const char *p = qpw_md_behind_blanks(line), *close;

    if (strncmp(p, "{%", 2) && strncmp(p, "{{<", 3) && strncmp(p, "{{%", 3))
        return false;
    close = memmem(p + 2, (size_t)(end - p - 2), "}", 1);
    if (!close)
        return false;
    qpw_md_end_table(c);
    p += p[1] == '%' ? 2 : 3;
    p += strspn(p, " -");
    if (!strncmp(p, "tab ", 4))
        write_tab(c, p + 4, close);
    else if (!strncmp(p, "endtab ", 7) || !strncmp(p, "/tab ", 5) || !strncmp(p, "/ tab", 5))
        fputs("</tabitem>", c->out);
    close += strspn(close, "}");
    qpw_md_write_raw(c->out, close, end);
    return true;
}

/* Begin a tab at === "Label" of MkDocs; end it at the first line that is not indented. */
bool qpw_md_indented_tab(struct qpw_md_converter *c, const char *line, const char *end)
{
    const char *p = qpw_md_behind_blanks(line);

    if (c->tab && !qpw_md_is_blank(line, end) && qpw_md_indentation(line) < 4) {
        qpw_md_end_table(c);
        fputs("</tabitem>", c->out);
        c->tab = false;
    }
    if (strncmp(p, "===", 3) || (p[3] != ' ' && p[3] != '!' && p[3] != '+') || !memchr(p, '"', (size_t)(end - p)))
        return false;
    qpw_md_end_table(c);
    write_tab(c, p + 3, end);
    c->tab = true;
    return true;
}

bool qpw_md_link_tab(struct qpw_md_converter *c, const char *line, const char *end)
{
    const char *p = qpw_md_behind_blanks(line), *target = memmem(line, (size_t)(end - line), "](#tab/", 7), *open;
    size_t marks = strspn(p, "-"), stars = strspn(p, "*");

    if (c->link_tab && ((marks >= 3 && qpw_md_is_blank(p + marks, end)) || (stars >= 3 && qpw_md_is_blank(p + stars, end)))) {
        qpw_md_end_table(c);
        fputs("</tabitem>", c->out);
        c->link_tab = false;
        return true;
    }
    open = target && *p == '#' ? memchr(p, '[', (size_t)(target - p)) : NULL;
    if (!open)
        return false;
    qpw_md_end_table(c);
    if (c->link_tab)
        fputs("</tabitem>", c->out);
    c->link_tab = true;
    fputs("<tabitem value=\"", c->out);
    for (const char *q = open + 1; q < target; q++)
        if (*q != '"' && *q != '*')
            qpw_md_write_escaped(c->out, *q);
    fputs("\">", c->out);
    return true;
}

bool qpw_md_colon_line(struct qpw_md_converter *c, const char *line, const char *end)
{
    static const char *const words[] = {"moniker", "zone"};
    const char *p = qpw_md_behind_blanks(line);

    if (strncmp(p, ":::", 3))
        return false;
    p = qpw_md_behind_blanks(p + strspn(p, ":"));
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t length = strlen(words[i]);

        if (strncmp(p, words[i], length) || (p[length] != ' ' && p[length] != '-'))
            continue;
        qpw_md_end_table(c);
        if (!strncmp(p + length, "-end", 4)) {
            fputs("</tabitem>", c->out);
            return true;
        }
        fputs("<tabitem condition value=\"", c->out);
        for (; p < end; p++)
            if (*p != '"' && *p != '\r')
                qpw_md_write_escaped(c->out, *p);
        fputs("\">", c->out);
        return true;
    }
    return false;
}
