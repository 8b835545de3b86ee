/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the service manager is told. */
#include <stdarg.h>
#include <stdio.h>

#include "auditor/internal.h"
#include "host/notify.h"

static bool ready; /* of this process: said once */

static bool is_attached(const struct qpw_auditor *a)
{
    for (size_t i = 0; i < a->n_watched; i++)
        if (a->watched[i].ifindex)
            return true;
    return false;
}

void qpw_service_ready(struct qpw_auditor *a)
{
    if (ready)
        return;
    ready = is_attached(a);
    if (ready)
        qpw_notify("READY=1\nSTATUS=Monitoring.");
    else
        qpw_notify("STATUS=Waiting for an interface to monitor.");
}

void qpw_service_status(const char *format, ...)
{
    char text[400];
    va_list args;
    int length = snprintf(text, sizeof(text), "STATUS=");

    va_start(args, format);
    vsnprintf(text + length, sizeof(text) - (size_t)length, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        *p = *p == '\n' ? ' ' : *p; /* one line: the next would be another message */
    qpw_notify(text);
}

void qpw_service_alive(void)
{
    qpw_notify("WATCHDOG=1");
}

void qpw_service_stopping(void)
{
    qpw_notify("STOPPING=1");
}
