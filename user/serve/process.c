/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/process.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "control/event_files.h"
#include "facts/cluster_status.h"
#include "serve/key.h"
#include "util/cleanup.h"

int qpw_serve_find_self(struct qpw_serve *s, const struct qpw_peer **ret, struct qpw_error *err)
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
    const struct qpw_serve *s = data;
    const uint64_t *counts = qpw_listen_counts(s->listen);

    for (unsigned i = 0; i < QPW_ANSWER_COUNT && i < QPW_CLUSTER_RESULTS; i++) {
        snprintf(ret->served[i].name, sizeof(ret->served[i].name), "%s", qpw_answer_kind_name(i));
        ret->served[i].n = counts[i];
        ret->n_served = i + 1;
    }
}

int qpw_serve_open_gather(struct qpw_serve *s, const struct qpw_peer *self, struct qpw_error *err)
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

int qpw_serve_open_outbox(struct qpw_serve *s, struct qpw_error *err)
{
    char paths[QPW_EVENT_FILES][QPW_EVENT_FILE_PATH];
    const char *both[] = {qpw_event_file_path(0, paths[0]), qpw_event_file_path(1, paths[1])};

    return qpw_outbox_open(both, &s->outbox, err);
}

int qpw_serve_open_listen(struct qpw_serve *s, struct qpw_error *err)
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

/* Return the port at which peers find this node: the one of a socket that was given, or that of the options. */
static uint16_t port_of(const struct qpw_serve *s)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } at = {.six = {0}};
    socklen_t length = sizeof(at);

    if (!s->n_sockets || getsockname(s->sockets[0], &at.any, &length) < 0)
        return s->port;
    return ntohs(at.any.sa_family == AF_INET6 ? at.six.sin6_port : at.four.sin_port);
}

void qpw_serve_warn_port(const struct qpw_serve *s)
{
    unsigned port = port_of(s);

    if (!qpw_own_line_explains(&s->policy, (uint16_t)port))
        fprintf(stderr, "qportwatch serve: port %u: no rule of %s is for it, so that it counts as unexpected; add 'inbound tcp %u name="
                QPW_SELF_NAME "' (the policy's own rule is for port %u)\n", port, s->policy_path, port, QPW_SELF_PORT);
}

int qpw_serve_name_files(struct qpw_serve *s, struct qpw_error *err)
{
    size_t most = QPW_SERVE_PATH - 32;

    if (strlen(s->keys) > most || strlen(s->state) > most)
        return qpw_fail(err, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    snprintf(s->key_path, QPW_SERVE_PATH, "%s/" QPW_KEY_FILE, s->keys);
    snprintf(s->certificate_path, QPW_SERVE_PATH, "%s/" QPW_CERTIFICATE_FILE, s->keys);
    snprintf(s->samples_path, QPW_SERVE_PATH, "%s/%s", s->state, qpw_refreshed_file(QPW_REFRESHED_SAMPLES));
    snprintf(s->metrics_path, QPW_SERVE_PATH, "%s/%s", s->state, qpw_refreshed_file(QPW_REFRESHED_METRICS));
    return 0;
}
