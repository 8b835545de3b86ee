/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * captures.h - the captures that a command is given: their order, which end is the node, and a process without rights that
 * reads them.
 */
#ifndef QPW_CMD_CAPTURES_H
#define QPW_CMD_CAPTURES_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/lang/policy.h"
#include "replay/replay.h"
#include "replay/setup.h"

struct qpw_captures {
    char **paths; /* of argv; qpw_captures_look() puts them in order */
    size_t n;
    struct qpw_ends ends; /* of --local ADDR */
    bool local_auto;
};

/* A value of --local: ADDR[/LEN] or auto. Ends the program where it is neither. */
void qpw_captures_take_local(struct argp_state *state, struct qpw_captures *c, const char *text);

/* Whether --local says all that is needed; ends the program where it does not. */
void qpw_captures_check(struct argp_state *state, const struct qpw_captures *c);

/*
 * Opens the captures, for good, and has them looked at without rights: their order, and what --local auto stands for, both
 * said on standard error as `command` ("replay"). *ret_first_ns: the first time stamp, 0: not known. An exit status; why it
 * failed was said.
 */
int qpw_captures_look(struct qpw_captures *c, const struct qpw_policy *policy, const char *command, uint64_t *ret_first_ns);

/*
 * Runs function(arg) as host/apart.h does, in a process that may read and replay captures, with programs that are loaded
 * already. Its exit status; where there is none that was said.
 */
int qpw_captures_apart(int (*function)(void *arg), void *arg, const char *command);

/*
 * Replays them all, up to the first fault, which err names. `ended` is called for each connection. 0 or a negative errno;
 * *ret_totals is what came so far.
 */
int qpw_captures_replay(const struct qpw_captures *c, struct qpw_replay_setup *setup, qpw_ended_fn ended, void *data,
                        struct qpw_replay_totals *ret_totals, struct qpw_error *err);

/* The exit status of an error of opening or reading a capture. */
int qpw_captures_exit(int error);

#endif
