/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "host/clock.h"
#include "serve/listen_internal.h"

const char *qpw_answer_kind_name(unsigned kind)
{
#define QPW_X_ANSWER_NAME(s, n) n,
    static const char *const names[] = {QPW_ANSWERS(QPW_X_ANSWER_NAME)};

    return names[kind];
}

static void release(void *data)
{
    struct document *d = data;

    if (d && --d->users == 0)
        free(d);
}

int qpw_listen_publish(struct qpw_listen *l, enum qpw_served which, const char *bytes, size_t length, const char *etag)
{
    struct document *d = NULL;

    if (bytes) {
        d = malloc(sizeof(*d) + length);
        if (!d)
            return -ENOMEM;
        *d = (struct document){.users = 1, .length = length};
        snprintf(d->etag, sizeof(d->etag), "%s", etag);
        memcpy(d->bytes, bytes, length);
    }
    release(l->served[which]);
    l->served[which] = d;
    return 0;
}

/* ---- Answers ---- */

enum MHD_Result qpw_listen_finish(struct qpw_listen *l, struct MHD_Connection *c, enum qpw_answer_kind kind, unsigned status,
                                  struct MHD_Response *response, const char *type)
{
    enum MHD_Result r = MHD_NO;
    char boot[32];

    l->counts[kind]++;
    if (!response)
        return MHD_NO;
    snprintf(boot, sizeof(boot), "%" PRIu64, qpw_clock_boot_ns() / 1000);
    MHD_add_response_header(response, "Qpw-Boot", boot);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (kind != QPW_ANSWER_OK && kind != QPW_ANSWER_UNCHANGED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (kind == QPW_ANSWER_METHOD)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET");
    r = MHD_queue_response(c, status, response);
    MHD_destroy_response(response);
    return r;
}

enum MHD_Result qpw_listen_refuse(struct qpw_listen *l, struct MHD_Connection *c, enum qpw_answer_kind kind, unsigned status)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%s\n", qpw_answer_kind_name(kind));

    return qpw_listen_finish(l, c, kind, status, MHD_create_response_from_buffer((size_t)n, text, MHD_RESPMEM_MUST_COPY), "text/plain");
}

static enum MHD_Result send_document(struct qpw_listen *l, struct MHD_Connection *c, enum qpw_served which)
{
    const char *known = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    struct document *d = l->served[which];
    struct MHD_Response *response;
    char etag[sizeof(d->etag) + 2];
    bool same;

    if (!d)
        return qpw_listen_refuse(l, c, QPW_ANSWER_NOT_READY, MHD_HTTP_SERVICE_UNAVAILABLE);
    snprintf(etag, sizeof(etag), "\"%s\"", d->etag);
    same = known && *d->etag && !strcmp(known, etag);
    if (same) {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    } else {
        response = MHD_create_response_from_buffer_with_free_callback_cls(d->length, d->bytes, release, d);
        d->users += response != NULL;
    }
    if (response && *d->etag)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
    return qpw_listen_finish(l, c, same ? QPW_ANSWER_UNCHANGED : QPW_ANSWER_OK, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response,
                  which == QPW_SERVED_METRICS ? "text/plain; version=0.0.4" : "application/json");
}

static bool has_body(struct MHD_Connection *c)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH) ||
           MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Answer from the head alone. Whatever has a body is refused, and its connection closed without reading it. */
static enum MHD_Result answer(void *data, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_length, void **request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info ? info->socket_context : NULL;
    struct qpw_listen *l = data;
    enum qpw_answer_kind who;
    struct qpw_asker asker;
    const char *samples;

    if (!*request && !strcmp(method, MHD_HTTP_METHOD_GET) && !has_body(c)) {
        *request = l; /* an answer to the first call would end the connection */
        return MHD_YES;
    }
    if (connection)
        connection->asked = true;
    who = qpw_listen_identify(l, c, &asker);
    if (who != QPW_ANSWER_OK)
        return qpw_listen_refuse(l, c, who, MHD_HTTP_FORBIDDEN);
    if (strcmp(method, MHD_HTTP_METHOD_GET) || has_body(c))
        return qpw_listen_refuse(l, c, QPW_ANSWER_METHOD, MHD_HTTP_METHOD_NOT_ALLOWED);
    if (!strcmp(url, "/metrics"))
        return send_document(l, c, QPW_SERVED_METRICS);
    if (strcmp(url, "/v1/statement") && strcmp(url, "/v1/events"))
        return qpw_listen_refuse(l, c, QPW_ANSWER_NOT_FOUND, MHD_HTTP_NOT_FOUND);
    if (!asker.peer)
        return qpw_listen_refuse(l, c, QPW_ANSWER_FORBIDDEN, MHD_HTTP_FORBIDDEN);
    if (!strcmp(url, "/v1/events"))
        return qpw_listen_events(l, c, connection, asker.name);
    samples = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "samples");
    return send_document(l, c, samples && !strcmp(samples, "1") ? QPW_SERVED_SAMPLES : QPW_SERVED_STATEMENT);
}

static void note_connection(void *data, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
    const union MHD_ConnectionInfo *info;
    struct connection *connection = *context;
    struct qpw_listen *l = data;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection = calloc(1, sizeof(*connection));
        if (connection)
            connection->handle = c;
        *context = connection;
        info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        if (info && info->tls_session) /* do not name authorities: a client would then withhold a self-signed certificate */
            gnutls_certificate_send_x509_rdn_sequence(info->tls_session, 1);
        return;
    }
    qpw_listen_forget(l, connection);
    l->counts[QPW_ANSWER_NO_REQUEST] += connection && !connection->asked;
    free(connection);
    *context = NULL;
}

/* What goes wrong with a connection is counted, not printed: anyone can cause it. */
static void discard(void *data, const char *format, va_list arguments)
{
}

/* ---- Opening ---- */

static void set_address(struct sockaddr_storage *ret, const uint8_t addr[16], uint16_t port)
{
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
    struct sockaddr_in *four = (struct sockaddr_in *)ret;

    *ret = (struct sockaddr_storage){0};
    if (!memcmp(addr, v4, sizeof(v4))) {
        *four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&four->sin_addr, addr + 12, 4);
    } else {
        *six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&six->sin6_addr, addr, 16);
    }
}

/* Where one daemon accepts connections: at an address, or at a socket that listens already. */
struct place {
    int fd; /* -1: none */
    struct sockaddr_storage address;
    char text[INET6_ADDRSTRLEN + 16]; /* for messages */
};

static void place_at(const uint8_t addr[16], uint16_t port, struct place *ret)
{
    char text[INET6_ADDRSTRLEN] = "";
    bool six;

    *ret = (struct place){.fd = -1};
    set_address(&ret->address, addr, port);
    six = ret->address.ss_family == AF_INET6;
    inet_ntop(ret->address.ss_family, six ? (const void *)addr : addr + 12, text, sizeof(text));
    snprintf(ret->text, sizeof(ret->text), "%s port %u", text, port);
}

/* A socket given by the service manager must be one that accepts connections over TCP. */
static int place_of(int fd, struct place *ret, struct qpw_error *err)
{
    int listens = 0;
    socklen_t size = sizeof(listens), length = sizeof(ret->address);

    *ret = (struct place){.fd = fd};
    snprintf(ret->text, sizeof(ret->text), "given socket %d", fd);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens ||
        getsockname(fd, (struct sockaddr *)&ret->address, &length) < 0 ||
        (ret->address.ss_family != AF_INET && ret->address.ss_family != AF_INET6))
        return qpw_fail(err, -EINVAL, "%s: does not accept TCP connections", ret->text);
    return 0;
}

static int open_one(struct qpw_listen *l, const struct qpw_listen_options *o, const struct place *place, struct qpw_error *err)
{
    bool six = place->address.ss_family == AF_INET6;
    const union MHD_DaemonInfo *info;
    struct MHD_Daemon *d;
    struct epoll_event event = {.events = EPOLLIN};
    const struct MHD_OptionItem given[] = {{MHD_OPTION_LISTEN_SOCKET, place->fd, NULL}, {MHD_OPTION_END, 0, NULL}};

    errno = 0;
    /* A trusted certificate makes the library ask for the client's; without an authority it is the node's own. */
    d = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TLS | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME | (six ? MHD_USE_IPv6 : 0), o->port, NULL, NULL,
                         answer, l, MHD_OPTION_EXTERNAL_LOGGER, discard, NULL,
                         place->fd < 0 ? MHD_OPTION_SOCK_ADDR : MHD_OPTION_ARRAY, place->fd < 0 ? (const void *)&place->address : given,
                         MHD_OPTION_HTTPS_MEM_KEY, o->key, MHD_OPTION_HTTPS_MEM_CERT, o->certificate,
                         MHD_OPTION_HTTPS_MEM_TRUST, o->ca ? o->ca : o->certificate,
                         MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                         MHD_OPTION_CONNECTION_LIMIT, QPW_LISTEN_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, QPW_LISTEN_FROM_ONE,
                         MHD_OPTION_CONNECTION_TIMEOUT, QPW_LISTEN_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)QPW_LISTEN_MEMORY,
                         MHD_OPTION_NOTIFY_CONNECTION, note_connection, l, MHD_OPTION_END);
    if (!d)
        return qpw_fail(err, errno ? -errno : -EIO, "%s: cannot listen: %s", place->text,
                        errno ? strerror(errno) : "key or certificate are not valid");
    l->daemons[l->n_daemons++] = d;
    info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || epoll_ctl(l->epoll, EPOLL_CTL_ADD, info->epoll_fd, &event) < 0)
        return qpw_fail(err, -EIO, "%s: cannot wait for connections", place->text);
    return 0;
}

int qpw_listen_open(const struct qpw_listen_options *options, struct qpw_listen **ret, struct qpw_error *err)
{
    struct qpw_listen *l = calloc(1, sizeof(*l));
    struct place place;
    int r = 0;

    if (!l)
        return qpw_fail(err, -ENOMEM, "out of memory");
    l->policy = options->policy;
    l->by_ca = options->ca != NULL;
    l->outbox = options->outbox;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        r = qpw_fail(err, -errno, "cannot wait for connections: %s", strerror(errno));
    if (r == 0 && options->n_addresses + options->n_sockets > QPW_LISTEN_ADDRESSES)
        r = qpw_fail(err, -E2BIG, "more than %u addresses to listen on", QPW_LISTEN_ADDRESSES);
    for (size_t i = 0; i < options->n_addresses && r == 0; i++) {
        place_at(options->addresses[i], options->port, &place);
        r = open_one(l, options, &place, err);
    }
    for (size_t i = 0; i < options->n_sockets && r == 0; i++) {
        r = place_of(options->sockets[i], &place, err);
        r = r ? r : open_one(l, options, &place, err);
    }
    if (r == 0)
        *ret = l;
    else
        qpw_listen_close(l);
    return r;
}

void qpw_listen_close(struct qpw_listen *l)
{
    if (!l)
        return;
    qpw_listen_resume_all(l);
    for (size_t i = 0; i < l->n_daemons; i++)
        MHD_stop_daemon(l->daemons[i]);
    for (size_t i = 0; i < QPW_SERVED_COUNT; i++)
        release(l->served[i]);
    if (l->epoll >= 0)
        close(l->epoll);
    free(l);
}

int qpw_listen_fd(const struct qpw_listen *l)
{
    return l->epoll;
}

int qpw_listen_timeout_ms(const struct qpw_listen *l)
{
    MHD_UNSIGNED_LONG_LONG each, least = qpw_listen_waiting_ms(l);

    for (size_t i = 0; i < l->n_daemons; i++)
        if (MHD_get_timeout(l->daemons[i], &each) == MHD_YES && each < least)
            least = each;
    return least == INT_MAX ? -1 : (int)least;
}

void qpw_listen_step(struct qpw_listen *l)
{
    qpw_listen_resume(l);
    for (size_t i = 0; i < l->n_daemons; i++)
        MHD_run(l->daemons[i]);
}

void qpw_listen_policy(struct qpw_listen *l, const struct qpw_policy *policy)
{
    l->policy = policy;
}

const uint64_t *qpw_listen_counts(const struct qpw_listen *l)
{
    return l->counts;
}
