/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* users.h - who used the rules, as the auditor noted it (struct qpw_rule_user_key). */
#ifndef QPW_SNAPSHOT_USERS_H
#define QPW_SNAPSHOT_USERS_H

#include <stddef.h>

#include "instance/object.h"

struct qpw_rule_user_row {
    struct qpw_rule_user_key key;
    struct qpw_rule_user user;
};

/* Reads them, by rule, kind and address or path. The caller frees *ret. 0 or a negative errno. */
int qpw_rule_users_read(const struct qpw_kernel *k, struct qpw_rule_user_row **ret, size_t *ret_n);

/* Puts them into that order and takes out what is there twice. Returns how many remain. */
size_t qpw_rule_users_sort(struct qpw_rule_user_row *rows, size_t n);

#endif
