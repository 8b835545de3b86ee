/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_reading.c - a row while it is being read: its cells, and its outcome. */
#include "policy/page/import_reading.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const char *qpw_reading_cell_of(const struct qpw_reading *r, enum qpw_page_column column)
{
    int at = qpw_import_column(r->table, column);

    return at >= 0 ? r->part->cells[at].text : NULL;
}

const char *qpw_reading_name_of(const struct qpw_reading *r, enum qpw_page_column column)
{
    int at = qpw_import_column(r->table, column);

    return at >= 0 ? r->table->names[at] : "";
}

int qpw_reading_fail(struct qpw_reading *r, const char *column, const char *format, ...)
{
    char what[320];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if (asprintf(&r->row->text, "%s%.80s%s%s%.60s%s%s", *r->row->purpose ? "'" : "", r->row->purpose,
                 *r->row->purpose ? "': " : "", column ? "column '" : "", column ? column : "", column ? "': " : "",
                 what) < 0) {
        r->row->text = NULL;
        r->im->no_memory = true;
    }
    r->row->state = QPW_ROW_FAILED;
    return -EINVAL;
}

int qpw_reading_leave(struct qpw_reading *r, const char *first, const char *between, const char *second)
{
    if (asprintf(&r->row->text, "'%.80s'%s%s%.80s%s", first, between, second ? "'" : "", second ? second : "",
                 second ? "'" : "") < 0) {
        r->row->text = NULL;
        r->im->no_memory = true;
    }
    for (char *p = r->row->text; p && *p; p++)
        if (*p == '\n')
            *p = ' ';
    r->row->state = QPW_ROW_OTHERS;
    return -EINVAL;
}

bool qpw_reading_is_prose(enum qpw_page_column column)
{
    return column == QPW_COLUMN_USE || column == QPW_COLUMN_OTHER;
}
