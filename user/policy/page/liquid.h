/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * liquid.h - the part of Liquid that decides what a Jekyll page contains for one platform.
 *
 * Evaluated are if, elsif, else, endif, unless, endunless over page.platform with ==, !=, contains, and, or (from right
 * to left, as in Liquid); comment, capture and assign are dropped. An include and {{ output }} become U+FFFC: text that
 * this page does not contain. Tabs (GitBook's, Hugo's) are left to the Markdown reader; other tags that surround text
 * are dropped. Loops and other choices are an error with their line, because a half-understood page would give a wrong
 * policy.
 */
#ifndef QPW_POLICY_LIQUID_H
#define QPW_POLICY_LIQUID_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * Render text (called `name` in errors). Line numbers stay the same: dropped text, such as front matter, leaves its
 * line ends. 0 with *ret filled, or -EINVAL with err "NAME:LINE: message" and *ret unchanged.
 */
struct qpw_liquid_text {
    char *text;     /* the caller frees it */
    size_t left;    /* rows of tables excluded by conditions */
    bool mentioned; /* a condition names the platform */
};
int qpw_liquid_render(const char *name, const char *text, size_t length, const char *platform,
                      struct qpw_liquid_text *ret, struct qpw_error *err);

/*
 * Return whether a row of a table, not one of titles, begins at `at`; the text extends to `end`, where a '\0' stands.
 */
bool qpw_liquid_is_row(const char *text, const char *at, const char *end);

/*
 * Return whether the end tag follows, `mark` and the tag's name: {% endname, {{< /name. A tag without one inserts text.
 */
bool qpw_liquid_is_paired(const char *at, const char *end, const char *mark, const char *word, size_t length);

/* Return whether another system's tag of that name shows its content to some readers only: ifversion, hidden, only. */
bool qpw_liquid_chooses(const char *word, size_t length);

#endif
