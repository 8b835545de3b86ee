/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listen_internal.h - the listener's parts: who asks (asker.c), documents (answer_documents.c), events (answer_events.c). */
#ifndef QPW_SERVE_LISTEN_INTERNAL_H
#define QPW_SERVE_LISTEN_INTERNAL_H

#include <microhttpd.h>

#include "serve/outbox.h"
#include "serve/listen.h"

/* Bytes shared by all responses under way, so that slow readers cost no memory of their own. */
struct document {
    size_t users, length;
    char etag[128];
    struct document *gzip; /* the same compressed, once somebody asked for it so; NULL: not yet, or not smaller */
    bool tried;            /* to compress it */
    char bytes[];
};

/* What a connection is known by. */
struct connection {
    struct MHD_Connection *handle;
    bool asked; /* a whole request arrived */
    /* While it waits for events: */
    bool waits;              /* in the listener's list; its request is suspended */
    bool due;                /* waited: is answered with what there is */
    uint64_t after, until_ns; /* monotonic */
    char peer[QPW_NAME_LEN];
    struct connection *next; /* younger than this one */
};

struct qpw_listen {
    struct MHD_Daemon *daemons[QPW_LISTEN_ADDRESSES];
    size_t n_daemons;
    int epoll;
    const struct qpw_policy *policy;
    bool by_ca;
    struct document *served[QPW_SERVED_COUNT];
    struct qpw_outbox *outbox;      /* borrowed; NULL: no events */
    struct connection *waiting; /* oldest first */
    uint64_t counts[QPW_ANSWER_COUNT];
};

/* Who asks: a peer or a reader of the policy. */
struct qpw_asker {
    const char *name;
    const struct qpw_addresses *addresses;
    bool peer; /* else a reader */
};

/* Judge who asks by key or certificate, and by address. Return QPW_ANSWER_OK with *ret, or why not. */
enum qpw_answer_kind qpw_listen_identify(const struct qpw_listen *l, struct MHD_Connection *c, struct qpw_asker *ret);

/* Count and queue a response (NULL: out of memory), which is released. */
enum MHD_Result qpw_listen_finish(struct qpw_listen *l, struct MHD_Connection *c, enum qpw_answer_kind kind, unsigned status,
                                  struct MHD_Response *response, const char *type);

/* Refuse with the reason's name, which says no more than the client knows already. */
enum MHD_Result qpw_listen_refuse(struct qpw_listen *l, struct MHD_Connection *c, enum qpw_answer_kind kind, unsigned status);

/* Answer with a document: as gzip, if the client reads it; or only that it is still the one the client has. */
enum MHD_Result qpw_listen_document(struct qpw_listen *l, struct MHD_Connection *c, enum qpw_served which);

/* Give up one use of a document, which the last one frees; NULL is fine. */
void qpw_listen_release(void *data);

/* Answer a peer's request for events, now or when there are some. */
enum MHD_Result qpw_listen_events(struct qpw_listen *l, struct MHD_Connection *c, struct connection *connection, const char *peer);

/* Let those go on that have waited long enough, or have something to be sent; or all. The next MHD_run() answers them. */
void qpw_listen_resume(struct qpw_listen *l);
void qpw_listen_resume_all(struct qpw_listen *l);

/* Return after how many ms the next one has waited long enough; INT_MAX: none waits. */
unsigned long long qpw_listen_waiting_ms(const struct qpw_listen *l);

/* Take a connection that ends out of the list; NULL is fine. */
void qpw_listen_forget(struct qpw_listen *l, struct connection *connection);

#endif
