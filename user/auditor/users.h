/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * users.h - record the users of rules that are open to any address or program, for proposals to narrow them (struct
 * qpw_rule_user_key).
 */
#ifndef QPW_AUDITOR_USERS_H
#define QPW_AUDITOR_USERS_H

#include "auditor/internal.h"

struct qpw_users;

/* Continue with the records of an earlier auditor. Return 0 or -ENOMEM with err. */
int qpw_users_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_users_close(struct qpw_auditor *a);

/* After a change of policy: remove the records of rules that have been narrowed. */
void qpw_users_policy(struct qpw_auditor *a);

/* Record a live connection; called once for each in every walk. */
void qpw_users_see(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

#endif
