/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy_edit.h - what the two parts of `policy edit` share: the file and its copy, and what is done with them. */
#ifndef QPW_POLICY_EDIT_H
#define QPW_POLICY_EDIT_H

#include "cmd/policy_file.h"
#include "qportwatch_user.h"
#include "util/error.h"

struct qpw_edit {
    const char *file;        /* as given; NULL: the policy in force */
    bool attached;
    bool fresh;              /* the file does not exist yet */
    struct qpw_meta meta;    /* of the attached instance */
    struct qpw_policy_file target;
    char *base;              /* the text before editing */
    char *copy;              /* path of the temporary copy */
    char *edited;            /* the edited text without proposals that were not accepted */
};

/*
 * Open and lock the file, and write its copy with the proposals beside it. Set all of e but `edited`; what is set stays
 * the caller's on failure, too. Returns 0, or a negative errno with err filled.
 */
int qpw_edit_begin(struct qpw_edit *e, struct qpw_error *err);

/* Remove the folder of that path if it is empty. */
void qpw_edit_remove_folder(const char *path);

#endif
