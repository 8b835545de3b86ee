/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "host/clock.h"
#include "serve/poll_internal.h"
#include "util/name_table.h"
#include "util/names.h"

#define EVENTS 16

QPW_NAME_TABLE(qpw_poll_result_name, result, QPW_POLL_RESULTS, QPW_POLL_RESULT_COUNT, "")

/* ---- What libcurl waits for ---- */

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
    *q = (struct request){.poll = p, .target = index, .kind = ask->kind, .most = ask->most, .next = p->requests,
                          .easy = curl_easy_init(), .begun_us = qpw_clock_boot_ns() / 1000};
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
    qpw_poll_take_answer(q);
    curl_easy_setopt(q->easy, CURLOPT_PRIVATE, q);
    if (curl_multi_add_handle(p->multi, q->easy) != CURLM_OK) {
        drop(q);
        return -ENOMEM;
    }
    return 0;
}

static void finish(struct qpw_poll *p, CURL *easy, CURLcode code)
{
    struct qpw_polled polled = {0};
    struct request *q = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &q);
    polled.target = q->target;
    polled.kind = q->kind;
    polled.took_us = qpw_clock_boot_ns() / 1000 - q->begun_us;
    qpw_poll_judge(q, code, &polled);
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
