/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refresh.h - a process beside the one that meets other hosts, which has this node's documents made every ten seconds.
 *
 * It runs 'qportwatch statement' and 'qportwatch metrics', which read the kernel's maps themselves where this is root's
 * process, and are otherwise run by the auditor for members of the group of readers. It takes no requests, so that the
 * other process needs neither a privilege nor the right to run a program.
 */
#ifndef QPW_SERVE_REFRESH_H
#define QPW_SERVE_REFRESH_H

#include <stdbool.h>

#include "util/error.h"

#define QPW_REFRESH_PROCESS "qportwatch-self" /* its name */
#define QPW_REFRESH_EVERY_S 10u
#define QPW_REFRESH_PATIENCE_S 60u /* a busy machine is late; a node that states nothing counts as dead */
#define QPW_REFRESH_BYTES (1u << 20) /* of a document; a larger one fails */

/* X(symbol, "file in the state directory", words of the command) */
#define QPW_REFRESHED_DOCUMENTS(X) \
    X(SAMPLES, "samples.json", "statement", "--samples") \
    X(METRICS, "metrics.prom", "metrics")
#define QPW_X_REFRESHED(s, f, ...) QPW_REFRESHED_##s,
enum qpw_refreshed { QPW_REFRESHED_DOCUMENTS(QPW_X_REFRESHED) QPW_REFRESHED_COUNT };
const char *qpw_refreshed_file(enum qpw_refreshed which);

struct qpw_refresh;

/*
 * Start the process, which ends with this one. Call it before anything secret is read. state: the directory of the
 * documents. The caller closes *ret. Return 0 or a negative errno with err filled.
 */
int qpw_refresh_open(const char *state, struct qpw_refresh **ret, struct qpw_error *err);
void qpw_refresh_close(struct qpw_refresh *r); /* waits for its end; NULL is fine */

/* Return a descriptor that is readable when qpw_refresh_next() has something to say. */
int qpw_refresh_fd(const struct qpw_refresh *r);

/*
 * Take the next result. *ret_made: the document was replaced; else it failed, and there is none any more. Return 1, 0:
 * nothing more at present, or a negative errno: the process has ended.
 */
int qpw_refresh_next(struct qpw_refresh *r, enum qpw_refreshed *ret_which, bool *ret_made);

#endif
