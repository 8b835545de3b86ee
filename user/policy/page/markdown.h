/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* markdown.h - headings and pipe tables of Markdown as HTML, everything else as it stands. */
#ifndef QPW_POLICY_MARKDOWN_H
#define QPW_POLICY_MARKDOWN_H

#include "util/error.h"

/*
 * Lines outside <table>…</table> that are headings ("## …") or belong to a pipe table become HTML on
 * the same line; a blank line becomes a paragraph's end. Links, code marks and footnote marks within
 * table cells are taken away. 0, or negative errno with err "NAME:LINE: what"; the caller frees *ret.
 */
int qpw_markdown_to_html(const char *name, const char *text, char **ret, struct qpw_error *err);

#endif
