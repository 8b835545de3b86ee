/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy_args.h - the policy options as text, one a line ("policy /etc/x"), so that they can be kept
 * beside the kernel side and sent to the auditor. Paths are made absolute: the reader may be elsewhere.
 */
#ifndef QPW_AUDIT_POLICY_ARGS_H
#define QPW_AUDIT_POLICY_ARGS_H

#include <stddef.h>

#include "policy/lang/load.h"

/* What a process takes of them at most, as text. */
#define QPW_POLICY_ARGS_BYTES 65536

/* Writes them into buf; 0, or -ENOSPC where they do not fit (buf is then empty). */
int qpw_policy_args_write(const struct qpw_policy_options *options, char *buf, size_t size);

/*
 * Reads them back. The strings of *ret lie in `text`, which is cut into pieces and has to live as long. 0, -EINVAL or
 * -ENOMEM.
 */
int qpw_policy_args_read(char *text, struct qpw_policy_options *ret);

/*
 * The text of options that come later: where it names neither policy nor platform, those before stay, and where it
 * names no peers, theirs. Caller frees. NULL: out of memory.
 */
char *qpw_policy_args_over(const struct qpw_policy_options *before, const char *more);

#endif
