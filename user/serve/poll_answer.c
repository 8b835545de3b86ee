/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a peer answers to a poll: head and body as they come, and what they mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "serve/poll_internal.h"
#include "util/text.h"

/* ---- Head and body ---- */

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

void qpw_poll_take_answer(struct request *q)
{
    curl_easy_setopt(q->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(q->easy, CURLOPT_WRITEDATA, q);
    curl_easy_setopt(q->easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(q->easy, CURLOPT_HEADERDATA, q);
    curl_easy_setopt(q->easy, CURLOPT_ERRORBUFFER, q->error);
}

/* ---- Result ---- */

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

void qpw_poll_judge(const struct request *q, CURLcode code, struct qpw_polled *ret)
{
    long status = 0;

    curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &status);
    ret->etag = q->etag;
    ret->epoch = q->epoch;
    ret->result = result_of(q, code, status);
    write_trouble(q, code, status, ret);
    if (ret->result == QPW_POLL_OK) {
        ret->bytes = q->body ? q->body : "";
        ret->length = q->length;
    }
    if (ret->result == QPW_POLL_OK || ret->result == QPW_POLL_UNCHANGED)
        measure(q, ret);
}
