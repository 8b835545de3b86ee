/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* poll_internal.h - the poller's parts: polls (poll.c), what comes back (poll_answer.c). */
#ifndef QPW_SERVE_POLL_INTERNAL_H
#define QPW_SERVE_POLL_INTERNAL_H

#include <curl/curl.h>

#include "serve/poll.h"

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

/* Have libcurl hand over the answer's head and body; the body is read up to request.most. */
void qpw_poll_take_answer(struct request *q);

/* Judge an answer that has ended, and write everything but index, kind and time of *ret, which borrows the request's bytes. */
void qpw_poll_judge(const struct request *q, CURLcode code, struct qpw_polled *ret);

#endif
