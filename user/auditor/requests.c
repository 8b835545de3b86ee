/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Serve requests of other commands. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "control/control.h"
#include "control/message.h"
#include "control/peer.h"
#include "auditor/internal.h"
#include "auditor/lives.h"
#include "auditor/owners.h"
#include "auditor/sources.h"
#include "words/words.h"

#define PATIENCE_TICKS 5u /* seconds that a client may be silent */
#define REFUSED_TICKS 60u  /* seconds between lines about refused requests */
#define NAME_BYTES 128u  /* maximum length of an interface name, including alternative ones */

/* Read the interfaces of a request. Return their number, or a negative errno with err filled. */
static int read_names(struct qpw_auditor *a, const json_t *request, char ret[QPW_MAX_IFACES][NAME_BYTES],
                      struct qpw_error *err)
{
    const json_t *list = json_object_get(request, "interfaces");
    size_t n = json_array_size(list);

    if (list && !json_is_array(list))
        return qpw_fail(err, -EBADMSG, "control message: interfaces are not a list");
    if (n > QPW_MAX_IFACES)
        return qpw_fail(err, -EBADMSG, "control message: more than %d interfaces", QPW_MAX_IFACES);
    for (size_t i = 0; i < n; i++) {
        if (qpw_message_read_name(json_array_get(list, i), ret[i], NAME_BYTES) < 0)
            return qpw_fail(err, -EBADMSG, "control message: not the name of an interface");
        if (!qpw_watch_find(a, ret[i]) && !qpw_runs_is_other(a, ret[i]))
            return qpw_fail(err, -ENOENT, "%s: not attached; 'qportwatch status' lists the attached interfaces", ret[i]);
    }
    return (int)n;
}

/* Detach one interface; the last one stops the auditor. */
static int detach_one(struct qpw_auditor *a, const char *name, struct qpw_error *err)
{
    struct qpw_watched *w = qpw_watch_find(a, name);
    int r;

    if (!w)
        return 0; /* named twice, or of another instance */
    if (a->n_watched == 1) {
        a->stop = a->remove_all = true;
        return 0;
    }
    r = qpw_watch_remove(a, w, err);
    if (r < 0)
        return r;
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_DETACHED, w->number, "%s", "");
    qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s: detached", w->name);
    *w = a->watched[--a->n_watched];
    qpw_meta_write(&a->kernel, &a->meta, NULL);
    return 0;
}

/*
 * Detach. Without "interfaces", stop, and remove other instances' programs in this network namespace, too; with them,
 * detach only these, and stop with the last one. If a name is wrong, do nothing.
 */
static json_t *detach(struct qpw_auditor *a, const json_t *request)
{
    char list[QPW_MAX_IFACES][NAME_BYTES];
    const char *names[QPW_MAX_IFACES];
    struct qpw_error err;
    int n = read_names(a, request, list, &err), r;

    if (n < 0)
        return qpw_answer_new(n == -EBADMSG ? QPW_EXIT_USAGE : QPW_EXIT_FAILED, err.text);
    for (int i = 0; i < n; i++)
        names[i] = list[i];
    r = qpw_runs_remove(a, names, (size_t)n, &err);
    if (r == 0)
        a->stop = a->remove_all = n == 0;
    for (int i = 0; i < n && r == 0 && !a->stop; i++)
        r = detach_one(a, names[i], &err);
    return r < 0 ? qpw_answer_new(QPW_EXIT_FAILED, err.text) : qpw_answer_new(QPW_EXIT_OK, NULL);
}

/* Return "alerts": the alert log as `status` shows it, null without one. */
static json_t *alerts(struct qpw_auditor *a, const json_t *request)
{
    json_t *answer = qpw_answer_new(QPW_EXIT_OK, NULL), *log = qpw_alerts_describe(a);

    if (json_is_object(log))
        json_object_set_new(log, "owners_unsure", json_integer((json_int_t)qpw_owner_watch_unsure(a)));
    json_object_set_new(answer, "alerts", log);
    return answer;
}

static json_t *status(struct qpw_auditor *a, const json_t *request)
{
    json_t *answer = qpw_answer_new(QPW_EXIT_OK, NULL);

    json_object_set_new(answer, "interfaces", json_integer(a->n_watched));
    json_object_set_new(answer, "events", json_integer(a->events));
    return answer;
}

struct request {
    const char *name;
    json_t *(*serve)(struct qpw_auditor *a, const json_t *request);
    bool controls; /* ends or changes the audit, which readers may not do */
};

/* Limit the lines, so that repeated requests cannot fill the log. */
void qpw_requests_refused(struct qpw_auditor *a, const char *request, const char *why)
{
    char count[48];

    a->refused++;
    if (a->refused_reported && a->ticks - a->refused_reported < REFUSED_TICKS)
        return;
    if (a->refused > 1)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "refused %s, the last%s%s: %s", qpw_words_many(a->refused, "request", count, sizeof(count)),
                request ? " to " : "", request ? request : "", why);
    else
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "refused a request%s%s: %s", request ? " to " : "", request ? request : "", why);
    a->refused = 0;
    a->refused_reported = a->ticks ? a->ticks : 1;
}

static json_t *serve_one(struct qpw_auditor *a, const struct request *r, int fd, const json_t *request)
{
    struct qpw_error err;
    json_t *answer;
    pid_t pid;

    if (r->controls && qpw_peer_may_control(fd, &pid, &err) < 0) {
        qpw_requests_refused(a, r->name, err.text);
        return qpw_answer_new(QPW_EXIT_FAILED, err.text);
    }
    if (r->controls)
        qpw_peer_describe(pid, a->by, sizeof(a->by));
    answer = r->serve(a, request);
    if (!a->stop)
        a->by[0] = '\0';
    return answer;
}

static const struct request requests[] = {{"ack", qpw_audit_acknowledge, true}, {"alerts", alerts, false},
                                          {"detach", detach, true}, {"differs", qpw_audit_differs, true},
                                          {"reload", qpw_audit_reload, true}, {"status", status, false}};

int qpw_auditor_request(struct qpw_auditor *a, const json_t *request, json_t **ret_answer, struct qpw_error *err)
{
    const char *name = qpw_request_name(request);

    *ret_answer = NULL;
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests) && !*ret_answer; i++)
        if (!strcmp(name, requests[i].name)) {
            qpw_peer_describe(getpid(), a->by, sizeof(a->by));
            *ret_answer = requests[i].serve(a, request);
            a->by[0] = '\0';
        }
    return qpw_answer_status(*ret_answer, err);
}

static json_t *serve(struct qpw_auditor *a, int fd, const json_t *request)
{
    const char *name = qpw_request_name(request);
    struct qpw_error err;

    for (size_t i = 0; name && i < sizeof(requests) / sizeof(*requests); i++)
        if (!strcmp(name, requests[i].name))
            return serve_one(a, &requests[i], fd, request);
    if (name)
        qpw_fail(&err, 0, "control message: unknown request '%.60s'", name);
    else
        qpw_fail(&err, 0, "control message is not a request");
    return qpw_answer_new(QPW_EXIT_USAGE, err.text);
}

/* Serve a client. Return 0: finished and closed; -EAGAIN: its request is still missing. */
static int speak_to(struct qpw_auditor *a, int fd)
{
    json_t *request = NULL, *answer = NULL;
    struct qpw_error err;
    int r = qpw_control_receive(fd, &request, &err);

    if (r == -EAGAIN)
        return r;
    if (r == 0 && qpw_control_is_gone(fd))
        r = -EPIPE; /* it gave up, and may have acted otherwise, so do nothing late */
    if (r == 0)
        answer = serve(a, fd, request);
    else if (r == -EBADMSG)
        answer = qpw_answer_new(QPW_EXIT_USAGE, err.text);
    if (r == 0 && a->stop)
        a->asker_fd = fd; /* answered when stopped */
    else if (answer)
        qpw_control_send(fd, answer);
    if (a->asker_fd != fd)
        close(fd);
    json_decref(request);
    json_decref(answer);
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

/* Let the loop wait for a client's request; if there are too many, drop the one that has been silent longest. */
static void wait_for(struct qpw_auditor *a, int fd)
{
    if (a->n_clients == QPW_CLIENTS)
        hang_up(a, 0);
    a->clients[a->n_clients++] = (struct qpw_client){.fd = fd};
    if (qpw_sources_add(a, fd, QPW_SOURCE_CLIENT) < 0)
        hang_up(a, a->n_clients - 1);
}

void qpw_requests_accept(struct qpw_auditor *a)
{
    struct qpw_error err;
    int fd, r;

    for (unsigned i = 0; i < QPW_CLIENTS && !a->stop; i++) { /* further ones wake the loop again */
        r = qpw_control_accept(&a->end, &fd, &err);
        if (r == -EPERM) {
            qpw_requests_refused(a, NULL, err.text);
            continue;
        }
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
