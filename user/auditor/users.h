/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* users.h - notes who uses the rules that name nobody, for proposals to narrow them (struct qpw_rule_user_key). */
#ifndef QPW_AUDITOR_USERS_H
#define QPW_AUDITOR_USERS_H

#include "auditor/internal.h"

struct qpw_users;

/* Goes on with what an auditor before this one noted. 0 or -ENOMEM with err. */
int qpw_users_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_users_close(struct qpw_auditor *a);

/* The policy in force is another: what was noted of rules that name somebody now is taken out. */
void qpw_users_policy(struct qpw_auditor *a);

/* A live connection, once in each walk over them. */
void qpw_users_see(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

#endif
