/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/changelist.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_LINE 200 /* room for what is said about the rest */

void qpw_changelist_add(struct qpw_changelist *list, const char *format, ...)
{
    char **grown = reallocarray(list->lines, list->n + 1, sizeof(*grown)), *line;
    va_list args;
    int length;

    if (grown)
        list->lines = grown;
    va_start(args, format);
    length = grown ? vasprintf(&line, format, args) : -1;
    va_end(args);
    if (length < 0)
        list->incomplete = true;
    else
        list->lines[list->n++] = line;
}

const char *qpw_changelist_text(const struct qpw_changelist *list, char *buf, size_t size)
{
    size_t used = 0, i, needed = 0;

    *buf = '\0';
    for (i = 0; i < list->n; i++)
        needed += strlen(list->lines[i]) + 3;
    if (list->incomplete || needed >= size)
        size -= LAST_LINE;
    for (i = 0; i < list->n && used + strlen(list->lines[i]) + 3 < size; i++)
        used += (size_t)sprintf(buf + used, "\n  %s", list->lines[i]);
    if (i < list->n)
        snprintf(buf + used, LAST_LINE, "\n  and %zu more; 'qportwatch policy diff OLD NEW' tells every difference of "
                 "two policies, 'qportwatch policy show' every row of one", list->n - i);
    else if (list->incomplete)
        snprintf(buf + used, LAST_LINE, "\n  and more, for which the memory did not suffice");
    return buf;
}

void qpw_changelist_clear(struct qpw_changelist *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->lines[i]);
    free(list->lines);
    *list = (struct qpw_changelist){0};
}
