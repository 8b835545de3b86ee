/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process.h - what the process of `serve` holds, and how its parts are opened, at its start and when it reads them again. */
#ifndef QPW_SERVE_PROCESS_H
#define QPW_SERVE_PROCESS_H

#include "serve/gather.h"
#include "serve/outbox.h"
#include "serve/own_line.h"
#include "serve/publish.h"
#include "serve/refresh.h"

#define QPW_SERVE_PATH 4096

struct qpw_serve {
    const char *policy_path, *keys, *state;
    uint16_t port;
    struct qpw_listen_at at;
    bool bad_policy;
    char loaded[QPW_PUBLISH_LOADED]; /* since when the auditor's policy is in force, by its last statement */
    struct qpw_policy policy;
    struct qpw_outbox *outbox;
    struct qpw_listen *listen;
    struct qpw_gather *gather;
    struct qpw_refresh *refresh;
    char key_path[QPW_SERVE_PATH], certificate_path[QPW_SERVE_PATH], samples_path[QPW_SERVE_PATH], metrics_path[QPW_SERVE_PATH];
    int sockets[QPW_LISTEN_ADDRESSES]; /* given by the service manager */
    size_t n_sockets;
    int epoll, signals;
};

/* Write the paths of its files. Return 0 or -ENAMETOOLONG with err filled. */
int qpw_serve_name_files(struct qpw_serve *s, struct qpw_error *err);

/* Find this node's own line of the policy, *ret NULL: there is none, and where to listen. Return 0 or -ENOENT with err filled. */
int qpw_serve_find_self(struct qpw_serve *s, const struct qpw_peer **ret, struct qpw_error *err);

/* Each opens one part. Return 0 or a negative errno with err filled. */
int qpw_serve_open_outbox(struct qpw_serve *s, struct qpw_error *err);
int qpw_serve_open_listen(struct qpw_serve *s, struct qpw_error *err); /* or lets the one there is go on with what the files hold now */
int qpw_serve_open_gather(struct qpw_serve *s, const struct qpw_peer *self, struct qpw_error *err);

/* Say what makes the auditor take this node's own port for unexpected. */
void qpw_serve_warn_port(const struct qpw_serve *s);

#endif
