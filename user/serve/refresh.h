/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refresh.h - have the privileged program print a document into a file, again and again, without waiting for it.
 *
 * 'qportwatch statement' and 'qportwatch metrics' read the kernel's maps themselves where this process is root's, and are
 * otherwise run by the auditor for members of the group of readers: this process holds no privilege either way.
 */
#ifndef QPW_SERVE_REFRESH_H
#define QPW_SERVE_REFRESH_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

#define QPW_REFRESH_BYTES (1u << 20) /* of a document; a larger one fails */

struct qpw_refresh {
    const char *const *command; /* NULL-terminated, without the program; borrowed */
    const char *path;           /* of the document; borrowed */
    pid_t pid;                  /* 0: none runs */
    int pidfd;                  /* readable when it has ended; -1: none runs */
};

/* Start the command. Return 0; -EBUSY: it still runs; or a negative errno with err filled. */
int qpw_refresh_start(struct qpw_refresh *r, struct qpw_error *err);

/* Call when pidfd is readable. Return 0: the document was replaced; or a negative errno: it failed, and the old one stays. */
int qpw_refresh_end(struct qpw_refresh *r);

/* End a running command and remove its part of a document. */
void qpw_refresh_stop(struct qpw_refresh *r);

#endif
