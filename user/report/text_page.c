/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/text_page.h"

size_t qpw_text_limit(const struct qpw_text_page *p, size_t few)
{
    return p->o->all ? 0 : few;
}

void qpw_text_more(const struct qpw_text_page *p, size_t left, const char *noun)
{
    if (left)
        qpw_print_line(&p->printer, "  and %zu more %s%s (shown with --all; complete in --json)", left, noun,
                       left == 1 ? "" : "s");
}
