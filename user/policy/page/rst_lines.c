/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rst_lines.c - access to the lines of a reStructuredText. */
#include <string.h>

#include "policy/page/rst.h"

const char *qpw_rst_line_at(const struct qpw_rst_reader *r, size_t i)
{
    return i < r->lines.n ? r->lines.at[i] : "";
}

size_t qpw_rst_length_at(const struct qpw_rst_reader *r, size_t i)
{
    return i < r->lines.n ? r->lines.length[i] : 0;
}

size_t qpw_rst_indent_at(const struct qpw_rst_reader *r, size_t i)
{
    return qpw_rst_indent(qpw_rst_line_at(r, i), qpw_rst_length_at(r, i));
}

const char *qpw_rst_text_at(const struct qpw_rst_reader *r, size_t i)
{
    return qpw_rst_line_at(r, i) + strspn(qpw_rst_line_at(r, i), " \t");
}

size_t qpw_rst_text_length(const struct qpw_rst_reader *r, size_t i)
{
    return qpw_rst_length_at(r, i) - (qpw_rst_length_at(r, i) ? (size_t)(qpw_rst_text_at(r, i) - qpw_rst_line_at(r, i)) : 0);
}

size_t qpw_rst_behind_body(const struct qpw_rst_reader *r, size_t i, size_t indent)
{
    while (i < r->lines.n && (!qpw_rst_length_at(r, i) || qpw_rst_indent_at(r, i) > indent))
        i++;
    return i;
}
