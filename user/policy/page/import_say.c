/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Errors and warnings of an import, each reported once, with the line of the page. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/page/import_int.h"
#include "util/array.h"
#include "util/text.h"

static void add_line(struct qpw_importer *im, struct qpw_lines *lines, unsigned line, const char *format, va_list args)
{
    char what[640];
    char **slot;

    vsnprintf(what, sizeof(what), format, args);
    for (char *p = what; *p; p++)
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    qpw_text_clean(what);
    for (size_t i = 0; i < lines->n; i++) { /* each only once */
        const char *old = lines->list[i] + strlen(im->name);
        char *end;

        if (strtoul(old + 1, &end, 10) == line && !strcmp(end + 2, what))
            return;
    }
    slot = lines->n < 2000 ? QPW_ADD(lines->list, lines->n) : NULL;
    if (!slot) {
        im->no_memory |= lines->n < 2000;
        return;
    }
    if (asprintf(slot, "%s:%u: %s", im->name, line ? line : 1, what) < 0) {
        *slot = NULL;
        im->no_memory = true;
        return;
    }
    lines->n++;
}

void qpw_import_error(struct qpw_importer *im, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_line(im, &im->out.errors, line, format, args);
    va_end(args);
}

void qpw_import_warn(struct qpw_importer *im, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_line(im, &im->out.warnings, line, format, args);
    va_end(args);
}
