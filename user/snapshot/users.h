/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* users.h - the users of each rule, as recorded by the auditor (struct qpw_rule_user_key). */
#ifndef QPW_SNAPSHOT_USERS_H
#define QPW_SNAPSHOT_USERS_H

#include <stddef.h>

#include "instance/object.h"

struct qpw_rule_user_row {
    struct qpw_rule_user_key key;
    struct qpw_rule_user user;
};

/* Read them, sorted by rule, kind and address or path. Return 0 or a negative errno; the caller frees *ret. */
int qpw_rule_users_read(const struct qpw_kernel *k, struct qpw_rule_user_row **ret, size_t *ret_n);

/* Sort rows in that order and remove duplicates. Return the number that remain. */
size_t qpw_rule_users_sort(struct qpw_rule_user_row *rows, size_t n);

#endif
