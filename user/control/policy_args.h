/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy_args.h - the policy options as JSON, to be kept beside the kernel side and sent to the auditor:
 * {"policy": FILE, "platform": NAME, "peers_file": FILE, "peers": ["NAME=ADDR", …]}, each only where it was given.
 * Paths are made absolute: the reader may be elsewhere.
 */
#ifndef QPW_CONTROL_POLICY_ARGS_H
#define QPW_CONTROL_POLICY_ARGS_H

#include <jansson.h>

#include "policy/lang/load.h"

/* 0 and *ret the caller's; -EILSEQ with err filled where one of them is not UTF-8; -ENOMEM. */
int qpw_policy_args_new(const struct qpw_policy_options *options, json_t **ret, struct qpw_error *err);

/*
 * Reads them. The strings of *ret lie in args, which has to live as long; the caller clears *ret.
 * 0, -EINVAL with err filled, or -ENOMEM.
 */
int qpw_policy_args_read(const json_t *args, struct qpw_policy_options *ret, struct qpw_error *err);

/*
 * The options `before`, changed by `more`: a policy or platform replaces both, peers or a file of peers both of these.
 * The caller's. NULL: out of memory.
 */
json_t *qpw_policy_args_over(const json_t *before, const json_t *more);

/* To and from the text kept in qpw_meta. Writing: 0, or -ENOSPC (buf is then empty). Reading: NULL where it is none. */
int qpw_policy_args_store(const json_t *args, char *buf, size_t size);
json_t *qpw_policy_args_load(const char *text);

#endif
