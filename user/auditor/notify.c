/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "control/control.h"
#include "auditor/internal.h"

void qpw_auditor_notify(struct qpw_auditor *a, enum qpw_auditor_notify kind, const char *format, ...)
{
    char line[QPW_NOTIFY_BYTES];
    va_list args;

    if (!a->options.notify)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    a->options.notify(a->options.notify_arg, kind, line);
}
