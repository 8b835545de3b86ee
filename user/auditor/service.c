/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Report the state to the service manager. */
#include <stdarg.h>
#include <stdio.h>

#include "auditor/internal.h"
#include "host/notify.h"

static bool ready; /* sent once per process */

/*
 * Store the programs, which keep all counters alive, with the service manager. If they are removed from every hook
 * while no auditor runs, a restarted auditor still has them.
 */
static void store(const struct qpw_auditor *a)
{
    static size_t stored; /* number stored; interfaces of another kind add more */
    int fds[QPW_NOTIFY_FDS];
    size_t n = 0;

    for (enum qpw_program p = 0; p < QPW_PROG_INTERFACES && n < QPW_NOTIFY_FDS; p++)
        if (a->kernel.prog_fd[p] >= 0)
            fds[n++] = a->kernel.prog_fd[p];
    if (n == stored)
        return;
    qpw_service_forget(); /* drop those of an earlier auditor */
    if (qpw_notify_with("FDSTORE=1\nFDPOLL=0\nFDNAME=" QPW_SERVICE_STORE, fds, n) > 0)
        stored = n;
}

void qpw_service_forget(void)
{
    qpw_notify("FDSTOREREMOVE=1\nFDNAME=" QPW_SERVICE_STORE);
}

static bool is_attached(const struct qpw_auditor *a)
{
    for (size_t i = 0; i < a->n_watched; i++)
        if (a->watched[i].ifindex)
            return true;
    return false;
}

void qpw_service_ready(struct qpw_auditor *a)
{
    if (is_attached(a))
        store(a);
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
        *p = *p == '\n' ? ' ' : *p; /* one line only: the next would be another message */
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
