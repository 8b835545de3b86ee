/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What other commands ask of the auditor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/alerts.h"
#include "audit/control.h"
#include "audit/internal.h"

/* "detach" ends everything; "detach eth0 eth1" only these, and everything with the last of them. */
static int detach(struct qpw_auditor *a, char *names, char *words, size_t size)
{
    struct qpw_watched *w;
    struct qpw_error err;
    char *save, *name = strtok_r(names, " \n", &save);

    a->stop = a->remove_all = !name;
    for (; name && !a->stop; name = strtok_r(NULL, " \n", &save)) {
        w = qpw_watch_find(a, name);
        if (!w) {
            snprintf(words, size, "%s: qportwatch is not attached to it", name);
            return QPW_EXIT_FAILED;
        }
        if (a->n_watched == 1) {
            a->stop = a->remove_all = true;
            break;
        }
        if (qpw_watch_remove(a, w, &err) < 0) {
            snprintf(words, size, "%s", err.text);
            return QPW_EXIT_FAILED;
        }
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_DETACHED, w->number, "By detach.");
        qpw_say(a, QPW_SAY_NOTE, "%s: detached", w->name);
        *w = a->watched[--a->n_watched];
        qpw_meta_write(&a->kernel, &a->meta, NULL);
    }
    return QPW_EXIT_OK;
}

static int serve(struct qpw_auditor *a, char *request, char *words, size_t size)
{
    char *rest = strchr(request, '\n');

    if (rest)
        *rest++ = '\0';
    else
        rest = request + strlen(request);
    if (!strcmp(request, "reload"))
        return qpw_audit_reload(a, rest, words, size);
    if (!strcmp(request, "detach"))
        return detach(a, rest, words, size);
    if (!strcmp(request, "alerts")) {
        qpw_alerts_describe(a, words, size);
        return QPW_EXIT_OK;
    }
    if (!strcmp(request, "status")) {
        snprintf(words, size, "%zu interfaces, %llu events", a->n_watched, (unsigned long long)a->events);
        return QPW_EXIT_OK;
    }
    snprintf(words, size, "unknown request '%s'", request);
    return QPW_EXIT_USAGE;
}

void qpw_requests_serve(struct qpw_auditor *a)
{
    char request[QPW_CONTROL_BYTES], words[QPW_CONTROL_BYTES - 16], answer[QPW_CONTROL_BYTES];
    int fd, r, status;

    while ((r = qpw_control_accept(a->lock_fd, &fd)) != -EAGAIN) {
        if (r == -EPERM)
            continue;
        if (r < 0)
            return;
        words[0] = '\0';
        if (qpw_control_receive(fd, request, sizeof(request)) > 0) {
            status = serve(a, request, words, sizeof(words));
            if (a->stop) { /* answered when it is done */
                a->asker_fd = fd;
                return;
            }
            snprintf(answer, sizeof(answer), "%d\n%s", status, words);
            qpw_control_send(fd, answer);
        }
        close(fd);
    }
}
