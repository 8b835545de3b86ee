/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/error.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

int qpw_fail(struct qpw_error *err, int code, const char *format, ...)
{
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    for (char *c = err->text; *c; c++)
        if (iscntrl((unsigned char)*c)) /* a name can have a line break */
            *c = '?';
    return code;
}
