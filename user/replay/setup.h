/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* setup.h - an instance for one replay, with the policy that judges it. */
#ifndef QPW_REPLAY_SETUP_H
#define QPW_REPLAY_SETUP_H

#include <stdint.h>

#include "instance/object.h"
#include "policy/lang/policy.h"
#include "replay/ends.h"
#include "util/error.h"

struct qpw_replay_setup {
    struct qpw_kernel kernel;
    struct qpw_registry names; /* rules and peers by number */
};

struct qpw_replay_setup_options {
    const struct qpw_policy *policy;
    const struct qpw_ends *ends;   /* the node's own addresses, which are no peers */
    const char *interface;         /* interface name that iface= rules match, from --interface; NULL: none */
    uint32_t max_connections;      /* 0: default */
    uint64_t first_ns;             /* the captures' first time stamp, which until= is compared with; 0: now */
    bool mode_tc;
    bool counts;                   /* count the packets and bytes of each connection, for qpw_ended.counts */
};

/* Load the programs and activate the policy. Returns 0, or a negative errno with err filled and *ret unchanged. */
int qpw_replay_setup_open(const struct qpw_replay_setup_options *options, struct qpw_replay_setup *ret,
                          struct qpw_error *err);

void qpw_replay_setup_close(struct qpw_replay_setup *setup);

#endif
