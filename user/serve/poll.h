/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * poll.h - fetch the statements and events of peers over HTTPS, many at once, none waiting for another.
 *
 * TLS 1.3 only. A peer proves itself by the key that the policy pins (SPKI), or by a certificate of the cluster's CA with
 * its name. Connections are kept and reused by name, so open another poller when keys or addresses change. No redirect, no
 * proxy, no name is resolved; a poll takes five seconds and QPW_POLL_BYTES at most.
 */
#ifndef QPW_SERVE_POLL_H
#define QPW_SERVE_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qportwatch_user.h"
#include "util/error.h"

#define QPW_POLL_BYTES (512u << 10)
#define QPW_POLL_MS 5000L
#define QPW_POLL_ADDRESSES 8u
#define QPW_POLL_PINS 2u
#define QPW_POLL_PIN 64u  /* "sha256:" and 44 characters of base64, with terminator */
#define QPW_POLL_ETAG 128u

struct qpw_poll;

struct qpw_poll_options {
    const char *certificate, *key; /* PEM files of this node */
    const char *ca;                /* PEM file of the cluster's CA; NULL: peers are pinned */
    uint16_t port;
};

struct qpw_poll_target {
    char name[QPW_NAME_LEN];
    uint8_t addr[QPW_POLL_ADDRESSES][16]; /* tried in this order */
    size_t n_addrs;
    char pin[QPW_POLL_PINS][QPW_POLL_PIN]; /* "sha256:BASE64"; any of them */
    size_t n_pins;
};

/* X(symbol, "name in documents and metrics") */
#define QPW_POLL_RESULTS(X) \
    X(OK, "ok") \
    X(UNCHANGED, "unchanged") \
    X(UNREACHABLE, "unreachable")  /* no connection, or it broke */ \
    X(SLOW, "slow")                /* five seconds were not enough */ \
    X(WRONG_KEY, "wrong-key")      /* the key, the name or the time of its certificate */ \
    X(REFUSED, "refused")          /* the peer does not accept this node's key or address */ \
    X(TLS, "tls")                  /* no TLS 1.3 */ \
    X(TOO_LARGE, "too-large") \
    X(STATUS, "status")            /* another HTTP status than 200 and 304 */ \
    X(INVALID, "invalid")          /* the statement is not valid: see the reader */
#define QPW_X_POLL_RESULT(s, n) QPW_POLL_##s,
enum qpw_poll_result { QPW_POLL_RESULTS(QPW_X_POLL_RESULT) QPW_POLL_RESULT_COUNT };
const char *qpw_poll_result_name(unsigned result);

/* What is asked for. */
struct qpw_poll_ask {
    const char *path; /* "/v1/statement" */
    const char *etag; /* of the body known; NULL or empty: none */
    size_t most;      /* bytes of a body */
    unsigned wait_s;  /* how long the peer is asked to wait with its answer, beside QPW_POLL_MS */
    unsigned kind;    /* the caller's; comes back */
};

struct qpw_polled {
    size_t target;
    unsigned kind;
    enum qpw_poll_result result;
    const char *bytes; /* OK: the body */
    size_t length;
    const char *etag, *epoch; /* "" if there is none */
    uint64_t took_us;
    char trouble[160]; /* why there is no body, in words; else empty */
    bool has_boot;     /* the peer said its clock: */
    int64_t offset_us; /* its CLOCK_BOOTTIME minus this node's */
    uint64_t error_us; /* half the round trip */
};

/* Called from qpw_poll_step() for each poll that has ended; everything is borrowed. */
typedef void (*qpw_poll_done)(void *data, const struct qpw_polled *polled);

/* The caller closes *ret. Return 0 or a negative errno with err filled. */
int qpw_poll_open(const struct qpw_poll_options *options, qpw_poll_done done, void *data, struct qpw_poll **ret, struct qpw_error *err);
void qpw_poll_close(struct qpw_poll *p); /* NULL is fine; polls under way end without a call */

/* Start a poll of a target; index comes back in qpw_polled.target. Return 0; -ENOMEM; -EINVAL: nothing proves who it is. */
int qpw_poll_start(struct qpw_poll *p, const struct qpw_poll_target *target, size_t index, const struct qpw_poll_ask *ask);

/* Return a descriptor that is readable when qpw_poll_step() has something to do. */
int qpw_poll_fd(const struct qpw_poll *p);

/* Go on with what is ready. Never blocks. */
void qpw_poll_step(struct qpw_poll *p);

#endif
