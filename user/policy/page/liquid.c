/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/page/liquid.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_PAIR_SEARCHES 2000u /* bounds the time for a page that consists of tags */

/* An if or unless that is open. */
struct branch {
    unsigned line;
    bool outer;  /* the enclosing text is shown */
    bool taken;  /* some branch was true before */
    bool had_else;
    bool unless;
};

struct renderer {
    const char *name;
    const char *platform;
    const char *text;
    const char *at;
    const char *end;
    unsigned line;
    char *out;
    size_t used;
    struct branch open[MAX_DEPTH];
    unsigned depth;
    bool shown;
    bool mentioned;
    unsigned pair_searches;
    size_t left;          /* rows of tables that are not shown */
    const char *hidden;   /* the block that hides its content: "comment" or "capture" */
    unsigned hidden_line;
    struct qpw_error *err;
};

static int bad(struct renderer *r, const char *what, const char *detail, size_t length)
{
    while (detail && length && isspace((unsigned char)detail[length - 1]))
        length--;
    return qpw_fail(r->err, -EINVAL, "%s:%u: %s%s%.*s%s", r->name, r->line, what, detail ? " '" : "",
                    detail ? (int)(length > 60 ? 60 : length) : 0, detail ? detail : "", detail ? "'" : "");
}

/* ---- Conditions ---- */

struct cursor {
    const char *at;
    const char *end;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && isspace((unsigned char)*c->at))
        c->at++;
}

static bool take(struct cursor *c, const char *word)
{
    size_t length = strlen(word);

    skip_space(c);
    if ((size_t)(c->end - c->at) < length || strncmp(c->at, word, length))
        return false;
    if (isalpha((unsigned char)*word) && c->at + length < c->end &&
        (isalnum((unsigned char)c->at[length]) || strchr("_.-", c->at[length])))
        return false;
    c->at += length;
    return true;
}

/* Read a quoted string, or page.platform, as text. */
static int operand(struct renderer *r, struct cursor *c, char *ret, size_t size)
{
    skip_space(c);
    if (take(c, "page.platform")) {
        snprintf(ret, size, "%s", r->platform);
        return 0;
    }
    if (c->at < c->end && (*c->at == '\'' || *c->at == '"')) {
        const char *close = memchr(c->at + 1, *c->at, (size_t)(c->end - c->at - 1));

        if (!close)
            return bad(r, "a string is not closed in a condition:", c->at, (size_t)(c->end - c->at));
        if ((size_t)(close - c->at - 1) >= size)
            return bad(r, "a string is too long in a condition", NULL, 0);
        snprintf(ret, size, "%.*s", (int)(close - c->at - 1), c->at + 1);
        c->at = close + 1;
        if (!strcmp(ret, r->platform))
            r->mentioned = true;
        return 0;
    }
    return bad(r, "a condition over something else than page.platform:", c->at, (size_t)(c->end - c->at));
}

static int comparison(struct renderer *r, struct cursor *c, bool *ret)
{
    char left[128], right[128];
    int error = operand(r, c, left, sizeof(left));
    bool equal, differs = false, contains = false;

    if (error < 0)
        return error;
    equal = take(c, "==");
    if (!equal)
        differs = take(c, "!=");
    if (!equal && !differs)
        contains = take(c, "contains");
    if (!equal && !differs && !contains) {
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): operand() fills it, or fails */
        *ret = *left;
        return 0;
    }
    error = operand(r, c, right, sizeof(right));
    if (error < 0)
        return error;
    *ret = contains ? strstr(left, right) != NULL : !strcmp(left, right) == equal;
    return 0;
}

/* Liquid has no precedence: `a and b or c` is `a and (b or c)`. Collect comparisons, then join them from the right. */
static int condition(struct renderer *r, struct cursor *c, bool *ret)
{
    bool values[MAX_DEPTH], is_and[MAX_DEPTH];
    unsigned n = 0;

    for (;;) {
        int error = comparison(r, c, &values[n]);

        if (error < 0)
            return error;
        is_and[n] = take(c, "and");
        if (!is_and[n] && !take(c, "or"))
            break;
        if (++n == MAX_DEPTH)
            return bad(r, "a condition with too many parts", NULL, 0);
    }
    skip_space(c);
    if (c->at < c->end)
        return bad(r, "not understood in a condition:", c->at, (size_t)(c->end - c->at));
    *ret = values[n];
    while (n-- > 0)
        *ret = is_and[n] ? values[n] && *ret : values[n] || *ret;
    return 0;
}

/* ---- Tags ---- */

static int open_branch(struct renderer *r, struct cursor *c, bool unless)
{
    struct branch branch = {.line = r->line, .outer = r->shown, .unless = unless};
    bool value;
    int error;

    if (r->depth == MAX_DEPTH)
        return bad(r, "conditions go too deep", NULL, 0);
    error = condition(r, c, &value);
    if (error < 0)
        return error;
    branch.taken = value != unless;
    r->shown = branch.outer && branch.taken;
    r->open[r->depth++] = branch;
    return 0;
}

static int next_branch(struct renderer *r, struct cursor *c, bool is_else)
{
    struct branch *branch = r->depth ? &r->open[r->depth - 1] : NULL;
    bool value = true;
    int error = 0;

    if (!branch || branch->had_else)
        return bad(r, is_else ? "else without an open if" : "elsif without an open if", NULL, 0);
    if (!is_else)
        error = condition(r, c, &value);
    if (error < 0)
        return error;
    branch->had_else = is_else;
    r->shown = branch->outer && !branch->taken && value;
    branch->taken |= value;
    return 0;
}

static int close_branch(struct renderer *r, bool unless)
{
    if (!r->depth || r->open[r->depth - 1].unless != unless)
        return bad(r, unless ? "endunless without an open unless" : "endif without an open if", NULL, 0);
    r->shown = r->open[--r->depth].outer;
    return 0;
}

/* Write U+FFFC in place of text that is not on this page. */
static void elsewhere(struct renderer *r)
{
    if (r->shown && !r->hidden) {
        memcpy(r->out + r->used, "\xef\xbf\xbc", 3);
        r->used += 3;
    }
}

/* Return whether the tag has an end tag. */
static bool is_paired(struct renderer *r, const char *mark, const char *word, size_t length)
{
    return ++r->pair_searches <= MAX_PAIR_SEARCHES && qpw_liquid_is_paired(r->at, r->end, mark, word, length);
}

/* Process one tag; *ret_keep: leave it in the text. */
static int tag(struct renderer *r, struct cursor c, bool *ret_keep)
{
    static const char *const control[] = {"for", "endfor", "case", "when", "endcase", "tablerow", "endtablerow",
                                          "cycle", "increment", "decrement", "break", "continue", "ifchanged",
                                          "endifchanged", "liquid", "paginate", "endpaginate", "raw", "endraw"};
    const char *word;
    size_t length;

    skip_space(&c);
    word = c.at;
    while (c.at < c.end && (isalnum((unsigned char)*c.at) || *c.at == '_'))
        c.at++;
    length = (size_t)(c.at - word);
#define IS(text) (length == strlen(text) && !strncmp(word, text, length))
    if (r->hidden) {
        if (length > 3 && !strncmp(word, "end", 3) && length - 3 == strlen(r->hidden) &&
            !strncmp(word + 3, r->hidden, length - 3))
            r->hidden = NULL;
        return 0;
    }
    if (IS("if") || IS("unless"))
        return open_branch(r, &c, IS("unless"));
    if (IS("elsif") || IS("else"))
        return next_branch(r, &c, IS("else"));
    if (IS("endif") || IS("endunless"))
        return close_branch(r, IS("endunless"));
    if (IS("assign"))
        return 0;
    if (IS("comment") || IS("capture")) {
        r->hidden = IS("comment") ? "comment" : "capture";
        r->hidden_line = r->line;
        return 0;
    }
    if (IS("include") || IS("include_relative") || IS("render")) {
        elsewhere(r);
        return 0;
    }
    if (qpw_liquid_chooses(word, length))
        return bad(r, "a tag that may hide what it is around:", word, length);
    /* Loops and choices are not guessed; any other tag only surrounds its text (GitBook's hints and tabs). */
    for (size_t i = 0; i < sizeof(control) / sizeof(*control); i++)
        if (IS(control[i]))
            return bad(r, "a Liquid tag that is not understood:", word, length);
    *ret_keep = IS("tab") || IS("endtab");
#undef IS
    if (!*ret_keep && strncmp(word, "end", 3) && !is_paired(r, "end", word, length))
        elsewhere(r);
    return 0;
}

/* ---- Text ---- */

static void keep_line_ends(struct renderer *r, const char *from, const char *to)
{
    for (; from < to; from++)
        if (*from == '\n')
            r->out[r->used++] = '\n';
}

static unsigned count_lines(const char *from, const char *to)
{
    unsigned lines = 0;

    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

/* Skip front matter: "---" on the first line up to the next such line. */
static void skip_front_matter(struct renderer *r)
{
    const char *close;

    if (r->end - r->at < 4 || strncmp(r->at, "---", 3) || (r->at[3] != '\n' && r->at[3] != '\r'))
        return;
    for (close = r->at + 3; (close = memmem(close, (size_t)(r->end - close), "\n---", 4)); close += 4)
        if (close + 4 == r->end || close[4] == '\n' || close[4] == '\r')
            break;
    if (!close)
        return;
    keep_line_ends(r, r->at, close + 1);
    r->line += count_lines(r->at, close + 1);
    r->at = close + 4;
}

static bool is_tab_shortcode(struct cursor c)
{
    static const char *const words[] = {"tab", "/tab"};

    c.at++;
    skip_space(&c);
    for (size_t i = 0; i < 2; i++)
        if (take(&c, words[i]) && (c.at == c.end || isspace((unsigned char)*c.at) || strchr(">%", *c.at)))
            return true;
    return false;
}

/* Process {{< name … >}} and {{% name … %}} of Hugo. */
static int shortcode(struct renderer *r, struct cursor c, bool *ret_keep)
{
    size_t length = 0;

    *ret_keep = is_tab_shortcode(c);
    c.at++;
    skip_space(&c);
    while (c.at + length < c.end && (isalnum((unsigned char)c.at[length]) || strchr("-_", c.at[length])))
        length++;
    if (!*ret_keep && qpw_liquid_chooses(c.at, length))
        return bad(r, "a tag that may hide what it is around:", c.at, length);
    if (!*ret_keep && length && !is_paired(r, "/", c.at, length))
        elsewhere(r);
    return 0;
}

/* Process the bracket at r->at, {% … %} or {{ … }}. */
static int bracket(struct renderer *r)
{
    bool is_tag = r->at[1] == '%', keep = false;
    const char *close = memmem(r->at + 2, (size_t)(r->end - r->at - 2), is_tag ? "%}" : "}}", 2);
    struct cursor inner = {r->at + 2, close};
    int error = 0;

    if (!close)
        return bad(r, is_tag ? "{% is not closed" : "{{ is not closed", NULL, 0);
    if (inner.at < inner.end && *inner.at == '-')
        inner.at++;
    if (inner.at < inner.end && inner.end[-1] == '-')
        inner.end--;
    if (is_tag)
        error = tag(r, inner, &keep);
    else if (*inner.at == '<' || *inner.at == '%')
        error = shortcode(r, inner, &keep);
    else
        elsewhere(r);
    if (keep && r->shown && !r->hidden) {
        memcpy(r->out + r->used, r->at, (size_t)(close + 2 - r->at));
        r->used += (size_t)(close + 2 - r->at);
    } else {
        keep_line_ends(r, r->at, close + 2);
    }
    r->line += count_lines(r->at, close + 2);
    r->at = close + 2;
    return error;
}

static int render(struct renderer *r)
{
    int error = 0;

    skip_front_matter(r);
    while (r->at < r->end && error == 0) {
        if (r->at + 1 < r->end && *r->at == '{' && (r->at[1] == '%' || (r->at[1] == '{' && !r->hidden))) {
            error = bracket(r);
            continue;
        }
        if (*r->at == '\n')
            r->line++;
        if ((!r->shown || (r->hidden && strcmp(r->hidden, "comment"))) && (*r->at == '|' || *r->at == '<'))
            r->left += qpw_liquid_is_row(r->text, r->at, r->end);
        if (*r->at == '\n' || (r->shown && !r->hidden))
            r->out[r->used++] = *r->at;
        r->at++;
    }
    if (error == 0 && r->hidden) {
        r->line = r->hidden_line;
        error = bad(r, "never closed:", r->hidden, strlen(r->hidden));
    } else if (error == 0 && r->depth) {
        r->line = r->open[r->depth - 1].line;
        error = bad(r, r->open[r->depth - 1].unless ? "unless without endunless" : "if without endif", NULL, 0);
    }
    r->out[r->used] = '\0';
    return error;
}

int qpw_liquid_render(const char *name, const char *text, size_t length, const char *platform,
                      struct qpw_liquid_text *ret, struct qpw_error *err)
{
    struct renderer r = {.name = name, .platform = platform, .text = text, .at = text, .end = text + length, .line = 1,
                         .shown = true, .err = err, .out = malloc(length + 1)};
    int error = r.out ? render(&r) : qpw_fail(err, -ENOMEM, "%s: out of memory", name);

    if (error < 0) {
        free(r.out);
        return error;
    }
    *ret = (struct qpw_liquid_text){.text = r.out, .left = r.left, .mentioned = r.mentioned};
    return 0;
}
