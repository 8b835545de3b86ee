/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/text_page.h"

#include "words/words.h"

size_t qpw_text_limit(const struct qpw_text_page *p, size_t few)
{
    return p->o->all ? 0 : few;
}

void qpw_text_more(const struct qpw_text_page *p, size_t left, const char *noun)
{
    char count[24];

    if (left)
        qpw_print_line(&p->printer, "  and %s more %s%s (shown with --all; complete in --json)",
                       qpw_words_count(left, count, sizeof(count)), noun, left == 1 ? "" : "s");
}
