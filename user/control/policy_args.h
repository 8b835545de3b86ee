/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy_args.h - the policy options as JSON, to be stored with the instance and sent to the auditor:
 * {"policy": FILE, "platform": NAME, "peers_file": FILE, "peers": ["NAME=ADDR", …]}, each only if it was given. Paths
 * are made absolute, because the reader may have another working directory.
 */
#ifndef QPW_CONTROL_POLICY_ARGS_H
#define QPW_CONTROL_POLICY_ARGS_H

#include <jansson.h>

#include "policy/lang/load.h"

/* Convert options. Return 0, with *ret owned by the caller; -EILSEQ with err filled if one is not UTF-8; or -ENOMEM. */
int qpw_policy_args_new(const struct qpw_policy_options *options, json_t **ret, struct qpw_error *err);

/*
 * Read options. The strings of *ret point into args, which must outlive it; the caller clears *ret. Return 0, -EINVAL
 * with err filled, or -ENOMEM.
 */
int qpw_policy_args_read(const json_t *args, struct qpw_policy_options *ret, struct qpw_error *err);

/*
 * Return the options `before` as changed by `more`: a policy or platform replaces both, peers or a file of peers both
 * of these. The caller owns the result. NULL: out of memory.
 */
json_t *qpw_policy_args_over(const json_t *before, const json_t *more);

/*
 * Convert to and from the text stored in qpw_meta. Writing: return 0, or -ENOSPC (buf is then empty). Reading: NULL if
 * invalid.
 */
int qpw_policy_args_store(const json_t *args, char *buf, size_t size);
json_t *qpw_policy_args_load(const char *text);

#endif
