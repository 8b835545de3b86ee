/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * captures.h - the captures given to a command: their order, which end is the node, and an unprivileged process that
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
    char **paths; /* from argv; qpw_captures_look() sorts them */
    size_t n;
    struct qpw_ends ends; /* from --local ADDR */
    bool local_auto;
};

/* Parse a value of --local: ADDR[/LEN] or auto. Exits with a usage error otherwise. */
void qpw_captures_take_local(struct argp_state *state, struct qpw_captures *c, const char *text);

/* Check that --local is sufficient; exits with a usage error otherwise. */
void qpw_captures_check(struct argp_state *state, const struct qpw_captures *c);

/*
 * Open the captures and keep them open, and determine, without privileges, their order and what --local auto means;
 * both are reported on standard error in the name of `command` ("replay"). *ret_first_ns: the first time stamp, 0 if
 * unknown. Returns an exit status; errors have been printed.
 */
int qpw_captures_look(struct qpw_captures *c, const struct qpw_policy *policy, const char *command, uint64_t *ret_first_ns);

/*
 * Run function(arg) as host/apart.h does, in a process that may only read and replay captures; the programs must
 * already be loaded. Returns its exit status; if there is none, the reason has been printed.
 */
int qpw_captures_apart(int (*function)(void *arg), void *arg, const char *command);

/*
 * Replay all of them, up to the first error, which err describes. Calls `ended` for each connection, if it is not NULL. Returns
 * 0 or a negative errno; *ret_totals covers the frames so far.
 */
int qpw_captures_replay(const struct qpw_captures *c, struct qpw_replay_setup *setup, qpw_ended_fn ended, void *data,
                        struct qpw_replay_totals *ret_totals, struct qpw_error *err);

/* Return the exit status for an error in opening or reading a capture. */
int qpw_captures_exit(int error);

#endif
