/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* setup.h - a kernel side of its own for one replay, with the policy that it is judged by. */
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
    const struct qpw_ends *ends;   /* the node's own addresses are no peers */
    const char *interface;         /* name that iface= rules are met by, as --interface says; NULL: none is */
    uint32_t max_connections;      /* 0: default */
    uint64_t first_ns;             /* the captures' first time stamp: what until= is compared with; 0: now */
    bool mode_tc;
};

/* Loads the programs and puts the policy in force. 0, or a negative errno with err and *ret untouched. */
int qpw_replay_setup_open(const struct qpw_replay_setup_options *options, struct qpw_replay_setup *ret,
                          struct qpw_error *err);

void qpw_replay_setup_close(struct qpw_replay_setup *setup);

#endif
