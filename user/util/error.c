/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "util/text.h"

int(qpw_fail)(struct qpw_error *err, int code, const char *format, ...) /* not the macro of tests/analyzer.h */
{
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    qpw_text_clean(err->text);
    return code;
}
