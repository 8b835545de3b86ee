/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/fail_on.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words/words.h"
#include "util/names.h"

int qpw_condition_parse(const char *text, struct qpw_condition *ret)
{
    struct qpw_condition c = {.percent = -1};
    size_t length = strcspn(text, "=");
    char *end;

    if (!strcmp(text, "gap")) {
        c.gap = true;
        *ret = c;
        return 0;
    }
    for (unsigned i = QPW_VERDICT_NONE + 1; i < QPW_VERDICT_COUNT; i++)
        if (strlen(qpw_verdict_name(i)) == length && !strncmp(qpw_verdict_name(i), text, length))
            c.verdict = i;
    if (c.verdict == QPW_VERDICT_NONE)
        return -EINVAL;
    if (text[length] == '=') {
        if (!isdigit((unsigned char)text[length + 1]))
            return -EINVAL;
        c.percent = strtod(text + length + 1, &end);
        if (*end == '%')
            end++;
        if (*end || c.percent > 100)
            return -EINVAL;
    }
    *ret = c;
    return 0;
}

bool qpw_condition_holds(const struct qpw_condition *c, const struct qpw_report *r, char *why, size_t size)
{
    uint64_t packets = r->totals.by_verdict[c->verdict].packets, all = r->totals.all.packets;
    char count[64], noun[32], share[16];

    if (c->gap) {
        if (r->n_gaps)
            snprintf(why, size, "%s in the coverage", qpw_words_many(r->n_gaps, "gap", count, sizeof(count)));
        return r->n_gaps;
    }
    if (!packets || (c->percent >= 0 && qpw_percent_of(packets, all) <= c->percent))
        return false;
    snprintf(noun, sizeof(noun), "%s packet", qpw_verdict_name(c->verdict));
    snprintf(why, size, "%s, %s of all", qpw_words_many(packets, noun, count, sizeof(count)),
             qpw_words_share(packets, all, share, sizeof(share)));
    return true;
}
