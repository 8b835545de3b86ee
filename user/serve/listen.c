/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#include "metrics/openmetrics.h"
#include "serve/listen_internal.h"

const char *qpw_answer_kind_name(unsigned kind)
{
#define QPW_X_ANSWER_NAME(s, n) n,
    static const char *const names[] = {QPW_ANSWERS(QPW_X_ANSWER_NAME)};

    return names[kind];
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

static bool has_body(struct MHD_Connection *c)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH) ||
           MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* A request, of which the head is here. */
struct request {
    struct qpw_listen *listen;
    struct MHD_Connection *handle;
    struct connection *connection; /* NULL: out of memory */
    const char *url, *method;
};

static enum MHD_Result answer_peer(const struct request *q, const char *peer)
{
    const char *samples = MHD_lookup_connection_value(q->handle, MHD_GET_ARGUMENT_KIND, "samples");

    if (!strcmp(q->url, "/v1/events"))
        return qpw_listen_events(q->listen, q->handle, q->connection, peer);
    return qpw_listen_document(q->listen, q->handle, samples && !strcmp(samples, "1") ? QPW_SERVED_SAMPLES : QPW_SERVED_STATEMENT);
}

/* Answer from the head alone. Whatever has a body is refused, and its connection closed without reading it. */
static enum MHD_Result answer(const struct request *q)
{
    const char *accept = MHD_lookup_connection_value(q->handle, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    enum qpw_answer_kind who;
    struct qpw_asker asker;

    if (q->connection)
        q->connection->asked = true;
    who = qpw_listen_identify(q->listen, q->handle, &asker);
    if (who != QPW_ANSWER_OK)
        return qpw_listen_refuse(q->listen, q->handle, who, MHD_HTTP_FORBIDDEN);
    if (strcmp(q->method, MHD_HTTP_METHOD_GET) || has_body(q->handle))
        return qpw_listen_refuse(q->listen, q->handle, QPW_ANSWER_METHOD, MHD_HTTP_METHOD_NOT_ALLOWED);
    if (!strcmp(q->url, "/metrics"))
        return qpw_listen_document(q->listen, q->handle, qpw_openmetrics_accepted(accept) ? QPW_SERVED_OPENMETRICS : QPW_SERVED_METRICS);
    if (strcmp(q->url, "/v1/statement") && strcmp(q->url, "/v1/events"))
        return qpw_listen_refuse(q->listen, q->handle, QPW_ANSWER_NOT_FOUND, MHD_HTTP_NOT_FOUND);
    if (!asker.peer)
        return qpw_listen_refuse(q->listen, q->handle, QPW_ANSWER_FORBIDDEN, MHD_HTTP_FORBIDDEN);
    return answer_peer(q, asker.name);
}

/* Take a request as the library gives it. */
static enum MHD_Result take_request(void *data, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                    const char *upload, size_t *upload_length, void **request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (!*request && !strcmp(method, MHD_HTTP_METHOD_GET) && !has_body(c)) {
        *request = data; /* an answer to the first call would end the connection */
        return MHD_YES;
    }
    return answer(&(struct request){.listen = data, .handle = c, .connection = info ? info->socket_context : NULL, .url = url, .method = method});
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
                         take_request, l, MHD_OPTION_EXTERNAL_LOGGER, discard, NULL,
                         place->fd < 0 ? MHD_OPTION_SOCK_ADDR : MHD_OPTION_ARRAY, place->fd < 0 ? (const void *)&place->address : given,
                         MHD_OPTION_HTTPS_MEM_KEY, o->key, MHD_OPTION_HTTPS_MEM_CERT, o->certificate,
                         MHD_OPTION_HTTPS_MEM_TRUST, o->ca ? o->ca : o->certificate,
                         MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                         MHD_OPTION_CONNECTION_LIMIT, QPW_LISTEN_CONNECTIONS + 3 * (unsigned)o->policy->n_peers, MHD_OPTION_PER_IP_CONNECTION_LIMIT, QPW_LISTEN_FROM_ONE,
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

void qpw_listen_close(struct qpw_listen *l)
{
    if (!l)
        return;
    qpw_listen_resume_all(l);
    for (size_t i = 0; i < l->n_daemons; i++)
        MHD_stop_daemon(l->daemons[i]);
    for (size_t i = 0; i < QPW_SERVED_COUNT; i++)
        qpw_listen_release(l->served[i]);
    if (l->epoll >= 0)
        close(l->epoll);
    free(l);
}

/* Open a daemon for each address and each socket that was given. */
static int open_all(struct qpw_listen *l, const struct qpw_listen_options *options, struct qpw_error *err)
{
    struct place place;
    int r;

    if (l->epoll < 0)
        return qpw_fail(err, -errno, "cannot wait for connections: %s", strerror(errno));
    for (size_t i = 0; i < options->n_addresses; i++) {
        place_at(options->addresses[i], options->port, &place);
        r = open_one(l, options, &place, err);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < options->n_sockets; i++) {
        r = place_of(options->sockets[i], &place, err);
        if (r < 0)
            return r;
        r = open_one(l, options, &place, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int qpw_listen_open(const struct qpw_listen_options *options, struct qpw_listen **ret, struct qpw_error *err)
{
    struct qpw_listen *l;
    int r;

    if (options->n_addresses + options->n_sockets > QPW_LISTEN_ADDRESSES)
        return qpw_fail(err, -E2BIG, "more than %u addresses to listen on", QPW_LISTEN_ADDRESSES);
    l = calloc(1, sizeof(*l));
    if (!l)
        return qpw_fail(err, -ENOMEM, "out of memory");
    l->policy = options->policy;
    l->by_ca = options->ca != NULL;
    l->outbox = options->outbox;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    r = open_all(l, options, err);
    if (r < 0) {
        qpw_listen_close(l);
        return r;
    }
    *ret = l;
    return 0;
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

/* ---- Replacing ---- */

static bool is_place(int fd, const struct place *place)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&place->address;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&place->address;
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } bound = {.six = {0}};
    socklen_t length = sizeof(bound);

    if (getsockname(fd, &bound.any, &length) < 0 || bound.any.sa_family != place->address.ss_family)
        return false;
    if (bound.any.sa_family == AF_INET6)
        return bound.six.sin6_port == six->sin6_port && !memcmp(&bound.six.sin6_addr, &six->sin6_addr, 16);
    return bound.four.sin_port == four->sin_port && bound.four.sin_addr.s_addr == four->sin_addr.s_addr;
}

/* Duplicate the listening socket of the daemon at that place, or of the daemon of that number (place NULL). -1: none. */
static int duplicate(const struct qpw_listen *l, const struct place *place, size_t number)
{
    for (size_t i = 0; i < l->n_daemons; i++) {
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemons[i], MHD_DAEMON_INFO_LISTEN_FD);

        if (info && (place ? is_place(info->listen_fd, place) : i == number))
            return fcntl(info->listen_fd, F_DUPFD_CLOEXEC, 3);
    }
    return -1;
}

/* Hand over what outlives a listener, and end it without shutting the sockets down that its successor has, too. */
static void hand_over(struct qpw_listen *old, struct qpw_listen *new)
{
    for (size_t i = 0; i < QPW_SERVED_COUNT; i++) {
        new->served[i] = old->served[i];
        old->served[i] = NULL;
    }
    memcpy(new->counts, old->counts, sizeof(new->counts));
    for (size_t i = 0; i < old->n_daemons; i++) {
        int fd = MHD_quiesce_daemon(old->daemons[i]);

        if (fd >= 0)
            close(fd);
    }
    qpw_listen_close(old);
}

int qpw_listen_replace(struct qpw_listen **l, const struct qpw_listen_options *options, struct qpw_error *err)
{
    struct qpw_listen_options o = *options;
    uint8_t addresses[QPW_LISTEN_ADDRESSES][16];
    int sockets[QPW_LISTEN_ADDRESSES], fd, r;
    struct qpw_listen *new = NULL;
    struct place place;

    o.addresses = (const uint8_t(*)[16])addresses;
    o.sockets = sockets;
    o.n_addresses = o.n_sockets = 0;
    for (size_t i = 0; i < options->n_sockets && i < QPW_LISTEN_ADDRESSES; i++)
        if ((fd = duplicate(*l, NULL, i)) >= 0)
            sockets[o.n_sockets++] = fd;
    for (size_t i = 0; i < options->n_addresses && i < QPW_LISTEN_ADDRESSES; i++) {
        place_at(options->addresses[i], options->port, &place);
        if ((fd = duplicate(*l, &place, 0)) >= 0)
            sockets[o.n_sockets++] = fd;
        else
            memcpy(addresses[o.n_addresses++], options->addresses[i], 16);
    }
    r = qpw_listen_open(&o, &new, err);
    if (r == 0) {
        hand_over(*l, new);
        *l = new;
        return 0;
    }
    for (size_t i = 0; i < o.n_sockets; i++)
        close(sockets[i]); /* those that a daemon took were closed with it; nothing was opened since */
    return r;
}

const uint64_t *qpw_listen_counts(const struct qpw_listen *l)
{
    return l->counts;
}
