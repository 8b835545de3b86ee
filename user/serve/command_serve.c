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

#include <gnutls/gnutls.h>

#include "control/event_files.h"
#include "facts/cluster_status.h"
#include "host/confine.h"
#include "host/notify.h"
#include "host/rights.h"
#include "serve/commands.h"
#include "serve/gather.h"
#include "serve/key.h"
#include "serve/listen.h"
#include "serve/options.h"
#include "serve/outbox.h"
#include "serve/own_line.h"
#include "serve/publish.h"
#include "serve/refresh.h"
#include "serve/state.h"
#include "util/cleanup.h"
#include "util/names.h"
#include "util/usage.h"

#define PATH_SIZE 4096
#define SOCKETS_NAME "qportwatch-serve" /* FileDescriptorName= of the sockets' unit */
struct serve {
    const char *policy_path, *keys, *state;
    uint16_t port;
    struct qpw_listen_at at;
    bool bad_policy;
    struct qpw_policy policy;
    struct qpw_outbox *outbox;
    struct qpw_listen *listen;
    struct qpw_gather *gather;
    struct qpw_refresh *refresh;
    char key_path[PATH_SIZE], certificate_path[PATH_SIZE], samples_path[PATH_SIZE], metrics_path[PATH_SIZE];
    int sockets[QPW_LISTEN_ADDRESSES]; /* given by the service manager */
    size_t n_sockets;
    int epoll, signals;
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct serve *s = state->input;

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

/* Find this node's own line, NULL: there is none, and where to listen. */
static int read_self(struct serve *s, const struct qpw_peer **ret, struct qpw_error *err)
{
    if (!s->at.given)
        s->at.n = 0;
    *ret = qpw_own_line(&s->policy, &s->at, /* find= */ !s->n_sockets);
    if (!s->at.n && !s->n_sockets)
        return qpw_fail(err, -ENOENT, "%s: no peer line has an address of this node; add one, or use --listen", s->policy_path);
    return 0;
}

/* Add what this node answered to its status. */
static void add_served(const void *data, struct qpw_cluster_status *ret)
{
    const struct serve *s = data;
    const uint64_t *counts = qpw_listen_counts(s->listen);

    for (unsigned i = 0; i < QPW_ANSWER_COUNT && i < QPW_CLUSTER_RESULTS; i++) {
        snprintf(ret->served[i].name, sizeof(ret->served[i].name), "%s", qpw_answer_kind_name(i));
        ret->served[i].n = counts[i];
        ret->n_served = i + 1;
    }
}

static int open_gather(struct serve *s, const struct qpw_peer *self, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_freep) struct qpw_poll_target *targets = calloc(s->policy.n_peers + 1, sizeof(*targets));
    struct qpw_gather_options options = {
        .poll = {.certificate = s->certificate_path, .key = s->key_path, .ca = s->policy.cluster_ca, .port = s->port},
        .peers = targets, .own = s->samples_path, .state = s->state, .served = add_served, .served_data = s,
        .every_s = QPW_GATHER_EVERY_S};

    if (!targets)
        return qpw_fail(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < s->policy.n_peers; i++) {
        const struct qpw_peer *peer = &s->policy.peers[i];

        if (peer != self && (peer->keys.n || s->policy.cluster_ca))
            qpw_own_line_target(peer, &targets[options.n_peers++]);
    }
    return qpw_gather_open(&options, &s->gather, err);
}

/* Load the node's own key or certificate. */
static int load_own(const char *path, gnutls_datum_t *ret, struct qpw_error *err)
{
    int r = qpw_key_load(path, ret, err);

    return r == -ENOENT || r == -ENOTDIR ? qpw_fail(err, r, "%s: %s; 'qportwatch cluster key' makes key and certificate", path, strerror(-r)) : r;
}

static int open_outbox(struct serve *s, struct qpw_error *err)
{
    char paths[QPW_EVENT_FILES][QPW_EVENT_FILE_PATH];
    const char *both[] = {qpw_event_file_path(0, paths[0]), qpw_event_file_path(1, paths[1])};

    return qpw_outbox_open(both, &s->outbox, err);
}

/* Open the listener, or let the one there is go on with what the files hold now. */
static int open_listen(struct serve *s, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_key_clear) gnutls_datum_t certificate = {0}, key = {0}, ca = {0};
    struct qpw_listen_options options = {
        .policy = &s->policy, .addresses = (const uint8_t(*)[16])s->at.addr, .n_addresses = s->at.n, .sockets = s->sockets,
        .n_sockets = s->n_sockets, .port = s->port, .outbox = s->outbox};
    int r = load_own(s->certificate_path, &certificate, err);

    if (r < 0)
        return r;
    r = load_own(s->key_path, &key, err);
    if (r < 0)
        return r;
    r = s->policy.cluster_ca ? qpw_key_load(s->policy.cluster_ca, &ca, err) : 0;
    if (r < 0)
        return r;
    options.certificate = (const char *)certificate.data;
    options.key = (const char *)key.data;
    options.ca = (const char *)ca.data;
    return s->listen ? qpw_listen_replace(&s->listen, &options, err) : qpw_listen_open(&options, &s->listen, err);
}

static int name_files(struct serve *s, struct qpw_error *err)
{
    size_t most = PATH_SIZE - 32;

    if (strlen(s->keys) > most || strlen(s->state) > most)
        return qpw_fail(err, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    snprintf(s->key_path, PATH_SIZE, "%s/" QPW_KEY_FILE, s->keys);
    snprintf(s->certificate_path, PATH_SIZE, "%s/" QPW_CERTIFICATE_FILE, s->keys);
    snprintf(s->samples_path, PATH_SIZE, "%s/%s", s->state, qpw_refreshed_file(QPW_REFRESHED_SAMPLES));
    snprintf(s->metrics_path, PATH_SIZE, "%s/%s", s->state, qpw_refreshed_file(QPW_REFRESHED_METRICS));
    return 0;
}

/* Return whether its events come from now on; else errno says why not. */
static bool watch(struct serve *s, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int open_loop(struct serve *s, struct qpw_error *err)
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
static int confine(const struct serve *s, struct qpw_error *err)
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
static int open_all(struct serve *s, const struct qpw_peer *self, struct qpw_error *err)
{
    int r = qpw_state_open(s->state, err);

    if (r < 0)
        return r;
    r = qpw_refresh_open(s->state, &s->refresh, err);
    if (r < 0)
        return r;
    r = open_outbox(s, err);
    if (r < 0)
        return r;
    r = open_listen(s, err);
    if (r < 0)
        return r;
    r = open_gather(s, self, err);
    return r < 0 ? r : open_loop(s, err);
}

static int start(struct serve *s, struct qpw_error *err)
{
    const struct qpw_peer *self = NULL;
    int r = name_files(s, err);

    if (r < 0)
        return r;
    s->n_sockets = qpw_notify_stored(SOCKETS_NAME, s->sockets, QPW_LISTEN_ADDRESSES);
    r = qpw_policy_parse_file(s->policy_path, &s->policy, err);
    s->bad_policy = r < 0;
    if (r < 0)
        return r;
    r = read_self(s, &self, err);
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

/* Publish what was made, or that there is nothing. */
static int take_refresh(struct serve *s, struct qpw_error *err)
{
    enum qpw_refreshed which;
    bool made;
    int r;

    while ((r = qpw_refresh_next(s->refresh, &which, &made)) > 0) {
        if (which == QPW_REFRESHED_METRICS)
            qpw_publish_metrics(s->listen, s->metrics_path);
        else if (made)
            qpw_publish_statement(s->listen, s->samples_path);
        else
            qpw_publish_nothing(s->listen);
    }
    return r < 0 ? qpw_fail(err, r, "the process that makes the statements has ended") : 0;
}

/* Open listener and gatherer for the policy that was read; the gatherer before it stays with the caller. */
static int open_again(struct serve *s, struct qpw_error *err)
{
    const struct qpw_peer *self = NULL;
    int r = read_self(s, &self, err);

    s->gather = NULL;
    if (r < 0)
        return r;
    r = open_gather(s, self, err);
    return r < 0 ? r : open_listen(s, err);
}

/* Work by a new policy, or by the one before as before; the other one is cleared. */
static int work_by(struct serve *s, const struct qpw_policy *policy, struct qpw_error *err)
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
static void reload(struct serve *s)
{
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    if (qpw_policy_parse_file(s->policy_path, &policy, &err) < 0 || work_by(s, &policy, &err) < 0)
        fprintf(stderr, "qportwatch serve: reload failed, previous policy and keys kept: %s\n", err.text);
    else
        fprintf(stderr, "qportwatch serve: policy, key, certificates and addresses read again\n");
}

/* Return 1: end; 0: go on; or a negative errno with err filled. */
static int take_event(struct serve *s, int fd, struct qpw_error *err)
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

static int go_on(struct serve *s, struct qpw_error *err)
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

static void stop(struct serve *s)
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
    static struct serve s = {.policy_path = QPW_POLICY_DEFAULT_PATH, .keys = QPW_KEY_FOLDER, .state = QPW_SERVE_STATE,
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
