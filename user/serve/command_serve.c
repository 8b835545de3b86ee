/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* command_serve.c - qportwatch serve: answer the peers, and ask them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/confine.h"
#include "host/notify.h"
#include "host/rights.h"
#include "serve/commands.h"
#include "serve/key.h"
#include "serve/options.h"
#include "serve/process.h"
#include "serve/state.h"
#include "util/cleanup.h"
#include "util/names.h"
#include "util/usage.h"

#define SOCKETS_NAME "qportwatch-serve" /* FileDescriptorName= of the sockets' unit */

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct qpw_serve *s = state->input;

    switch (key) {
    case QPW_SERVE_OPTION_POLICY: s->policy_path = qpw_usage_path(state, "--policy", value); return 0;
    case QPW_SERVE_OPTION_KEYS: s->keys = qpw_usage_path(state, "--keys", value); return 0;
    case QPW_SERVE_OPTION_STATE: s->state = qpw_usage_path(state, "--state", value); return 0;
    case QPW_SERVE_OPTION_PORT: s->port = (uint16_t)qpw_usage_number(state, "--port", value, 1, 65535, "port"); return 0;
    case QPW_SERVE_OPTION_LISTEN:
        if (s->at.n == QPW_LISTEN_ADDRESSES)
            qpw_usage_error(state, "--listen: at most %u addresses", QPW_LISTEN_ADDRESSES);
        if (qpw_address_parse(value, s->at.addr[s->at.n]) < 0)
            qpw_usage_error(state, "--listen: '%s' is not an IP address", value);
        s->at.n++;
        s->at.given = true;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- Starting ---- */

/* Return whether its events come from now on; else errno says why not. */
static bool watch(struct qpw_serve *s, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int open_loop(struct qpw_serve *s, struct qpw_error *err)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || (s->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
        (s->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return qpw_fail(err, -errno, "cannot wait for events: %s", strerror(errno));
    if (!watch(s, s->signals) || !watch(s, qpw_refresh_fd(s->refresh)) || !watch(s, qpw_outbox_fd(s->outbox)) ||
        !watch(s, qpw_listen_fd(s->listen)) || !watch(s, qpw_gather_fd(s->gather)))
        return qpw_fail(err, -errno, "cannot wait for events: %s", strerror(errno));
    return 0;
}

/* Keep nothing of what this process was started with but its files and sockets: from now on it meets other hosts. */
static int confine(const struct qpw_serve *s, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_freep) char *state = realpath(s->state, NULL);
    const char *const folders[] = {state};
    char left[120];
    int r = state ? qpw_rights_keep(NULL, 0) : -errno;

    if (r < 0)
        return qpw_fail(err, r, "privileges cannot be given up: %s", strerror(-r));
    if (qpw_rights_left(NULL, 0, left, sizeof(left)))
        return qpw_fail(err, -EPERM, "%s", left);
    r = qpw_confine_files(folders, 1, QPW_TCP_ANY);
    if (r < 0)
        return qpw_fail(err, r, "writing cannot be limited to %s (Landlock): %s", s->state, strerror(-r));
    r = qpw_confine_network();
    return r < 0 ? qpw_fail(err, r, "system calls cannot be limited (seccomp): %s", strerror(-r)) : 0;
}

/* Open what this process works with. */
static int open_all(struct qpw_serve *s, const struct qpw_peer *self, struct qpw_error *err)
{
    int r = qpw_state_open(s->state, err);

    if (r < 0)
        return r;
    r = qpw_refresh_open(s->state, &s->refresh, err);
    if (r < 0)
        return r;
    r = qpw_serve_open_outbox(s, err);
    if (r < 0)
        return r;
    r = qpw_serve_open_listen(s, err);
    if (r < 0)
        return r;
    qpw_serve_warn_port(s);
    r = qpw_serve_open_gather(s, self, err);
    return r < 0 ? r : open_loop(s, err);
}

static int start(struct qpw_serve *s, struct qpw_error *err)
{
    const struct qpw_peer *self = NULL;
    int r = qpw_serve_name_files(s, err);

    if (r < 0)
        return r;
    s->n_sockets = qpw_notify_stored(SOCKETS_NAME, s->sockets, QPW_LISTEN_ADDRESSES);
    r = qpw_policy_parse_file(s->policy_path, &s->policy, err);
    s->bad_policy = r < 0;
    if (r < 0)
        return r;
    r = qpw_serve_find_self(s, &self, err);
    if (r < 0)
        return r;
    r = open_all(s, self, err);
    if (r < 0)
        return r;
    r = confine(s, err);
    if (r < 0)
        return r;
    qpw_notify("READY=1\nSTATUS=Answering peers.");
    return 0;
}

/* ---- Going on ---- */

/* Open listener and gatherer for the policy that was read; the gatherer before it stays with the caller. */
static int open_again(struct qpw_serve *s, struct qpw_error *err)
{
    const struct qpw_peer *self = NULL;
    int r = qpw_serve_find_self(s, &self, err);

    s->gather = NULL;
    if (r < 0)
        return r;
    r = qpw_serve_open_gather(s, self, err);
    if (r < 0)
        return r;
    r = qpw_serve_open_listen(s, err);
    if (r == 0)
        qpw_serve_warn_port(s);
    return r;
}

/* Work by a new policy, or by the one before as before; the other one is cleared. */
static int work_by(struct qpw_serve *s, const struct qpw_policy *policy, struct qpw_error *err)
{
    struct qpw_policy old = s->policy;
    struct qpw_gather *gather = s->gather;
    struct qpw_listen_at at = s->at;
    int r;

    s->policy = *policy;
    r = open_again(s, err);
    if (r < 0) {
        qpw_gather_close(s->gather);
        qpw_policy_clear(&s->policy);
        s->gather = gather;
        s->policy = old;
        s->at = at;
        return r;
    }
    qpw_gather_take_over(s->gather, gather);
    qpw_gather_close(gather);
    qpw_policy_clear(&old);
    watch(s, qpw_gather_fd(s->gather));
    watch(s, qpw_listen_fd(s->listen));
    return 0;
}

/* Read policy, key, certificates and addresses again; what is wrong changes nothing. */
static void reload(struct qpw_serve *s)
{
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    if (qpw_policy_parse_file(s->policy_path, &policy, &err) < 0 || work_by(s, &policy, &err) < 0)
        fprintf(stderr, "qportwatch serve: reload failed, previous policy and keys kept: %s\n", err.text);
    else
        fprintf(stderr, "qportwatch serve: policy, key, certificates and addresses read again\n");
}

/* Publish this node's statement. Where its auditor has taken another policy, take it, too: `reload` is for both. */
static void take_statement(struct qpw_serve *s)
{
    char loaded[QPW_PUBLISH_LOADED];

    qpw_publish_statement(s->listen, s->samples_path, loaded);
    if (*s->loaded && strcmp(loaded, s->loaded))
        reload(s);
    memcpy(s->loaded, loaded, sizeof(loaded));
}

/* Publish what was made, or that there is nothing. */
static int take_refresh(struct qpw_serve *s, struct qpw_error *err)
{
    enum qpw_refreshed which;
    bool made;
    int r;

    while ((r = qpw_refresh_next(s->refresh, &which, &made)) > 0) {
        if (which == QPW_REFRESHED_METRICS)
            qpw_publish_metrics(s->listen, s->metrics_path);
        else if (made)
            take_statement(s);
        else
            qpw_publish_nothing(s->listen);
    }
    return r < 0 ? qpw_fail(err, r, "the process that makes the statements has ended") : 0;
}

/* Return 1: end; 0: go on; or a negative errno with err filled. */
static int take_event(struct qpw_serve *s, int fd, struct qpw_error *err)
{
    struct signalfd_siginfo signal;

    if (fd == s->signals && read(fd, &signal, sizeof(signal)) == sizeof(signal)) {
        if (signal.ssi_signo != SIGHUP)
            return 1;
        reload(s);
    } else if (fd == qpw_refresh_fd(s->refresh)) {
        return take_refresh(s, err);
    } else if (fd == qpw_gather_fd(s->gather)) {
        qpw_gather_step(s->gather);
    } else if (fd == qpw_outbox_fd(s->outbox) && qpw_outbox_step(s->outbox)) {
        qpw_listen_step(s->listen); /* answers those that wait for events */
    }
    return 0;
}

static int go_on(struct qpw_serve *s, struct qpw_error *err)
{
    struct epoll_event event;

    for (;;) {
        int n = epoll_wait(s->epoll, &event, 1, qpw_listen_timeout_ms(s->listen)), r;

        if (n < 0 && errno != EINTR)
            return qpw_fail(err, -errno, "cannot wait for events: %s", strerror(errno));
        qpw_listen_step(s->listen);
        r = n > 0 ? take_event(s, event.data.fd, err) : 0;
        if (r)
            return r < 0 ? r : 0;
    }
}

static void stop(struct qpw_serve *s)
{
    qpw_notify("STOPPING=1");
    qpw_refresh_close(s->refresh);
    qpw_listen_close(s->listen);
    qpw_outbox_close(s->outbox);
    qpw_gather_close(s->gather);
    qpw_policy_clear(&s->policy);
    if (s->epoll >= 0)
        close(s->epoll);
    if (s->signals >= 0)
        close(s->signals);
}

int qpw_serve_command(int argc, char **argv)
{
    static const struct argp argp = {
        .options = qpw_serve_options, .parser = take_option,
        .doc = "Answer the cluster's peers over HTTPS, ask them for their statements every ten seconds, and compare.\vPeers and readers "
               "are those that the policy names with a key. SIGHUP reads policy, key, certificates and addresses again."};
    static struct qpw_serve s = {.policy_path = QPW_POLICY_DEFAULT_PATH, .keys = QPW_KEY_FOLDER, .state = QPW_SERVE_STATE,
                             .port = QPW_SELF_PORT, .epoll = -1, .signals = -1};
    struct qpw_error err = {""};
    int r;

    argv[0] = (char *)"qportwatch serve";
    qpw_arguments_parse(&argp, argc, argv, &s);
    r = start(&s, &err);
    if (r == 0)
        r = go_on(&s, &err);
    stop(&s);
    if (r < 0)
        fprintf(stderr, "qportwatch serve: %s\n", err.text);
    return r >= 0 ? QPW_EXIT_OK : s.bad_policy ? QPW_EXIT_USAGE : QPW_EXIT_FAILED;
}
