/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alerts_verify.h - `alerts --verify`: check that the alert log is as it was written. */
#ifndef QPW_CMD_ALERTS_VERIFY_H
#define QPW_CMD_ALERTS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

struct qpw_alerts_verify_options {
    const char *log;
    char **files;       /* NULL-terminated, or NULL: the log with its rotations */
    const char *head;   /* "NUMBER:SUM" that the chain must contain, or NULL */
    const char **peers; /* files of heads and events that peers kept, all of which it must contain */
    size_t n_peers;
    bool json;
};

/*
 * Follow the chain (alert/log/chain.h) through `files` (NULL-terminated) or else through the rotations of `log` and
 * then `log` itself, and print the result. Returns QPW_EXIT_OK; QPW_EXIT_YES if the chain is broken or lacks one of those
 * heads; otherwise the status of an error, which has been printed.
 */
int qpw_alerts_verify(const struct qpw_alerts_verify_options *o);

#endif
