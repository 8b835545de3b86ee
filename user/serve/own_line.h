/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* own_line.h - which peer of the policy this node is, where it therefore listens, and whom it asks. */
#ifndef QPW_SERVE_OWN_LINE_H
#define QPW_SERVE_OWN_LINE_H

#include "policy/lang/policy.h"
#include "serve/listen.h"
#include "serve/poll.h"

struct qpw_listen_at {
    uint8_t addr[QPW_LISTEN_ADDRESSES][16];
    size_t n;
    bool given; /* by the command line: the policy adds none */
};

/*
 * Find the peer line that has an address of this node, or one that it was given. find: add the line's addresses that this
 * node holds to *at, which has none, unless some were given. NULL: there is no such line.
 */
const struct qpw_peer *qpw_own_line(const struct qpw_policy *policy, struct qpw_listen_at *at, bool find);

/* Return whether a rule of the policy is for connections to that TCP port; its own rule `self` is for QPW_SELF_PORT. */
bool qpw_own_line_explains(const struct qpw_policy *policy, uint16_t port);

/* Write where and by which keys a peer is asked. */
void qpw_own_line_target(const struct qpw_peer *peer, struct qpw_poll_target *ret);

#endif
