/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy_file.h - changes a policy file, and takes that back where the auditor refuses it.
 *
 * One command at a time: the folder is locked from the reading to the end. A file is whole, old or new, at all times; a
 * link stays one, and owner and mode stay as they were.
 */
#ifndef QPW_CMD_POLICY_FILE_H
#define QPW_CMD_POLICY_FILE_H

#include <stdbool.h>

#include "util/error.h"
#include "util/undo.h"

struct qpw_policy_file {
    char *path;  /* absolute, as it is read: what it includes is looked for beside that, not beside a link's target */
    char *text;  /* what it held when it was opened; NULL: it was not there */
    int lock;    /* -1: none of its own */
    bool written;
    struct qpw_undo undo;
};

/*
 * path: as the instance knows it (qpw_meta.policy_path), "built-in:NAME" is refused with what to do. Locks and reads it.
 * 0; -EBUSY: another command changes a policy there; or another negative errno; err filled. Always qpw_policy_file_close() it.
 */
int qpw_policy_file_open(const char *path, struct qpw_policy_file *ret, struct qpw_error *err);

/* The file beside it that holds what was muted; there or not. */
int qpw_policy_file_muted(const struct qpw_policy_file *policy, struct qpw_policy_file *ret, struct qpw_error *err);

/* Whether it still holds what it did when it was opened. 0; -ESTALE: an editor without the lock changed it; err filled. */
int qpw_hook_site_check(const struct qpw_policy_file *place, struct qpw_error *err);

/* Replaces what it holds. 0, or a negative errno with err filled: then it is as before. */
int qpw_policy_file_write(struct qpw_policy_file *place, const char *text, struct qpw_error *err);

/* Adds an include of `other`, which lies beside it, unless it is read already. Returns as above. */
int qpw_policy_file_include(struct qpw_policy_file *place, const struct qpw_policy_file *other, struct qpw_error *err);

/* Puts back what it held, if it was written. 0, or a negative errno with err filled. */
int qpw_policy_file_back(struct qpw_policy_file *place, struct qpw_error *err);

void qpw_policy_file_close(struct qpw_policy_file *place);

#endif
