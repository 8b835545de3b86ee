/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What other commands ask of the auditor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "control/control.h"
#include "auditor/internal.h"
#include "auditor/loop.h"

#define PATIENCE_TICKS 5u /* seconds for which a client may say nothing */

/* Cuts the names into pieces. How many; or -1 with words filled, where one of them is not watched. */
static int split(struct qpw_auditor *a, char *names, char *ret[QPW_MAX_IFACES], char *words, size_t size)
{
    char *save;
    int n = 0;

    for (char *name = strtok_r(names, " \n", &save); name && n < QPW_MAX_IFACES; name = strtok_r(NULL, " \n", &save)) {
        if (!qpw_watch_find(a, name)) {
            snprintf(words, size, "%s: qportwatch is not attached to it; 'qportwatch status' tells to what it is",
                     name);
            return -1;
        }
        ret[n++] = name;
    }
    return n;
}

/* "detach" ends everything; "detach eth0 eth1" only these, and everything with the last. A wrong name: nothing. */
static int detach(struct qpw_auditor *a, char *names, char *words, size_t size)
{
    char *list[QPW_MAX_IFACES];
    struct qpw_watched *w;
    struct qpw_error err;
    int n = split(a, names, list, words, size);

    if (n < 0)
        return QPW_EXIT_FAILED;
    a->stop = a->remove_all = n == 0;
    for (int i = 0; i < n && !a->stop; i++) {
        w = qpw_watch_find(a, list[i]);
        if (!w)
            continue; /* named twice */
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

/* 0: this client is done with, and closed; -EAGAIN: it has not spoken yet. */
static int speak_to(struct qpw_auditor *a, int fd)
{
    char request[QPW_CONTROL_BYTES], words[QPW_CONTROL_BYTES - 16] = "", answer[QPW_CONTROL_BYTES];
    ssize_t got = qpw_control_receive(fd, request, sizeof(request));
    int status;

    if (got == -EAGAIN)
        return -EAGAIN;
    if (got > 0) {
        status = serve(a, request, words, sizeof(words));
        if (a->stop) { /* answered when it is done */
            a->asker_fd = fd;
            return 0;
        }
        snprintf(answer, sizeof(answer), "%d\n%s", status, words);
        qpw_control_send(fd, answer);
    }
    close(fd);
    return 0;
}

static void forget(struct qpw_auditor *a, size_t client)
{
    memmove(&a->clients[client], &a->clients[client + 1], (--a->n_clients - client) * sizeof(*a->clients));
}

static void hang_up(struct qpw_auditor *a, size_t client)
{
    close(a->clients[client].fd);
    forget(a, client);
}

/* One that has not spoken is waited for in the loop; where too many do, the one that has been silent longest goes. */
static void wait_for(struct qpw_auditor *a, int fd)
{
    if (a->n_clients == QPW_CLIENTS)
        hang_up(a, 0);
    a->clients[a->n_clients++] = (struct qpw_client){.fd = fd};
    if (qpw_loop_watch_client(a, fd) < 0)
        hang_up(a, a->n_clients - 1);
}

void qpw_requests_accept(struct qpw_auditor *a)
{
    int fd, r;

    for (unsigned i = 0; i < QPW_CLIENTS && !a->stop; i++) { /* more wake the loop again */
        r = qpw_control_accept(a->lock_fd, &fd);
        if (r == -EPERM)
            continue;
        if (r < 0)
            return;
        if (speak_to(a, fd) == -EAGAIN)
            wait_for(a, fd);
    }
}

void qpw_requests_serve(struct qpw_auditor *a, int fd)
{
    for (size_t i = 0; i < a->n_clients; i++) {
        if (a->clients[i].fd != fd)
            continue;
        if (speak_to(a, fd) == 0)
            forget(a, i);
        return;
    }
}

void qpw_requests_tick(struct qpw_auditor *a)
{
    for (size_t i = a->n_clients; i-- > 0;)
        if (++a->clients[i].ticks > PATIENCE_TICKS)
            hang_up(a, i);
}

void qpw_requests_close(struct qpw_auditor *a)
{
    while (a->n_clients)
        hang_up(a, a->n_clients - 1);
}
