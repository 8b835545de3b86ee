/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/poll.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "host/clock.h"
#include "util/name_table.h"
#include "util/names.h"
#include "util/text.h"

#define EVENTS 16

QPW_NAME_TABLE(qpw_poll_result_name, QPW_POLL_RESULTS, QPW_POLL_RESULT_COUNT, "")

struct qpw_poll {
    CURLM *multi;
    int epoll_fd, timer_fd;
    struct qpw_poll_options options;
    char certificate[4096], key[4096], ca[4096];
    qpw_poll_done done;
    void *data;
    struct request *requests;
};

/* One poll under way. */
struct request {
    struct request *next;
    struct qpw_poll *poll;
    CURL *easy;
    struct curl_slist *resolve, *headers;
    size_t target;
    unsigned kind;
    char *body;
    size_t length, most;
    bool too_large;
    char etag[QPW_POLL_ETAG], epoch[QPW_POLL_ETAG];
    char error[CURL_ERROR_SIZE];
    uint64_t begun_us; /* CLOCK_BOOTTIME */
    uint64_t boot_us;  /* as the peer says; 0: it does not */
};

/* ---- Callbacks of libcurl ---- */

static size_t take_body(char *bytes, size_t one, size_t n, void *data)
{
    struct request *q = data;
    char *more;

    if (n > q->most - q->length) {
        q->too_large = true;
        return 0;
    }
    more = realloc(q->body, q->length + n + 1);
    if (!more)
        return 0;
    memcpy(more + q->length, bytes, n);
    q->body = more;
    q->length += n;
    return n;
}

/* Copy a header's value without the blanks around it, if it is that header. */
static bool take_value(const char *line, size_t length, const char *name, char *ret, size_t size)
{
    size_t skip = strlen(name);

    if (length <= skip || line[skip] != ':' || strncasecmp(line, name, skip))
        return false;
    for (skip++; skip < length && (line[skip] == ' ' || line[skip] == '\t'); skip++)
        ;
    while (length > skip && strchr("\r\n \t", line[length - 1]))
        length--;
    if (length - skip >= size)
        return false;
    memcpy(ret, line + skip, length - skip);
    ret[length - skip] = '\0';
    return true;
}

static size_t take_header(char *line, size_t one, size_t n, void *data)
{
    struct request *q = data;
    char number[24], *end;

    take_value(line, n, "ETag", q->etag, sizeof(q->etag));
    take_value(line, n, "Qpw-Epoch", q->epoch, sizeof(q->epoch));
    if (take_value(line, n, "Qpw-Boot", number, sizeof(number))) {
        q->boot_us = strtoull(number, &end, 10);
        if (*end || q->boot_us >> 53)
            q->boot_us = 0;
    }
    return n;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct qpw_poll *p = data;
    struct epoll_event event = {.data.fd = fd, .events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0)};

    if (what == CURL_POLL_REMOVE)
        epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(p->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
        epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return 0;
}

static int set_timer(CURLM *multi, long ms, void *data)
{
    struct qpw_poll *p = data;
    struct itimerspec t = {{0, 0}, {0, 0}};

    if (ms >= 0) {
        t.it_value.tv_sec = ms / 1000;
        t.it_value.tv_nsec = ms ? ms % 1000 * 1000000 : 1;
    }
    return timerfd_settime(p->timer_fd, 0, &t, NULL);
}

/* ---- Opening ---- */

int qpw_poll_open(const struct qpw_poll_options *options, qpw_poll_done done, void *data, struct qpw_poll **ret, struct qpw_error *err)
{
    struct qpw_poll *p = calloc(1, sizeof(*p));
    struct epoll_event event = {.events = EPOLLIN};

    *ret = NULL;
    if (!p || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(p);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    p->done = done;
    p->data = data;
    p->options = *options;
    snprintf(p->certificate, sizeof(p->certificate), "%s", options->certificate);
    snprintf(p->key, sizeof(p->key), "%s", options->key);
    snprintf(p->ca, sizeof(p->ca), "%s", options->ca ? options->ca : "");
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    p->multi = curl_multi_init();
    event.data.fd = p->timer_fd;
    if (p->epoll_fd < 0 || p->timer_fd < 0 || !p->multi || epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->timer_fd, &event) < 0) {
        int r = p->multi ? -errno : -ENOMEM;

        qpw_poll_close(p);
        return qpw_fail(err, r, "polling peers: %s", strerror(-r));
    }
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 2L);
    *ret = p;
    return 0;
}

static void drop(struct request *q)
{
    for (struct request **one = &q->poll->requests; *one; one = &(*one)->next)
        if (*one == q) {
            *one = q->next;
            break;
        }
    if (q->easy) {
        curl_multi_remove_handle(q->poll->multi, q->easy);
        curl_easy_cleanup(q->easy);
    }
    curl_slist_free_all(q->resolve);
    curl_slist_free_all(q->headers);
    free(q->body);
    free(q);
}

void qpw_poll_close(struct qpw_poll *p)
{
    if (!p)
        return;
    while (p->requests)
        drop(p->requests);
    if (p->multi)
        curl_multi_cleanup(p->multi);
    if (p->epoll_fd >= 0)
        close(p->epoll_fd);
    if (p->timer_fd >= 0)
        close(p->timer_fd);
    free(p);
    curl_global_cleanup();
}

int qpw_poll_fd(const struct qpw_poll *p)
{
    return p->epoll_fd;
}

/* ---- Polling ---- */

/* Append `text` to a list; false: out of memory, the list is as before. */
static bool add(struct curl_slist **list, const char *text)
{
    struct curl_slist *more = curl_slist_append(*list, text);

    if (more)
        *list = more;
    return more;
}

/* Give curl the addresses of the name in the URL, so that nothing is resolved: "node2:9101:10.0.0.2,[fd00::2]". */
static bool set_addresses(struct request *q, const struct qpw_poll_target *target, const char *host)
{
    char text[QPW_NAME_LEN + 16 + QPW_POLL_ADDRESSES * 48], addr[64];
    size_t used = (size_t)snprintf(text, sizeof(text), "%s:%u:", host, q->poll->options.port);

    for (size_t i = 0; i < target->n_addrs && i < QPW_POLL_ADDRESSES; i++) {
        qpw_address_text(target->addr[i], addr, sizeof(addr));
        used += (size_t)snprintf(text + used, sizeof(text) - used, strchr(addr, ':') ? "%s[%s]" : "%s%s", i ? "," : "", addr);
    }
    return add(&q->resolve, text);
}

static void set_trust(struct request *q, const struct qpw_poll_target *target)
{
    const struct qpw_poll *p = q->poll;
    char pins[QPW_POLL_PINS * (QPW_POLL_PIN + 2)];
    size_t used = 0;

    curl_easy_setopt(q->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3 | (long)CURL_SSLVERSION_MAX_TLSv1_3);
    curl_easy_setopt(q->easy, CURLOPT_SSLCERT, p->certificate);
    curl_easy_setopt(q->easy, CURLOPT_SSLKEY, p->key);
    /* Never the system's authorities: none of them may vouch for a peer, and each connection would load all of them (7 MiB). */
    curl_easy_setopt(q->easy, CURLOPT_CAINFO, *p->ca ? p->ca : NULL);
    curl_easy_setopt(q->easy, CURLOPT_CAPATH, NULL);
    if (*p->ca)
        return; /* the certificate must be of that CA, and name the host of the URL */
    for (size_t i = 0; i < target->n_pins && i < QPW_POLL_PINS; i++)
        used += (size_t)snprintf(pins + used, sizeof(pins) - used, "%ssha256//%s", i ? ";" : "", target->pin[i] + strlen("sha256:"));
    curl_easy_setopt(q->easy, CURLOPT_SSL_VERIFYPEER, 0L); /* self-signed: the pin decides */
    curl_easy_setopt(q->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(q->easy, CURLOPT_PINNEDPUBLICKEY, pins);
}

static void set_limits(CURL *easy, const struct qpw_poll_ask *ask)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, QPW_POLL_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, QPW_POLL_MS + (long)ask->wait_s * 1000);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)ask->most);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L); /* addresses may change with the policy */
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
}

/* Return the host of the URL: the peer's name, which its certificate has, if it may stand there. */
static const char *host_of(const struct qpw_poll_target *target)
{
    size_t length = strspn(target->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

    return length && !target->name[length] ? target->name : "peer.invalid";
}

/* Without a pin or a CA anybody could answer: such a peer is never polled. */
static bool is_trusted(const struct qpw_poll *p, const struct qpw_poll_target *target)
{
    for (size_t i = 0; i < target->n_pins && i < QPW_POLL_PINS; i++)
        if (strncmp(target->pin[i], "sha256:", strlen("sha256:")))
            return false;
    return (*p->ca || target->n_pins) && target->n_addrs;
}

int qpw_poll_start(struct qpw_poll *p, const struct qpw_poll_target *target, size_t index, const struct qpw_poll_ask *ask)
{
    struct request *q = is_trusted(p, target) ? calloc(1, sizeof(*q)) : NULL;
    char url[512], match[QPW_POLL_ETAG + 20];

    if (!q)
        return is_trusted(p, target) ? -ENOMEM : -EINVAL;
    *q = (struct request){.poll = p, .target = index, .kind = ask->kind, .most = ask->most, .next = p->requests, .easy = curl_easy_init(), .begun_us = qpw_clock_boot_ns() / 1000};
    p->requests = q;
    snprintf(url, sizeof(url), "https://%s:%u%s", host_of(target), p->options.port, ask->path);
    snprintf(match, sizeof(match), "If-None-Match: %s", ask->etag ? ask->etag : "");
    if (!q->easy || !set_addresses(q, target, host_of(target)) || (ask->etag && *ask->etag && !add(&q->headers, match))) {
        drop(q);
        return -ENOMEM;
    }
    set_limits(q->easy, ask);
    set_trust(q, target);
    curl_easy_setopt(q->easy, CURLOPT_URL, url);
    curl_easy_setopt(q->easy, CURLOPT_RESOLVE, q->resolve);
    curl_easy_setopt(q->easy, CURLOPT_HTTPHEADER, q->headers);
    curl_easy_setopt(q->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(q->easy, CURLOPT_WRITEDATA, q);
    curl_easy_setopt(q->easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(q->easy, CURLOPT_HEADERDATA, q);
    curl_easy_setopt(q->easy, CURLOPT_ERRORBUFFER, q->error);
    curl_easy_setopt(q->easy, CURLOPT_PRIVATE, q);
    if (curl_multi_add_handle(p->multi, q->easy) != CURLM_OK) {
        drop(q);
        return -ENOMEM;
    }
    return 0;
}

/*
 * Return whether the peer refused this node's key. In TLS 1.3 the refusal comes behind the handshake, or just within it
 * where this node's last messages are still on their way: as an alert, or as a connection that it closed meanwhile.
 */
static bool is_refusal(const struct request *q)
{
    return !strstr(q->error, "ersion") && (strstr(q->error, "lert") || strstr(q->error, "ertificate") ||
                                           strstr(q->error, "Broken pipe") || strstr(q->error, "reset by peer") ||
                                           strstr(q->error, "not connected"));
}

static enum qpw_poll_result result_of(const struct request *q, CURLcode code, long status)
{
    if (q->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return QPW_POLL_TOO_LARGE;
    switch (code) {
    case CURLE_OK:
        return status == 200 ? QPW_POLL_OK : status == 304 ? QPW_POLL_UNCHANGED : status == 403 ? QPW_POLL_REFUSED : QPW_POLL_STATUS;
    case CURLE_OPERATION_TIMEDOUT: return QPW_POLL_SLOW;
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_PEER_FAILED_VERIFICATION: return QPW_POLL_WRONG_KEY;
    case CURLE_SSL_CONNECT_ERROR: return is_refusal(q) ? QPW_POLL_REFUSED : QPW_POLL_TLS;
    default: return is_refusal(q) ? QPW_POLL_REFUSED : QPW_POLL_UNREACHABLE;
    }
}

static void write_trouble(const struct request *q, CURLcode code, long status, struct qpw_polled *ret)
{
    static const char *const texts[QPW_POLL_RESULT_COUNT] = {
        [QPW_POLL_SLOW] = "it did not answer within 5 s",
        [QPW_POLL_WRONG_KEY] = "its key or certificate is not the expected one",
        [QPW_POLL_REFUSED] = "it does not accept this node's key or address",
        [QPW_POLL_TLS] = "it speaks no TLS 1.3",
        [QPW_POLL_TOO_LARGE] = "its answer is larger than this node reads",
    };

    if (texts[ret->result])
        snprintf(ret->trouble, sizeof(ret->trouble), "%s", texts[ret->result]);
    else if (ret->result == QPW_POLL_STATUS)
        snprintf(ret->trouble, sizeof(ret->trouble), "it answers with HTTP status %ld", status);
    else if (ret->result == QPW_POLL_UNREACHABLE)
        qpw_text_cut(ret->trouble, sizeof(ret->trouble), *q->error ? q->error : curl_easy_strerror(code));
    qpw_text_clean(ret->trouble);
}

/* Estimate the peer's clock: what it said stands in the middle between asking and its first byte. */
static void measure(const struct request *q, struct qpw_polled *ret)
{
    curl_off_t asked = 0, answered = 0;

    if (!q->boot_us || curl_easy_getinfo(q->easy, CURLINFO_PRETRANSFER_TIME_T, &asked) != CURLE_OK ||
        curl_easy_getinfo(q->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered) != CURLE_OK || answered < asked)
        return;
    ret->has_boot = true;
    ret->error_us = (uint64_t)(answered - asked) / 2 + 1;
    ret->offset_us = (int64_t)q->boot_us - (int64_t)(q->begun_us + (uint64_t)asked + ret->error_us);
}

static void finish(struct qpw_poll *p, CURL *easy, CURLcode code)
{
    struct qpw_polled polled = {0};
    struct request *q = NULL;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &q);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    polled.target = q->target;
    polled.kind = q->kind;
    polled.etag = q->etag;
    polled.epoch = q->epoch;
    polled.took_us = qpw_clock_boot_ns() / 1000 - q->begun_us;
    polled.result = result_of(q, code, status);
    write_trouble(q, code, status, &polled);
    if (polled.result == QPW_POLL_OK) {
        polled.bytes = q->body ? q->body : "";
        polled.length = q->length;
    }
    if (polled.result == QPW_POLL_OK || polled.result == QPW_POLL_UNCHANGED)
        measure(q, &polled);
    curl_multi_remove_handle(p->multi, easy); /* now, so that a poll which this call starts has the connection */
    p->done(p->data, &polled);
    drop(q);
}

void qpw_poll_step(struct qpw_poll *p)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(p->epoll_fd, events, EVENTS, 0), left, running;
    uint64_t expirations;
    CURLMsg *message;

    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd, what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                                           (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                                           (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

        if (fd == p->timer_fd && read(fd, &expirations, sizeof(expirations)) == sizeof(expirations))
            curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        else if (fd != p->timer_fd)
            curl_multi_socket_action(p->multi, fd, what, &running);
    }
    while ((message = curl_multi_info_read(p->multi, &left)))
        if (message->msg == CURLMSG_DONE)
            finish(p, message->easy_handle, message->data.result);
}
