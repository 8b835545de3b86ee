/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check.h - what is odd about a policy that is not wrong, for `policy check`. */
#ifndef QPW_POLICY_CHECK_H
#define QPW_POLICY_CHECK_H

#include "policy/lang/policy.h"

enum qpw_remark_kind {
    QPW_REMARK_NONE = 0,
    QPW_REMARK_WARNING,      /* from reading the policy */
    QPW_REMARK_DUPLICATE,    /* the same row again */
    QPW_REMARK_SHADOWED,     /* a wider row makes it needless */
    QPW_REMARK_OVERLAP,      /* two rows share some ports */
    QPW_REMARK_CONTRADICTS,  /* a row for what a group calls unexpected, and the like */
    QPW_REMARK_WIDE,         /* more than a quarter of all ports */
    QPW_REMARK_NEVER,        /* can match nothing */
    QPW_REMARK_PEER_CLIENT,  /* peers that overlap addresses of rows */
    QPW_REMARK_PURPOSE,      /* a proposed rule whose purpose nobody has written yet */
    QPW_REMARK_ENDLESS,      /* a suppression that hides very much, for good */
    QPW_REMARK_SPEAKS,       /* speaks= that says nothing, or is asked of too much */
};

struct qpw_remark {
    enum qpw_remark_kind kind;
    struct qpw_where where; /* file belongs to the policy; NULL where the text says it */
    char *text;             /* what, and what to do */
};

struct qpw_remarks {
    struct qpw_remark *list; /* in the order of the policy */
    size_t n;
};

/* Looks through the whole policy as it is at `now`. 0 or -ENOMEM; the caller clears. */
int qpw_policy_check(const struct qpw_policy *policy, int64_t now, struct qpw_remarks *ret);
void qpw_remarks_clear(struct qpw_remarks *remarks);

/* "duplicate", "shadowed", … */
const char *qpw_remark_name(enum qpw_remark_kind kind);

#endif
