/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* owner.h - whether the process at the node's end is the one that the policy names (owner= of a rule). */
#ifndef QPW_FACTS_OWNER_H
#define QPW_FACTS_OWNER_H

#include "host/process.h"
#include "policy/lang/policy.h"

/* The verdict in records about an owner that the policy does not name; packets never have it. */
#define QPW_MISMATCH_WORD "mismatch"

enum qpw_owner_word {
    QPW_OWNER_FITS = 0, /* or the policy names no owner */
    QPW_OWNER_OTHER,
    QPW_OWNER_UNSURE,   /* too little is known about the owner */
};

/*
 * Compare an owner with the text of owner=, following symbolic links on this host. The executable's path and the unit
 * decide. If systemd holds a socket for a service, the result is UNSURE unless systemd is named, because the process
 * that will answer is not known yet.
 */
enum qpw_owner_word qpw_owner_judge(const char *wanted, const struct qpw_process *owner);

/*
 * Compare an owner with every row in force that has the rule's name and covers the port; one match suffices. direction:
 * QPW_DIR_*; now: Unix seconds. *ret_wanted (may be NULL): the owner= of such a row, NULL if none has one.
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

/* Return whether any row in force has an owner= that names a process or unit. */
bool qpw_policy_names_owners(const struct qpw_policy *policy, int64_t now);

/*
 * Return a program's identity: its path without the suffix that the kernel adds once the file is replaced. Returns buf.
 */
const char *qpw_owner_program(const struct qpw_process *owner, char *buf, size_t size);

#endif
