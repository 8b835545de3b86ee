/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * listen.h - answer peers and readers over HTTPS: /v1/statement, /v1/events, and /metrics; documents
 * as gzip to those that read it.
 *
 * TLS 1.3 only. Who asks is told by the public key of its certificate, which the policy names, and must come from one of
 * the addresses of that name. Nothing is read of a request beyond its head; every refusal is counted by its reason.
 */
#ifndef QPW_SERVE_LISTEN_H
#define QPW_SERVE_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "policy/lang/policy.h"
#include "util/error.h"

#define QPW_LISTEN_ADDRESSES 16u
#define QPW_LISTEN_CONNECTIONS 64u    /* of each address that is listened on, and three more for each peer */
#define QPW_LISTEN_FROM_ONE 8u        /* connections from one address */
#define QPW_LISTEN_WAITING 2u         /* requests of one peer that wait for events */
#define QPW_LISTEN_IDLE_S 15u         /* a connection without progress ends */
#define QPW_LISTEN_MEMORY (12u << 10) /* bytes of a connection; longer heads are refused */

/* X(symbol, "name in metrics") */
#define QPW_ANSWERS(X) \
    X(OK, "ok") \
    X(UNCHANGED, "unchanged") \
    X(NO_KEY, "no-key")               /* without a certificate */ \
    X(WRONG_KEY, "wrong-key")         /* of a key that the policy does not name */ \
    X(WRONG_ADDRESS, "wrong-address") /* a known key from an address of another */ \
    X(FORBIDDEN, "forbidden")         /* a reader asked for more than metrics */ \
    X(METHOD, "method")               /* not GET, or with a body */ \
    X(NOT_FOUND, "not-found") \
    X(NOT_READY, "not-ready")         /* nothing to answer with: no auditor */ \
    X(QUERY, "query")                 /* parameters that are none, or out of range */ \
    X(DISPLACED, "displaced")         /* more than two of a peer waited for events: the oldest was answered early */ \
    X(NO_REQUEST, "no-request")       /* a connection that ended without a whole request, or without TLS 1.3 */
#define QPW_X_ANSWER(s, n) QPW_ANSWER_##s,
enum qpw_answer_kind { QPW_ANSWERS(QPW_X_ANSWER) QPW_ANSWER_COUNT };
const char *qpw_answer_kind_name(unsigned kind);

struct qpw_outbox;
struct qpw_listen;

struct qpw_listen_options {
    const struct qpw_policy *policy;     /* borrowed until close or qpw_listen_policy() */
    const char *certificate, *key, *ca;  /* PEM texts; ca NULL: keys are named by the policy */
    const uint8_t (*addresses)[16];
    size_t n_addresses;
    const int *sockets; /* that listen already; closed by qpw_listen_close() */
    size_t n_sockets;
    uint16_t port;
    struct qpw_outbox *outbox;               /* borrowed until close; NULL: no events */
};

/* The caller closes *ret. Return 0 or a negative errno with err filled. */
int qpw_listen_open(const struct qpw_listen_options *options, struct qpw_listen **ret, struct qpw_error *err);
void qpw_listen_close(struct qpw_listen *l); /* NULL is fine */

/* Return a descriptor that is readable when qpw_listen_step() has something to do, and after how many ms at the latest. */
int qpw_listen_fd(const struct qpw_listen *l);
int qpw_listen_timeout_ms(const struct qpw_listen *l); /* -1: any time */
void qpw_listen_step(struct qpw_listen *l);

/*
 * Listen by other options from now on: certificate, key, CA, policy, addresses; an address that stays is never closed, given
 * sockets stay (their number has to be the same). Connections end, so that each peer has to prove itself again; counts and documents
 * are kept. Return 0; or a negative errno with err filled, nothing changed.
 */
int qpw_listen_replace(struct qpw_listen **l, const struct qpw_listen_options *options, struct qpw_error *err);

enum qpw_served { QPW_SERVED_STATEMENT, QPW_SERVED_SAMPLES, QPW_SERVED_METRICS, QPW_SERVED_OPENMETRICS, QPW_SERVED_COUNT };

/* Replace what is served: bytes are copied; NULL: nothing. etag: "" for none. Return 0 or -ENOMEM, the old one kept. */
int qpw_listen_publish(struct qpw_listen *l, enum qpw_served which, const char *bytes, size_t length, const char *etag);

const uint64_t *qpw_listen_counts(const struct qpw_listen *l); /* QPW_ANSWER_COUNT of them */

#endif
