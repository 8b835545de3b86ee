/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* owner.h - whether who holds the node's end is whom the policy names (owner= of a rule). */
#ifndef QPW_FACTS_OWNER_H
#define QPW_FACTS_OWNER_H

#include "host/process.h"
#include "policy/lang/policy.h"

/* The verdict of records about an owner that the policy does not name; packets have none such. */
#define QPW_MISMATCH_WORD "mismatch"

enum qpw_owner_word {
    QPW_OWNER_FITS = 0, /* or the policy names nobody */
    QPW_OWNER_OTHER,
    QPW_OWNER_UNSURE,   /* not enough is known of the owner */
};

/*
 * Holds an owner against the text of owner=, links on this host followed. The path of the executable and the unit decide. Systemd holding a socket
 * for a service is UNSURE unless it is named: who will answer is not known yet.
 */
enum qpw_owner_word qpw_owner_judge(const char *wanted, const struct qpw_process *owner);

/*
 * The same against every row of the rule's name that is in force and speaks of the port: one that fits is enough.
 * direction: QPW_DIR_*; now: Unix seconds. *ret_wanted (may be NULL): the owner= of such a row, NULL where none has one.
 */
struct qpw_owner_question {
    const struct qpw_policy *policy;
    const char *rule;
    uint8_t direction;
    uint8_t protocol;
    uint16_t port; /* the service port, host order */
    int64_t now;
};
enum qpw_owner_word qpw_owner_of_rule(const struct qpw_owner_question *question, const struct qpw_process *owner,
                                      const char **ret_wanted);

/* Whether any row in force has an owner= that names somebody. */
bool qpw_policy_names_owners(const struct qpw_policy *policy, int64_t now);

/* What a program is known by: its path without what the kernel adds once the file is replaced. Returns buf. */
const char *qpw_owner_program(const struct qpw_process *owner, char *buf, size_t size);

#endif
