/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy_file.h - change a policy file, and undo that if the auditor refuses it.
 *
 * Only one command at a time: the folder is locked from reading to the end. A file is complete at all times, old or
 * new; a link stays a link, and owner and mode are kept.
 */
#ifndef QPW_CMD_POLICY_FILE_H
#define QPW_CMD_POLICY_FILE_H

#include <stdbool.h>

#include "util/error.h"
#include "util/undo.h"

struct qpw_policy_file {
    char *path;  /* absolute, as the auditor reads it: includes are relative to this path, not to a link's target */
    char *text;  /* its content when opened; NULL: it did not exist */
    int lock;    /* -1: holds none itself */
    bool written;
    struct qpw_undo undo;
};

/*
 * Lock and read a policy. path: as the instance knows it (qpw_meta.policy_path); "built-in:NAME" is refused with
 * advice. Returns 0; -EBUSY: another command is changing a policy there; or another negative errno; err filled. Always
 * close it with qpw_policy_file_close().
 */
int qpw_policy_file_open(const char *path, struct qpw_policy_file *ret, struct qpw_error *err);

/* Open the file beside it for muted findings, which may not exist yet. */
int qpw_policy_file_muted(const struct qpw_policy_file *policy, struct qpw_policy_file *ret, struct qpw_error *err);

/*
 * Check that its content has not changed since it was opened. Returns 0, or -ESTALE with err filled: an editor that
 * ignores the lock changed it.
 */
int qpw_policy_file_check(const struct qpw_policy_file *target, struct qpw_error *err);

/* Replace its content. Returns 0, or a negative errno with err filled and the content unchanged. */
int qpw_policy_file_write(struct qpw_policy_file *target, const char *text, struct qpw_error *err);

/* Include `other`, which is in the same folder, unless the policy already reads it. Returns as above. */
int qpw_policy_file_include(struct qpw_policy_file *target, const struct qpw_policy_file *other, struct qpw_error *err);

/* Restore the original content, if it was replaced. Returns 0, or a negative errno with err filled. */
int qpw_policy_file_back(struct qpw_policy_file *target, struct qpw_error *err);

void qpw_policy_file_close(struct qpw_policy_file *target);

#endif
