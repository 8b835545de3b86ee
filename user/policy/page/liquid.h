/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * liquid.h - the part of Liquid that decides what a Jekyll page says for one platform.
 *
 * if, elsif, else, endif, unless, endunless over page.platform with ==, !=, contains, and, or (from
 * right to left, as Liquid does it); comment, capture and assign are dropped. An include and {{ output }} leave U+FFFC:
 * there is text that this page does not have. Tabs (GitBook's, Hugo's) stay for the reader of Markdown, other tags that
 * stand around text are dropped. Loops and other choices are an error with their line: a page half understood would make
 * a wrong policy.
 */
#ifndef QPW_POLICY_LIQUID_H
#define QPW_POLICY_LIQUID_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * Renders text (named `name` in errors). Every line stays where it is: what is dropped leaves its line
 * ends, and so does front matter. 0 with *ret filled, or -EINVAL with err "NAME:LINE: what" and *ret untouched.
 */
struct qpw_liquid_text {
    char *text;     /* the caller frees it */
    size_t left;    /* rows of tables that conditions exclude */
    bool mentioned; /* a condition names the platform */
};
int qpw_liquid_render(const char *name, const char *text, size_t length, const char *platform,
                      struct qpw_liquid_text *ret, struct qpw_error *err);

/* Whether a row of a table, not one of titles, begins at `at`; the text goes on to `end`, where a '\0' stands. */
bool qpw_liquid_is_row(const char *text, const char *at, const char *end);

/* Whether the end of what a tag is around is behind it, `mark` and the tag's name: {% endname, {{< /name. A tag without an
 * end puts text in. */
bool qpw_liquid_is_paired(const char *at, const char *end, const char *mark, const char *word, size_t length);

/* Whether a tag of others, by its name, shows what it is around to some readers only: ifversion, hidden, only. */
bool qpw_liquid_chooses(const char *word, size_t length);

#endif
